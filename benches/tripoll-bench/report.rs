//! The table at the end.

use super::load::{Clients, Manner};
use super::options::Options;
use super::sample::Run;
use super::scenario::{Cell, Figure, Scenario};
use super::verdict::{self, Spread};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// The line of a results file below which everything is written by a run.
const FIGURES: &str = "<!-- figures -->";

/// Prints every cell: each contender's figures, and its ratio to the floor.
pub fn print(run: &Run) {
    for (name, value) in &run.about {
        println!("{name}: {value}");
    }
    for cell in cells(run) {
        println!("\n{cell}");
        let (headings, rows) = table(run, &cell);
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
        };
        for row in [&headings].into_iter().chain(&rows) {
            print!("  {:width$}", row[0], width = width(0));
            for (column, text) in row.iter().enumerate().skip(1) {
                print!("  {text:>width$}", width = width(column));
            }
            println!();
        }
    }
    if !run.absent.is_empty() {
        println!("\nabsent:");
        for (name, why) in &run.absent {
            println!("  {name}: {why}");
        }
    }
}

/// Writes the same as Markdown, below what the file says above the line of the figures.
pub fn write_results(run: &Run, path: &Path) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    let Some((above, _)) = text.split_once(FIGURES) else {
        return Err(io::Error::other(format!("{} has no line {FIGURES}: put it where the figures go", path.display())));
    };
    let mut out = format!("{above}{FIGURES}\n\n");
    for (name, value) in &run.about {
        out += &format!("- {name}: {value}\n");
    }
    for cell in cells(run) {
        let (headings, rows) = table(run, &cell);
        out += &format!("\n### {cell}\n\n| {} |\n|---|{}\n", headings.join(" | "), "---:|".repeat(headings.len() - 1));
        for row in rows {
            out += &format!("| {} |\n", row.join(" | "));
        }
    }
    if !run.absent.is_empty() {
        out += "\n### Absent\n\n";
        for (name, why) in &run.absent {
            out += &format!("- {name}: {why}\n");
        }
    }
    fs::write(path, out)
}

/// The cells, scenario by scenario.
fn cells(run: &Run) -> Vec<Cell> {
    let mut cells = run.cells();
    cells.sort_by_key(|cell| Scenario::ALL.iter().position(|scenario| *scenario == cell.scenario));
    cells
}

/// The headings of a cell's table, and a row for each contender.
fn table(run: &Run, cell: &Cell) -> (Vec<String>, Vec<Vec<String>>) {
    let contenders = run.contenders(cell);
    let has = |figure: &&Figure| contenders.iter().any(|name| !run.figures(cell, name, figure.key).is_empty());
    let figures: Vec<&Figure> = cell.scenario.figures().iter().filter(has).collect();
    let mut headings = vec![String::new(), "ratio to the floor".to_owned()];
    headings.extend(figures.iter().map(|figure| figure.heading.to_owned()));
    let row = |name: &String| {
        let mark = if is_load_bound(run, cell, name) { " (the load was the limit)" } else { "" };
        let mut row = vec![format!("{name}{mark}"), ratio(run, cell, name)];
        row.extend(figures.iter().map(|figure| {
            Spread::of(run.figures(cell, name, figure.key))
                .map_or_else(|| "-".to_owned(), |spread| number(spread.median))
        }));
        row
    };
    (headings, contenders.iter().map(row).collect())
}

/// The ratio with its spread, or that there is no difference to speak of.
pub fn ratio(run: &Run, cell: &Cell, name: &str) -> String {
    match verdict::beside_floor(run, cell, name) {
        Some(beside) if beside.same => format!("same ({:.2} - {:.2})", beside.ratio.min, beside.ratio.max),
        Some(beside) => {
            format!("{:.2} ({:.2} - {:.2})", beside.ratio.median, beside.ratio.min, beside.ratio.max)
        }
        None => "-".to_owned(),
    }
}

/// Whether the clients were busy all the time and the server was not.
pub fn is_load_bound(run: &Run, cell: &Cell, name: &str) -> bool {
    let median = |key| Spread::of(run.figures(cell, name, key)).map(|spread| spread.median);
    matches!((median("load_busy"), median("server_busy")), (Some(load), Some(server)) if load > 0.95 && server < 0.9)
}

/// Three figures of it, and no more than are known.
pub fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The load against a server elsewhere.
pub fn load_only(address: SocketAddr, options: &Options) -> io::Result<()> {
    println!(
        "{:>12} {:>8} {:>9} {:>12} {:>9} {:>9} {:>9}",
        "connections", "bytes", "pipeline", "requests/s", "p50 us", "p99 us", "p99.9 us"
    );
    for cell in super::scenario::plan(options.depth(), &[Scenario::Echo]) {
        let (connections, bytes, pipeline) = (cell.get("connections"), cell.get("bytes"), cell.get("pipeline"));
        let mut clients = Clients::connect(address, connections)?;
        let rate = options.rate.map(|rate| rate as f64);
        let seen = clients.run(Manner { bytes, pipeline, duration: options.duration(), rate })?;
        let at = |quantile| seen.latency.value_at_quantile(quantile) as f64 / 1000.0;
        let per_second = seen.done as f64 / seen.elapsed.as_secs_f64();
        println!(
            "{connections:>12} {bytes:>8} {pipeline:>9} {per_second:>12.0} {:>9.1} {:>9.1} {:>9.1}",
            at(0.5),
            at(0.99),
            at(0.999)
        );
    }
    Ok(())
}

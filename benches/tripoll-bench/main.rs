//! The backends against each other and against the loops that people know: `cargo bench --bench tripoll-bench -- --help`.
#![allow(missing_docs, clippy::print_stdout, clippy::print_stderr, unreachable_pub)]

mod check;
pub(crate) mod compare;
mod contender;
mod foreign;
mod helper;
mod load;
mod local;
mod options;
pub(crate) mod page;
mod peers;
mod report;
pub(crate) mod sample;
mod scenario;
mod serve;
#[path = "../support/mod.rs"]
mod support;
mod turn;
mod verdict;

use clap::Parser;
use contender::{Contender, Family};
use indicatif::{ProgressBar, ProgressStyle};
use options::Options;
use sample::{Run, Sample};
use scenario::Cell;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use support::{machine, raw, server};
use turn::Turn;

fn main() -> ExitCode {
    server::become_server(serve::become_contender);
    helper::become_helper();
    let options = Options::parse();
    let result = options.check().map_err(io::Error::other).and_then(|()| run(&options));
    result.unwrap_or_else(|e| {
        eprintln!("tripoll-bench: {e}");
        ExitCode::from(2)
    })
}

fn run(options: &Options) -> io::Result<ExitCode> {
    if let Some(name) = &options.server_only {
        return serve::alone(name, options.listen).map(|()| ExitCode::SUCCESS);
    }
    if let Some(address) = options.load_only {
        return report::load_only(address, options).map(|()| ExitCode::SUCCESS);
    }
    if let Some(path) = &options.page {
        return page_of(path, &options.out).map(|()| ExitCode::SUCCESS);
    }
    let new = match &options.with {
        Some(path) => load_run(path)?,
        None => measure_all(options)?,
    };
    let Some(path) = &options.compare else { return Ok(ExitCode::SUCCESS) };
    let worse = compare::print(&load_run(path)?, &new);
    Ok(if worse { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn load_run(path: &Path) -> io::Result<Run> {
    Run::load(path).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))
}

fn page_of(path: &Path, out: &Path) -> io::Result<()> {
    let html = std::fs::read_to_string(path).and_then(|text| page::of_json(&text));
    let html = html.map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("results.html"), html)?;
    println!("the plots:    {}", out.join("results.html").display());
    Ok(())
}

fn measure_all(options: &Options) -> io::Result<Run> {
    let cells = scenario::plan(options.depth(), &options.scenario);
    let mut run = Run { about: check::limits(&cells)?.into_iter().collect(), ..Run::default() };
    run.about.insert("command".to_owned(), std::env::args().skip(1).collect::<Vec<_>>().join(" "));
    raw::pin(machine::processors().1);
    let contenders = chosen(options, &mut run);
    let work: Vec<(Cell, Vec<Contender>)> = cells.into_iter().map(|cell| with_contenders(cell, &contenders)).collect();
    let turns: usize = work.iter().map(|(_, contenders)| contenders.len()).sum();
    let bar = ProgressBar::new(turns as u64 * u64::from(options.rounds() + 1));
    let style =
        ProgressStyle::with_template("{bar:30} {percent:>3} %  {eta:>4} left  {msg}").map_err(io::Error::other)?;
    bar.set_style(style);
    for (cell, contenders) in &work {
        bar.set_message(cell.to_string());
        measure(cell, contenders, options, &bar, &mut run);
    }
    bar.finish_and_clear();
    std::fs::create_dir_all(&options.out)?;
    run.save(&options.out.join("results.json"))?;
    std::fs::write(options.out.join("results.html"), page::html(&run))?;
    if let Some(path) = &options.results {
        report::write_results(&run, path)?;
    }
    if options.json {
        println!("{}", serde_json::to_string(&run)?);
    } else {
        report::print(&run);
        println!("\nevery sample: {}", options.out.join("results.json").display());
        println!("the plots:    {}", options.out.join("results.html").display());
    }
    Ok(run)
}

/// Those who were asked for and can be had.
fn chosen(options: &Options, run: &mut Run) -> Vec<Contender> {
    let wanted = |contender: &Contender| match contender.family {
        Family::Floor => true,
        Family::Tripoll => {
            let name = contender.name.trim_start_matches("tripoll-");
            options.backend.is_empty() || options.backend.iter().any(|backend| backend == name)
        }
        Family::Crate | Family::Foreign => {
            options.peer.is_empty() || options.peer.iter().any(|peer| peer == contender.name)
        }
    };
    let mut chosen = Vec::new();
    for contender in contender::ALL.into_iter().filter(wanted) {
        match contender.absence() {
            None => chosen.push(contender),
            Some(why) => {
                run.absent.insert(contender.name.to_owned(), why);
            }
        }
    }
    chosen
}

fn with_contenders(cell: Cell, contenders: &[Contender]) -> (Cell, Vec<Contender>) {
    let fits = |contender: &Contender| {
        let descriptors = ["connections", "idle", "idle connections", "fan-out", "pairs"];
        let largest = descriptors.iter().filter_map(|name| cell.params.get(*name)).max().copied().unwrap_or(0) as usize;
        // A pair has two, and the idle ones come on top of a hundred busy ones.
        let needed = if cell.params.contains_key("pairs") { 2 * largest } else { largest + 110 };
        contender.enters(&cell) && contender.descriptor_bound().is_none_or(|bound| needed < bound)
    };
    let entered = contenders.iter().copied().filter(fits).collect();
    (cell, entered)
}

/// All rounds of a cell. Who fails is left out of the rest of it, and listed.
fn measure(cell: &Cell, contenders: &[Contender], options: &Options, bar: &ProgressBar, run: &mut Run) {
    let mut turns: Vec<(Contender, Turn)> = Vec::new();
    let mut fail = |contender: Contender, e: &io::Error| {
        let what = format!("{} in {cell}: {e}", contender.name);
        bar.println(&what);
        run.absent.insert(format!("{} ({cell})", contender.name), e.to_string());
    };
    for contender in contenders {
        bar.inc(1);
        match Turn::start(*contender, cell, options.rate.map(|rate| rate as f64)) {
            Ok(turn) => turns.push((*contender, turn)),
            Err(e) => fail(*contender, &e),
        }
    }
    let mut samples = Vec::new();
    for round in 0..options.rounds() {
        turns.retain_mut(|(contender, turn)| {
            bar.inc(1);
            match turn.round(options.duration()) {
                Ok(figures) => {
                    let contender = contender.name.to_owned();
                    samples.push(Sample { cell: cell.clone(), contender, round, figures });
                    true
                }
                Err(e) => {
                    fail(*contender, &e);
                    false
                }
            }
        });
    }
    run.samples.append(&mut samples);
}

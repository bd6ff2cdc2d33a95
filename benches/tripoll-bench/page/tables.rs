//! The numbers below each plot.

use super::super::contender;
use super::super::report::number;
use super::super::scenario::Figure;
use super::super::verdict::{Beside, Spread};
use super::axis::short;
use super::digest::{Group, is_floor};
use super::svg::escape;
use std::fmt::Write as _;

/// A table that opens when it is asked for, and scrolls in its own box where it is too wide.
fn folded(summary: &str, heads: &[String], rows: &[String]) -> String {
    let heads = heads.iter().fold(String::new(), |mut html, head| {
        let _ = write!(html, "<th scope=\"col\">{}</th>", escape(head));
        html
    });
    format!(
        "<details><summary>{}</summary><div class=\"scroll\" tabindex=\"0\"><table><thead><tr>{heads}</tr></thead>\
         <tbody>{}</tbody></table></div></details>",
        escape(summary),
        rows.concat()
    )
}

fn row(name: &str, cells: &[String]) -> String {
    let class = if is_floor(name) { " class=\"floor\"" } else { "" };
    let cells = cells.iter().fold(String::new(), |mut html, cell| {
        let _ = write!(html, "<td>{cell}</td>");
        html
    });
    format!("<tr{class}><th scope=\"row\">{}</th>{cells}</tr>", escape(name))
}

fn spread(spread: &Spread) -> String {
    format!("{} <small>{} - {}</small>", number(spread.median), number(spread.min), number(spread.max))
}

fn ratio(group: &Group, name: &str, key: &str) -> String {
    match group.beside(name, key) {
        _ if is_floor(name) => "floor".to_owned(),
        Some(Beside { same: true, ratio }) => format!("same <small>{:.2} - {:.2}</small>", ratio.min, ratio.max),
        Some(Beside { ratio, .. }) => spread(&ratio),
        None => "-".to_owned(),
    }
}

const BOUND: &str = " <small class=\"bound\">load was the limit</small>";

/// One figure, along an axis: a column for each place.
pub fn along(places: &[(f64, &Group)], names: &[String], figure: &str, key: &str, x_label: &str) -> String {
    let mut heads = vec![format!("{figure} by {x_label}")];
    for (x, _) in places {
        heads.extend([short(*x), "ratio".to_owned()]);
    }
    let line = |name: &String| {
        let mut cells = Vec::new();
        for (_, group) in places {
            let entry = group.entry(name);
            let bound = if entry.is_some_and(|entry| entry.load_bound) { BOUND } else { "" };
            match entry.and_then(|entry| entry.spread(key)) {
                Some(own) => cells.extend([format!("{}{bound}", spread(&own)), ratio(group, name, key)]),
                None => cells.extend(["-".to_owned(), "-".to_owned()]),
            }
        }
        row(name, &cells)
    };
    folded(&format!("The numbers: {figure}"), &heads, &names.iter().map(line).collect::<Vec<_>>())
}

/// All figures of a cell: a column for each.
pub fn of_cell(group: &Group, figures: &[Figure], summary: &str) -> String {
    let figures: Vec<&Figure> = figures.iter().filter(|figure| group.has(figure.key)).collect();
    let mut heads = vec!["contender".to_owned(), "ratio to its floor".to_owned()];
    heads.extend(figures.iter().map(|figure| figure.heading.to_owned()));
    let Some(main) = figures.first().map(|figure| figure.key) else { return String::new() };
    let lines = group.entries.iter().map(|entry| {
        let bound = if entry.load_bound { BOUND } else { "" };
        let mut cells = vec![format!("{}{bound}", ratio(group, &entry.name, main))];
        let own = |figure: &&Figure| entry.spread(figure.key).map_or_else(|| "-".to_owned(), |own| spread(&own));
        cells.extend(figures.iter().map(own));
        row(&entry.name, &cells)
    });
    folded(summary, &heads, &lines.collect::<Vec<_>>())
}

/// How each contender stands to its floor in the main figure of each scenario: from its least cell to its largest.
pub fn overview(scenarios: &[(String, &[Group])]) -> String {
    let mut heads = vec!["contender".to_owned()];
    heads.extend(scenarios.iter().map(|(name, _)| name.clone()));
    let ratios = |name: &str, groups: &[Group]| -> String {
        let own = |group: &Group| group.beside(name, group.cell.scenario.figures()[0].key);
        let all: Vec<Beside> = groups.iter().filter_map(own).collect();
        let word = |beside: &Beside| if beside.same { "same".to_owned() } else { number(beside.ratio.median) };
        let by_ratio = |a: &&Beside, b: &&Beside| a.ratio.median.total_cmp(&b.ratio.median);
        match (all.iter().min_by(by_ratio), all.iter().max_by(by_ratio)) {
            (Some(_), Some(_)) if all.iter().all(|beside| beside.same) => "same".to_owned(),
            (Some(low), Some(_)) if all.len() == 1 => word(low),
            (Some(low), Some(high)) => format!("{} - {}", word(low), word(high)),
            _ => "-".to_owned(),
        }
    };
    let takes_part = |name: &str| scenarios.iter().any(|(_, groups)| groups.iter().any(|g| g.entry(name).is_some()));
    let names = contender::ALL.iter().map(|contender| contender.name).filter(|name| !is_floor(name));
    let line = |name: &str| {
        let cells: Vec<String> = scenarios.iter().map(|(_, groups)| ratios(name, groups)).collect();
        row(name, &cells)
    };
    let rows: Vec<String> = names.filter(|name| takes_part(name)).map(line).collect();
    folded("All at once: ratios to the floor, least and largest cell of each scenario", &heads, &rows)
}

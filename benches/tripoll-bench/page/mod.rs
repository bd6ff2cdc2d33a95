//! The page with the plots: one HTML file that needs nothing else, no script, no network.

mod axis;
mod digest;
mod lines;
mod looks;
mod plots;
mod rows;
mod sentences;
mod svg;
mod tables;

use super::contender;
use super::sample::Run;
use super::scenario::Scenario;
use contender::Family;
use digest::Group;
use std::fmt::Write as _;
use std::io;
use svg::escape;

/// The page of a run as it stands in results.json.
pub fn of_json(text: &str) -> io::Result<String> {
    let run: Run = serde_json::from_str(text)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("it is not the JSON of a run: {e}")))?;
    Ok(html(&run))
}

pub fn html(run: &Run) -> String {
    let present = Scenario::ALL.into_iter().filter(|scenario| run.has(*scenario));
    let parts: Vec<(Scenario, Vec<Group>)> =
        present.map(|scenario| (scenario, digest::groups(run, scenario))).collect();
    let mut html = head();
    html += &masthead(run, &parts);
    html += &how_to_read(run, &parts);
    let named: Vec<(String, &[Group])> = parts.iter().map(|(name, groups)| (name.to_string(), &groups[..])).collect();
    html += &tables::overview(&named);
    for (scenario, groups) in &parts {
        let _ = write!(
            html,
            "<section id=\"{scenario}\"><h2>{scenario}</h2><p class=\"about\">{}</p>\n<div class=\"plots\">{}</div>{}\
             </section>\n",
            plots::about(*scenario),
            plots::of(*scenario, groups),
            if plots::runs_through_cells(*scenario) { every_figure(groups) } else { String::new() }
        );
    }
    html + "</main></body></html>\n"
}

fn head() -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>tripoll-bench</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\n<style>{}{}</style></head>\n<body><main>",
        include_str!("style.css"),
        looks::css()
    )
}

/// What was measured, on what, by whom, and who is missing.
fn masthead(run: &Run, parts: &[(Scenario, Vec<Group>)]) -> String {
    let cells: usize = parts.iter().map(|(_, groups)| groups.len()).sum();
    let mut html = format!(
        "<header><h1>tripoll-bench</h1><p>{} samples in {cells} cells: what tripoll's backends cost beside a loop written \
         by hand on epoll, the floor, and beside the loops that people know.</p><nav aria-label=\"Scenarios\">",
        run.samples.len()
    );
    for (scenario, groups) in parts {
        let count = groups.len();
        let cells = if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
        let _ = write!(html, "<a href=\"#{scenario}\">{scenario} <small>{cells}</small></a>");
    }
    html += "</nav><dl>";
    let mut about: Vec<_> = run.about.iter().collect();
    // What everyone asks first.
    about.sort_by_key(|(name, _)| {
        ["machine", "versions", "command"].iter().position(|first| first == name).unwrap_or(9)
    });
    for (name, value) in about {
        let value = if value.is_empty() { "(no options)" } else { value };
        let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    html += "</dl>";
    if !run.absent.is_empty() {
        html += "<h2>Absent</h2><dl class=\"absent\">";
        for (name, why) in &run.absent {
            let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(why));
        }
        html += "</dl>";
    }
    html + "</header>\n"
}

fn how_to_read(run: &Run, parts: &[(Scenario, Vec<Group>)]) -> String {
    let groups = || parts.iter().flat_map(|(_, groups)| groups);
    let (few, many) = groups().map(Group::rounds).fold((usize::MAX, 0), |(few, many), n| (few.min(n), many.max(n)));
    let rounds = if few == many { format!("{few}") } else { format!("{few} to {many}") };
    let mut html = format!(
        "<section class=\"how\"><h2>How to read this</h2><ul>\
         <li><b>In turns.</b> In each cell all contenders run one after the other, {rounds} rounds of that, after a \
         warm-up: what the machine does meanwhile happens to all. Server and load are processes of their own.</li>\
         <li><b>Ratios within a round.</b> A contender is divided by the floor of the same round, the one that has its own \
         trigger (<i>level</i> or <i>edge</i>). Numbers are medians of the rounds; whiskers, and the small numbers in the \
         tables, are the least and the largest round.</li>\
         <li><b>same</b> means that the median ratio is no further from 1 than two standard deviations of the floor \
         itself, or than 1&nbsp;%. The grey area around the floor shows that.</li>\
         <li><b>The load was the limit</b> (a ring, or L) where the clients were busy all the time and the server was not: \
         such a server could do more, so look at its CPU time and not at requests/s.</li>"
    );
    if matches!(few, 1..=3) {
        let s = if few == 1 { "" } else { "s" };
        let _ = write!(
            html,
            "<li class=\"warn\"><b>{few} round{s}</b> are too few to know how much anything scatters: take <i>same</i>, and \
             any difference, as a hint.</li>"
        );
    }
    let command = run.about.get("command").map_or("", String::as_str);
    html += if command.split_whitespace().any(|word| word.starts_with("--rate")) {
        "<li><b>Latency</b> counts from when a request was due, at a fixed rate, so that a server that stalls cannot hide \
         it.</li>"
    } else {
        "<li><b>Latency</b> is that of a closed loop: who waits for an answer sends nothing meanwhile, so a server that \
         stalls is asked less often. With <code>--rate</code> it is not.</li>"
    };
    html += "</ul><h3>Contenders</h3>";
    html += &contenders(parts);
    html + "<p class=\"about\">On a wide screen, point at a name in a legend and the others step back; point at a marker for \
            its numbers.</p></section>\n"
}

/// All who took part, by family.
fn contenders(parts: &[(Scenario, Vec<Group>)]) -> String {
    let took_part = |name: &str| parts.iter().flat_map(|(_, groups)| groups).any(|group| group.entry(name).is_some());
    let mut html = "<div class=\"families\">".to_owned();
    for family in [Family::Floor, Family::Tripoll, Family::Crate, Family::Foreign] {
        let of = contender::ALL.iter().filter(|contender| contender.family == family && took_part(contender.name));
        let keys: Vec<(String, String)> = of.map(|contender| (contender.name.to_owned(), String::new())).collect();
        if !keys.is_empty() {
            let _ = write!(html, "<div><h4>{}</h4>{}</div>", looks::family_name(family), looks::legend(&keys));
        }
    }
    html + "</div>"
}

/// What no plot shows: every figure of every cell, where the plots run through several cells.
fn every_figure(groups: &[Group]) -> String {
    let tables =
        groups.iter().map(|group| tables::of_cell(group, group.cell.scenario.figures(), &group.cell.to_string()));
    format!(
        "<details class=\"all\"><summary>Every figure of every cell</summary>{}</details>",
        tables.collect::<String>()
    )
}

//! Which plots each scenario gets.

use super::super::contender;
use super::super::report::number;
use super::super::scenario::{Cell, Scenario};
use super::super::verdict::Spread;
use super::axis::full;
use super::digest::{Group, is_floor};
use super::lines::{Lines, Point, Series};
use super::looks;
use super::rows::{Manner, Row, Rows};
use super::svg::escape;
use super::{sentences, tables};

/// What a scenario does, in a sentence.
pub fn about(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::Dispatch => {
            "Socket pairs stand in a ring, and tokens go round: who is given one reads it and writes it to the next. What an \
             event costs, while more and more pairs are watched."
        }
        Scenario::Idle => "100 connections are busy with requests of 64 bytes, while more and more others say nothing.",
        Scenario::Echo => {
            "Requests and answers of several sizes on several numbers of connections. The axes are ratios to the floor; \
             beside them stands the server's CPU time for a request."
        }
        Scenario::Churn => "Connect, one request of 64 bytes, its answer, close; so many connections at once.",
        Scenario::Ctl => "The interest in writing is switched on and off for every message.",
        Scenario::Chat => "A room in which each line goes to everyone else.",
        Scenario::Timers => "Timers are added, pushed back and cancelled, while many others are pending.",
        Scenario::Memory => "Bytes of memory that the server's process grows by.",
        Scenario::Queue => "Chunks of a connection's queue, gathered into one write.",
        Scenario::Wake => "Another thread wakes the loop and is answered.",
    }
}

/// Whether a cell is one of those that a plot shows.
type Takes = fn(&Cell) -> bool;

/// A plot of a figure along a parameter.
struct Along {
    title: &'static str,
    param: &'static str,
    x_label: &'static str,
    key: &'static str,
    y_label: &'static str,
    /// A place in words.
    at: fn(&str) -> String,
    takes: Takes,
}

fn along(scenario: Scenario) -> Vec<Along> {
    let plot = |title, key, y_label, (param, x_label, at): (&'static str, &'static str, fn(&str) -> String)| Along {
        title,
        param,
        x_label,
        key,
        y_label,
        at,
        takes: |_| true,
    };
    let pairs = ("pairs", "pairs watched", (|x| format!("with {x} pairs")) as fn(&str) -> String);
    let idle = ("idle", "idle connections", (|x| format!("beside {x} idle connections")) as fn(&str) -> String);
    let fan_out = ("fan-out", "members who get each line", (|x| format!("with {x} members")) as fn(&str) -> String);
    let pending = ("pending", "timers pending", (|x| format!("with {x} timers pending")) as fn(&str) -> String);
    let chunks = ("chunks", "chunks in the queue", (|x| format!("with {x} chunks")) as fn(&str) -> String);
    match scenario {
        Scenario::Dispatch => {
            let kinds: [(&str, &str, Takes); 3] = [
                ("One token: an event", "One token: the wait alone", |cell| cell.params.get("active") == Some(&1)),
                ("100 tokens: an event", "100 tokens: the wait alone", |cell| cell.params.get("active") == Some(&100)),
                ("All pairs active: an event", "All pairs active: the wait alone", |cell| {
                    cell.params.get("active") == cell.params.get("pairs")
                }),
            ];
            let whole =
                kinds.iter().map(|(title, _, takes)| Along { takes: *takes, ..plot(title, "ns", "ns/event", pairs) });
            let wait = "ns/event in the wait";
            let wait =
                kinds.iter().map(|(_, title, takes)| Along { takes: *takes, ..plot(title, "wait_ns", wait, pairs) });
            whole.chain(wait).collect()
        }
        Scenario::Idle => vec![
            plot("CPU time of a request", "cpu_ns", "CPU ns/request", idle),
            plot("Latency of a request, 99th percentile", "p99_us", "p99 in us", idle),
        ],
        Scenario::Chat => vec![
            plot("CPU time of a delivery", "cpu_ns", "CPU ns/delivery", fan_out),
            plot("Latency of a delivery, 99th percentile", "p99_us", "p99 in us", fan_out),
        ],
        Scenario::Timers => vec![
            plot("Pushing a timer back", "ns", "ns", pending),
            plot("Adding a timer", "add_ns", "ns", pending),
            plot("Cancelling a timer", "cancel_ns", "ns", pending),
        ],
        Scenario::Queue => vec![plot("A chunk in one write with others", "ns", "ns/chunk", chunks)],
        _ => Vec::new(),
    }
}

/// Whether some of its plots run through several cells, so that their tables do not show all figures of one.
pub fn runs_through_cells(scenario: Scenario) -> bool {
    !along(scenario).is_empty()
}

/// All plots of a scenario, each with its sentence, its legend and its numbers.
pub fn of(scenario: Scenario, groups: &[Group]) -> String {
    let mut html = String::new();
    for (index, plot) in along(scenario).iter().enumerate() {
        let places = places(plot, groups);
        if !places.is_empty() {
            html += &line_plot(&format!("{scenario}-{index}"), plot, &places);
        }
    }
    // A cell that is in no plot along an axis has one of its own.
    let alone: Vec<&Group> =
        groups.iter().filter(|group| !along(scenario).iter().any(|plot| takes(plot, group))).collect();
    for (index, group) in alone.iter().enumerate() {
        html += &match scenario {
            Scenario::Memory | Scenario::Wake => values_plots(&format!("{scenario}-cell-{index}"), group),
            _ => ratios_plot(&format!("{scenario}-cell-{index}"), group, &alone),
        };
    }
    html
}

fn takes(plot: &Along, group: &Group) -> bool {
    (plot.takes)(&group.cell) && group.at(plot.param).is_some() && group.has(plot.key)
}

fn places<'a>(plot: &Along, groups: &'a [Group]) -> Vec<(f64, &'a Group)> {
    let own = groups.iter().filter(|group| takes(plot, group));
    let mut places: Vec<(f64, &Group)> = own.filter_map(|group| Some((group.at(plot.param)?, group))).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places
}

fn figure(title: &str, sentence: &str, rest: &str) -> String {
    format!("<figure><figcaption><h3>{}</h3><p>{}</p></figcaption>{rest}</figure>\n", escape(title), escape(sentence))
}

/// Everyone who is in one of the cells, in the order of the bench.
fn names(places: &[(f64, &Group)]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in places.iter().flat_map(|(_, group)| &group.entries) {
        if !names.contains(&entry.name) {
            names.push(entry.name.clone());
        }
    }
    let place = |name: &String| contender::ALL.iter().position(|contender| contender.name == *name);
    names.sort_by_key(|name| place(name).unwrap_or(usize::MAX));
    names
}

fn line_plot(id: &str, plot: &Along, places: &[(f64, &Group)]) -> String {
    let of = |name: &String| -> Vec<Point> {
        let point = |(x, group): &(f64, &Group)| {
            let entry = group.entry(name)?;
            Some(Point { x: *x, y: entry.spread(plot.key)?, load_bound: entry.load_bound })
        };
        places.iter().filter_map(point).collect()
    };
    let names = names(places);
    let all = names.iter().map(|name| Series { name: name.clone(), points: of(name) });
    let series: Vec<Series> = all.filter(|series| !series.points.is_empty()).collect();
    let sentence = sentences::lines(places, plot.key, plot.at);
    let legend = legend(&series, places);
    let lines =
        Lines { id, title: plot.title, description: &sentence, x_label: plot.x_label, y_label: plot.y_label, series };
    let table = tables::along(places, &names, plot.y_label, plot.key, plot.x_label);
    figure(plot.title, &sentence, &format!("{}{legend}{table}", lines.draw()))
}

/// From the topmost line to the lowest, as they end.
fn legend(series: &[Series], places: &[(f64, &Group)]) -> String {
    let end = |series: &&Series| series.points.last().map_or((0.0, 0.0), |point| (point.x, point.y.median));
    let mut sorted: Vec<&Series> = series.iter().collect();
    sorted.sort_by(|a, b| end(b).1.total_cmp(&end(a).1));
    let last = places.last().map_or(0.0, |(x, _)| *x);
    let entry = |series: &Series| {
        let (x, _) = end(&series);
        let mut remarks = Vec::new();
        if x < last {
            remarks.push(format!("to {}", full(x)));
        }
        if series.points.iter().any(|point| point.load_bound) {
            remarks.push("ringed: the load was the limit".to_owned());
        }
        (series.name.clone(), remarks.join(", "))
    };
    looks::legend(&sorted.into_iter().map(entry).collect::<Vec<_>>())
}

/// The cell in words.
fn title(cell: &Cell) -> String {
    let of = |name: &str| cell.params.get(name).copied().unwrap_or(0);
    let bytes = |bytes: u64| if bytes >= 1024 { format!("{} KiB", bytes / 1024) } else { format!("{bytes} bytes") };
    let plural = |count: u64, what: &str| format!("{} {what}{}", full(count as f64), if count == 1 { "" } else { "s" });
    match cell.scenario {
        Scenario::Echo => {
            let in_flight = if of("pipeline") == 1 { String::new() } else { format!(", {} in flight", of("pipeline")) };
            format!("{}, {}{in_flight}", plural(of("connections"), "connection"), bytes(of("bytes")))
        }
        Scenario::Churn => format!("{} at once", plural(of("at once"), "connection")),
        Scenario::Ctl => plural(of("connections"), "connection"),
        _ if cell.params.is_empty() => String::new(),
        _ => {
            let all = cell.params.iter().map(|(name, value)| format!("{} {name}", full(*value as f64)));
            all.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A row for each contender, by its ratio to the floor.
fn ratios_plot(id: &str, group: &Group, beside_it: &[&Group]) -> String {
    let main = group.cell.scenario.figures()[0];
    let rows: Vec<Row> = group.entries.iter().filter_map(|entry| ratio_row(group, &entry.name, main.key)).collect();
    if rows.is_empty() {
        return values_plots(id, group);
    }
    let title = title(&group.cell);
    let sentence = sentences::ratios(group, main.key);
    let own = |group: &&Group| -> Vec<f64> {
        let own = group.entries.iter().filter_map(|entry| ratio_row(group, &entry.name, main.key));
        own.flat_map(|row| ends(row.value)).collect()
    };
    let shared: Vec<f64> = beside_it.iter().flat_map(own).collect();
    let rows = Rows {
        id,
        title: &title,
        description: &sentence,
        label: "ratio to its floor",
        text_label: main.heading,
        manner: Manner::Ratios,
        rows,
    };
    let table = tables::of_cell(group, group.cell.scenario.figures(), "The numbers");
    figure(&title, &sentence, &format!("{}{table}", rows.draw(&shared)))
}

/// What an axis must show of a spread: not the wildest rounds, they would flatten all others.
fn ends(spread: Spread) -> [f64; 3] {
    let Spread { median, min, max, .. } = spread;
    [min.max(median / 1.5), median, max.min(median * 1.5)]
}

fn ratio_row(group: &Group, name: &str, key: &str) -> Option<Row> {
    let own = group.entry(name)?.spread(key)?;
    let value = if is_floor(name) { scaled(own, own.median) } else { group.beside(name, key)?.ratio };
    let noise = group.noise(name, key)?;
    let load_bound = group.entry(name)?.load_bound;
    Some(Row { name: name.to_owned(), value, text: marked(number(own.median), load_bound), noise, load_bound })
}

fn scaled(spread: Spread, by: f64) -> Spread {
    Spread {
        median: spread.median / by,
        min: spread.min / by,
        max: spread.max / by,
        deviation: spread.deviation / by,
        error: spread.error / by,
    }
}

fn marked(text: String, load_bound: bool) -> String {
    if load_bound { format!("L {text}") } else { text }
}

/// A row for each contender, by the figure itself; a plot for each figure.
fn values_plots(id: &str, group: &Group) -> String {
    let mut html = String::new();
    for figure_of in group.cell.scenario.figures().iter().filter(|figure| group.has(figure.key)) {
        let row = |name: &String| {
            let entry = group.entry(name)?;
            let value = entry.spread(figure_of.key)?;
            let text = marked(number(value.median), entry.load_bound);
            Some(Row { name: name.clone(), value, text, noise: 0.0, load_bound: entry.load_bound })
        };
        let rows: Vec<Row> = group.entries.iter().filter_map(|entry| row(&entry.name)).collect();
        let shared: Vec<f64> = rows.iter().flat_map(|row| ends(row.value)).collect();
        let cell = title(&group.cell);
        let title =
            if cell.is_empty() { figure_of.heading.to_owned() } else { format!("{cell}: {}", figure_of.heading) };
        let sentence = sentences::values(group, figure_of.key, figure_of.heading);
        let id = format!("{id}-{}", figure_of.key);
        let plot = Rows {
            id: &id,
            title: &title,
            description: &sentence,
            label: if figure_of.higher_is_better { "more is better" } else { "less is better" },
            text_label: figure_of.heading,
            manner: Manner::Values,
            rows,
        };
        let table = tables::of_cell(group, std::slice::from_ref(figure_of), "The numbers");
        html += &figure(&title, &sentence, &format!("{}{table}", plot.draw(&shared)));
    }
    html
}

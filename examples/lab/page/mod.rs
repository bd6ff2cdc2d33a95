//! The page: one HTML file with every lesson as it went here, which needs nothing else and no network.
//!
//! Text, tables and pictures are made here, so that a reader without scripts has all that was found; the script adds
//! the lanes, the steps, comparing and predicting, from the same data.

mod article;
mod course;
mod data;
mod ends;
mod html;
mod identity;
mod kinds;
mod machine;
mod pictures;
mod rules;
mod scale;
mod sentences;
mod shape;
mod storms;
mod tank;
mod truth;
mod wakeups;

use crate::kit::{Forecast, Lesson, Mechanism, Run};
use data::Data;
use html::escape;

pub(crate) use html::shell;
pub(crate) use machine::Machine;
pub(crate) use storms::{Side, Storm};

/// A lesson, and what came of it under each mechanism.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    pub(crate) lesson: Lesson,
    pub(crate) runs: Vec<Run>,
    /// What the oracle said of each mechanism: an entry for each step.
    pub(crate) forecasts: Vec<(Mechanism, Vec<Option<Forecast>>)>,
    /// Where it could not be played, and why.
    pub(crate) failed: Vec<(Mechanism, String)>,
}

/// The whole file. Without storms their picture is left out.
pub(crate) fn render(played: &[Played], storms: &[Storm], machine: &Machine) -> String {
    let data = Data::of(played);
    let body = format!(
        "{}<div class=\"frame\">{}{}{}{}</div>{}",
        top(&data, machine),
        course::view(&data),
        pictures::view(&data, storms),
        rules::view(&data),
        machine::view(machine, &data),
        course::keys()
    );
    let script = format!("{}\n{}", include_str!("lanes.js"), include_str!("script.js"));
    shell("The lab", &body, &data.to_json(), &script)
}

fn top(data: &Data, machine: &Machine) -> String {
    let differing = data.differences().len();
    let mut verdict = match differing {
        0 => "Everything here is as in the shipped table.".to_owned(),
        1 => "<a class=\"differences\" href=\"#machine\">1 answer differs from the shipped table.</a>".to_owned(),
        n => format!("<a class=\"differences\" href=\"#machine\">{n} answers differ from the shipped table.</a>"),
    };
    if data.lessons.iter().any(|lesson| !lesson.failed.is_empty()) {
        verdict += " <a class=\"differences\" href=\"#machine\">Not everything could be played.</a>";
    }
    format!(
        "<a class=\"skip\" href=\"#main\">To the lesson</a><header class=\"top\"><h1>The lab: what select, poll, \
         epoll and mio \
         report, and why</h1><p class=\"about\">Run on {}. {verdict}</p><nav class=\"parts\" aria-label=\"Parts\"><a \
         href=\"#lessons\">{} lessons</a><a href=\"#pictures\">Pictures</a><a href=\"#rules\">Rules</a><a \
         href=\"#machine\">This \
         machine</a><button type=\"button\" id=\"help\" class=\"wants-script\"><kbd>?</kbd> \
         Keys</button></nav></header>\n",
        escape(&machine.line()),
        data.lessons.len()
    )
}

//! What a mistake costs, and what the defence leaves of it: from storms that were played.

use super::html::escape;
use super::scale::{self, Row, short};
use super::shape::Picture;
use std::fmt::Write as _;

/// A storm that was played.
#[derive(Clone, Debug)]
pub(crate) struct Storm {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) backend: String,
    pub(crate) sides: Vec<Side>,
}

/// With a defence or without one.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) label: String,
    pub(crate) defended: bool,
    pub(crate) wakeups: u64,
    pub(crate) seconds: f64,
    /// How much was got done, and of what.
    pub(crate) work: (u64, String),
    /// How it ended.
    pub(crate) end: String,
}

impl Side {
    /// Of none at all, each wakeup was for one more that did not come.
    fn wakeups_per_work(&self) -> f64 {
        self.wakeups as f64 / self.work.0.max(1) as f64
    }
}

/// One figure of a storm, a row for each side.
fn column(
    picture: &mut Picture,
    storm: &Storm,
    (x, y): (f64, f64),
    heading: &str,
    decades: u32,
    figure: impl Fn(&Side) -> (f64, String),
) -> f64 {
    let names: Vec<String> = storm.sides.iter().map(|side| format!("defence {}", side.label)).collect();
    let row = |(side, name)| {
        let (number, remark) = figure(side);
        let filled: bool = side.defended;
        Row { name, mechanism: None, filled, number, remark }
    };
    let rows: Vec<Row<'_>> = storm.sides.iter().zip(names.iter().map(String::as_str)).map(row).collect();
    scale::draw(picture, (x, y), heading, &rows, decades)
}

pub(super) fn picture(storms: &[Storm]) -> String {
    if storms.iter().all(|storm| storm.sides.is_empty()) {
        return String::new();
    }
    let sides = || storms.iter().flat_map(|storm| &storm.sides);
    let wakeups = scale::decades(sides().map(Side::wakeups_per_work));
    let works = scale::decades(sides().map(|side| side.work.0 as f64));
    let mut picture = Picture::default();
    let mut y = 6.0;
    let mut list = String::new();
    for storm in storms {
        let what = storm.sides.first().map_or("", |side| side.work.1.as_str());
        picture.text("head", (0.0, y + 14.0), &format!("{} ({})", storm.title, storm.backend));
        let top = y + 18.0;
        let left = column(&mut picture, storm, (0.0, top), "wakeups for each unit of work", wakeups, |side| {
            let number = side.wakeups_per_work();
            (number, format!("{} ({} in {:.1} s)", short(number), short(side.wakeups as f64), side.seconds))
        });
        let right = column(&mut picture, storm, (scale::wide(wakeups), top), &format!("work: {what}"), works, |side| {
            (side.work.0 as f64, side.work.0.to_string())
        });
        y = left.max(right) + 8.0;
        let _ = write!(list, "<dt>{}</dt><dd>{}", escape(&storm.title), escape(&storm.about));
        for side in storm.sides.iter().filter(|side| !side.end.is_empty()) {
            let _ = write!(list, " <b>Defence {}:</b> {}.", escape(&side.label), escape(&side.end));
        }
        let _ = write!(list, " <code>lab storm {}</code></dd>", escape(&storm.name));
    }
    let caption = "Left the wakeups of the loop for each unit of work that it got done, right how much that was, \
    both on a scale of powers of ten. Hollow: a loop with \
                   the mistake in it; filled: tripoll's loop under the same weather.";
    picture.figure(
        "picture-storms",
        "What a mistake costs",
        caption,
        "Wakeups per unit of work, with and without a defence",
    ) + &format!("<dl>{list}</dl>")
}

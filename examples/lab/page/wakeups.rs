//! What a unit of work costs: events, reads and registrations of the same ten rounds, on a scale of powers of ten.

use super::data::Data;
use super::html::escape;
use super::kinds::found;
use super::scale::{self, Row};
use super::shape::Picture;
use crate::kit::Mechanism;

/// One line of the experiment `echo-rounds`: `in: 40 waits, 10 events, 0 without work, ...`.
struct Cost<'answer> {
    interest: &'answer str,
    counts: Vec<(u64, &'answer str)>,
}

fn cost(line: &str) -> Option<Cost<'_>> {
    let (interest, counts) = line.split_once(": ")?;
    let count = |part| {
        let (number, what): (&str, &str) = str::split_once(part, ' ')?;
        Some((number.parse().ok()?, what))
    };
    Some(Cost { interest, counts: counts.split(", ").map(count).collect::<Option<_>>()? })
}

pub(super) fn picture(data: &Data) -> String {
    let Some((lesson, answers)) = found(data, "echo-rounds") else { return String::new() };
    let all: Vec<(Mechanism, Cost<'_>)> = answers
        .iter()
        .flat_map(|(mechanism, answer)| answer.lines().filter_map(cost).map(|cost| (*mechanism, cost)))
        .collect();
    if all.is_empty() {
        return String::new();
    }
    let mut interests: Vec<&str> = Vec::new();
    let mut kinds: Vec<&str> = Vec::new();
    // Of one thing it is said without the s.
    let is = |what: &str, kind: &str| what.trim_end_matches('s') == kind.trim_end_matches('s');
    for (_, cost) in &all {
        if !interests.contains(&cost.interest) {
            interests.push(cost.interest);
        }
        for (_, what) in &cost.counts {
            match kinds.iter_mut().find(|kind| is(what, kind)) {
                Some(kind) if kind.len() < what.len() => *kind = what,
                Some(_) => {}
                None => kinds.push(what),
            }
        }
    }
    let decades = scale::decades(all.iter().flat_map(|(_, cost)| &cost.counts).map(|(number, _)| *number as f64));
    let mut picture = Picture::default();
    let mut y = 6.0;
    for kind in kinds {
        let mut end: f64 = y;
        for (column, interest) in interests.iter().enumerate() {
            let own = all.iter().filter(|(_, cost)| cost.interest == *interest);
            let row = |(mechanism, cost): &(Mechanism, Cost<'_>)| {
                let (number, _) = cost.counts.iter().find(|(_, what)| is(what, kind))?;
                let (number, remark) = (*number as f64, number.to_string());
                Some(Row { name: mechanism.name(), mechanism: Some(*mechanism), filled: true, number, remark })
            };
            let rows: Vec<Row<'_>> = own.filter_map(row).collect();
            let at = (column as f64 * scale::wide(decades), y);
            end = end.max(scale::draw(&mut picture, at, &format!("{kind}, asked for {interest}"), &rows, decades));
        }
        y = end;
    }
    let caption = format!(
        "The same rounds of an echo server under each mechanism. Each step of the scale is ten times the one before; \
         what is 0 stands \
         at its left end. From the lesson <a href=\"#{}\">{}</a>.",
        lesson.name,
        escape(&lesson.title)
    );
    picture.figure(
        "picture-wakeups",
        "What a unit of work costs",
        &caption,
        "Counts of the experiment echo-rounds by mechanism",
    )
}

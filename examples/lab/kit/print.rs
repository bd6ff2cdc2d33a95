//! From a lesson to its text, so that a situation that a program found can be handed to a person.

use super::bits::Bits;
use super::cell::Cell;
use super::lesson::{Action, Expected, Half, Kind, Lesson, Step, Tweak};
use super::mechanism::Mechanism;
use std::fmt::Write as _;

/// The text of a lesson. Read again it is the same lesson, apart from the line numbers.
pub(crate) fn print(lesson: &Lesson) -> String {
    let mut text = format!("lesson {}\n", lesson.name);
    if lesson.number > 0 {
        line(&mut text, "number", &lesson.number.to_string());
    }
    let pair = |(path, what): &(String, String)| format!("{path} {what}");
    line(&mut text, "title", &lesson.title);
    line(&mut text, "group", &lesson.group);
    lesson.about.iter().for_each(|about| line(&mut text, "about", about));
    line(&mut text, "so-what", &lesson.so_what);
    line(&mut text, "surprise", &lesson.surprise);
    lesson.sources.iter().for_each(|source| line(&mut text, "source", source));
    lesson.code.iter().for_each(|code| line(&mut text, "code", &pair(code)));
    lesson.tests.iter().for_each(|test| line(&mut text, "test", &pair(test)));
    text.push('\n');
    let named = lesson.is_named();
    lesson.steps.iter().for_each(|one| step(&mut text, one, named));
    text
}

fn line(text: &mut String, key: &str, value: &str) {
    if !value.is_empty() {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{key} {value}");
    }
}

/// A step, with `= answer` behind it if all answer the same in one line, else with rows below it.
fn step(text: &mut String, step: &Step, named: bool) {
    text.push_str(&words(&step.action));
    let rows = rows(&step.expected, named);
    match rows.as_slice() {
        [(who, what)] if who.len() == Mechanism::ALL.len() && is_plain(&step.action) => {
            let _ = writeln!(text, " = {what}");
        }
        _ => {
            text.push('\n');
            for (who, what) in &rows {
                let who: Vec<&str> = who.iter().map(|mechanism| mechanism.short()).collect();
                let who = if who.len() == Mechanism::ALL.len() { "all".to_owned() } else { who.join(" ") };
                for what in what.lines() {
                    let _ = writeln!(text, "    {who}: {what}");
                }
            }
        }
    }
}

/// Whether what a step answers fits behind it.
const fn is_plain(action: &Action) -> bool {
    !matches!(action, Action::Wait { .. } | Action::Probe { .. })
}

/// What each answers, those who answer the same together.
fn rows(expected: &[(Mechanism, Expected)], named: bool) -> Vec<(Vec<Mechanism>, String)> {
    let mut rows: Vec<(Vec<Mechanism>, String)> = Vec::new();
    for (mechanism, expected) in expected {
        let what = match expected {
            Expected::Answer(answer) => answer.clone(),
            Expected::Cells(cells) => alternatives(cells, *mechanism, named),
        };
        match rows.iter_mut().find(|(_, other)| *other == what) {
            Some((who, _)) => who.push(*mechanism),
            None => rows.push((vec![*mechanism], what)),
        }
    }
    rows
}

/// The cells that are right, as they stand in a row.
pub(crate) fn alternatives(cells: &[Cell], mechanism: Mechanism, named: bool) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.display(mechanism, named)).collect();
    cells.join(" or ")
}

/// The words of a step, without what it answers.
pub(crate) fn words(action: &Action) -> String {
    match action {
        Action::Make { kind, names } => format!("{} {}", kind_word(*kind), names.join(" ")),
        Action::Connect { client, listener } => format!("connect {client} {listener}"),
        Action::Connecting { client, listener } => format!("connecting {client} {listener}"),
        Action::Accept { listener, name } => format!("accept {listener} {name}"),
        Action::Dup { of, name } => format!("dup {of} {name}"),
        // The peer's name follows from the other.
        Action::Reuse { of, name, .. } => format!("reuse {of} {name}"),
        Action::Write { name, bytes } => format!("write {name} {bytes}"),
        Action::Type { name, bytes } => format!("type {name} {bytes}"),
        Action::Read { name, bytes } => format!("read {name} {bytes}"),
        Action::Peek { name, bytes } => format!("peek {name} {bytes}"),
        Action::Drain { name } => format!("drain {name}"),
        Action::Fill { name } => format!("fill {name}"),
        Action::MakeRoom { name, bytes, until } => format!("drain {name} by {bytes} until {until}"),
        Action::Urgent { name } => format!("urgent {name}"),
        Action::ReadUrgent { name } => format!("read-urgent {name}"),
        Action::SendToNobody { name } => format!("sendto {name}"),
        Action::Unread { name } => format!("unread {name}"),
        Action::TakeError { name } => format!("error {name}"),
        Action::Set { name, tweak } => format!("set {name} {}", tweak_word(*tweak)),
        Action::Shutdown { name, half } => format!("shutdown {name} {}", half_word(*half)),
        Action::Close { name } => format!("close {name}"),
        Action::Reset { name } => format!("reset {name}"),
        Action::Watch { name, interest } => format!("watch {name} {}", interest_words(*interest)),
        Action::Modify { name, interest } => format!("modify {name} {}", interest_words(*interest)),
        Action::Rearm { name } => format!("rearm {name}"),
        Action::Unwatch { name } => format!("unwatch {name}"),
        Action::Wait { label, max, ordered } => {
            let max = max.map(|max| format!(" max {max}")).unwrap_or_default();
            format!("wait \"{label}\"{max}{}", if *ordered { " ordered" } else { "" })
        }
        Action::Probe { name } => format!("probe {name}"),
        Action::Say { text } => format!("say {text}"),
    }
}

fn kind_word(kind: Kind) -> &'static str {
    Kind::ALL.into_iter().find(|(_, one, _)| *one == kind).map_or("", |(word, ..)| word)
}

const fn half_word(half: Half) -> &'static str {
    match half {
        Half::Read => "read",
        Half::Write => "write",
        Half::Both => "both",
    }
}

const fn tweak_word(tweak: Tweak) -> &'static str {
    match tweak {
        Tweak::Blocking => "blocking",
        Tweak::OobInline => "oobinline",
        Tweak::DeferAccept => "defer-accept",
    }
}

/// What is asked for, in the words of a lesson: `in|out`.
pub(crate) fn interest_words(interest: Bits) -> String {
    let bits = [("in", Bits::IN), ("out", Bits::OUT), ("pri", Bits::PRI), ("rdhup", Bits::RDHUP)];
    let set = bits.into_iter().filter(|(_, bit)| interest.contains(*bit));
    set.map(|(word, _)| word).collect::<Vec<&str>>().join("|")
}

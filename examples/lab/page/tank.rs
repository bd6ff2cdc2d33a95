//! When there is room to write again: a tank for each step of the lessons that fill one and drain it.

use super::data::{Data, LessonShown, StepShown};
use super::html::escape;
use super::shape::Picture;
use super::truth::TruthShown;
use crate::kit::{Action, Kind, Mechanism};

const STEP: f64 = 90.0;
const WIDE: f64 = 60.0;
const TALL: f64 = 96.0;
const TOP: f64 = 40.0;

/// The lessons in which a buffer is filled, then drained until there is room.
pub(super) fn pictures(data: &Data) -> String {
    data.lessons.iter().filter_map(of).collect()
}

fn truth<'step>(step: &'step StepShown, name: &str) -> Option<&'step TruthShown> {
    step.truth.iter().find(|truth| truth.name == name)
}

fn of(lesson: &LessonShown) -> Option<String> {
    let (reader, writer) = lesson.steps.iter().find_map(|step| match &step.action {
        Some(Action::MakeRoom { name, until, .. }) => Some((name.as_str(), until.as_str())),
        _ => None,
    })?;
    let unread = |step: &StepShown| truth(step, reader).and_then(|truth| truth.unread);
    let most = lesson.steps.iter().filter_map(unread).max().filter(|most| *most > 0)?;
    let mut picture = Picture::default();
    let mut full = None;
    let mut again = None;
    for (at, step) in lesson.steps.iter().enumerate() {
        let x = at as f64 * STEP;
        let (Some(left), Some(room)) = (unread(step), truth(step, writer).map(|truth| truth.room)) else { continue };
        match step.action {
            Some(Action::Fill { .. }) if again.is_none() => full = Some(left),
            Some(Action::MakeRoom { .. }) if again.is_none() => again = Some(left),
            _ => {}
        }
        tank(&mut picture, x, left as f64 / most as f64, left, room);
        picture.text("soft", (x, 14.0), &(at + 1).to_string());
        for (line, words) in
            lines(if step.kind == "wait" { &step.label } else { &step.command }).into_iter().enumerate()
        {
            picture.text(
                if step.kind == "wait" { "" } else { "mono" },
                (x, TOP + TALL + 62.0 + line as f64 * 14.0),
                &words,
            );
        }
        if step.kind == "wait" {
            for (column, (mechanism, cell)) in Mechanism::ALL.into_iter().zip(&step.cells).enumerate() {
                picture.mark(mechanism, !cell.list.is_empty(), (x + 6.0 + column as f64 * 14.0, TOP + TALL + 38.0));
            }
        }
    }
    let sentence = match (full, again) {
        (Some(full), Some(again)) => format!(
            "{full} bytes lay unread at {reader} when {writer} was full, and {again} when it was called writable again."
        ),
        _ => format!("At most {most} bytes lay unread at {reader}."),
    };
    // A pipe has one buffer; of a connection each end has its own.
    let unseen = match kind(lesson, writer) {
        Some(Kind::Pipe | Kind::Fifo) => "",
        _ => " What is still on its way in the buffer of the sender is not drawn.",
    };
    let caption = format!(
        "Water is what lies unread at {}; the valve above is open while {} may be written to. The marks below a wait \
         are those \
         of select, poll, epoll-level, epoll-edge, epoll-oneshot and mio: filled where it was reported. {}{unseen} \
         From the lesson <a \
         href=\"#{}\">{}</a>.",
        escape(reader),
        escape(writer),
        escape(&sentence),
        lesson.name,
        escape(&lesson.title)
    );
    Some(picture.figure(
        &format!("picture-{}", lesson.name),
        &format!("Room to write: {}", lesson.title),
        &caption,
        &sentence,
    ))
}

fn kind(lesson: &LessonShown, name: &str) -> Option<Kind> {
    lesson.steps.iter().find_map(|step| match &step.action {
        Some(Action::Make { kind, names }) if names.iter().any(|one| one == name) => Some(*kind),
        _ => None,
    })
}

fn tank(picture: &mut Picture, x: f64, part: f64, left: u64, room: bool) {
    let high = part * (TALL - 4.0);
    picture.rect("water", (x + 2.0, TOP + TALL - high), (WIDE - 4.0, high));
    picture.rect("box", (x, TOP), (WIDE, TALL));
    let (class, word) = if room { ("on", "open") } else { ("box gone", "shut") };
    picture.rect(class, (x, TOP - 14.0), (WIDE * 0.3, 8.0));
    picture.text("soft", (x + WIDE * 0.3 + 5.0, TOP - 6.0), word);
    picture.text("", (x, TOP + TALL + 18.0), &left.to_string());
}

/// A few words to a line.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 13 => *line = format!("{line} {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

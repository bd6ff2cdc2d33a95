//! How ends and errors look: the bits of poll as strips, wherever a lesson came upon one.

use super::data::{Data, LessonShown, StepShown};
use super::html::escape;
use super::shape::Picture;
use crate::kit::{Bits, Mechanism, Vocabulary};
use std::fmt::Write as _;

const BITS: [Bits; 5] = [Bits::IN, Bits::OUT, Bits::ERR, Bits::HUP, Bits::RDHUP];
const ROW: f64 = 24.0;
const HEAD: f64 = 28.0;
const LABEL: f64 = 380.0;
const BOX: f64 = 58.0;

/// One report that says of an end.
struct End<'data> {
    lesson: &'data LessonShown,
    step: &'data StepShown,
    name: &'data str,
    bits: Bits,
}

/// What poll reported; a wait that repeats the one before it is left out.
fn ends(data: &Data) -> Vec<End<'_>> {
    let mut ends: Vec<End<'_>> = Vec::new();
    for lesson in &data.lessons {
        for step in lesson.steps.iter().filter(|step| step.kind == "wait") {
            let Some(cell) = of(step, Mechanism::Poll) else { continue };
            for (name, _, bits) in &cell.list {
                let bits = Bits(*bits);
                let known =
                    ends.iter().any(|end| end.lesson.name == lesson.name && end.name == name && end.bits == bits);
                if bits.intersects(Bits::ERR | Bits::HUP | Bits::RDHUP) && !known {
                    ends.push(End { lesson, step, name, bits });
                }
            }
        }
    }
    ends
}

fn of(step: &StepShown, mechanism: Mechanism) -> Option<&super::data::CellShown> {
    Mechanism::ALL.into_iter().zip(&step.cells).find(|(it, _)| *it == mechanism).map(|(_, cell)| cell)
}

fn words(step: &StepShown, mechanism: Mechanism, name: &str) -> String {
    let list = of(step, mechanism).map(|cell| cell.list.iter()).into_iter().flatten();
    let found = list.filter(|(named, ..)| named == name).map(|(_, words, _)| words.replace('|', " "));
    found.collect::<Vec<String>>().join(" ")
}

pub(super) fn picture(data: &Data) -> String {
    let ends = ends(data);
    if ends.is_empty() {
        return String::new();
    }
    let mut picture = Picture::default();
    for (at, bit) in BITS.into_iter().enumerate() {
        picture.text("head", (LABEL + at as f64 * BOX + 4.0, 16.0), &bit.display(Vocabulary::Poll));
    }
    let beyond = LABEL + BITS.len() as f64 * BOX + 12.0;
    picture.text("head", (beyond, 16.0), "select");
    picture.text("head", (beyond + 60.0, 16.0), "mio");
    for (at, end) in ends.iter().enumerate() {
        let y = HEAD + at as f64 * ROW;
        let label = format!("{}: {}", end.lesson.name, end.step.label);
        picture.text("", (0.0, y + 16.0), &cut(&label, 54));
        for (column, bit) in BITS.into_iter().enumerate() {
            let on = end.bits.contains(bit);
            picture.rect(if on { "on" } else { "off" }, (LABEL + column as f64 * BOX, y + 4.0), (BOX - 4.0, ROW - 8.0));
        }
        picture.text("mono", (beyond, y + 16.0), &words(end.step, Mechanism::Select, end.name));
        picture.text("mono", (beyond + 60.0, y + 16.0), &words(end.step, Mechanism::Mio, end.name));
    }
    let mut links = String::new();
    for lesson in data.lessons.iter().filter(|lesson| ends.iter().any(|end| end.lesson.name == lesson.name)) {
        let gap = if links.is_empty() { "" } else { ", " };
        let _ = write!(links, "{gap}<a href=\"#{}\">{}</a>", lesson.name, escape(&lesson.name));
    }
    let caption = format!(
        "The bits that poll reported where something had ended or failed: a filled box is a bit that was set. Beside \
         them what \
         select and mio made of it; nothing there is silence: mio, on edge, had said it before. Each says only what \
         it was asked for. \
         From the lessons {links}."
    );
    let description = format!("{} reports of ends and errors, by the bits that were set", ends.len());
    picture.figure("picture-ends", "What an end looks like", &caption, &description)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most - 1).collect();
    cut.push('…');
    cut
}

//! The answers from which a person chooses: what the kernel reported, and what one might think.

use super::dice::Dice;
use super::question::Question;
use crate::kit::{Action, Bits, Cell, Expected, Happened, Mechanism};
use crate::play::forecasts;

/// The most answers to choose from.
const MOST: usize = 4;

/// Answers in the words of the mechanism, each once, and which of them is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) texts: Vec<String>,
    pub(crate) right: usize,
}

impl Choices {
    /// The answers to a question: what was reported, and plausible others, shuffled. `None` if it was no wait.
    pub(crate) fn new(
        question: Question<'_>,
        happened: &Happened,
        before: Option<&Cell>,
        dice: &mut Dice,
    ) -> Option<Self> {
        let reported = happened.reported.as_ref()?;
        let named = question.lesson.is_named();
        let say = |cell: &Cell| said(cell, question.mechanism, named);
        let truth = say(reported);
        let mut texts = vec![truth.clone()];
        let mut wrong: Vec<Cell> = others(question);
        // A wait that has reported something is most often mistaken for one that is silent, and the other way round.
        wrong.insert(0, Cell::SILENT);
        wrong.extend(before.cloned());
        wrong.extend(variations(happened, reported));
        for cell in wrong {
            let text = say(&cell);
            if texts.len() < MOST && !texts.contains(&text) && !same(&cell, reported, question) && !text.is_empty() {
                texts.push(text);
            }
        }
        dice.shuffle(&mut texts);
        let right = texts.iter().position(|text| *text == truth).unwrap_or_default();
        Some(Self { texts, right })
    }
}

/// The cell in words; empty if the mechanism has no word for a part of it.
pub(crate) fn said(cell: &Cell, mechanism: Mechanism, named: bool) -> String {
    if cell.is_silent() {
        return "nothing: it waits in vain".to_owned();
    }
    if let Cell::Reported(list) = cell {
        if list.iter().any(|(_, bits)| bits.display(mechanism.vocabulary()).is_empty()) {
            return String::new();
        }
    }
    let text = cell.display(mechanism, named);
    if matches!(cell, Cell::Failed(_)) { format!("the wait fails: {text}") } else { text }
}

/// Whether an answer is as right as the one that came.
fn same(cell: &Cell, reported: &Cell, question: Question<'_>) -> bool {
    let step = &question.lesson.steps[question.wait];
    cell.agrees(reported, matches!(step.action, Action::Wait { ordered: true, .. }))
}

/// What the other mechanisms say to the same wait, by the lesson's table or else by the oracle.
fn others(question: Question<'_>) -> Vec<Cell> {
    let step = &question.lesson.steps[question.wait];
    let others: Vec<Mechanism> = Mechanism::ALL.into_iter().filter(|other| *other != question.mechanism).collect();
    let mut cells = Vec::new();
    for (mechanism, mut forecast) in forecasts(question.lesson, &others) {
        match step.expected.iter().find(|(of, _)| *of == mechanism) {
            Some((_, Expected::Cells(list))) => cells.extend(list.first().cloned()),
            _ => {
                let said = forecast.get_mut(question.wait).and_then(Option::take);
                cells.extend(said.and_then(|said| said.cells.into_iter().next()));
            }
        }
    }
    cells
}

/// The truth with a bit more or less; of what is silent, that which it was asked for.
fn variations(happened: &Happened, reported: &Cell) -> Vec<Cell> {
    let watched = happened.truth.iter().filter_map(|truth| Some((truth.name.clone(), truth.watched?)));
    let base: Vec<(String, Bits)> = match reported {
        Cell::Reported(list) if !list.is_empty() => list.clone(),
        _ => watched.take(1).map(|(name, asked)| (name, (asked - Bits::RDHUP) & (Bits::IN | Bits::OUT))).collect(),
    };
    let turned = |bits: Bits| {
        let cells = base.iter().map(|(name, was)| (name.clone(), (*was - bits) | (bits - *was)));
        Cell::Reported(cells.filter(|(_, bits)| !bits.is_none()).collect())
    };
    let changes = [Bits::NONE, Bits::OUT, Bits::RDHUP, Bits::IN | Bits::OUT, Bits::IN];
    changes.into_iter().map(turned).filter(|cell| !cell.is_silent()).collect()
}

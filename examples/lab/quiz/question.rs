//! Which waits are asked about, and in which order.

use super::dice::Dice;
use crate::kit::{Action, Lesson, Mechanism, Rule};
use crate::play::forecasts;
use crate::terminal::reasons;

/// A wait of a lesson under a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    pub(crate) lesson: &'a Lesson,
    pub(crate) mechanism: Mechanism,
    /// The index of the step.
    pub(crate) wait: usize,
}

/// All waits of one lesson in their order, at most so many.
pub(crate) fn of_lesson<'a>(lesson: &'a Lesson, mechanism: Mechanism, count: usize) -> Vec<Question<'a>> {
    waits(lesson).take(count).map(|wait| Question { lesson, mechanism, wait }).collect()
}

/// One wait from each of `count` lessons, easy ones first. A mechanism that is not given is thrown for each.
pub(crate) fn of_all<'a>(
    lessons: &'a [Lesson],
    mechanism: Option<Mechanism>,
    count: usize,
    dice: &mut Dice,
) -> Vec<Question<'a>> {
    let mut order: Vec<&Lesson> = lessons.iter().filter(|lesson| waits(lesson).next().is_some()).collect();
    dice.shuffle(&mut order);
    let mut questions: Vec<(u32, Question<'a>)> = Vec::new();
    // Who wants more questions than there are lessons gets other waits of them.
    for lesson in order.iter().cycle().take(count.min(order.len() * 16)) {
        let thrown = mechanism.or_else(|| dice.one_of(&Mechanism::ALL).copied()).unwrap_or(Mechanism::Level);
        let all: Vec<usize> = waits(lesson).collect();
        let Some(wait) = dice.one_of(&all).copied() else { continue };
        let question = Question { lesson, mechanism: thrown, wait };
        if questions.iter().all(|(_, other)| *other != question) {
            questions.push((difficulty(question), question));
        }
    }
    questions.sort_by_key(|(difficulty, question)| (*difficulty, question.lesson.number, question.wait));
    questions.into_iter().map(|(_, question)| question).collect()
}

fn waits(lesson: &Lesson) -> impl Iterator<Item = usize> {
    let steps = lesson.steps.iter().enumerate();
    steps.filter(|(_, step)| matches!(step.action, Action::Wait { .. })).map(|(index, _)| index)
}

/// How hard the hardest rule is that has to be known; what the oracle does not explain is in the middle.
fn difficulty(question: Question<'_>) -> u32 {
    let forecasts = forecasts(question.lesson, &[question.mechanism]);
    let known = reasons::of(&forecasts, question.mechanism, question.wait);
    known.iter().map(|why| weight(why.rule)).max().unwrap_or(3)
}

const fn weight(rule: Rule) -> u32 {
    match rule {
        Rule::NothingTrue | Rule::LevelRepeats => 0,
        Rule::EdgeOnce => 1,
        Rule::FinIsReadable | Rule::RegisteringLooks | Rule::DisarmedIsDeaf => 2,
        Rule::ArrivalIsEdge | Rule::FullState | Rule::ErrorsUnasked | Rule::SelectFolds | Rule::TheRestNextTime => 3,
        Rule::ErrorOnce | Rule::RoomNeedsMore | Rule::FilesRefused => 4,
        Rule::NumberAndFile => 5,
    }
}

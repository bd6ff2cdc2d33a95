//! What a lesson expects, against what happened.

use super::happened::{Happened, Run};
use super::lesson::{Action, Expected, Lesson, Step};
use super::mechanism::Mechanism;
use super::print::{alternatives, words};
use super::run::{RunError, run};
use std::fmt;

/// A step that answered otherwise than its lesson expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) lesson: String,
    /// Of the step, in the lesson's text.
    pub(crate) line: usize,
    /// Its place among the steps, from 0.
    pub(crate) step: usize,
    /// What was done, in the words of the lesson.
    pub(crate) action: String,
    pub(crate) mechanism: Mechanism,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lesson, line, action, mechanism, expected, found, .. } = self;
        write!(f, "{lesson}, line {line}, {action}, under {mechanism}: expected {expected}, found {found}")
    }
}

/// Plays a lesson under one mechanism, and says where it answered otherwise than expected.
///
/// # Errors
///
/// The lesson could not be played to its end.
pub(crate) fn check(lesson: &Lesson, mechanism: Mechanism) -> Result<Vec<Difference>, RunError> {
    run(lesson, mechanism).map(|run| compare(lesson, &run))
}

/// Where a run of a lesson was otherwise than the lesson expects. Steps without an expectation cannot differ, and neither
/// can those that are none under this mechanism.
pub(crate) fn compare(lesson: &Lesson, run: &Run) -> Vec<Difference> {
    let named = lesson.is_named();
    let mut differences = Vec::new();
    for (index, (step, happened)) in lesson.steps.iter().zip(&run.steps).enumerate() {
        let expected = step.expected.iter().find(|(mechanism, _)| *mechanism == run.mechanism);
        let Some((mechanism, expected)) = expected.filter(|_| !happened.skipped) else { continue };
        if agrees(step, expected, happened) {
            continue;
        }
        let found = happened.reported.as_ref().map(|cell| cell.display(*mechanism, named));
        let found = found.or_else(|| happened.answer.clone());
        differences.push(Difference {
            lesson: lesson.name.clone(),
            line: step.line,
            step: index,
            action: words(&step.action),
            mechanism: *mechanism,
            expected: match expected {
                Expected::Cells(cells) => alternatives(cells, *mechanism, named),
                Expected::Answer(answer) => answer.clone(),
            },
            found: found.unwrap_or_else(|| "nothing".to_owned()),
        });
    }
    differences
}

fn agrees(step: &Step, expected: &Expected, happened: &Happened) -> bool {
    let ordered = matches!(step.action, Action::Wait { ordered: true, .. });
    match (expected, &happened.reported, &happened.answer) {
        (Expected::Cells(cells), Some(found), _) => cells.iter().any(|cell| cell.agrees(found, ordered)),
        (Expected::Answer(answer), _, Some(found)) => answer == found,
        _ => false,
    }
}

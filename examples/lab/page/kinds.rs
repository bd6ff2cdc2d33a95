//! Which arrival makes an edge, by the type of the descriptor: from what the experiment `arrivals` found.

use super::data::{Data, LessonShown};
use super::shape::Picture;
use crate::kit::{Action, Mechanism};

const ROW: f64 = 24.0;
const NAMES: f64 = 96.0;
const COLUMN: f64 = 116.0;
const HEAD: f64 = 44.0;

/// The three waits of the experiment, which stand between slashes in a line: `tcp: IN / IN / -`.
const WAITS: [&str; 3] = ["1st", "2nd", "none"];

/// What an experiment answered under each mechanism, and in which lesson.
pub(super) fn found<'data>(
    data: &'data Data,
    probe: &str,
) -> Option<(&'data LessonShown, Vec<(Mechanism, &'data str)>)> {
    let is = |action: &Option<Action>| matches!(action, Some(Action::Probe { name }) if name == probe);
    data.lessons.iter().find_map(|lesson| {
        let step = lesson.steps.iter().find(|step| is(&step.action))?;
        let answers = Mechanism::ALL.into_iter().zip(&step.cells);
        Some((lesson, answers.filter_map(|(mechanism, cell)| Some((mechanism, cell.answer.as_deref()?))).collect()))
    })
}

/// One type's line: whether each of the three waits said something.
fn row(line: &str) -> Option<(&str, [bool; 3])> {
    let (kind, cells) = line.split_once(": ")?;
    let mut cells = cells.split(" / ").map(|cell| cell != "-");
    Some((kind, [cells.next()?, cells.next()?, cells.next()?]))
}

pub(super) fn picture(data: &Data) -> String {
    let Some((lesson, answers)) = found(data, "arrivals") else { return String::new() };
    let Some((_, first)) = answers.first() else { return String::new() };
    let kinds: Vec<&str> = first.lines().filter_map(row).map(|(kind, _)| kind).collect();
    if kinds.is_empty() {
        return String::new();
    }
    let mut picture = Picture::default();
    for (at, kind) in kinds.iter().enumerate() {
        let y = HEAD + at as f64 * ROW;
        picture.line("line", (0.0, y), (NAMES + COLUMN * answers.len() as f64, y));
        picture.text("head", (0.0, y + 16.0), kind);
    }
    let mut deaf = Vec::new();
    for (column, (mechanism, answer)) in answers.iter().enumerate() {
        let x = NAMES + column as f64 * COLUMN;
        picture.text("head", (x, 14.0), mechanism.name());
        for (wait, name) in WAITS.into_iter().enumerate() {
            picture.text("soft", (x + wait as f64 * 34.0 - 2.0, 34.0), name);
        }
        for (kind, said) in answer.lines().filter_map(row) {
            let Some(at) = kinds.iter().position(|one| *one == kind) else { continue };
            for (wait, said) in said.into_iter().enumerate() {
                picture.mark(*mechanism, said, (x + 8.0 + wait as f64 * 34.0, HEAD + at as f64 * ROW + 12.0));
            }
            if *mechanism == Mechanism::Edge && !said[1] {
                deaf.push(kind);
            }
        }
    }
    let verdict = match deaf.as_slice() {
        [] => "Under edge the second arrival was reported for every type, although nothing had been read.".to_owned(),
        some => format!("Under edge the second arrival was not reported for {}.", some.join(", ")),
    };
    let caption = format!(
        "Three waits: after a first arrival, after a second one with nothing read, and after none. A filled mark is \
         a report, a \
         hollow one is silence. {verdict} From the lesson <a href=\"#{}\">{}</a>.",
        lesson.name,
        super::html::escape(&lesson.title)
    );
    picture.figure("picture-kinds", "Which arrival makes an edge", &caption, &verdict)
}

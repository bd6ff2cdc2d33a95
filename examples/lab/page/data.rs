//! What the page is drawn from, by the script as well as by the tables and pictures.

use super::Played;
use super::sentences;
use super::shape::outline;
use super::truth::{self, TruthShown};
use crate::kit::{
    Action, Bits, Cell, Difference, Happened, Lesson, Mechanism, Rule, Run, Step, Truth, Vocabulary, Why, alternatives,
    compare, words,
};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Data {
    pub(super) mechanisms: Vec<Named>,
    pub(super) rules: Vec<RuleShown>,
    pub(super) lessons: Vec<LessonShown>,
}

#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: &'static str,
    words: &'static str,
    /// The outline of its mark, around the origin.
    shape: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleShown {
    pub(super) id: String,
    pub(super) title: &'static str,
    #[serde(skip)]
    pub(super) rule: Rule,
}

#[derive(Debug, Serialize)]
pub(super) struct LessonShown {
    pub(super) name: String,
    pub(super) title: String,
    /// The descriptors that are registered, in the order of that.
    pub(super) watched: Vec<String>,
    /// Whether reports say which descriptor they mean.
    pub(super) named: bool,
    pub(super) steps: Vec<StepShown>,
    #[serde(skip)]
    pub(super) lesson: Lesson,
    /// Where it could not be played, and why.
    #[serde(skip)]
    pub(super) failed: Vec<(Mechanism, String)>,
}

/// A step; remarks are none, they stand with their neighbour.
#[derive(Debug, Default, Serialize)]
pub(super) struct StepShown {
    /// `wait`, `probe` or `act`.
    pub(super) kind: &'static str,
    pub(super) command: String,
    pub(super) label: String,
    pub(super) sentence: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
    /// Remarks behind the last step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) after: Vec<String>,
    /// What it answered, if that is the same under every mechanism.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<String>,
    pub(super) truth: Vec<TruthShown>,
    /// One for each mechanism.
    pub(super) cells: Vec<CellShown>,
    /// What it was, for the pictures.
    #[serde(skip)]
    pub(super) action: Option<Action>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct CellShown {
    /// The report as it stands in a table; nothing if the wait was silent.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) text: String,
    /// Name, words and bits of each descriptor that was reported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) list: Vec<(String, String, u16)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) skipped: bool,
    /// Ready, and not reported now nor later before something else happens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) stuck: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) why: Vec<WhyShown>,
    /// Whether the oracle had said so; nothing where it has no word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) foretold: Option<bool>,
    /// What the oracle said instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instead: Option<String>,
    /// What the shipped table says instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wrong: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct WhyShown {
    pub(super) name: String,
    pub(super) rule: String,
    pub(super) text: String,
}

/// An answer that is not the one of the shipped table.
#[derive(Debug)]
pub(super) struct Other<'data> {
    pub(super) lesson: &'data LessonShown,
    pub(super) command: &'data str,
    pub(super) mechanism: Mechanism,
    pub(super) found: &'data str,
    pub(super) shipped: &'data str,
}

impl Data {
    pub(super) fn of(played: &[Played]) -> Self {
        let named = |mechanism: Mechanism| Named {
            name: mechanism.name(),
            shape: outline(mechanism),
            words: match mechanism.vocabulary() {
                Vocabulary::Poll => "poll",
                Vocabulary::Select => "select",
                Vocabulary::Mio => "mio",
            },
        };
        Self {
            mechanisms: Mechanism::ALL.map(named).into(),
            rules: Rule::ALL.map(|rule| RuleShown { id: id(rule), title: rule.title(), rule }).into(),
            lessons: played.iter().map(lesson).collect(),
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("there is nothing in it that JSON cannot say")
    }

    /// How many waits the oracle spoke of, and of how many it was right.
    pub(super) fn forecasts(&self) -> (usize, usize) {
        let steps = self.lessons.iter().flat_map(|lesson| &lesson.steps);
        let words: Vec<bool> = steps.flat_map(|step| &step.cells).filter_map(|cell| cell.foretold).collect();
        (words.len(), words.iter().filter(|right| **right).count())
    }

    pub(super) fn differences(&self) -> Vec<Other<'_>> {
        let mut differences = Vec::new();
        for lesson in &self.lessons {
            for step in &lesson.steps {
                for (mechanism, cell) in Mechanism::ALL.into_iter().zip(&step.cells) {
                    if let Some(shipped) = &cell.wrong {
                        let found = cell.found();
                        differences.push(Other { lesson, command: &step.command, mechanism, found, shipped });
                    }
                }
            }
        }
        differences
    }
}

impl CellShown {
    /// What it said, in the words of a table.
    pub(super) fn found(&self) -> &str {
        let said = self.answer.as_deref().or(self.failed.as_deref());
        said.unwrap_or(if self.text.is_empty() { "-" } else { &self.text })
    }
}

/// The rule in an address: `level-repeats`.
pub(super) fn id(rule: Rule) -> String {
    let mut id = String::new();
    for letter in format!("{rule:?}").chars() {
        if letter.is_uppercase() && !id.is_empty() {
            id.push('-');
        }
        id.extend(letter.to_lowercase());
    }
    id
}

fn lesson(played: &Played) -> LessonShown {
    let Played { lesson, runs, failed, .. } = played;
    let differences: Vec<Difference> = runs.iter().flat_map(|run| compare(lesson, run)).collect();
    let mut steps: Vec<StepShown> = Vec::new();
    let mut notes = Vec::new();
    let mut before: Vec<&Truth> = Vec::new();
    for (index, step) in lesson.steps.iter().enumerate() {
        if let Action::Say { text } = &step.action {
            notes.push(text.clone());
            continue;
        }
        let truth = truth::after(runs, index);
        let shown = truth.iter().map(|truth| TruthShown::of(lesson, step, truth, &before)).collect();
        let cells: Vec<CellShown> = Mechanism::ALL
            .into_iter()
            .map(|it| {
                let other = differences.iter().find(|one| one.step == index && one.mechanism == it);
                cell(lesson, index, played, it, other)
            })
            .collect();
        let answered: Vec<&CellShown> = cells.iter().filter(|cell| !cell.skipped).collect();
        let same = answered.windows(2).all(|pair| pair[0].answer == pair[1].answer && pair[0].wrong == pair[1].wrong);
        let (kind, label) = match &step.action {
            Action::Wait { label, .. } => ("wait", label.clone()),
            Action::Probe { .. } => ("probe", String::new()),
            _ => ("act", String::new()),
        };
        let answer = answered.first().and_then(|cell| cell.answer.clone()).unwrap_or_default();
        steps.push(StepShown {
            kind,
            command: words(&step.action),
            label,
            sentence: sentences::of(&step.action),
            notes: std::mem::take(&mut notes),
            after: Vec::new(),
            answer: (kind == "act" && same).then_some(answer),
            truth: shown,
            cells,
            action: Some(step.action.clone()),
        });
        before = truth;
    }
    if let Some(last) = steps.last_mut() {
        last.after = notes;
    }
    LessonShown {
        name: lesson.name.clone(),
        title: lesson.title.clone(),
        watched: lesson.watched().into_iter().map(str::to_owned).collect(),
        named: lesson.is_named(),
        steps,
        lesson: lesson.clone(),
        failed: failed.clone(),
    }
}

/// The oracle goes by the lines of the lesson's text; the page shows steps.
fn by_step(text: &str, lesson: &Lesson) -> String {
    const LINE: &str = "line ";
    let mut parts = text.split(LINE);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let line = part[..digits].parse().ok();
        let is_shown = |step: &&Step| !matches!(step.action, Action::Say { .. });
        let place = lesson.steps.iter().filter(is_shown).position(|step| Some(step.line) == line);
        match place {
            Some(place) => said += &format!("step {}{}", place + 1, &part[digits..]),
            None => said += &format!("{LINE}{part}"),
        }
    }
    said
}

pub(super) fn happened(runs: &[Run], mechanism: Mechanism, index: usize) -> Option<&Happened> {
    runs.iter().find(|run| run.mechanism == mechanism).and_then(|run| run.steps.get(index))
}

fn cell(
    lesson: &Lesson,
    index: usize,
    played: &Played,
    mechanism: Mechanism,
    difference: Option<&Difference>,
) -> CellShown {
    let Some(happened) = happened(&played.runs, mechanism, index) else {
        return CellShown { skipped: true, ..CellShown::default() };
    };
    let mut shown = CellShown { skipped: happened.skipped, answer: happened.answer.clone(), ..CellShown::default() };
    shown.wrong = difference.map(|difference| difference.expected.clone());
    let Some(reported) = &happened.reported else { return shown };
    match reported {
        Cell::Failed(error) => shown.failed = Some(error.clone()),
        Cell::Reported(list) => {
            let one = |(name, bits): &(String, Bits)| (name.clone(), bits.display(mechanism.vocabulary()), bits.0);
            shown.list = list.iter().map(one).collect();
            if !list.is_empty() {
                shown.text = reported.display(mechanism, lesson.is_named());
            }
        }
    }
    shown.stuck = happened.stranded.iter().filter(|name| reported.of(name).is_none()).cloned().collect();
    let forecast =
        played.forecasts.iter().find(|(it, _)| *it == mechanism).and_then(|(_, all)| all.get(index)?.as_ref());
    if let Some(forecast) = forecast {
        let why = |why: &Why| WhyShown { name: why.name.clone(), rule: id(why.rule), text: by_step(&why.text, lesson) };
        shown.why = forecast.why.iter().map(why).collect();
        let ordered = matches!(lesson.steps[index].action, Action::Wait { ordered: true, .. });
        shown.foretold = Some(forecast.cells.iter().any(|cell| cell.agrees(reported, ordered)));
        if shown.foretold == Some(false) {
            shown.instead = Some(alternatives(&forecast.cells, mechanism, lesson.is_named()));
        }
    }
    shown
}

//! What was true of a descriptor, whoever was told of it.

use super::data::happened;
use crate::kit::{Action, Bits, Kind, Lesson, Mechanism, Run, Step, Truth, Vocabulary};
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(super) struct TruthShown {
    pub(super) name: String,
    pub(super) unread: Option<u64>,
    pub(super) bits: String,
    pub(super) readable: bool,
    pub(super) room: bool,
    /// Ends and errors that have come with this step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) marks: Vec<String>,
}

/// What was true, which hardly depends on who asks; poll disturbs nothing and skips nothing.
pub(super) fn after(runs: &[Run], index: usize) -> Vec<&Truth> {
    let order = [Mechanism::Poll, Mechanism::Level, Mechanism::Edge, Mechanism::Oneshot];
    let all = order.into_iter().filter_map(|mechanism| happened(runs, mechanism, index));
    all.map(|happened| &happened.truth)
        .find(|truth| !truth.is_empty())
        .map(|truth| truth.iter().collect())
        .unwrap_or_default()
}

impl TruthShown {
    /// `before`: what was true before the step.
    pub(super) fn of(lesson: &Lesson, step: &Step, truth: &Truth, before: &[&Truth]) -> Self {
        let old = before.iter().find(|old| old.name == truth.name).map_or(Bits::NONE, |old| old.ready);
        Self {
            name: truth.name.clone(),
            unread: truth.unread,
            bits: truth.ready.display(Vocabulary::Poll),
            readable: truth.ready.contains(Bits::IN),
            room: truth.ready.contains(Bits::OUT),
            marks: marks(lesson, &step.action, &truth.name, truth.ready - old),
        }
    }
}

/// What has come to an end: in the words of TCP where the peer of a connection has done it, else in those of poll.
fn marks(lesson: &Lesson, action: &Action, name: &str, new: Bits) -> Vec<String> {
    let mut rest = new & (Bits::ERR | Bits::HUP | Bits::RDHUP);
    let mut marks = Vec::new();
    if is_tcp(lesson, name) {
        let by_peer = |other: &String| other != name;
        match action {
            // Also who closes with data unread, and whoever is written to after closing, answers with a reset.
            Action::Write { .. } if rest.contains(Bits::ERR) => {
                marks.push("RST".to_owned());
                rest = Bits::NONE;
            }
            Action::Reset { name: other } | Action::Close { name: other }
                if by_peer(other) && rest.contains(Bits::ERR) =>
            {
                marks.push("RST".to_owned());
                rest = Bits::NONE;
            }
            Action::Close { name: other } | Action::Shutdown { name: other, half: _ }
                if by_peer(other) && rest.contains(Bits::RDHUP) =>
            {
                marks.push("FIN".to_owned());
                rest = rest - Bits::RDHUP;
            }
            _ => {}
        }
    }
    if !rest.is_none() {
        marks.extend(rest.display(Vocabulary::Poll).split('|').map(str::to_owned));
    }
    marks
}

fn is_tcp(lesson: &Lesson, name: &str) -> bool {
    lesson.steps.iter().any(|step| match &step.action {
        Action::Make { kind: Kind::Tcp, names } => names.iter().any(|one| one == name),
        Action::Connect { client: one, .. }
        | Action::Connecting { client: one, .. }
        | Action::Accept { name: one, .. } => one == name,
        _ => false,
    })
}

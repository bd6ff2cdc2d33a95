//! The lane of truth: what the kernel knew of the descriptors, whoever had been told.

use super::columns::Need;
use super::paper::{Line, Tone};
use crate::kit::{Action, Bits, Kind, Lesson, Truth};

/// Letters of the bar that shows how much is unread.
const BAR: usize = 5;

/// Descriptors that are shown; a lesson with more has them all alike.
const SHOWN: usize = 6;

const COMMA: &str = ", ";

/// Before what did not fit beside the descriptor's name.
const INDENT: usize = 2;

/// What is the same for all steps of a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    /// A full bar is so many bytes: the most that were unread at any time.
    most: u64,
    /// The connections of TCP, by name: an error there is a reset.
    tcp: Vec<String>,
    /// Who is asked whether there is room: with the others nobody wants to know.
    writers: Vec<String>,
}

impl Lane {
    pub(crate) fn new<'a>(lesson: &Lesson, truths: impl IntoIterator<Item = &'a Truth>) -> Self {
        let tcp = lesson.steps.iter().flat_map(|step| match &step.action {
            Action::Make { kind: Kind::Tcp, names } => names.clone(),
            Action::Connect { client, .. } => vec![client.clone()],
            Action::Accept { name, .. } => vec![name.clone()],
            _ => Vec::new(),
        });
        let most = truths.into_iter().filter_map(|truth| truth.unread).max().unwrap_or_default();
        let writers = lesson.steps.iter().filter_map(|step| match &step.action {
            Action::Watch { name, interest } | Action::Modify { name, interest } => {
                interest.contains(Bits::OUT).then(|| name.clone())
            }
            Action::Fill { name } => Some(name.clone()),
            _ => None,
        });
        Self { most, tcp: tcp.collect(), writers: writers.collect() }
    }

    /// What was true after a step, of each descriptor that is watched or holds something: its name and its amount, then
    /// words that may stand on a line of their own.
    fn entries(&self, truths: &[Truth]) -> Vec<Vec<Line>> {
        let told: Vec<&Truth> = truths.iter().filter(|truth| is_of_interest(truth)).collect();
        let longest = told.iter().take(SHOWN).map(|truth| truth.name.chars().count()).max().unwrap_or_default();
        let mut entries = Vec::new();
        for truth in told.iter().take(SHOWN) {
            let mut first = Line::of(Tone::Plain, truth.name.clone());
            first.pad(longest);
            if let Some(unread) = truth.unread {
                let full = self.bar(unread);
                first.push(Tone::Told, format!(" {}", "█".repeat(full)));
                first.push(Tone::Faint, "·".repeat(BAR - full));
                first.push(Tone::Plain, format!(" {unread}"));
            }
            let mut facts = self.facts(truth).into_iter().map(|fact| Line::of(Tone::Plain, fact));
            if truth.unread.is_none() {
                first.push(Tone::Plain, " ");
                first.append(facts.next().unwrap_or_default());
            }
            entries.push(std::iter::once(first).chain(facts).collect());
        }
        if told.len() > SHOWN {
            entries.push(vec![Line::of(Tone::Faint, format!("and {} more", told.len() - SHOWN))]);
        }
        entries
    }

    /// The same, on lines of this width as far as its words allow.
    pub(crate) fn lines(&self, truths: &[Truth], width: usize) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for entry in self.entries(truths) {
            for (index, piece) in entry.into_iter().enumerate() {
                match lines.last_mut() {
                    Some(line) if index > 0 && line.width() + COMMA.len() + piece.width() <= width => {
                        line.push(Tone::Plain, COMMA);
                        line.append(piece);
                    }
                    _ => {
                        let mut line = Line::default();
                        line.pad(if index > 0 { INDENT } else { 0 });
                        line.append(piece);
                        lines.push(line);
                    }
                }
            }
        }
        lines
    }

    /// How wide it would be in one line each, and how wide its longest piece is.
    pub(crate) fn need(&self, truths: &[Truth]) -> Need {
        let mut need = Need::default();
        for entry in self.entries(truths) {
            let natural =
                entry.iter().map(|piece| piece.width() + COMMA.len()).sum::<usize>().saturating_sub(COMMA.len());
            let pieces =
                entry.iter().enumerate().map(|(index, piece)| piece.width() + if index > 0 { INDENT } else { 0 });
            need.natural = need.natural.max(natural);
            need.least = need.least.max(pieces.max().unwrap_or_default());
        }
        need
    }

    /// At least one letter for one byte, and all of them only for the most.
    fn bar(&self, unread: u64) -> usize {
        if unread == 0 || self.most == 0 {
            return 0;
        }
        let share = unread.saturating_mul(BAR as u64) / self.most;
        usize::try_from(share).unwrap_or(BAR).clamp(1, BAR)
    }

    fn facts(&self, truth: &Truth) -> Vec<&'static str> {
        let has = |bits| truth.ready.contains(bits);
        let is_tcp = self.tcp.contains(&truth.name);
        let holds_nothing = truth.unread.is_none_or(|unread| unread == 0);
        let is_over = has(Bits::RDHUP) || has(Bits::ERR) || has(Bits::HUP);
        [
            (truth.has_fin() && !has(Bits::HUP), "FIN"),
            (truth.has_reset() && is_tcp, "RST"),
            (truth.has_reset() && !is_tcp, "error"),
            (has(Bits::HUP) && !truth.has_reset(), "over"),
            (has(Bits::PRI), "urgent"),
            (has(Bits::NVAL), "closed"),
            (has(Bits::IN) && holds_nothing && !is_over, "ready"),
            (has(Bits::OUT) && self.writers.contains(&truth.name), "room"),
        ]
        .into_iter()
        .filter_map(|(is_true, word)| is_true.then_some(word))
        .collect()
    }

    /// The words that stand somewhere in the lane, and what they mean.
    pub(crate) fn used<'a>(&self, truths: impl Iterator<Item = &'a Truth>) -> Vec<(&'static str, &'static str)> {
        let found: Vec<&str> =
            truths.filter(|truth| is_of_interest(truth)).flat_map(|truth| self.facts(truth)).collect();
        MEANINGS.into_iter().filter(|(word, _)| found.contains(word)).collect()
    }
}

const MEANINGS: [(&str, &str); 8] = [
    ("FIN", "the peer will send no more"),
    ("RST", "the connection has failed, and nobody was told yet"),
    ("error", "an error waits to be fetched"),
    ("over", "both directions are at an end"),
    ("urgent", "an urgent byte waits"),
    ("closed", "the number stands for no open file"),
    ("ready", "there is something to take"),
    ("room", "a write would take something"),
];

/// Of the peer's end, only what it has not read is of interest.
fn is_of_interest(truth: &Truth) -> bool {
    truth.watched.is_some() || truth.unread.is_some_and(|unread| unread > 0)
}

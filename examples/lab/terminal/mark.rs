//! One wait under one mechanism, as it is marked on its timeline.

use super::paper::{Line, Paper, Tone};
use crate::kit::{Cell, Happened, Mechanism};

/// What a wait came to, and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) mechanism: Mechanism,
    /// What was reported of each descriptor, in words that may be broken between; empty if the wait heard nothing.
    reports: Vec<Vec<String>>,
    failed: bool,
    /// The descriptors that are ready and that this mechanism will not mention again. What this very wait has reported
    /// is not among them: the program has just been told.
    lost: Vec<String>,
    /// What the lesson expects instead.
    pub(crate) expected: Option<String>,
    /// Whether the descriptors are to be named.
    named: bool,
}

/// The sign and the flag before the words.
pub(crate) const SIGNS: usize = 2;

impl Mark {
    /// The mark of a step, if it is a wait; `expected` is what it should have reported instead.
    pub(crate) fn of(mechanism: Mechanism, happened: &Happened, expected: Option<String>, named: bool) -> Option<Self> {
        let cell = happened.reported.as_ref()?;
        let text = if cell.is_silent() { String::new() } else { cell.display(mechanism, named) };
        let reports =
            text.split_whitespace().map(|one| one.split_inclusive('|').map(str::to_owned).collect()).collect();
        let lost = happened.stranded.iter().filter(|name| cell.of(name).is_none()).cloned().collect();
        Some(Self { mechanism, reports, failed: matches!(cell, Cell::Failed(_)), lost, expected, named })
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.reports.is_empty()
    }

    pub(crate) fn is_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    /// Whether the same is to be shown, be it under another mechanism.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        Self { mechanism: self.mechanism, ..other.clone() } == *self
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    pub(crate) fn tone(&self) -> Tone {
        match () {
            () if self.failed => Tone::Alarm,
            () if !self.is_silent() => Tone::Told,
            () if self.is_lost() => Tone::Alarm,
            () => Tone::Faint,
        }
    }

    /// The sign for what was heard, and the flag.
    pub(crate) fn signs(&self) -> Line {
        let sign = match () {
            () if self.failed => "✗",
            () if self.is_silent() => "○",
            () => "●",
        };
        let flag = match () {
            () if self.expected.is_some() => "≠",
            // Where descriptors are named, those that are lost have their own sign.
            () if self.is_lost() && (self.is_silent() || !self.named) => "!",
            () => " ",
        };
        let mut signs = Line::of(self.tone(), sign);
        signs.push(Tone::Alarm, flag);
        signs
    }

    /// In a column of this width: the first line has the signs, and what does not fit beside them stands below.
    pub(crate) fn lines(&self, width: usize) -> Vec<Line> {
        let tone = self.tone();
        let mut lines = Vec::new();
        for text in self.reports.iter().flat_map(|report| broken(report, width.saturating_sub(SIGNS))) {
            let mut line = Line::default();
            line.pad(if lines.is_empty() { 0 } else { SIGNS });
            line.push(tone, text);
            lines.push(line);
        }
        let mut lost = self.lost.iter().filter(|_| self.named);
        let mut first = self.signs();
        match lines.first_mut() {
            Some(line) => first.append(std::mem::take(line)),
            None if self.expected.is_none() => first.push(Tone::Alarm, lost.next().cloned().unwrap_or_default()),
            None => {}
        }
        lines.splice(..lines.len().min(1), [first]);
        lines.extend(lost.map(|name| Line::of(Tone::Alarm, format!(" !{name}"))));
        lines
    }

    /// How many columns it takes with each descriptor in one line.
    pub(crate) fn natural(&self) -> usize {
        let longest =
            self.reports.iter().map(|report| report.iter().map(|word| word.chars().count()).sum::<usize>()).max();
        SIGNS + longest.unwrap_or_default().max(self.longest_lost())
    }

    /// How many it needs if each may take several.
    pub(crate) fn least(&self) -> usize {
        let longest = self.reports.iter().flatten().map(|word| word.chars().count()).max();
        SIGNS + longest.unwrap_or_default().max(self.longest_lost())
    }

    fn longest_lost(&self) -> usize {
        let names = self.lost.iter().filter(|_| self.named);
        names.map(|name| name.chars().count()).max().unwrap_or_default()
    }

    /// The words in one line, and what is lost with them.
    pub(crate) fn text(&self) -> String {
        let mut words: Vec<String> = self.reports.iter().map(|report| report.concat()).collect();
        words.extend(self.lost.iter().filter(|_| self.named).map(|name| format!("!{name}")));
        words.join(" ")
    }
}

/// The words of one report on as few lines as hold them.
fn broken(report: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in report {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() <= width => line.push_str(word),
            _ => lines.push(word.clone()),
        }
    }
    lines
}

/// Below each other, for a narrow screen: a line for all mechanisms of which the same is to be said.
pub(crate) fn stack(paper: &mut Paper, marks: &[Mark], indent: usize) {
    let mut done: Vec<Mechanism> = Vec::new();
    for mark in marks {
        if done.contains(&mark.mechanism) {
            continue;
        }
        let alike = marks.iter().filter(|other| other.is_like(mark));
        let together: Vec<Mechanism> = alike.map(|other| other.mechanism).collect();
        let mut head = Line::default();
        head.pad(indent);
        head.append(mark.signs());
        let words = mark.text();
        let colon = if words.is_empty() { "" } else { ": " };
        paper.headed(head, mark.tone(), &format!("{}{colon}{words}", names(&together)));
        done.extend(together);
    }
}

/// Mechanisms in a row.
pub(crate) fn names(mechanisms: &[Mechanism]) -> String {
    mechanisms.iter().map(|mechanism| mechanism.short()).collect::<Vec<&str>>().join(" ")
}

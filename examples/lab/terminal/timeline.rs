//! A lesson as it happened: step by step downwards, what was true at the left, a timeline for each mechanism beside it.

use super::columns::{Columns, GAP, Need};
use super::contrast::contrast;
use super::findings::{self, Finding};
use super::lane::Lane;
use super::mark::{Mark, names, stack};
use super::paper::{Line, Paper, Tone};
use super::reasons::{self, Forecasts};
use crate::kit::{Action, Difference, Happened, Lesson, Mechanism, Run, Step, Truth, compare, words};

/// What is shown.
#[derive(Clone, Debug)]
pub(crate) struct Sight<'a> {
    pub(crate) lesson: &'a Lesson,
    pub(crate) runs: &'a [Run],
    /// What the oracle says; empty if nobody wants its reasons.
    pub(crate) forecasts: &'a Forecasts,
    /// Where the runs are not what the lesson expects.
    pub(crate) differences: Vec<Difference>,
}

/// The number of the line in the lesson's text, and the blanks behind it.
pub(crate) const MARGIN: usize = 5;

impl<'a> Sight<'a> {
    pub(crate) fn new(lesson: &'a Lesson, runs: &'a [Run], forecasts: &'a Forecasts) -> Self {
        let differences = runs.iter().flat_map(|run| compare(lesson, run)).collect();
        Self { lesson, runs, forecasts, differences }
    }

    pub(crate) fn mechanisms(&self) -> Vec<Mechanism> {
        self.runs.iter().map(|run| run.mechanism).collect()
    }

    /// What each mechanism did in a step.
    pub(crate) fn happened(&self, step: usize) -> impl DoubleEndedIterator<Item = (Mechanism, &'a Happened)> {
        self.runs.iter().filter_map(move |run| Some((run.mechanism, run.steps.get(step)?)))
    }

    /// The marks of a step, if it is a wait.
    pub(crate) fn marks(&self, step: usize) -> Vec<Mark> {
        let named = self.lesson.is_named();
        let mark = |(mechanism, one)| Mark::of(mechanism, one, self.expected(step, mechanism), named);
        self.happened(step).filter_map(mark).collect()
    }

    pub(crate) fn all_marks(&self) -> Vec<Mark> {
        (0..self.lesson.steps.len()).flat_map(|step| self.marks(step)).collect()
    }

    /// What the lesson expects of a step, if that is not what happened.
    fn expected(&self, step: usize, mechanism: Mechanism) -> Option<String> {
        let of_step = |difference: &&Difference| difference.step == step && difference.mechanism == mechanism;
        self.differences.iter().find(of_step).map(|difference| difference.expected.clone())
    }
}

/// Draws all steps, and below them what the signs mean.
pub(crate) fn draw(paper: &mut Paper, sight: &Sight<'_>) {
    let everything = || sight.runs.iter().flat_map(|run| run.steps.iter().flat_map(|one| one.truth.iter()));
    let lane = Lane::new(sight.lesson, everything());
    let marks = sight.all_marks();
    let steps = sight.lesson.steps.iter().enumerate();
    let waits: Vec<usize> =
        steps.filter(|(_, step)| matches!(step.action, Action::Wait { .. })).map(|(index, _)| index).collect();
    let truths = || waits.iter().flat_map(|index| sight.happened(*index)).map(|(_, one)| one.truth.as_slice());
    let needs = truths().map(|truth| lane.need(truth));
    let most =
        |left: Need, right: Need| Need { natural: left.natural.max(right.natural), least: left.least.max(right.least) };
    let need = needs.fold(Need::default(), most);
    let width = paper.look.width.saturating_sub(MARGIN);
    let columns = Columns::fit(need, &sight.mechanisms(), &marks, width);
    let drawing = Drawing { sight, lane, columns };
    if !marks.is_empty() {
        drawing.heading(paper);
    }
    for (index, step) in sight.lesson.steps.iter().enumerate() {
        match &step.action {
            Action::Wait { label, .. } => drawing.wait(paper, index, step, label),
            Action::Say { text } => paper.text(Tone::Plain, &" ".repeat(MARGIN), text),
            action => drawing.deed(paper, index, step, &words(action)),
        }
    }
    let facts = drawing.lane.used(truths().flatten());
    legend(paper, &marks, &facts);
}

/// What the lane shows first.
const TRUTH: &str = "unread";

struct Drawing<'a> {
    sight: &'a Sight<'a>,
    lane: Lane,
    /// `None`: the mechanisms stand below each other.
    columns: Option<Columns>,
}

impl Drawing<'_> {
    /// The names of the mechanisms above their timelines.
    fn heading(&self, paper: &mut Paper) {
        let Some(columns) = &self.columns else { return };
        let mut line = Line::default();
        line.pad(MARGIN);
        line.push(Tone::Faint, if columns.lane >= TRUTH.len() { TRUTH } else { "" });
        let mut edge = MARGIN + columns.lane;
        for (mechanism, width) in &columns.mechanisms {
            line.pad(edge + GAP);
            line.push(Tone::Strong, mechanism.short());
            edge += GAP + width;
        }
        paper.gap();
        paper.line(line);
    }

    fn wait(&self, paper: &mut Paper, index: usize, step: &Step, label: &str) {
        paper.headed(number(step), Tone::Strong, &format!("wait: {label}"));
        let marks = self.sight.marks(index);
        // Where a registration was refused, its descriptor is not in the lane.
        let truths = self.sight.happened(index).map(|(_, one)| one.truth.as_slice());
        let truth = truths.rev().max_by_key(|truth| self.lane.lines(truth, usize::MAX).len()).unwrap_or_default();
        match &self.columns {
            Some(columns) => self.beside(paper, columns, truth, &marks),
            None => self.below(paper, truth, &marks),
        }
        for difference in self.sight.differences.iter().filter(|difference| difference.step == index) {
            let text = contrast(&difference.expected, &difference.found).text();
            let text = format!("{}: {text}", difference.mechanism.short());
            paper.text(Tone::Alarm, &" ".repeat(MARGIN), &text);
        }
        self.other_truths(paper, index, truth);
        let mechanisms = self.sight.mechanisms();
        reasons::write(paper, self.sight.forecasts, &mechanisms, index, MARGIN);
    }

    /// The truth and all timelines in one row.
    fn beside(&self, paper: &mut Paper, columns: &Columns, truth: &[Truth], marks: &[Mark]) {
        let mut cells = vec![(columns.lane, self.lane.lines(truth, columns.lane))];
        for (mechanism, width) in &columns.mechanisms {
            let mark = marks.iter().find(|mark| mark.mechanism == *mechanism);
            cells.push((*width, mark.map(|mark| mark.lines(*width)).unwrap_or_default()));
        }
        let height = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or_default();
        for row in 0..height {
            let mut line = Line::default();
            let mut edge = MARGIN;
            for (index, (width, lines)) in cells.iter().enumerate() {
                line.pad(edge);
                line.append(lines.get(row).cloned().unwrap_or_default());
                edge += width + if index + 1 < cells.len() { GAP } else { 0 };
            }
            paper.line(line);
        }
    }

    /// The truth, and below it the mechanisms; those that answer the same in one line.
    fn below(&self, paper: &mut Paper, truth: &[Truth], marks: &[Mark]) {
        let indent = MARGIN.min(paper.look.width / 4);
        let lines = self.lane.lines(truth, paper.look.width.saturating_sub(indent));
        lines.into_iter().for_each(|line| paper.line(indented(indent, line)));
        stack(paper, marks, indent);
    }

    /// Where the mechanisms do not find the same state, since what was done before came out otherwise.
    fn other_truths(&self, paper: &mut Paper, index: usize, shown: &[Truth]) {
        let same = |left: &Truth, right: &Truth| {
            left.name == right.name && (left.ready, left.unread) == (right.ready, right.unread)
        };
        let mut groups: Vec<(Vec<Mechanism>, Vec<Truth>)> = Vec::new();
        for (mechanism, one) in self.sight.happened(index) {
            let other = one.truth.iter().filter(|truth| !shown.iter().any(|shown| same(truth, shown)));
            let other: Vec<Truth> = other.cloned().collect();
            match groups.iter_mut().find(|(_, truths)| *truths == other) {
                Some((together, _)) => together.push(mechanism),
                None => groups.push((vec![mechanism], other)),
            }
        }
        for (together, truths) in groups {
            let lines = self.lane.lines(&truths, paper.look.width.saturating_sub(MARGIN));
            if lines.is_empty() {
                continue;
            }
            paper.text(Tone::Faint, &" ".repeat(MARGIN), &format!("but under {}:", names(&together)));
            lines.into_iter().for_each(|line| paper.line(indented(MARGIN, line)));
        }
    }

    /// Something other than a wait: what was done, and what it answered.
    fn deed(&self, paper: &mut Paper, index: usize, step: &Step, deed: &str) {
        let happened: Vec<(Mechanism, &Happened)> = self.sight.happened(index).collect();
        let done: Vec<&(Mechanism, &Happened)> = happened.iter().filter(|(_, one)| !one.skipped).collect();
        if done.is_empty() {
            paper.headed(number(step), Tone::Faint, &format!("{deed} (nothing to be done here)"));
            return;
        }
        let findings = findings::gather(done.iter().map(|(mechanism, one)| {
            (*mechanism, one.answer.clone().unwrap_or_default(), self.sight.expected(index, *mechanism))
        }));
        let mut text = deed.to_owned();
        if let [Finding { mechanisms, answer, expected: None }] = findings.as_slice() {
            if !answer.contains('\n') {
                text.push_str(&if matches!(answer.as_str(), "" | "ok") {
                    String::new()
                } else {
                    format!(" = {answer}")
                });
                let only = mechanisms.len() < happened.len();
                text.push_str(&if only { format!(" ({} only)", names(mechanisms)) } else { String::new() });
                paper.headed(number(step), Tone::Deed, &text);
                return;
            }
        }
        paper.headed(number(step), Tone::Deed, &text);
        findings::write(paper, &findings, happened.len() > 1, MARGIN);
    }
}

/// What the signs mean that were used, and the words of the lane.
pub(crate) fn legend(paper: &mut Paper, marks: &[Mark], facts: &[(&str, &str)]) {
    let signs = [
        (marks.iter().any(|mark| !mark.is_silent() && !mark.has_failed()), "● ", "reported"),
        (marks.iter().any(Mark::is_silent), "○ ", "asked, and heard nothing"),
        (marks.iter().any(Mark::has_failed), "✗ ", "the wait itself failed"),
        (marks.iter().any(Mark::is_lost), "! ", "something is ready, and of this it will not say so again"),
        (marks.iter().any(|mark| mark.expected.is_some()), "≠ ", "not what the lesson expects"),
    ];
    paper.gap();
    for (_, sign, meaning) in signs.into_iter().filter(|(is_used, ..)| *is_used) {
        paper.text(Tone::Faint, sign, meaning);
    }
    let facts: Vec<String> = facts.iter().map(|(word, meaning)| format!("{word}: {meaning}")).collect();
    if !facts.is_empty() {
        paper.text(Tone::Faint, "", &format!("{}.", facts.join("; ")));
    }
}

/// The line of the lesson's text in which the step stands.
pub(crate) fn number(step: &Step) -> Line {
    Line::of(Tone::Faint, format!("{:>3}  ", step.line))
}

pub(crate) fn indented(indent: usize, line: Line) -> Line {
    let mut whole = Line::default();
    whole.pad(indent);
    whole.append(line);
    whole
}

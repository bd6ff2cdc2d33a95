//! A lesson as a table: its waits only, a column for each mechanism, those that answer alike in one.

use super::mark::{Mark, stack};
use super::paper::{Line, Paper, Tone};
use super::timeline::{Sight, legend};
use crate::kit::{Action, Mechanism};

/// Between two columns.
const GAP: usize = 2;

/// A wait's label is not squeezed into less.
const LABEL: usize = 16;

/// Writes the table.
pub(crate) fn draw(paper: &mut Paper, sight: &Sight<'_>) {
    let waits: Vec<(&str, Vec<Mark>)> = sight
        .lesson
        .steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| {
            let Action::Wait { label, .. } = &step.action else { return None };
            Some((label.as_str(), sight.marks(index)))
        })
        .collect();
    if waits.is_empty() {
        paper.text(Tone::Faint, "", "No step of this lesson is a plain wait; without --table the steps are shown.");
        return;
    }
    let groups = alike(&sight.mechanisms(), &waits);
    let widths: Vec<usize> = groups
        .iter()
        .map(|group| {
            let own = waits.iter().flat_map(|(_, marks)| marks.iter().filter(|mark| mark.mechanism == group[0]));
            let longest = own.map(Mark::natural).max().unwrap_or_default();
            longest.max(group.iter().map(|mechanism| mechanism.short().len()).max().unwrap_or_default())
        })
        .collect();
    let all: usize = widths.iter().map(|width| width + GAP).sum();
    if paper.look.width < all + LABEL {
        stacked(paper, &waits);
    } else {
        beside(paper, &groups, &widths, &waits, paper.look.width - all);
    }
    let marks: Vec<Mark> = waits.into_iter().flat_map(|(_, marks)| marks).collect();
    legend(paper, &marks, &[]);
}

/// The mechanisms whose columns are the same from top to bottom, together.
fn alike(mechanisms: &[Mechanism], waits: &[(&str, Vec<Mark>)]) -> Vec<Vec<Mechanism>> {
    let column = |mechanism: Mechanism| -> Vec<Option<(String, bool)>> {
        let of = |marks: &[Mark]| marks.iter().find(|mark| mark.mechanism == mechanism).cloned();
        waits.iter().map(|(_, marks)| of(marks).map(|mark| (mark.text(), mark.expected.is_some()))).collect()
    };
    let mut groups: Vec<Vec<Mechanism>> = Vec::new();
    for mechanism in mechanisms {
        match groups.iter_mut().find(|group| column(group[0]) == column(*mechanism)) {
            Some(group) => group.push(*mechanism),
            None => groups.push(vec![*mechanism]),
        }
    }
    groups
}

fn beside(
    paper: &mut Paper,
    groups: &[Vec<Mechanism>],
    widths: &[usize],
    waits: &[(&str, Vec<Mark>)],
    label_width: usize,
) {
    let longest = waits.iter().map(|(label, _)| label.chars().count() + 4).max().unwrap_or_default();
    let label_width = label_width.min(longest.max(LABEL));
    paper.gap();
    let height = groups.iter().map(Vec::len).max().unwrap_or_default();
    for row in 0..height {
        let mut line = Line::default();
        let mut edge = label_width;
        for (group, width) in groups.iter().zip(widths) {
            line.pad(edge + GAP);
            // Names stand upon their column, whatever the height of the others.
            let name = (row + group.len()).checked_sub(height).and_then(|index| group.get(index));
            line.push(Tone::Strong, name.map_or("", |mechanism| mechanism.short()));
            edge += GAP + width;
        }
        paper.line(line);
    }
    for (index, (label, marks)) in waits.iter().enumerate() {
        let labels = super::paper::wrap(label, label_width.saturating_sub(4));
        let cells: Vec<Vec<Line>> = groups
            .iter()
            .zip(widths)
            .map(|(group, width)| {
                let mark = marks.iter().find(|mark| mark.mechanism == group[0]);
                mark.map(|mark| mark.lines(*width)).unwrap_or_default()
            })
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or_default().max(labels.len());
        for row in 0..height {
            let number = if row == 0 { format!("{:>2}. ", index + 1) } else { " ".repeat(4) };
            let mut line = Line::of(Tone::Faint, number);
            line.push(Tone::Plain, labels.get(row).cloned().unwrap_or_default());
            let mut edge = label_width;
            for (cell, width) in cells.iter().zip(widths) {
                line.pad(edge + GAP);
                line.append(cell.get(row).cloned().unwrap_or_default());
                edge += GAP + width;
            }
            paper.line(line);
        }
    }
}

/// Where the columns do not fit beside each other.
fn stacked(paper: &mut Paper, waits: &[(&str, Vec<Mark>)]) {
    paper.gap();
    for (index, (label, marks)) in waits.iter().enumerate() {
        paper.headed(Line::of(Tone::Faint, format!("{:>2}. ", index + 1)), Tone::Strong, label);
        stack(paper, marks, 4);
    }
}

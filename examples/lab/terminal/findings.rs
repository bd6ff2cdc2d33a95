//! What a step answered that is no wait: one word for all, or several lines that differ from mechanism to mechanism.

use super::contrast::contrast;
use super::mark::names;
use super::paper::{Line, Paper, Tone, wrap};
use crate::kit::Mechanism;

/// What some mechanisms answered alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) mechanisms: Vec<Mechanism>,
    /// `ok`, a number, an error; of an experiment a line for each thing that it found out.
    pub(crate) answer: String,
    /// What the lesson expects instead.
    pub(crate) expected: Option<String>,
}

/// Between two columns.
const GAP: usize = 2;

/// A column of a table is not made narrower.
const NARROW: usize = 12;

/// What is longer is a sentence, and has no place in a table.
const SENTENCE: usize = 26;

/// Gathers those that answered alike.
pub(crate) fn gather(answers: impl Iterator<Item = (Mechanism, String, Option<String>)>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (mechanism, answer, expected) in answers {
        match findings.iter_mut().find(|other| other.answer == answer && other.expected == expected) {
            Some(other) => other.mechanisms.push(mechanism),
            None => findings.push(Finding { mechanisms: vec![mechanism], answer, expected }),
        }
    }
    findings
}

/// Writes them below their step, as a table if there is a word for each thing and as paragraphs otherwise.
pub(crate) fn write(paper: &mut Paper, findings: &[Finding], several: bool, indent: usize) {
    if findings.len() < 2 || !table(paper, findings, indent) {
        findings.iter().for_each(|finding| paragraph(paper, finding, several, indent));
    }
    for finding in findings {
        let Some(expected) = &finding.expected else { continue };
        let head = Line::of(Tone::Alarm, format!("{}≠ ", " ".repeat(indent)));
        let text = format!("{}: {}", names(&finding.mechanisms), contrast(expected, &finding.answer).text());
        paper.headed(head, Tone::Alarm, &text);
    }
}

fn paragraph(paper: &mut Paper, finding: &Finding, several: bool, indent: usize) {
    let tone = if finding.expected.is_some() { Tone::Alarm } else { Tone::Plain };
    let names = names(&finding.mechanisms);
    if several && !finding.answer.contains('\n') {
        paper.headed(Line::of(Tone::Strong, format!("{}{names}: ", " ".repeat(indent))), tone, &finding.answer);
        return;
    }
    let mut inner = indent;
    if several {
        paper.text(Tone::Strong, &" ".repeat(indent), &names);
        inner += 2;
    }
    for line in finding.answer.lines() {
        paper.headed(Line::of(Tone::Faint, format!("{}· ", " ".repeat(inner))), tone, line);
    }
}

/// Writes a table with a row for each thing that was found out. Answers whether it can be one.
fn table(paper: &mut Paper, findings: &[Finding], indent: usize) -> bool {
    let Some(columns) =
        findings.iter().map(|finding| rows(&finding.answer)).collect::<Option<Vec<Vec<(&str, &str)>>>>()
    else {
        return false;
    };
    let keys: Vec<&str> = columns[0].iter().map(|(key, _)| *key).collect();
    let alike = columns.iter().all(|column| column.iter().map(|(key, _)| *key).eq(keys.iter().copied()));
    let key_width = keys.iter().map(|key| key.chars().count()).max().unwrap_or_default();
    let heads: Vec<String> = findings.iter().map(|finding| names(&finding.mechanisms)).collect();
    let natural = columns.iter().zip(&heads).map(|(column, head)| {
        let longest = column.iter().map(|(_, value)| value.chars().count()).max().unwrap_or_default();
        longest.max(head.chars().count().min(NARROW))
    });
    let mut widths: Vec<usize> = natural.collect();
    let room = paper.look.width.saturating_sub(indent + key_width);
    let total = |widths: &[usize]| widths.iter().map(|width| width + GAP).sum::<usize>();
    if !alike || keys.len() < 2 || widths.iter().any(|width| *width > SENTENCE) {
        return false;
    }
    while total(&widths) > room {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROW) else { return false };
        *widest -= 1;
    }
    let mut row = |key: &str, cells: Vec<(Tone, &str)>| {
        let cells: Vec<(Tone, Vec<String>)> =
            cells.iter().zip(&widths).map(|((tone, cell), width)| (*tone, wrap(cell, *width))).collect();
        let height = cells.iter().map(|(_, lines)| lines.len()).max().unwrap_or_default();
        for index in 0..height {
            let mut line = Line::default();
            line.pad(indent);
            line.push(Tone::Plain, if index == 0 { key } else { "" });
            let mut edge = indent + key_width;
            for ((tone, lines), width) in cells.iter().zip(&widths) {
                line.pad(edge + GAP);
                line.push(*tone, lines.get(index).cloned().unwrap_or_default());
                edge += GAP + width;
            }
            paper.line(line);
        }
    };
    row("", heads.iter().map(|head| (Tone::Strong, head.as_str())).collect());
    for (index, key) in keys.iter().enumerate() {
        let tone = |finding: &Finding| if finding.expected.is_some() { Tone::Alarm } else { Tone::Plain };
        row(key, findings.iter().zip(&columns).map(|(finding, column)| (tone(finding), column[index].1)).collect());
    }
    true
}

/// `KEY: VALUE` in each line.
fn rows(answer: &str) -> Option<Vec<(&str, &str)>> {
    answer.lines().map(|line| line.split_once(": ")).collect()
}

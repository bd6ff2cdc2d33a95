//! `lab check`: whether this kernel answers as the lessons say.

use crate::choose;
use crate::complaint::Complaint;
use crate::jobs;
use crate::kit::{self, Difference, Lesson, Mechanism};
use crate::options::CheckArgs;
use crate::terminal::{Look, Paper, Tone, contrast};
use std::fs;
use std::process::ExitCode;
use std::time::Instant;

/// `lab check`.
pub(crate) fn serve(args: &CheckArgs, look: Look) -> Result<ExitCode, Complaint> {
    let named = args.lessons.iter().map(|word| choose::lesson(word)).collect::<Result<Vec<Lesson>, Complaint>>()?;
    let lessons: &[Lesson] = if named.is_empty() { kit::lessons::all() } else { &named };
    let started = Instant::now();
    let mut paper = Paper::new(look);
    paper.text(Tone::Strong, "", &system());
    paper.print()?;
    let outcomes = jobs::each(lessons, args.jobs.map_or(jobs::USEFUL, usize::from), kit::check);
    let mut paper = Paper::new(look);
    let mut differences = 0;
    let mut failures = 0;
    for (lesson, outcome) in outcomes.iter().flat_map(|(lesson, list)| list.iter().map(move |one| (lesson, one))) {
        match outcome {
            Ok(list) => {
                differences += list.len();
                list.iter().for_each(|difference| show(&mut paper, difference));
            }
            Err(why) => {
                failures += 1;
                paper.text(Tone::Alarm, "✗ ", &format!("{}: not played: {why}", lesson.name));
            }
        }
    }
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let summary = format!(
        "{} under {}: {}, {} that could not be played; {:.1} s",
        count(lessons.len(), "lesson"),
        count(Mechanism::ALL.len(), "mechanism"),
        count(differences, "difference"),
        failures,
        started.elapsed().as_secs_f64()
    );
    paper.text(Tone::Strong, "", &summary);
    if differences + failures > 0 {
        let how = "Kernels differ, and the lessons were written on one. To report this, open an issue with all of these \
                   lines, and with what `lab run NAME` shows of one of the lessons.";
        paper.text(Tone::Plain, "", how);
    }
    paper.print()?;
    Ok(if differences + failures > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(paper: &mut Paper, difference: &Difference) {
    let Difference { lesson, line, action, mechanism, expected, found, .. } = difference;
    let text = format!("{lesson}, line {line}, {action}, under {mechanism}: {}", contrast(expected, found).text());
    paper.text(Tone::Alarm, "≠ ", &text);
}

/// The kernel, as a report needs it.
fn system() -> String {
    let read =
        |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default().trim().to_owned();
    format!("{} {} {}, {}", read("ostype"), read("osrelease"), read("version"), std::env::consts::ARCH)
}

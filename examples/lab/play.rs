//! Plays lessons on this kernel and shows what came of it.

use crate::choose;
use crate::complaint::Complaint;
use crate::kit::{self, Forecast, Lesson, Mechanism, Run, RunError};
use crate::options::{DiffArgs, RunArgs};
use crate::terminal::{self, Look, Paper, Sight, Tone};
use std::process::ExitCode;

/// A lesson that was played under some mechanisms.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) runs: Vec<Run>,
    /// Where it could not be played, and why.
    pub(crate) failed: Vec<RunError>,
}

pub(crate) fn play(lesson: &Lesson, mechanisms: &[Mechanism]) -> Played {
    let mut played = Played { runs: Vec::new(), failed: Vec::new() };
    for mechanism in mechanisms {
        match kit::run(lesson, *mechanism) {
            Ok(run) => played.runs.push(run),
            Err(e) => played.failed.push(e),
        }
    }
    played
}

/// What the oracle says of each step.
pub(crate) fn forecasts(lesson: &Lesson, mechanisms: &[Mechanism]) -> Vec<(Mechanism, Vec<Option<Forecast>>)> {
    mechanisms.iter().map(|mechanism| (*mechanism, kit::forecast(lesson, *mechanism))).collect()
}

/// `lab run`.
pub(crate) fn run(args: &RunArgs, look: Look) -> Result<ExitCode, Complaint> {
    let mechanisms = args.which.mechanisms().map_err(Complaint::Usage)?;
    let lesson = choose::lesson(&args.lesson)?;
    let (paper, code) = show(&lesson, &mechanisms, look, args.table, args.why || mechanisms.len() == 1);
    paper.print()?;
    Ok(code)
}

/// Plays a lesson and writes down all that is to be said of it.
pub(crate) fn show(lesson: &Lesson, mechanisms: &[Mechanism], look: Look, table: bool, why: bool) -> (Paper, ExitCode) {
    let played = play(lesson, mechanisms);
    let forecasts = if why { forecasts(lesson, mechanisms) } else { Vec::new() };
    let sight = Sight::new(lesson, &played.runs, &forecasts);
    let mut paper = Paper::new(look);
    terminal::before(&mut paper, lesson);
    paper.gap();
    if played.runs.is_empty() {
        // Then there is nothing to be seen but why.
    } else if table {
        terminal::table::draw(&mut paper, &sight);
    } else {
        terminal::draw(&mut paper, &sight);
    }
    failures(&mut paper, &played);
    terminal::after(&mut paper, lesson);
    let surprises = sight.differences.len();
    if surprises > 0 {
        paper.gap();
        let answers = if surprises == 1 { "1 answer is" } else { &format!("{surprises} answers are") };
        paper.text(Tone::Alarm, "≠ ", &format!("{answers} not what the lesson expects of this kernel."));
    }
    let code = if surprises > 0 || !played.failed.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    (paper, code)
}

fn failures(paper: &mut Paper, played: &Played) {
    paper.gap();
    for why in &played.failed {
        paper.text(Tone::Alarm, "✗ ", &format!("not played: {why}"));
    }
}

/// `lab diff`.
pub(crate) fn diff(args: &DiffArgs, look: Look) -> Result<ExitCode, Complaint> {
    if args.left == args.right {
        return Err(Complaint::usage(format_args!("{} does not part from itself: name two mechanisms", args.left)));
    }
    let lesson = choose::lesson(&args.lesson)?;
    let mechanisms = [args.left, args.right];
    let played = play(&lesson, &mechanisms);
    let forecasts = forecasts(&lesson, &mechanisms);
    let sight = Sight::new(&lesson, &played.runs, &forecasts);
    let mut paper = Paper::new(look);
    terminal::before(&mut paper, &lesson);
    terminal::diff::draw(&mut paper, &sight);
    failures(&mut paper, &played);
    paper.print()?;
    Ok(if played.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! What is written to files: the page with all lessons and storms.

use crate::complaint::Complaint;
use crate::jobs;
use crate::kit::{self, Mechanism, RunError};
use crate::options::AllArgs;
use crate::page::{self, Machine, Played};
use crate::play::forecasts;
use crate::storm;
use crate::terminal::{Look, Paper, Tone};
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tripoll::Backend;

/// How long one side of a storm is played.
const SIDE: Duration = Duration::from_millis(300);

/// `lab all`.
pub(crate) fn all(args: &AllArgs, look: Look) -> Result<ExitCode, Complaint> {
    prepare(&args.html)?;
    let mut paper = Paper::new(look);
    let mut count = 0;
    let mut played = Vec::new();
    for (lesson, runs) in jobs::each(kit::lessons::all(), jobs::USEFUL, kit::run) {
        let (runs, failed): (Vec<_>, Vec<_>) = runs.into_iter().partition(Result::is_ok);
        let failed: Vec<RunError> = failed.into_iter().filter_map(Result::err).collect();
        count += failed.len();
        failed.iter().for_each(|why| paper.text(Tone::Alarm, "✗ ", &format!("{}: not played: {why}", lesson.name)));
        played.push(Played {
            lesson: lesson.clone(),
            runs: runs.into_iter().flatten().collect(),
            forecasts: forecasts(lesson, &Mechanism::ALL),
            failed: failed.into_iter().map(|e| (e.mechanism, format!("line {}: {}", e.line, e.trouble))).collect(),
        });
    }
    let storms = if args.no_storms { Vec::new() } else { storms(&mut paper) };
    write(&args.html, &page::render(&played, &storms, &Machine::here()))?;
    let path = args.html.display();
    paper.text(Tone::Plain, "", &format!("{path} has {} lessons; open it in a browser.", played.len()));
    paper.print()?;
    Ok(if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every storm, as it goes here; one that fails is left out with a word of why.
fn storms(paper: &mut Paper) -> Vec<page::Storm> {
    let options = storm::Options {
        name: None,
        all: true,
        backend: Some(Backend::Epoll),
        seconds: SIDE,
        json: false,
        inside: None,
    };
    let mut played = Vec::new();
    for one in storm::Storm::ALL {
        let outcome = options.scene().map_err(|e| e.to_string());
        match outcome.and_then(|scene| one.play(&scene, &mut |_| Ok(())).map_err(|e| e.to_string())) {
            Ok(outcome) => played.push(shown(one, outcome)),
            Err(why) => paper.text(Tone::Alarm, "✗ ", &why),
        }
    }
    played
}

fn shown(one: storm::Storm, outcome: storm::Outcome) -> page::Storm {
    let sides = [outcome.off, outcome.on].into_iter().chain(outcome.more);
    page::Storm {
        name: one.name().to_owned(),
        title: one.script().title.to_owned(),
        about: one.script().about.to_owned(),
        backend: outcome.backend,
        sides: sides
            .map(|tally| page::Side {
                label: tally.side,
                defended: tally.defended,
                wakeups: tally.wakeups,
                seconds: tally.seconds,
                work: (tally.work.done, tally.work.what),
                end: tally.end,
            })
            .collect(),
    }
}

/// Whether a file can be written is better known before everything is played than after.
fn prepare(path: &Path) -> Result<(), Complaint> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.map(drop).map_err(|e| Complaint::failed(format_args!("{}: {e}", path.display())))
}

/// Writes a file, or says which one could not be written.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Complaint> {
    fs::write(path, text).map_err(|e| Complaint::failed(format_args!("{}: {e}", path.display())))
}

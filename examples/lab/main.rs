//! The lab: what select, poll, epoll and mio report, step by step, on this machine's kernel, and why.
//!
//! | module | what is in it |
//! |---|---|
//! | `kit` | lessons, the descriptors they are played with, the mechanisms that watch them, the oracle |
//! | `terminal`, `page` | what happened, as text and as a page for a browser |
//! | `storm` | disasters of event loops, live |
//! | `recording` | what a program's own loop did, from its recording |
//! | `play`, `pages`, `checking`, `quiz` | the commands; `jobs` for those that play many lessons |
//! | `options`, `choose`, `complaint` | the command line: what is asked for, and what is wrong with it |

mod checking;
mod choose;
mod complaint;
mod jobs;
mod kit;
mod options;
mod page;
mod pages;
mod play;
mod quiz;
mod recording;
mod storm;
mod terminal;

use clap::Parser;
use complaint::Complaint;
use options::{Command, Options};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use terminal::{Look, Paper};

fn main() -> ExitCode {
    // An experiment may have asked for a process of its own.
    if let Some(code) = kit::probe_child() {
        return code;
    }
    serve().unwrap_or_else(Complaint::report)
}

fn serve() -> Result<ExitCode, Complaint> {
    let options = Options::try_parse().map_err(Complaint::Clap)?;
    let look = Look::of_stdout(options.width, options.no_color);
    match &options.command {
        None => menu(look),
        Some(Command::List) => list(look),
        Some(Command::Run(args)) => play::run(args, look),
        Some(Command::Text(args)) => text(args),
        Some(Command::Diff(args)) => play::diff(args, look),
        Some(Command::Quiz(args)) => quiz::serve(args, look, io::stdin().lock()),
        Some(Command::Check(args)) => checking::serve(args, look),
        Some(Command::All(args)) => pages::all(args, look),
        Some(Command::Open(args)) => open(args),
        Some(Command::Storm(args)) => {
            storm::run(args, &mut io::stdout().lock()).map_err(Complaint::from)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Who cannot choose gets the list.
fn menu(look: Look) -> Result<ExitCode, Complaint> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return list(look);
    }
    let show = |lesson: &kit::Lesson| play::show(lesson, &kit::Mechanism::ALL, look, false, false).0;
    terminal::menu::serve(kit::lessons::all(), look, io::stdin().lock(), show)?;
    Ok(ExitCode::SUCCESS)
}

/// A lesson as it is written, to begin another one with.
fn text(args: &options::TextArgs) -> Result<ExitCode, Complaint> {
    let lesson = choose::lesson(&args.lesson)?;
    io::stdout().write_all(kit::print(&lesson).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn open(args: &options::OpenArgs) -> Result<ExitCode, Complaint> {
    let summary = recording::open(&args.recording, args.html.as_deref()).map_err(Complaint::Failed)?;
    io::stdout().write_all(summary.as_bytes())?;
    if let Some(html) = &args.html {
        writeln!(io::stdout(), "\n{} has the timeline; open it in a browser.", html.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(look: Look) -> Result<ExitCode, Complaint> {
    let mut paper = Paper::new(look);
    terminal::list::draw(&mut paper, kit::lessons::all());
    terminal::list::how_to_go_on(&mut paper);
    paper.print()?;
    Ok(ExitCode::SUCCESS)
}

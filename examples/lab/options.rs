//! The command line.

use crate::kit::{Mechanism, nearest};
use crate::storm;
use crate::terminal::{NARROWEST, WIDEST};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What select, poll, epoll and mio report, step by step, on this machine's kernel, and why.
///
/// Each lesson is a situation that has burned authors of servers: a few descriptors, what is done to them, and what each
/// mechanism says at each wait. Nothing is simulated: a lesson is played when you look at it. Without a command there is
/// a menu.
#[derive(Debug, Parser)]
#[command(name = "lab", max_term_width = 100, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Write without colours, as if NO_COLOR were set.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,

    /// Columns to write in, 20 to 200 [default: those of the terminal, at most 110, or 80].
    #[arg(long, global = true, value_name = "COLUMNS", value_parser = width)]
    pub(crate) width: Option<usize>,
}

const EXAMPLES: &str = "\
Examples:
  lab                                            the menu
  lab run partial-read                           one lesson, all mechanisms beside each other
  lab run partial-read --backend epoll --trigger edge
                                                 one mechanism, with the reason for each answer
  lab run mine.lab                               a lesson of your own; `lab run --help` has the format
  lab diff partial-read epoll-level epoll-edge   where two part, and why
  lab quiz partial-read --mechanism epoll-edge   what will the next wait report?
  lab storm writable-left-on                     a disaster, live: without a defence and with tripoll's
  lab check                                      does this kernel answer as the lessons say?
  lab open loop.json --html loop.html            what a server of yours did, recorded with --record loop.json

What is wrong with the command line or with a lesson's text ends with exit code 2; an answer that a lesson does not
expect, or a call that failed, with 1.";

const FORMAT: &str = "\
A lesson of your own is a text file, one step a line; what is indented below a step says what you expect of it, and may
be left out:

  lesson mine
  title A partial read
  tcp c s
  watch c in
  write s 10 = 10
  wait \"10 bytes arrived\"
      select: r
      poll level edge oneshot: IN
      mio: readable
  read c 4 = 4
  wait \"4 of 10 read\"

Then: lab run mine.lab. The numbers at the left of what it shows are the lines of the file. `lab text NAME` writes the
text of a lesson to begin with.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show all lessons.
    List,
    /// Play a lesson and show what each mechanism reports.
    Run(RunArgs),
    /// Write the text of a lesson, to begin one of your own with.
    Text(TextArgs),
    /// Play all lessons and storms and write them as one page for a browser.
    All(AllArgs),
    /// Play a lesson under two mechanisms and say where they part, and by which rule.
    Diff(DiffArgs),
    /// Guess what the next wait will report; the kernel knows the answer.
    Quiz(QuizArgs),
    /// Play a disaster live, without a defence and with tripoll's.
    Storm(storm::Options),
    /// Play all lessons under all mechanisms and show what is not as they say.
    Check(CheckArgs),
    /// Open what a program recorded of its loop (`--record FILE` of echo and chat): where its time went, who waited.
    Open(OpenArgs),
}

#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// The recording. Perfetto (ui.perfetto.dev) and chrome://tracing open the same file.
    #[arg(value_name = "FILE")]
    pub(crate) recording: PathBuf,

    /// Write a page with the timeline for a browser, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = FORMAT)]
pub(crate) struct RunArgs {
    /// The name or the number of a lesson, or a file of your own that ends in .lab.
    #[arg(value_name = "NAME|NUMBER|FILE.lab")]
    pub(crate) lesson: String,

    #[command(flatten)]
    pub(crate) which: Which,

    /// Show the waits only, as a table.
    #[arg(long)]
    pub(crate) table: bool,

    /// Say the reason for each answer. With a single mechanism that is done anyway.
    #[arg(long)]
    pub(crate) why: bool,
}

/// Which mechanisms are meant.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Which {
    /// Only this way of waiting [default: all].
    #[arg(long, value_enum)]
    backend: Option<System>,

    /// Only this way of registering [default: all that there are]. select and poll have level alone, mio has edge.
    #[arg(long, value_enum)]
    trigger: Option<Trigger>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum System {
    Select,
    Poll,
    Epoll,
    Mio,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Trigger {
    Level,
    Edge,
    Oneshot,
}

impl Which {
    /// The mechanisms that are meant, at least one.
    ///
    /// # Errors
    ///
    /// The backend does not have that trigger.
    pub(crate) fn mechanisms(self) -> Result<Vec<Mechanism>, String> {
        let all = Mechanism::ALL.into_iter().filter(|mechanism| {
            let (system, trigger) = parts(*mechanism);
            self.backend.is_none_or(|wish| wish == system) && self.trigger.is_none_or(|wish| wish == trigger)
        });
        let found: Vec<Mechanism> = all.collect();
        match (self.backend, self.trigger) {
            (Some(System::Mio), Some(_)) if found.is_empty() => {
                Err("mio registers with edge: leave --trigger out".into())
            }
            (Some(_), Some(_)) if found.is_empty() => {
                Err("select and poll have level alone: leave --trigger out".into())
            }
            _ => Ok(found),
        }
    }
}

const fn parts(mechanism: Mechanism) -> (System, Trigger) {
    match mechanism {
        Mechanism::Select => (System::Select, Trigger::Level),
        Mechanism::Poll => (System::Poll, Trigger::Level),
        Mechanism::Level => (System::Epoll, Trigger::Level),
        Mechanism::Edge => (System::Epoll, Trigger::Edge),
        Mechanism::Oneshot => (System::Epoll, Trigger::Oneshot),
        Mechanism::Mio => (System::Mio, Trigger::Edge),
    }
}

#[derive(Debug, Args)]
pub(crate) struct AllArgs {
    /// Where the page goes; what is there is replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: PathBuf,

    /// Leave the storms out, which take some seconds.
    #[arg(long)]
    pub(crate) no_storms: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TextArgs {
    /// The name or the number of a lesson, or a file of your own that ends in .lab.
    #[arg(value_name = "NAME|NUMBER|FILE.lab")]
    pub(crate) lesson: String,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The name or the number of a lesson, or a file of your own that ends in .lab.
    #[arg(value_name = "NAME|NUMBER|FILE.lab")]
    pub(crate) lesson: String,

    /// The first: select, poll, epoll-level, epoll-edge, epoll-oneshot or mio.
    #[arg(value_name = "MECHANISM", value_parser = mechanism)]
    pub(crate) left: Mechanism,

    /// The second.
    #[arg(value_name = "MECHANISM", value_parser = mechanism)]
    pub(crate) right: Mechanism,
}

#[derive(Debug, Args)]
pub(crate) struct QuizArgs {
    /// Ask about this lesson alone [default: lessons of all kinds, easy ones first].
    #[arg(value_name = "NAME|NUMBER|FILE.lab")]
    pub(crate) lesson: Option<String>,

    /// Ask about this mechanism alone: select, poll, epoll-level, epoll-edge, epoll-oneshot or mio [default: any].
    #[arg(long, value_parser = mechanism)]
    pub(crate) mechanism: Option<Mechanism>,

    /// How many questions, 1 to 1000 [default: 10, or all of the lesson that was named].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) questions: Option<u16>,

    /// The same number asks the same questions again [default: another each time].
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Names or numbers of lessons, or files of your own [default: all lessons of the lab].
    #[arg(value_name = "NAME|NUMBER|FILE.lab")]
    pub(crate) lessons: Vec<String>,

    /// Lessons to play at a time, 1 to 64; more than 8 are no faster [default: 8].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: Option<u16>,
}

fn mechanism(text: &str) -> Result<Mechanism, String> {
    Mechanism::named(text).ok_or_else(|| {
        let names = Mechanism::ALL.map(Mechanism::name);
        let meant = nearest(text, &names).map(|name| format!(" (perhaps {name}?)")).unwrap_or_default();
        format!("choose one of {}{meant}", names.join(", "))
    })
}

fn width(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(columns) if (NARROWEST..=WIDEST).contains(&columns) => Ok(columns),
        _ => Err(format!("write a number from {NARROWEST} to {WIDEST}")),
    }
}

//! Why a command did not do what it was asked: a line on standard error, and an exit code.

use crate::storm;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// What went wrong, and who has to change something.
#[derive(Debug)]
pub(crate) enum Complaint {
    /// Clap's, which may also be the help that was asked for.
    Clap(clap::Error),
    /// The command line is wrong, or a file that it names.
    Usage(String),
    /// A lesson's text is wrong: `FILE:LINE:COLUMN: expected ...`, as an editor understands it.
    Text(String),
    /// The system refused something.
    Failed(String),
    /// What was to be written could not be.
    Output(io::Error),
}

impl Complaint {
    pub(crate) fn usage(what: impl Display) -> Self {
        Self::Usage(what.to_string())
    }

    pub(crate) fn failed(what: impl Display) -> Self {
        Self::Failed(what.to_string())
    }

    /// Says it; the answer is the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (what, code) = match self {
            Self::Clap(e) if !e.use_stderr() => {
                // Whoever closed standard output does not want to read it.
                let _ = e.print();
                return ExitCode::SUCCESS;
            }
            // `| head` has seen enough, and that is no failure.
            Self::Output(e) if e.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Clap(e) => (format!("lab: {}; --help tells what there is", in_one_line(&e.to_string())), 2),
            Self::Usage(what) => (format!("lab: {what}"), 2),
            Self::Text(what) => (what, 2),
            Self::Failed(what) => (format!("lab: {what}"), 1),
            Self::Output(e) => (format!("lab: standard output: {e}"), 1),
        };
        // Nobody may be listening there either.
        let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("{what}\n"));
        ExitCode::from(code)
    }
}

impl From<io::Error> for Complaint {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<storm::Error> for Complaint {
    fn from(error: storm::Error) -> Self {
        match error {
            storm::Error::Output(error) => Self::Output(error),
            error @ storm::Error::Impossible { .. } => Self::usage(error),
            error => Self::failed(error),
        }
    }
}

/// What is wrong and what was perhaps meant; how a command line looks in general is left to `--help`.
fn in_one_line(text: &str) -> String {
    let told =
        text.split("\n\n").take_while(|paragraph| !paragraph.starts_with("Usage:") && !paragraph.starts_with("For"));
    let words = told.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    words.trim_start_matches("error: ").trim_end_matches('.').to_owned()
}

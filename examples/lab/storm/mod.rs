//! Storms: disasters of event loops, played live without a defence and with tripoll's.
//!
//! Each is a loop by hand with one mistake in it, and beside it a loop of tripoll's with its default settings under the
//! same weather. What both cost and get done is counted at the same places. One storm a file; a new one is a file with
//! a [`Script`] and a line in [`Storm`].

mod edge;
mod emfile;
mod hang_up;
mod hog;
mod inside;
mod loopback;
mod meter;
mod options;
mod script;
mod show;
mod slow;
mod tally;
mod timer;
mod writable;

pub(crate) use options::Options;
pub(crate) use script::{Scene, Script, Side};
pub(crate) use show::run;
pub(crate) use tally::{Outcome, Tally};

use clap::ValueEnum;
use serde::Serialize;
use std::fmt;
use std::io;
use tripoll::Backend;

/// The storms by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Storm {
    WritableLeftOn,
    AcceptAtEmfile,
    HangUpOnPaused,
    UndrainedEdge,
    SlowReader,
    Hog,
    RoundedDown,
}

impl Storm {
    pub(crate) const ALL: [Self; 7] = [
        Self::WritableLeftOn,
        Self::AcceptAtEmfile,
        Self::HangUpOnPaused,
        Self::UndrainedEdge,
        Self::SlowReader,
        Self::Hog,
        Self::RoundedDown,
    ];

    /// As on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::WritableLeftOn => "writable-left-on",
            Self::AcceptAtEmfile => "accept-at-emfile",
            Self::HangUpOnPaused => "hang-up-on-paused",
            Self::UndrainedEdge => "undrained-edge",
            Self::SlowReader => "slow-reader",
            Self::Hog => "hog",
            Self::RoundedDown => "rounded-down",
        }
    }

    pub(crate) const fn script(self) -> &'static Script {
        match self {
            Self::WritableLeftOn => &writable::SCRIPT,
            Self::AcceptAtEmfile => &emfile::SCRIPT,
            Self::HangUpOnPaused => &hang_up::SCRIPT,
            Self::UndrainedEdge => &edge::SCRIPT,
            Self::SlowReader => &slow::SCRIPT,
            Self::Hog => &hog::SCRIPT,
            Self::RoundedDown => &timer::SCRIPT,
        }
    }

    /// Plays all sides, one after the other. `about_to` is told of each before it begins.
    ///
    /// # Errors
    ///
    /// [`Error::Impossible`] if the storm cannot happen on this backend, and whatever goes wrong in the play.
    pub(crate) fn play(
        self,
        scene: &Scene,
        about_to: &mut dyn FnMut(&Side) -> io::Result<()>,
    ) -> Result<Outcome, Error> {
        let script = self.script();
        let mut tallies = Vec::new();
        for (index, side) in script.sides_on(self, scene.backend)? {
            about_to(side).map_err(Error::Output)?;
            let tally = if script.alone { inside::elsewhere(self, index, scene) } else { self.play_side(index, scene) };
            tallies.push(tally.map_err(|error| Error::Failed { storm: self, side: side.label, error })?);
        }
        let mut first = |defended| {
            let found = tallies.iter().position(|tally: &Tally| tally.defended == defended);
            found.map(|index| tallies.remove(index)).unwrap_or_default()
        };
        let (off, on) = (first(false), first(true));
        Ok(Outcome { name: self, backend: scene.backend.name().to_owned(), off, on, more: tallies })
    }

    /// Plays one side, by its number, in this process.
    fn play_side(self, index: usize, scene: &Scene) -> io::Result<Tally> {
        let Some(side) = self.script().sides.get(index) else {
            let what = format!("the storm {} has no side number {index}", self.name());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        };
        let tally = (side.play)(scene)?;
        Ok(Tally { side: side.label.to_owned(), defended: side.defended, ..tally })
    }
}

/// Why a storm was not played to its end.
#[derive(Debug)]
pub(crate) enum Error {
    /// It cannot happen on that backend.
    Impossible { storm: Storm, backend: Backend, why: &'static str },
    /// The backend was not compiled in, or cannot be had.
    Poller(io::Error),
    /// One side went wrong.
    Failed { storm: Storm, side: &'static str, error: io::Error },
    /// This process was started for that side.
    Inside(io::Error),
    /// What was to be shown could not be written.
    Output(io::Error),
}

impl Error {
    fn poller(error: io::Error) -> Self {
        Self::Poller(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible { storm, backend, why } => {
                write!(f, "the storm {} cannot happen on {backend}: {why}; try --backend epoll", storm.name())
            }
            Self::Poller(error) => write!(f, "the backend cannot be had: {error}"),
            Self::Failed { storm, side, error } => {
                write!(f, "the storm {}, defence {side}, was not played to its end: {error}", storm.name())
            }
            Self::Inside(error) => error.fmt(f),
            Self::Output(error) => write!(f, "cannot write: {error}"),
        }
    }
}

impl std::error::Error for Error {}

//! What a storm is made of: what happens, the sides that are played, and where the defence stands.

use super::tally::{Outcome, Tally};
use super::{Error, Storm};
use std::io;
use std::process::Command;
use std::time::Duration;
use tripoll::poller::{AnyPoller, Features, Poller};
use tripoll::{Backend, Trigger};

/// How each mistake is marked in the source of its storm, behind its line; a few words follow.
pub(super) const MARK: &str = "// the mistake: ";

/// One storm.
pub(crate) struct Script {
    pub(crate) title: &'static str,
    /// What happens, whether or not anybody is prepared for it.
    pub(crate) about: &'static str,
    pub(crate) so_what: &'static str,
    /// The line of the undefended side that makes it a storm.
    pub(crate) mistake: Place,
    /// Where tripoll keeps from it,
    pub(crate) code: Place,
    /// and where that is tested.
    pub(crate) test: Place,
    /// In the order in which they are played. There is at least one of each kind.
    pub(crate) sides: &'static [Side],
    /// A side changes what belongs to the whole process, and so is played in one of its own.
    pub(crate) alone: bool,
    /// Why this storm cannot happen on a backend, if it cannot.
    pub(crate) impossible: fn(Backend) -> Option<&'static str>,
    /// What is to be seen, with the figures of this very run.
    pub(crate) seen: fn(&Outcome) -> String,
}

/// One way of playing a storm.
pub(crate) struct Side {
    /// As over its column: `off`, `on`, or a variant of these.
    pub(crate) label: &'static str,
    pub(crate) defended: bool,
    pub(crate) trigger: Trigger,
    pub(super) play: fn(&Scene) -> io::Result<Tally>,
}

/// What a storm is played with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) backend: Backend,
    /// How long each side lasts.
    pub(crate) time: Duration,
    /// Starts one side, by its number, in a process of its own, which prints its [`Tally`] as a line of JSON.
    pub(crate) launch: fn(Storm, usize, &Self) -> io::Result<Command>,
}

impl Script {
    /// The line that makes it a storm, and what is wrong with it in a few words.
    pub(crate) fn mistaken_line(&self) -> (&'static str, &'static str) {
        let line = self.mistake.line().map_or("", |(_, line)| line);
        let (code, wrong) = line.split_once(MARK).unwrap_or((line, ""));
        (code.trim_end(), wrong)
    }

    /// The sides that a backend can play, with their numbers.
    pub(super) fn sides_on(&self, storm: Storm, backend: Backend) -> Result<Vec<(usize, &'static Side)>, Error> {
        if let Some(why) = (self.impossible)(backend) {
            return Err(Error::Impossible { storm, backend, why });
        }
        let features = AnyPoller::new(backend).map_err(Error::poller)?.features();
        let has = |side: &Side| side.trigger != Trigger::Edge || features.contains(Features::EDGE);
        let sides: Vec<_> = self.sides.iter().enumerate().filter(|(_, side)| has(side)).collect();
        let both = [true, false].into_iter().all(|defended| sides.iter().any(|(_, side)| side.defended == defended));
        if both { Ok(sides) } else { Err(Error::Impossible { storm, backend, why: "it reports no edges" }) }
    }
}

/// Storms that every backend knows.
pub(super) fn possible(_: Backend) -> Option<&'static str> {
    None
}

/// A line of a source file, found by what stands in it, so that its number is always right.
pub(crate) struct Place {
    pub(crate) path: &'static str,
    /// What the line contains: a function's head, the mark of a mistake.
    pub(crate) find: &'static str,
    pub(super) source: &'static str,
}

impl Place {
    /// The line and its number.
    pub(crate) fn line(&self) -> Option<(usize, &'static str)> {
        let found = self.source.lines().enumerate().find(|(_, line)| line.contains(self.find));
        found.map(|(index, line)| (index + 1, line.trim()))
    }

    /// The file with the line's number, as editors and terminals understand it.
    pub(crate) fn address(&self) -> String {
        self.line().map_or_else(|| self.path.to_owned(), |(number, _)| format!("{}:{number}", self.path))
    }
}

/// A [`Place`] by its path from the root of the checkout.
macro_rules! place {
    ($path:literal, $find:expr) => {
        super::script::Place { path: $path, find: $find, source: include_str!(concat!("../../../", $path)) }
    };
}
pub(super) use place;

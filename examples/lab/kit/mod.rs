//! What the lab is made of, apart from how it is shown: lessons, the descriptors they are played with, the mechanisms
//! that watch them, and the oracle.

mod bits;
mod cell;
mod check;
mod forecast;
mod happened;
mod lesson;
pub(crate) mod lessons;
mod mechanism;
mod nearest;
mod oracle;
mod parse;
mod print;
pub(crate) mod probe;
mod run;
mod watch;
mod world;

pub(crate) use bits::{Bits, Vocabulary};
pub(crate) use cell::Cell;
pub(crate) use check::{Difference, check, compare};
pub(crate) use forecast::{Forecast, Rule, Why};
pub(crate) use happened::{Happened, Run, Truth};
pub(crate) use lesson::{Action, Expected, Half, Kind, Lesson, Step, Tweak};
pub(crate) use mechanism::Mechanism;
pub(crate) use nearest::nearest;
pub(crate) use oracle::forecast;
#[allow(unused_imports, reason = "who follows a run are the tests")]
pub(crate) use oracle::{Facts, Oracle};
pub(crate) use parse::{MAX_TEXT, parse};
pub(crate) use print::{alternatives, print, words};
pub(crate) use probe::probe_child;
pub(crate) use run::{RunError, run};

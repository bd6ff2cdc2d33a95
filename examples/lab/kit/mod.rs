//! What the lab is made of, apart from how it is shown: lessons, the descriptors they are played with, the mechanisms
//! that watch them, and the oracle.

mod bits;
mod cell;
mod forecast;
mod happened;
mod lesson;
mod mechanism;

pub(crate) use bits::{Bits, Vocabulary};
pub(crate) use cell::Cell;
pub(crate) use forecast::{Forecast, Rule, Why};
pub(crate) use happened::{Happened, Run, Truth};
pub(crate) use lesson::{Action, Expected, Half, Kind, Lesson, Step, Tweak};
pub(crate) use mechanism::Mechanism;

//! Scenarios without a server: the contender measures itself.

pub mod ctl;
pub mod dispatch;
mod memory;
mod queue;
pub mod timers;
pub mod wake;

use super::peers::{self, Round};
use super::scenario::{Cell, Scenario};
use std::io;

/// Makes a contender ready for the rounds of a cell.
pub fn prepare(contender: &str, cell: &Cell) -> io::Result<Round> {
    let ours = contender.starts_with("tripoll-") || contender.starts_with("floor-");
    match cell.scenario {
        _ if !ours => peers::prepare(contender, cell),
        Scenario::Dispatch => dispatch::prepare(contender, cell),
        Scenario::Memory => memory::prepare(contender, cell),
        Scenario::Ctl => ctl::prepare(contender, cell),
        Scenario::Timers => timers::prepare(contender, cell),
        Scenario::Queue => queue::prepare(contender, cell),
        Scenario::Wake => wake::prepare(contender),
        other => Err(io::Error::other(format!("{contender} has no {other}"))),
    }
}

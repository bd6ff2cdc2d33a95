//! The oracle beside a run: it is told what was seen, and asked what it holds true.

use super::Oracle;
use super::truth::Facts;
use super::world::World;
use crate::kit::Cell;

#[allow(dead_code, reason = "who follows a run are the tests")]
impl Oracle {
    /// Whether something has happened that the model does not cover.
    pub(crate) fn is_lost(&self) -> bool {
        self.worlds.is_empty()
    }

    /// Whether there is a descriptor of this name, open or closed.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.worlds.iter().any(|world| world.number(name).is_some())
    }

    /// Tells what the last wait really reported: worlds that would have had it otherwise are given up. Answers whether any
    /// is left.
    pub(crate) fn observe(&mut self, cell: &Cell, ordered: bool) -> bool {
        self.worlds.retain(|world| world.answered.as_ref().is_none_or(|answered| answered.agrees(cell, ordered)));
        !self.worlds.is_empty()
    }

    /// Of every open descriptor, what `poll` would say if it was asked for everything, in each world that is possible.
    pub(crate) fn truth(&self) -> Vec<Vec<(String, Facts)>> {
        self.worlds.iter().map(World::everything).collect()
    }
}

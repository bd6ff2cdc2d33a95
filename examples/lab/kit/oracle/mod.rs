//! The oracle: a model of readiness that says what each wait of a lesson will report, and why.
//!
//! It rests on how the kernel works. A driver wakes the wait queue of an open file when something happens to it; that puts
//! the registrations that listen onto epoll's list. A wait takes them from there, and asks each file what is true of it
//! now. Level puts what it has reported back onto the list; edge does not; one-shot goes deaf. Adding and modifying put a
//! registration on the list if something is true already. select and poll have no list and ask every file at every wait.
//!
//! Each kind of file is a model of its own, which knows what is true and whom each deed wakes: `tcp`, `local`, `udp`,
//! `pipe`, `pty`, `counter`, `listener`, `fixed`. Where the kernel may do one thing or another, as when it decides by the
//! sizes of its buffers, the oracle follows both ways: it holds several worlds and forecasts several cells.

mod counter;
mod file;
mod fixed;
mod listener;
mod local;
mod model;
mod pipe;
mod pty;
mod reason;
mod tcp;
mod truth;
mod udp;
mod wait;
mod watches;
mod world;

pub(crate) use truth::Facts;

use super::{Action, Cell, Forecast, Lesson, Mechanism};
use world::World;

/// So many ways in which things may stand are followed at once; beyond that nothing is forecast any more.
const WORLDS: usize = 64;

/// What a wait reports at most if the lesson does not say.
const MAX: usize = 256;

/// What is known of a lesson up to some step.
#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    /// None: something has happened that the model does not cover.
    worlds: Vec<World>,
    line: usize,
}

impl Oracle {
    pub(crate) fn new(mechanism: Mechanism) -> Self {
        Self { worlds: vec![World::new(mechanism)], line: 0 }
    }

    /// Where the next step stands in the text; the reasons refer to it.
    pub(crate) fn at(&mut self, line: usize) -> &mut Self {
        self.line = line;
        self
    }

    /// Whether something has happened that the model does not cover.
    pub(crate) fn is_lost(&self) -> bool {
        self.worlds.is_empty()
    }

    /// Whether there is a descriptor of this name, open or closed.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.worlds.iter().any(|world| world.number(name).is_some())
    }

    /// Follows a step. Of a wait that the model covers it answers what the wait will report.
    pub(crate) fn step(&mut self, action: &Action) -> Option<Forecast> {
        let worlds = std::mem::take(&mut self.worlds);
        if let Action::Wait { max, .. } = action {
            return self.wait(worlds, max.unwrap_or(MAX));
        }
        for world in worlds {
            match world.play(action) {
                Ok(played) => self.worlds.extend(played),
                Err(model::Beyond) => {
                    self.worlds.clear();
                    return None;
                }
            }
        }
        self.merge();
        None
    }

    fn wait(&mut self, worlds: Vec<World>, max: usize) -> Option<Forecast> {
        let mut forecast: Option<Forecast> = None;
        for world in worlds {
            let Ok(ends) = wait::wait(world, self.line, max) else {
                self.worlds.clear();
                return None;
            };
            for (world, why) in ends {
                let cell = world.answered.clone().unwrap_or(Cell::SILENT);
                let forecast = forecast.get_or_insert(Forecast { cells: Vec::new(), why });
                if !forecast.cells.contains(&cell) {
                    forecast.cells.push(cell);
                }
                self.worlds.push(world);
            }
        }
        self.merge();
        forecast
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

    /// Worlds that have become the same are one.
    fn merge(&mut self) {
        let mut distinct: Vec<World> = Vec::new();
        for world in self.worlds.drain(..) {
            if !distinct.contains(&world) {
                distinct.push(world);
            }
        }
        if distinct.len() <= WORLDS {
            self.worlds = distinct;
        }
    }
}

/// What each wait of a lesson will report under a mechanism; an entry for each step, which is empty for other steps, and
/// for waits after something that the model does not cover.
pub(crate) fn forecast(lesson: &Lesson, mechanism: Mechanism) -> Vec<Option<Forecast>> {
    let mut oracle = Oracle::new(mechanism);
    lesson.steps.iter().map(|step| oracle.at(step.line).step(&step.action)).collect()
}

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
mod following;
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

    /// Follows a step. Of a wait that the model covers it answers what the wait will report.
    pub(crate) fn step(&mut self, action: &Action) -> Option<Forecast> {
        let worlds = std::mem::take(&mut self.worlds);
        if let Action::Wait { max, .. } = action {
            return self.wait(worlds, max.unwrap_or(MAX));
        }
        for world in worlds {
            if world.play(action).and_then(|played| self.keep(played)).is_err() {
                self.worlds.clear();
                return None;
            }
        }
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
                if self.keep([world]).is_err() {
                    self.worlds.clear();
                    return None;
                }
            }
        }
        forecast
    }

    /// Worlds that are the same are one.
    fn keep(&mut self, worlds: impl IntoIterator<Item = World>) -> Result<(), model::Beyond> {
        for world in worlds {
            if !self.worlds.contains(&world) {
                self.worlds.push(world);
            }
        }
        if self.worlds.len() > WORLDS { Err(model::Beyond) } else { Ok(()) }
    }
}

/// What each wait of a lesson will report under a mechanism; an entry for each step, which is empty for other steps, and
/// for waits after something that the model does not cover.
pub(crate) fn forecast(lesson: &Lesson, mechanism: Mechanism) -> Vec<Option<Forecast>> {
    let mut oracle = Oracle::new(mechanism);
    lesson.steps.iter().map(|step| oracle.at(step.line).step(&step.action)).collect()
}

//! Who takes part in what.

use super::foreign;
use super::scenario::{Cell, Scenario};

/// Where a contender comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The loop by hand that the others are compared with.
    Floor,
    Tripoll,
    /// A Rust crate, compiled into this bench.
    Crate,
    /// A program in another language, if it can be run here.
    Foreign,
}

/// A loop that can be measured.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    pub name: &'static str,
    pub family: Family,
}

const fn contender(name: &'static str, family: Family) -> Contender {
    Contender { name, family }
}

/// All of them; the floors first, so that a round begins with what it is compared with.
pub const ALL: [Contender; 18] = [
    contender("floor-level", Family::Floor),
    contender("floor-edge", Family::Floor),
    contender("tripoll-select", Family::Tripoll),
    contender("tripoll-poll", Family::Tripoll),
    contender("tripoll-epoll-level", Family::Tripoll),
    contender("tripoll-epoll-edge", Family::Tripoll),
    contender("tripoll-epoll-oneshot", Family::Tripoll),
    contender("tripoll-mio", Family::Tripoll),
    contender("mio", Family::Crate),
    contender("polling", Family::Crate),
    contender("calloop", Family::Crate),
    contender("tokio", Family::Crate),
    contender("asyncio", Family::Foreign),
    contender("selectors", Family::Foreign),
    contender("asyncore", Family::Foreign),
    contender("libevent", Family::Foreign),
    contender("libev", Family::Foreign),
    contender("libuv", Family::Foreign),
];

/// The floor that a contender is compared with: the one of its own trigger, where there are two. mio and tokio are
/// edge-triggered by nature.
pub fn floor_of(name: &str, scenario: Scenario) -> &'static str {
    if matches!(scenario, Scenario::Chat | Scenario::Timers | Scenario::Queue | Scenario::Wake) {
        return "floor-level";
    }
    match name {
        "floor-edge" | "tripoll-epoll-edge" | "mio" | "tokio" => "floor-edge",
        _ => "floor-level",
    }
}

impl Contender {
    /// Descriptors below this number only.
    pub fn descriptor_bound(self) -> Option<usize> {
        matches!(self.name, "tripoll-select").then_some(1024)
    }

    /// Whether it has an entry for this cell at all.
    pub fn enters(self, cell: &Cell) -> bool {
        match (self.family, cell.scenario) {
            (_, Scenario::Memory) if !cell.is_served() => matches!(self.name, "floor-level" | "tripoll-epoll-level"),
            (_, Scenario::Idle | Scenario::Echo | Scenario::Churn | Scenario::Memory) => true,
            (Family::Foreign, Scenario::Chat) => foreign::CHATS.contains(&self.name),
            (_, Scenario::Chat) => self.name != "floor-edge",
            (Family::Foreign, _) => false,
            (_, Scenario::Dispatch) => true,
            // tokio registers once for everything and changes nothing afterwards.
            (_, Scenario::Ctl) => self.name != "tokio",
            // One trigger is like the other here, and these peers have nothing of the kind.
            (Family::Floor, Scenario::Timers | Scenario::Queue | Scenario::Wake) => self.name == "floor-level",
            (Family::Tripoll, Scenario::Timers | Scenario::Queue | Scenario::Wake) => {
                self.name == "tripoll-epoll-level"
            }
            (Family::Crate, Scenario::Wake) => true,
            (Family::Crate, Scenario::Timers) => matches!(self.name, "calloop" | "tokio"),
            (Family::Crate, Scenario::Queue) => false,
        }
    }

    /// Why it cannot take part here, if so.
    pub fn absence(self) -> Option<String> {
        if self.family == Family::Foreign { foreign::absence(self.name) } else { None }
    }
}

pub fn named(name: &str) -> Option<Contender> {
    ALL.into_iter().find(|contender| contender.name == name)
}

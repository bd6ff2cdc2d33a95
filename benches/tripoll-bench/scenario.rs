//! What is measured: the scenarios, their figures, and the cells of a run.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The scenarios, in the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scenario {
    /// Socket pairs, some of them active, each handing a token to the next: the cost of an event.
    Dispatch,
    /// A fixed load while more and more connections sit idle.
    Idle,
    /// Requests and answers of several sizes, on several numbers of connections.
    Echo,
    /// Connect, one request, close.
    Churn,
    /// Writable interest switched on and off for every message.
    Ctl,
    /// Each line goes to everyone else.
    Chat,
    /// Timers added, pushed back and cancelled while many are pending.
    Timers,
    /// Bytes per idle connection, per queued message, per timer.
    Memory,
    /// Chunks gathered into one write.
    Queue,
    /// Work posted to the loop by another thread.
    Wake,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dispatch => "dispatch",
            Self::Idle => "idle",
            Self::Echo => "echo",
            Self::Churn => "churn",
            Self::Ctl => "ctl",
            Self::Chat => "chat",
            Self::Timers => "timers",
            Self::Memory => "memory",
            Self::Queue => "queue",
            Self::Wake => "wake",
        })
    }
}

/// One number that a round yields.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Its name in the samples.
    pub key: &'static str,
    /// Its heading in a table.
    pub heading: &'static str,
    pub higher_is_better: bool,
}

const fn less(key: &'static str, heading: &'static str) -> Figure {
    Figure { key, heading, higher_is_better: false }
}

const fn more(key: &'static str, heading: &'static str) -> Figure {
    Figure { key, heading, higher_is_better: true }
}

impl Scenario {
    pub const ALL: [Self; 10] = [
        Self::Dispatch,
        Self::Idle,
        Self::Echo,
        Self::Churn,
        Self::Ctl,
        Self::Chat,
        Self::Timers,
        Self::Memory,
        Self::Queue,
        Self::Wake,
    ];

    /// What the figures mean; the first is the one that ratios and verdicts are about.
    pub fn figures(self) -> &'static [Figure] {
        const SERVED: &[Figure] = &[
            less("cpu_ns", "CPU ns/request"),
            less("user_ns", "of them in user space"),
            less("calls", "calls/request"),
            more("per_second", "requests/s"),
            less("p50_us", "p50 us"),
            less("p99_us", "p99 us"),
            less("p999_us", "p99.9 us"),
        ];
        const CHAT: &[Figure] = &[
            less("cpu_ns", "CPU ns/delivery"),
            less("user_ns", "of them in user space"),
            less("calls", "calls/delivery"),
            more("per_second", "deliveries/s"),
            less("p50_us", "p50 us"),
            less("p99_us", "p99 us"),
        ];
        const LOOP: &[Figure] =
            &[less("ns", "ns/event"), less("calls", "calls/event"), less("wait_ns", "of them in the wait")];
        const CTL: &[Figure] = &[less("ns", "ns/message"), less("calls", "calls/message")];
        const TIMERS: &[Figure] =
            &[less("ns", "ns to push back"), less("add_ns", "ns to add"), less("cancel_ns", "ns to cancel")];
        const MEMORY: &[Figure] = &[less("bytes", "bytes each, beside its data")];
        const QUEUE: &[Figure] = &[less("ns", "ns/chunk"), less("calls", "calls/chunk")];
        const WAKE: &[Figure] = &[less("ns", "ns there and back"), less("post_ns", "ns/post in a burst")];
        match self {
            Self::Idle | Self::Echo | Self::Churn => SERVED,
            Self::Chat => CHAT,
            Self::Dispatch => LOOP,
            Self::Ctl => CTL,
            Self::Timers => TIMERS,
            Self::Memory => MEMORY,
            Self::Queue => QUEUE,
            Self::Wake => WAKE,
        }
    }
}

/// A scenario with all of its parameters fixed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    pub scenario: Scenario,
    pub params: BTreeMap<String, u64>,
}

impl Cell {
    pub fn new(scenario: Scenario, params: &[(&str, u64)]) -> Self {
        Self { scenario, params: params.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect() }
    }

    /// Whether a server is loaded from another process; otherwise the contender measures itself in one of its own.
    pub fn is_served(&self) -> bool {
        match self.scenario {
            Scenario::Idle | Scenario::Echo | Scenario::Churn | Scenario::Chat => true,
            Scenario::Memory => self.params.contains_key("idle connections"),
            _ => false,
        }
    }

    /// A parameter that the scenario has.
    pub fn get(&self, name: &str) -> usize {
        self.params.get(name).map_or_else(|| panic!("{self} has no {name}"), |value| *value as usize)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scenario)?;
        for (name, value) in &self.params {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// How thorough a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Quick,
    Normal,
    Full,
}

/// The cells of a run.
pub fn plan(depth: Depth, wanted: &[Scenario]) -> Vec<Cell> {
    let wanted = |scenario: &Scenario| wanted.is_empty() || wanted.contains(scenario);
    Scenario::ALL.into_iter().filter(wanted).flat_map(|scenario| cells(scenario, depth)).collect()
}

fn cells(scenario: Scenario, depth: Depth) -> Vec<Cell> {
    let quick = depth == Depth::Quick;
    let full = depth == Depth::Full;
    let pick = |quick_ones: &'static [u64], all: &'static [u64]| if quick { quick_ones } else { all };
    let one = |name: &str, values: &[u64]| values.iter().map(|value| Cell::new(scenario, &[(name, *value)])).collect();
    match scenario {
        Scenario::Dispatch => {
            let mut cells = Vec::new();
            for pairs in pick(&[100, 1000, 9000], &[100, 300, 1000, 3000, 9000]) {
                for active in [1, 100, *pairs] {
                    let cell = Cell::new(scenario, &[("pairs", *pairs), ("active", active)]);
                    if !cells.contains(&cell) {
                        cells.push(cell);
                    }
                }
            }
            cells
        }
        Scenario::Idle => one("idle", pick(&[0, 1000, 10_000], &[0, 100, 1000, 3000, 10_000])),
        Scenario::Echo => {
            let mut cells = Vec::new();
            for connections in pick(&[1, 100], &[1, 100, 1000]) {
                for bytes in pick(&[64, 4096], &[64, 4096, 65_536]) {
                    for pipeline in pick(&[1], &[1, 16]) {
                        let params = [("connections", *connections), ("bytes", *bytes), ("pipeline", *pipeline)];
                        cells.push(Cell::new(scenario, &params));
                    }
                }
            }
            cells
        }
        Scenario::Churn => one("at once", pick(&[10], &[1, 10, 100])),
        Scenario::Ctl => one("connections", &[100]),
        Scenario::Chat => {
            let speaking = |fan_out: &u64| {
                Cell::new(scenario, &[("fan-out", *fan_out), ("speakers", (*fan_out).min(10_000 / fan_out))])
            };
            pick(&[10, 100], &[10, 100, 1000]).iter().map(speaking).collect()
        }
        Scenario::Timers => one("pending", pick(&[1000, 1_000_000], &[1000, 10_000, 100_000, 1_000_000])),
        Scenario::Memory => {
            let mut cells: Vec<Cell> = one("idle connections", if full { &[1000, 10_000] } else { &[10_000] });
            cells.push(Cell::new(scenario, &[("queued messages", 10_000)]));
            cells.push(Cell::new(scenario, &[("timers", 100_000)]));
            cells
        }
        Scenario::Queue => one("chunks", pick(&[1, 8, 64], &[1, 2, 4, 8, 16, 32, 64])),
        Scenario::Wake => vec![Cell::new(scenario, &[])],
    }
}

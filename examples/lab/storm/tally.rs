//! What a storm has cost, and what was got done in it.

use super::Storm;
use serde::{Deserialize, Serialize};

/// One side of a storm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// As over its column: `off`, `on`, or a variant of these.
    pub(crate) side: String,
    pub(crate) defended: bool,
    /// Seconds that were measured.
    pub(crate) seconds: f64,
    /// Waits that ended, for whatever reason.
    pub(crate) wakeups: u64,
    /// System calls of the loop: waits, registrations, reads, writes, accepts.
    pub(crate) system_calls: u64,
    /// Seconds of processor time that the thread of the loop took.
    pub(crate) cpu_seconds: f64,
    pub(crate) work: Work,
    /// Bytes queued for the slow reader, in equal steps of time.
    pub(crate) queued: Vec<u64>,
    /// The most of them at any moment.
    pub(crate) queued_peak: Option<u64>,
    /// The longest that a client waited for an answer, in seconds.
    pub(crate) longest_wait: Option<f64>,
    /// How it ended.
    pub(crate) end: String,
}

/// What was to be done, and how much of it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// What is counted: `messages echoed`.
    pub(crate) what: String,
    pub(crate) done: u64,
    /// How much there was to do, where that has an end.
    pub(crate) of: Option<u64>,
}

impl Tally {
    pub(crate) fn wakeups_per_second(&self) -> f64 {
        per_second(self.wakeups as f64, self.seconds)
    }

    pub(crate) fn calls_per_second(&self) -> f64 {
        per_second(self.system_calls as f64, self.seconds)
    }

    pub(crate) fn work_per_second(&self) -> f64 {
        per_second(self.work.done as f64, self.seconds)
    }

    /// The share of one processor, from 0 to 1.
    pub(crate) fn load(&self) -> f64 {
        per_second(self.cpu_seconds, self.seconds)
    }
}

fn per_second(amount: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount / seconds } else { 0.0 }
}

/// What has become of a storm.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) name: Storm,
    pub(crate) backend: String,
    /// The mistake.
    pub(crate) off: Tally,
    /// The same with tripoll's defaults.
    pub(crate) on: Tally,
    /// Variants of either: the same mistake under another trigger, the same defence by another policy.
    pub(crate) more: Vec<Tally>,
}

impl Outcome {
    /// Everything that was played: undefended first.
    pub(crate) fn sides(&self) -> Vec<&Tally> {
        let mut sides: Vec<&Tally> = [&self.off, &self.on].into_iter().chain(&self.more).collect();
        sides.sort_by_key(|tally| tally.defended);
        sides
    }

    /// A variant by its label.
    pub(crate) fn variant(&self, side: &str) -> Option<&Tally> {
        self.more.iter().find(|tally| tally.side == side)
    }
}

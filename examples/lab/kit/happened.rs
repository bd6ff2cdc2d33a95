//! What happened when a lesson was run under one mechanism.

use super::bits::Bits;
use super::cell::Cell;
use super::mechanism::Mechanism;

/// A lesson that was run. `steps` has an entry for each step of the lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) mechanism: Mechanism,
    pub(crate) steps: Vec<Happened>,
}

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Happened {
    /// What the call answered, of everything but a wait: `10`, `ok`, `EAGAIN`; the findings of a probe.
    pub(crate) answer: Option<String>,
    /// What a wait reported.
    pub(crate) reported: Option<Cell>,
    /// What was true afterwards: of every descriptor that is open, by asking the kernel on a way of its own.
    pub(crate) truth: Vec<Truth>,
    /// After a wait: descriptors that are ready for what was asked of them, and of which this mechanism will not say so
    /// again before something else happens to them.
    pub(crate) stranded: Vec<String>,
    /// Whether the step is none under this mechanism, as is `rearm` where nothing needs it.
    pub(crate) skipped: bool,
}

/// What was true of one descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) name: String,
    /// What `poll` said when it was asked for everything.
    pub(crate) ready: Bits,
    /// Bytes that have arrived and were not read, where the kernel tells.
    pub(crate) unread: Option<u64>,
    /// What the mechanism is asked to report of it; `None` if it is not registered.
    pub(crate) watched: Option<Bits>,
}

impl Truth {
    /// Whether the peer has said that it will send no more.
    pub(crate) fn has_fin(&self) -> bool {
        self.ready.contains(Bits::RDHUP) && !self.has_reset()
    }

    /// Whether the connection has failed, and nobody has been told yet.
    pub(crate) fn has_reset(&self) -> bool {
        self.ready.contains(Bits::ERR)
    }
}

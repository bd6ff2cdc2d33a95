//! What the oracle says: what the next wait will report, and by which rule.

use super::cell::Cell;

/// The oracle's word on one wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// What may be reported: one cell, or several where the kernel has the choice.
    pub(crate) cells: Vec<Cell>,
    /// Why, with one entry for each descriptor of which something is to be said.
    pub(crate) why: Vec<Why>,
}

/// The reason for what is reported, or not, of one descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    /// The descriptor's name.
    pub(crate) name: String,
    pub(crate) rule: Rule,
    /// The rule, said of this descriptor in this situation: "5 bytes are unread, and c was told of them at line 9".
    pub(crate) text: String,
}

/// The rules of readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// Level answers what is true now.
    LevelRepeats,
    /// Edge answers once for what has arrived since it answered last.
    EdgeOnce,
    /// Any arrival makes an edge, also on top of unread data.
    ArrivalIsEdge,
    /// An event carries everything that is true, not only what changed.
    FullState,
    /// Registering, and registering anew, looks at what is true already.
    RegisteringLooks,
    /// After its one report a one-shot hears nothing, errors included, until it is armed again.
    DisarmedIsDeaf,
    /// Errors and hang-up are reported without being asked for.
    ErrorsUnasked,
    /// select has three sets: hang-up shows as readable, an error as readable and writable.
    SelectFolds,
    /// The end of the peer's data is readable; hang-up is the end of both directions.
    FinIsReadable,
    /// An error is told once, to whoever asks first.
    ErrorOnce,
    /// Writable means that a good part is free.
    RoomNeedsMore,
    /// A registration belongs to a number and an open file together.
    NumberAndFile,
    /// What is always ready cannot be waited for: epoll refuses it.
    FilesRefused,
    /// Of more than a wait can hold, the rest comes next time.
    TheRestNextTime,
    /// Nothing is true of it that was asked for.
    NothingTrue,
}

//! What a model of an open file has to know: what is true of it, and whom each deed wakes.

use super::truth::Facts;
use crate::kit::{Bits, Half, Tweak};

/// Which end of the pair, in the order in which the ends are named when the pair is made.
pub(super) type Side = usize;

/// What is done to an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Write(u64),
    Type(u64),
    Read(u64),
    Peek(u64),
    Drain,
    Fill,
    /// Reads until the other end is writable.
    MakeRoom,
    Urgent,
    ReadUrgent,
    SendToNobody,
    TakeError,
    Shutdown(Half),
    /// The last number of it was closed.
    Close,
    /// The same, abruptly.
    Reset,
    Set(Tweak),
}

/// Why the wait queue of a file was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It was registered.
    Added,
    /// It was registered anew.
    Modified,
    /// So many bytes, records, connections, ... came in.
    Arrived(u64),
    Urgent,
    /// The peer will send no more.
    Fin,
    PeerClosed,
    Reset,
    Refused,
    /// This end was shut down by its own side.
    Shut,
    /// What the peer shut down concerns this end too.
    PeerShut,
    /// The peer took something out.
    Room,
    /// What this end sent has left its buffer.
    Sent,
    /// Its own counter was read.
    Taken,
    /// The acknowledgement of this end's FIN, which may come milliseconds later.
    FinAcknowledged,
}

/// When a wakeup happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// At once or not at all.
    Perhaps,
    /// At some time from now on.
    Later,
}

/// A wakeup of those who wait for one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wake {
    pub(super) side: Side,
    /// What the driver says has changed; who did not ask for any of it sleeps on. No bits: the driver does not say, and
    /// everybody is woken.
    pub(super) keys: Bits,
    pub(super) cause: Cause,
    pub(super) when: When,
}

/// The wakeups of one deed, in order.
#[derive(Debug, Default)]
pub(super) struct Wakes(pub(super) Vec<Wake>);

impl Wakes {
    /// What a driver says when data has come.
    pub(super) const DATA: Bits = Bits(Bits::IN.0 | Bits::PRI.0);

    pub(super) fn now(&mut self, side: Side, keys: Bits, cause: Cause) {
        self.0.push(Wake { side, keys, cause, when: When::Now });
    }

    pub(super) fn perhaps(&mut self, side: Side, keys: Bits, cause: Cause) {
        self.0.push(Wake { side, keys, cause, when: When::Perhaps });
    }

    pub(super) fn later(&mut self, side: Side, keys: Bits, cause: Cause) {
        self.0.push(Wake { side, keys, cause, when: When::Later });
    }
}

/// A deed that the model says nothing of.
#[derive(Debug)]
pub(super) struct Beyond;

/// A model of an open file, or of a connected pair of them.
pub(super) trait Model {
    fn facts(&self, side: Side) -> Facts;

    /// Does `deed` at one end.
    ///
    /// # Errors
    ///
    /// If what comes of it is not known.
    fn act(&mut self, side: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond>;

    /// How many bytes, records, connections are unread, if that is known.
    fn unread(&self, side: Side) -> Option<u64>;

    /// Whether there was an error, and somebody has been told.
    fn has_told_its_error(&self, _: Side) -> bool {
        false
    }

    /// What makes this bit true, as a clause: "5 bytes are unread".
    fn reason(&self, side: Side, bit: Bits) -> String;
}

/// "1 byte is unread", "5 bytes are unread".
pub(super) fn unread(count: Option<u64>, one: &str, many: &str, state: &str) -> String {
    match count {
        Some(1) => format!("1 {one} is {state}"),
        Some(count) => format!("{count} {many} are {state}"),
        None => format!("{many} are {state}"),
    }
}

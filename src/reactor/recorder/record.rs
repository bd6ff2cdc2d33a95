//! One thing that a recorder takes down, in 32 bytes.

use super::super::occurrence::Occurrence;
use super::super::reason::Reason;
use super::super::slot::Kind;
use crate::poller::{Interest, Readiness, Token};
use std::io;

/// What happened, when, and to whom: [`Token::NONE`] is the loop itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::reactor) struct Record {
    /// Nanoseconds of the loop's clock.
    pub(super) at: u64,
    pub(super) token: Token,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::reactor) enum What {
    Turn {
        number: u32,
    },
    TurnEnd,
    Wait {
        /// Nanoseconds; the largest number stands for ever.
        asked: u64,
    },
    WaitEnd {
        events: u32,
    },
    Event(Readiness),
    /// Known to be ready before the wait, and served without one.
    Ready,
    Call(Callback),
    CallEnd,
    Io {
        call: Io,
        asked: u32,
        done: Done,
    },
    Interest {
        interest: Interest,
        change: Change,
    },
    /// A source that was adopted just now, or was there when the recording began.
    Source {
        kind: Kind,
        new: bool,
        fd: i32,
    },
    End {
        ending: Ending,
        lost: u32,
        error: Done,
    },
    /// What is sent to this source waits from now on, and no longer.
    Queue,
    QueueEnd,
    /// Bytes that wait and connections that are open, in the whole loop.
    Load {
        connections: u32,
        queued: u64,
    },
    Panic,
    /// The recorder writes its own file.
    Save,
    SaveEnd,
    Limit,
    Stop,
}

/// A callback, or on the floor of the reactor what the program is told instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callback {
    Open,
    Accept,
    Connect,
    Read,
    Eof,
    Write,
    Drain,
    Urgent,
    Timeout,
    Woken,
    Shutdown,
    Close,
    /// Something from outside of the loop, with a handler.
    With,
}

impl Callback {
    pub(super) fn of(occurrence: &Occurrence) -> (Token, Self) {
        match occurrence {
            Occurrence::Accepted { listener, .. } => (*listener, Self::Accept),
            Occurrence::Connected(token) => (*token, Self::Connect),
            Occurrence::Urgent(token) => (*token, Self::Urgent),
            Occurrence::Readable(token) => (*token, Self::Read),
            Occurrence::Eof(token) => (*token, Self::Eof),
            Occurrence::Writable(token) => (*token, Self::Write),
            Occurrence::Drained(token) => (*token, Self::Drain),
            Occurrence::Expired(token, _) => (*token, Self::Timeout),
            Occurrence::Woken => (Token::NONE, Self::Woken),
            Occurrence::Closed(token, _) => (*token, Self::Close),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accept => "accept",
            Self::Connect => "connect",
            Self::Read => "read",
            Self::Eof => "eof",
            Self::Write => "write",
            Self::Drain => "drain",
            Self::Urgent => "urgent",
            Self::Timeout => "timeout",
            Self::Woken => "woken",
            Self::Shutdown => "shutdown",
            Self::Close => "close",
            Self::With => "with",
        }
    }
}

/// A system call that carries data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Io {
    Receive,
    ReceiveUrgent,
    ReceiveDatagram,
    /// The answer of a callback, when it has returned.
    Reply,
    /// Something large, while the callback runs.
    Send,
    SendUrgent,
    SendDatagram,
    /// What was queued.
    Flush,
}

impl Io {
    /// The name, and whether data comes in by it.
    pub(super) fn name(self) -> (&'static str, bool) {
        match self {
            Self::Receive => ("recv", true),
            Self::ReceiveUrgent => ("recv urgent", true),
            Self::ReceiveDatagram => ("recv datagram", true),
            Self::Reply => ("send answer", false),
            Self::Send => ("send", false),
            Self::SendUrgent => ("send urgent", false),
            Self::SendDatagram => ("send datagram", false),
            Self::Flush => ("send queued", false),
        }
    }
}

/// What a call answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Done {
    Bytes(u32),
    Os(i32),
    Error(io::ErrorKind),
}

impl Done {
    pub(in crate::reactor) const NOTHING: Self = Self::Bytes(0);

    pub(in crate::reactor) fn bytes(count: usize) -> Self {
        Self::Bytes(u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(in crate::reactor) fn error(error: &io::Error) -> Self {
        error.raw_os_error().map_or_else(|| Self::Error(error.kind()), Self::Os)
    }

    pub(in crate::reactor) fn of(result: &io::Result<usize>) -> Self {
        match result {
            Ok(count) => Self::bytes(*count),
            Err(e) => Self::error(e),
        }
    }
}

/// How a registration changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Change {
    Add,
    Modify,
    Remove,
}

/// A [`Reason`] without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Ending {
    Peer,
    Local,
    Aborted,
    Failed,
    Overflow,
    Idle,
    ConnectTimeout,
    CloseTimeout,
    Shutdown,
    Panicked,
    Refused,
}

impl What {
    pub(in crate::reactor) fn io(call: Io, asked: usize, done: Done) -> Self {
        Self::Io { call, asked: u32::try_from(asked).unwrap_or(u32::MAX), done }
    }

    pub(in crate::reactor) fn end(reason: &Reason, lost: usize) -> Self {
        let mut error = Done::NOTHING;
        let ending = match reason {
            Reason::Peer => Ending::Peer,
            Reason::Local => Ending::Local,
            Reason::Aborted => Ending::Aborted,
            Reason::Failed(e) => {
                error = Done::error(e);
                Ending::Failed
            }
            Reason::Overflow => Ending::Overflow,
            Reason::Idle => Ending::Idle,
            Reason::ConnectTimeout => Ending::ConnectTimeout,
            Reason::CloseTimeout => Ending::CloseTimeout,
            Reason::Shutdown => Ending::Shutdown,
            Reason::Panicked => Ending::Panicked,
            Reason::Refused(e) => {
                error = Done::error(e);
                Ending::Refused
            }
        };
        Self::End { ending, lost: u32::try_from(lost).unwrap_or(u32::MAX), error }
    }
}

// A recording of a million is then a matter of 32 MiB.
const _: () = assert!(size_of::<Record>() == 32);

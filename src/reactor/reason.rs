//! Why things end, and why they cannot be sent.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a source came to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reason {
    /// The peer closed first, and what it was owed was sent.
    Peer,
    /// This side closed first, with `finish`; what was queued was sent, and the peer closed in turn.
    Local,
    /// This side called `abort`.
    Aborted,
    /// The connection failed: reset, refused, timed out by the kernel. The error was taken from the socket.
    Failed(io::Error),
    /// The queue was as long as it may be and the slow-reader policy is to close.
    Overflow,
    /// Nothing came or went for the idle timeout.
    Idle,
    /// The connection was not established within the connect timeout.
    ConnectTimeout,
    /// `finish` was called, but the queue did not drain or the peer did not close within the close timeout.
    CloseTimeout,
    /// The loop shut down, and its grace was over.
    Shutdown,
    /// The handler panicked.
    Panicked,
    /// The backend did not take the descriptor.
    Refused(io::Error),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer => f.write_str("closed by the peer"),
            Self::Local => f.write_str("closed"),
            Self::Aborted => f.write_str("aborted"),
            Self::Failed(e) => write!(f, "failed: {e}"),
            Self::Overflow => f.write_str("the peer read too slowly: its queue is full"),
            Self::Idle => f.write_str("idle for too long"),
            Self::ConnectTimeout => f.write_str("not connected in time"),
            Self::CloseTimeout => f.write_str("not closed by the peer in time"),
            Self::Shutdown => f.write_str("cut off by the shutdown"),
            Self::Panicked => f.write_str("its handler panicked"),
            Self::Refused(e) => write!(f, "refused by the backend: {e}"),
        }
    }
}

/// The token names nothing that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is gone or closing")
    }
}

impl Error for Gone {}

impl From<Gone> for io::Error {
    fn from(gone: Gone) -> Self {
        Self::new(io::ErrorKind::NotConnected, gone)
    }
}

/// What became of a message that was accepted for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sent {
    /// It is written or in the queue.
    Queued,
    /// The same, and the queue is above its high mark: a producer that can wait should wait for `handle_drain`.
    AboveHigh,
    /// The queue is full, and by the policy of the connection this message was dropped.
    Dropped,
}

/// Why a message was not accepted for sending. Nothing of it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The connection is gone, or closing, or this side has shut down writing.
    Gone,
    /// It does not fit into the queue. Under the policies that close, the connection is being closed.
    Full {
        /// Bytes in the queue, of the connection or of the whole loop.
        queued: usize,
        /// Bytes that may be in it.
        limit: usize,
    },
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => Gone.fmt(f),
            Self::Full { queued, limit } => {
                write!(f, "the message does not fit into the queue, which holds {queued} of {limit} bytes")
            }
        }
    }
}

impl Error for SendError {}

impl From<Gone> for SendError {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<SendError> for io::Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Gone => Gone.into(),
            SendError::Full { .. } => Self::new(io::ErrorKind::QuotaExceeded, error),
        }
    }
}

/// What became of a message to many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broadcast {
    /// How many have it written or queued.
    pub queued: usize,
    /// How many of these are above their high mark.
    pub above_high: usize,
    /// How many did not get it, by their policy.
    pub dropped: usize,
    /// How many are gone, or are being closed because their queue is full.
    pub refused: usize,
}

/// A loop was used in a process that did not build it: after `fork` the child shares the parent's descriptors, and
/// would edit its registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forked {
    /// The process that built the loop.
    pub owner: u32,
}

impl fmt::Display for Forked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this loop belongs to process {}, of which this one is a fork: build a new loop after fork",
            self.owner
        )
    }
}

impl Error for Forked {}

/// Why an outgoing connection was taken for a failure although the kernel calls it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfConnect;

impl fmt::Display for SelfConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connected to itself: nobody listens there, and the kernel chose the same port for this side")
    }
}

impl Error for SelfConnect {}

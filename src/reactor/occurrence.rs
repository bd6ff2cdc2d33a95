//! What can happen.

use super::reason::Reason;
use super::source::Stream;
use super::timers::TimerId;
use crate::poller::Token;
use crate::sys::address::Address;

/// One thing that has happened, as [`Reactor::pop`](super::Reactor::pop) tells it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Occurrence {
    /// A listener took in a connection. It is closed again unless it is adopted.
    Accepted {
        /// Which listener.
        listener: Token,
        /// The connection, non-blocking and closed on exec.
        stream: Stream,
        /// Whose it is.
        peer: Address,
    },
    /// An outgoing connection is established.
    Connected(Token),
    /// There is urgent data: read it with [`Ledger::read_urgent`](super::Ledger::read_urgent).
    Urgent(Token),
    /// There is something to read.
    Readable(Token),
    /// The peer has sent its last byte, and all of them were read. The other direction is open until
    /// [`Ledger::finish`](super::Ledger::finish).
    Eof(Token),
    /// There is room to write, the queue is empty, and [`Ledger::set_wants`](super::Ledger::set_wants) asked for this.
    Writable(Token),
    /// A queue that was above its high mark has fallen to its low mark.
    Drained(Token),
    /// A timer has fired; its owner is [`Token::NONE`] if it was set for nobody in particular.
    Expired(Token, TimerId),
    /// A [`Waker`](super::Waker) was used, once or many times since this was last told.
    Woken,
    /// A source has ended. Nothing else will be told of it.
    Closed(Token, Reason),
}

//! The second floor: a loop that owns its sources and tells what happens to them.
//!
//! A source (listener, stream, datagram socket, any other descriptor) is [adopted](Ledger::adopt), and from then on the
//! [`Reactor`] watches it, reads and writes for it, and tells of it by [`Occurrence`]s until it has ended. Around that it
//! keeps what every server needs and seldom has: queues with marks and caps, budgets that keep the loop fair, timers and
//! deadlines, an accept that survives the descriptor limit, ends that lose nothing, and counts of all of it.
//!
//! # The life of a source
//!
//! 1. It is adopted, accepted or connected, and named by a [`Token`](crate::Token).
//! 2. It is registered with the poller before the next wait, and again whenever what is wanted of it has changed.
//! 3. What happens to it is told, one [`Occurrence`] after the other; what is sent to it is queued and written.
//! 4. It ends: by [`finish`](Ledger::finish), by [`abort`](Ledger::abort), by an error or a limit. From then on nothing
//!    is told of it any more, but for
//! 5. [`Occurrence::Closed`], once, with the [`Reason`]. Then it is removed from the poller and closed, and its token
//!    names nothing.

mod accept;
mod backoff;
mod chunk;
mod clock;
mod endpoint;
mod ledger;
mod mailbox;
mod occurrence;
mod outbox;
mod reason;
mod recorder;
mod settings;
mod slot;
mod slots;
mod source;
mod stats;
mod timers;
mod turn;
mod waker;

pub use crate::sys::address::Address;
pub use crate::sys::limits;
pub use backoff::Backoff;
pub use chunk::Chunk;
pub use clock::{Clock, Hand};
pub use endpoint::{Endpoint, EndpointError};
pub use ledger::Ledger;
pub use occurrence::Occurrence;
pub use reason::{Broadcast, Forked, Gone, Reason, SelfConnect, SendError, Sent};
pub(crate) use recorder::Callback;
pub use recorder::Recorder;
pub use settings::{AcceptPolicy, PanicPolicy, Settings, SlowPolicy};
pub use source::{Datagram, Descriptor, Listener, Source, Stream};
pub use stats::Stats;
pub use timers::{Missed, TimerId};
pub use turn::Reactor;
pub use waker::Waker;

//! What the loop counts.

use crate::poller::Token;
use std::time::Duration;

/// Counts since the loop was built: always kept, and cheap enough for that.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Turns: settle, wait, report.
    pub turns: u64,
    /// Waits that reported nothing: a timer, a signal, or a registration that nobody has a use for.
    pub empty_waits: u64,
    /// Events that waits reported.
    pub events: u64,
    /// Events for something that was gone already.
    pub stale_events: u64,
    /// System calls of the poller: waits and registrations, as far as the backend counts them.
    pub poller_calls: u64,
    /// Calls that read: `recv`, `recvfrom`, `read`.
    pub reads: u64,
    /// Calls that write: `send`, `sendmsg`, `sendto`, `writev`.
    pub writes: u64,
    /// Calls to `accept4`, failed ones included.
    pub accepts: u64,
    /// Bytes that were read.
    pub bytes_in: u64,
    /// Bytes that the kernel took.
    pub bytes_out: u64,
    /// Bytes in the queues now.
    pub queued: usize,
    /// The most bytes that were in the queues at a time.
    pub queued_peak: usize,
    /// Stream connections open now.
    pub connections: usize,
    /// The most stream connections that were open at a time.
    pub connections_peak: usize,
    /// Connections that listeners took in.
    pub accepted: u64,
    /// Connections closed at once: out of descriptors (under [`AcceptPolicy::Shed`](super::AcceptPolicy)), too many of
    /// one peer, or a descriptor number beyond the backend's bound.
    pub shed: u64,
    /// Times that listeners had to rest because the process or the system was out of descriptors or memory.
    pub accept_pauses: u64,
    /// Messages dropped by a slow-reader policy, and datagrams that the network refused.
    pub dropped: u64,
    /// Bytes that were queued for connections which ended before they were sent.
    pub bytes_lost: u64,
    /// Sources that ended, for whatever reason.
    pub closed: u64,
    /// Timers that fired.
    pub timers: u64,
    /// Closures from other threads that were run.
    pub posts: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Time spent in waits.
    pub waiting: Duration,
    /// Time spent between waits.
    pub working: Duration,
    /// The longest time between two waits.
    pub longest_turn: Duration,
    /// The longest callback that was timed (see [`Settings::slow_turn`](super::Settings)), and whose it was.
    pub longest_callback: Option<(Token, Duration)>,
}

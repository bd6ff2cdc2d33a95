//! Every limit of a loop, by name.

use crate::poller::Trigger;
use std::io;
use std::time::Duration;

/// The limits and policies of a loop. The defaults suit a server on the open network: they survive slow readers, floods
/// of connections and of data, and the descriptor limit.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tripoll::{Settings, Trigger};
///
/// let settings = Settings {
///     trigger: Trigger::Edge,
///     idle_timeout: Some(Duration::from_secs(60)),
///     ..Settings::default()
/// };
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the loop registers its descriptors. It makes no difference to the program, only to the system calls.
    /// Default: level, which every backend has.
    pub trigger: Trigger,
    /// Events that one wait may report. Default: 1,024.
    pub events_per_turn: usize,
    /// Bytes that one connection may read between two waits, and so the size of the buffer that the loop lends to its
    /// handlers. Default: 64 KiB.
    pub read_bytes: usize,
    /// Datagrams that one socket may receive between two waits. Default: 64.
    pub datagrams_per_turn: usize,
    /// Bytes that one connection may write at a time: before a wait, and again for the event that it brings. Default:
    /// 256 KiB.
    pub write_bytes: usize,
    /// Connections that one listener may accept between two waits. Default: 64.
    pub accepts_per_turn: usize,
    /// Closures from other threads that run between two waits. Default: 1,024.
    pub posts_per_turn: usize,
    /// Closures from other threads that may wait to be run; more are refused. Default: 1,048,576.
    pub posts_max: usize,
    /// Above this many queued bytes, `send` answers [`Sent::AboveHigh`](super::Sent::AboveHigh). Default: 64 KiB.
    pub queue_high: usize,
    /// At this many queued bytes, a queue that was above the high mark is reported as drained. Default: 16 KiB.
    pub queue_low: usize,
    /// Bytes that may be queued for one connection. Default: 1 MiB.
    pub queue_max: usize,
    /// Bytes that may be queued in the whole loop; a shared chunk counts in each queue. Default: 256 MiB.
    pub queues_max: usize,
    /// What happens at `queue_max`. Default: the connection is closed.
    pub slow_policy: SlowPolicy,
    /// Stream connections at a time; listeners rest at that number. Default: `None`, what the descriptor limit and the
    /// backend allow.
    pub max_connections: Option<usize>,
    /// Accepted connections at a time from one IP address. Default: `None`, no limit.
    pub max_per_peer: Option<usize>,
    /// What happens when the process is out of descriptors. Default: waiting clients wait.
    pub accept_policy: AcceptPolicy,
    /// Time for an outgoing connection to be established. Default: 30 s.
    pub connect_timeout: Duration,
    /// Time from `finish` to the end: for the queue to drain and the peer to close. Default: 5 s.
    pub close_timeout: Duration,
    /// Connections without traffic in either direction are closed after this time; it can be set for each. Default:
    /// `None`, never.
    pub idle_timeout: Option<Duration>,
    /// After a turn whose callbacks took longer than this, each callback of the next 1,000 turns is timed, so that
    /// [`Stats::longest_callback`](super::Stats) names the culprit. Default: 10 ms.
    pub slow_turn: Duration,
    /// What happens when a handler panics. Default: its connection is closed.
    pub panic_policy: PanicPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            trigger: Trigger::Level,
            events_per_turn: 1024,
            read_bytes: 64 * 1024,
            datagrams_per_turn: 64,
            write_bytes: 256 * 1024,
            accepts_per_turn: 64,
            posts_per_turn: 1024,
            posts_max: 1024 * 1024,
            queue_high: 64 * 1024,
            queue_low: 16 * 1024,
            queue_max: 1024 * 1024,
            queues_max: 256 * 1024 * 1024,
            slow_policy: SlowPolicy::Disconnect,
            max_connections: None,
            max_per_peer: None,
            accept_policy: AcceptPolicy::Pause,
            connect_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            idle_timeout: None,
            slow_turn: Duration::from_millis(10),
            panic_policy: PanicPolicy::Close,
        }
    }
}

impl Settings {
    /// Refuses what cannot work: a budget of nothing, a low mark above the high one.
    pub(super) fn check(&self) -> io::Result<()> {
        let zero = [
            ("events_per_turn", self.events_per_turn),
            ("read_bytes", self.read_bytes),
            ("datagrams_per_turn", self.datagrams_per_turn),
            ("write_bytes", self.write_bytes),
            ("accepts_per_turn", self.accepts_per_turn),
            ("posts_per_turn", self.posts_per_turn),
            ("max_connections", self.max_connections.unwrap_or(1)),
            ("max_per_peer", self.max_per_peer.unwrap_or(1)),
        ];
        let invalid = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        if let Some((name, _)) = zero.into_iter().find(|(_, value)| *value == 0) {
            return invalid(format!("settings: {name} is 0, so nothing would ever happen; it must be at least 1"));
        }
        let Self { queue_low: low, queue_high: high, queue_max: max, .. } = *self;
        if !(low <= high && high <= max) {
            return invalid(format!(
                "settings: the queue marks are {low} (low), {high} (high), {max} (max); they must not fall"
            ));
        }
        Ok(())
    }
}

/// What happens to a connection whose peer does not read, once its queue is as long as it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlowPolicy {
    /// It is closed, with [`Reason::Overflow`](super::Reason::Overflow): right where each message counts.
    #[default]
    Disconnect,
    /// The oldest messages of the queue are dropped to make room: right where only the present counts. A message that is
    /// partly written stays. Each `send` is a message.
    DropOldest,
    /// The new message is dropped.
    DropNewest,
    /// Above the high mark, whoever sends is not read from until the queue has fallen to the low mark: right for a relay
    /// or an echo. At `queue_max` the connection is closed. A sender is held when its callback has returned, so between
    /// the high mark and `queue_max` there must be room for what `read_bytes` make of each sender of one turn.
    PauseProducer,
}

/// What happens to those who wait to be accepted while the process is out of descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcceptPolicy {
    /// They wait in the kernel's backlog until a descriptor is free.
    #[default]
    Pause,
    /// They are accepted by means of a descriptor held in reserve, and closed at once.
    Shed,
}

/// What happens when a handler panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PanicPolicy {
    /// Its connection is closed with [`Reason::Panicked`](super::Reason::Panicked); the loop goes on. A listener stays,
    /// and only what it had accepted is lost. In a program built with `panic = "abort"` a panic ends the process all the
    /// same.
    #[default]
    Close,
    /// The panic goes on through the loop: for tests.
    Propagate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_nonsense_is_named() {
        Settings::default().check().unwrap();
        let error = Settings { accepts_per_turn: 0, ..Settings::default() }.check().unwrap_err();
        assert!(error.to_string().contains("accepts_per_turn"), "{error}");
        let error = Settings { queue_low: 9, queue_high: 8, ..Settings::default() }.check().unwrap_err();
        assert!(error.to_string().contains("9 (low), 8 (high)"), "{error}");
    }
}

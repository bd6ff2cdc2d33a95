//! What the loop knows about one source.

use super::mailbox::Mailbox;
use super::outbox::Outbox;
use super::settings::SlowPolicy;
use super::timers::TimerId;
use crate::poller::{Interest, Readiness, Token, Trigger};
use std::os::fd::OwnedFd;

/// What kind of thing the descriptor is, as far as the loop treats them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Listener,
    Tcp,
    /// A Unix stream socket.
    Unix,
    Datagram,
    Descriptor,
    /// A descriptor whose open file others use as well.
    Shared,
    /// The loop's own bell.
    Waker,
}

impl Kind {
    pub(super) fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Unix)
    }
}

/// How far a source is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Not at all.
    Open,
    /// `finish` was called; the queue is being written.
    Finishing,
    /// Everything is written, the end was sent; what the peer still sends is thrown away until it ends as well.
    Lingering,
    /// Over: in the list of those to be reported closed.
    Doomed,
}

/// What is still to be done for the source that is being served, a bit each, lowest first.
pub(super) mod owed {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const ACCEPT: u8 = 1 << 1;
    pub(crate) const WAKE: u8 = 1 << 2;
    pub(crate) const URGENT: u8 = 1 << 3;
    /// Reading comes before writing, so that an answer leaves with what was queued before it.
    pub(crate) const READ: u8 = 1 << 4;
    pub(crate) const EOF: u8 = 1 << 5;
    pub(crate) const WRITE: u8 = 1 << 6;
    pub(crate) const DRAIN: u8 = 1 << 7;
}

/// What is still to be sent.
#[derive(Debug, Default)]
pub(super) enum Queue {
    #[default]
    Empty,
    Bytes(Box<Outbox>),
    Letters(Box<Mailbox>),
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Bytes(outbox) => outbox.len(),
            Self::Letters(mailbox) => mailbox.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Bytes(outbox) => outbox.is_empty(),
            // An empty datagram is something to send.
            Self::Letters(mailbox) => mailbox.front().is_none(),
        }
    }
}

/// One source. An idle connection costs this, its timers and its handler.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) fd: OwnedFd,
    pub(super) kind: Kind,
    pub(super) ending: Ending,
    pub(super) policy: SlowPolicy,
    /// What the poller watches for now.
    pub(super) armed: Interest,
    /// What is known to be ready: set by events, cleared by `WouldBlock`.
    pub(super) ready: Readiness,
    /// What is still to be done in this turn, of [`owed`].
    pub(super) owed: u8,

    /// The poller knows the descriptor.
    pub(super) registered: bool,
    /// A file: no poller is asked, it is ready all the time.
    pub(super) always_ready: bool,
    /// In the list of those whose registration may have to change.
    pub(super) dirty: bool,
    /// In the list of those that are served next turn without waiting.
    pub(super) in_ready: bool,
    /// An outgoing connection that is not established yet.
    pub(super) connecting: bool,
    /// A hang-up, error or end was seen: reading must go on to the end, however short the reads.
    pub(super) ending_seen: bool,
    /// Urgent data was seen, at which reads stop short.
    pub(super) urgent_seen: bool,
    /// The end was read.
    pub(super) end_read: bool,
    /// A write did not find room; the poller will tell when there is some.
    pub(super) blocked: bool,
    /// Open for writing only: a pipe's writing end.
    pub(super) write_only: bool,
    /// No more can be sent: the end was sent, or will be when the queue is empty.
    pub(super) write_shut: bool,
    /// The end was sent.
    pub(super) end_sent: bool,
    /// The queue has been above its high mark and not come down to its low one since.
    pub(super) above_high: bool,
    /// `pause` was called.
    pub(super) paused: bool,
    /// What the handler's `readable` and `writable` said last.
    pub(super) wants_read: bool,
    pub(super) wants_write: bool,
    /// Urgent data is asked for.
    pub(super) wants_urgent: bool,

    /// How many receivers hold this sender back, under [`SlowPolicy::PauseProducer`].
    pub(super) holds: u16,
    /// The turn that the next two fields are about.
    pub(super) turn: u32,
    /// Bytes, datagrams or connections that may still be taken in this turn.
    pub(super) budget: u32,
    /// A read of this turn found less than it asked for.
    pub(super) dry: bool,

    pub(super) queue: Queue,
    /// Nanoseconds without traffic after which the connection ends; zero for never.
    pub(super) idle: u64,
    /// When there was traffic last.
    pub(super) active_at: u64,
    pub(super) idle_timer: Option<TimerId>,
    /// The deadline for connecting or closing.
    pub(super) patience: Option<TimerId>,
    /// What few have.
    pub(super) extra: Option<Box<Extra>>,
}

/// What few sources have, so that the others do not pay for it.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// Timers of the program that end with the source.
    pub(super) timers: Vec<TimerId>,
    /// Senders that wait for this receiver's queue to drain.
    pub(super) holding: Vec<Token>,
    /// The socket's path, to be removed with it.
    pub(super) path: Option<super::source::SocketPath>,
    /// The address in whose share of connections this one counts.
    pub(super) counted: Option<std::net::IpAddr>,
}

impl Slot {
    pub(super) fn new(fd: OwnedFd, kind: Kind, policy: SlowPolicy) -> Self {
        Self {
            fd,
            kind,
            ending: Ending::Open,
            policy,
            armed: Interest::NONE,
            ready: Readiness::NONE,
            owed: 0,
            registered: false,
            always_ready: false,
            dirty: false,
            in_ready: false,
            connecting: false,
            ending_seen: false,
            urgent_seen: false,
            end_read: false,
            blocked: false,
            write_only: false,
            write_shut: false,
            end_sent: false,
            above_high: false,
            paused: false,
            wants_read: true,
            wants_write: false,
            wants_urgent: false,
            holds: 0,
            turn: 0,
            budget: 0,
            dry: false,
            queue: Queue::Empty,
            idle: 0,
            active_at: 0,
            idle_timer: None,
            patience: None,
            extra: None,
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.ending != Ending::Doomed
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether what arrives is to be read now, by the handler or by nobody.
    pub(super) fn reads(&self) -> bool {
        match self.ending {
            Ending::Open => {
                let held_back = self.paused || self.holds > 0 || self.connecting;
                self.wants_read && !held_back && !self.end_read && !self.write_only
            }
            Ending::Lingering => true,
            Ending::Finishing | Ending::Doomed => false,
        }
    }

    /// Whether there is something to write and no reason to believe that it would not be taken.
    pub(super) fn can_flush(&self) -> bool {
        !self.queue.is_empty() && !self.blocked && !self.connecting
    }

    /// Whether the handler is to be asked for something to write.
    pub(super) fn pulls(&self) -> bool {
        self.ending == Ending::Open
            && self.wants_write
            && !self.write_shut
            && !self.connecting
            && self.queue.is_empty()
    }

    /// What has to come from the poller.
    pub(super) fn interest(&self, resting: bool) -> Interest {
        if self.kind == Kind::Listener {
            return Interest::READABLE.when(!resting && self.reads());
        }
        let waits_for_room = self.connecting || (self.blocked && !self.queue.is_empty()) || self.pulls();
        Interest::READABLE.when(self.reads())
            | Interest::WRITABLE.when(waits_for_room)
            | Interest::PRIORITY.when(self.wants_urgent && self.reads())
    }

    /// What to register for, under a trigger.
    ///
    /// Edges are not repeated, so nothing is gained by taking an interest back: it only grows (but a listener that rests
    /// shall not be woken by each of those who wait). And TCP reads stop short at urgent data, which one must know of to
    /// tell a short read from a drained socket.
    pub(super) fn registration(&self, trigger: Trigger, resting: bool) -> Interest {
        let interest = self.interest(resting);
        if trigger != Trigger::Edge || self.kind == Kind::Listener {
            return interest;
        }
        if interest.is_none() {
            return self.armed;
        }
        self.armed | interest | Interest::PRIORITY.when(self.kind == Kind::Tcp)
    }

    /// Whether a read that found less than it asked for has found everything.
    ///
    /// For TCP, unless there is urgent data or the end. A Unix socket stops short where a descriptor was passed along,
    /// and a terminal at each line.
    pub(super) fn short_read_is_dry(&self) -> bool {
        self.kind == Kind::Tcp && !self.ending_seen && !self.urgent_seen
    }
}

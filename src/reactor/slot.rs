//! What the loop knows about one source.

use super::mailbox::Mailbox;
use super::outbox::Outbox;
use super::settings::SlowPolicy;
use super::source::SocketPath;
use super::timers::TimerId;
use crate::poller::{Interest, Readiness, Token, Trigger};
use std::net::IpAddr;
use std::ops::BitOr;
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

/// What is out of the ordinary about a source.
///
/// An established connection that is read from, and to which nothing is owed, has none of these: so one comparison tells
/// that an event can take the short way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u32);

impl Flags {
    /// Neither a TCP nor a Unix stream socket.
    pub(super) const NO_STREAM: Self = Self(1);
    /// Not known to the poller yet, or not to be: a file that is ready all the time.
    pub(super) const UNREGISTERED: Self = Self(1 << 1);
    /// A file: no poller is asked, it is ready all the time.
    pub(super) const ALWAYS_READY: Self = Self(1 << 2);
    /// In the list of those who have something to be written or a registration to be changed before the next wait.
    pub(super) const DIRTY: Self = Self(1 << 3);
    /// In the list of those that are served next turn without waiting.
    pub(super) const IN_READY: Self = Self(1 << 4);
    /// An outgoing connection that is not established yet.
    pub(super) const CONNECTING: Self = Self(1 << 5);
    /// A hang-up, error or end was seen: reading must go on to the end, however short the reads.
    pub(super) const ENDING_SEEN: Self = Self(1 << 6);
    /// Urgent data was seen, at which reads stop short.
    pub(super) const URGENT_SEEN: Self = Self(1 << 7);
    /// The end was read.
    pub(super) const EOF_READ: Self = Self(1 << 8);
    /// Something waits to be written.
    pub(super) const QUEUED: Self = Self(1 << 9);
    /// A write did not find room; the poller will tell when there is some.
    pub(super) const BLOCKED: Self = Self(1 << 10);
    /// The queue has been above its high mark and not come down to its low one since.
    pub(super) const ABOVE_HIGH: Self = Self(1 << 11);
    /// Open for writing only: a pipe's writing end.
    pub(super) const WRITE_ONLY: Self = Self(1 << 12);
    /// No more can be sent: the end was sent, or will be when the queue is empty.
    pub(super) const WRITE_SHUT: Self = Self(1 << 13);
    /// The end was sent.
    pub(super) const EOF_SENT: Self = Self(1 << 14);
    /// `pause` was called.
    pub(super) const PAUSED: Self = Self(1 << 15);
    /// Receivers hold this sender back, under [`SlowPolicy::PauseProducer`].
    pub(super) const HELD: Self = Self(1 << 16);
    /// The handler's `readable` said no.
    pub(super) const READS_NOT: Self = Self(1 << 17);
    /// The handler's `writable` said yes.
    pub(super) const PULLS: Self = Self(1 << 18);
    /// Urgent data is asked for.
    pub(super) const WANTS_URGENT: Self = Self(1 << 19);
    /// `finish` was called; the queue is being written.
    pub(super) const FINISHING: Self = Self(1 << 20);
    /// Everything is written, the end was sent; what the peer still sends is thrown away until it ends as well.
    pub(super) const LINGERING: Self = Self(1 << 21);
    /// Over: in the list of those to be reported closed.
    pub(super) const DOOMED: Self = Self(1 << 22);

    /// On the way out, as far as the program is concerned.
    pub(super) const ENDING: Self = Self(Self::FINISHING.0 | Self::LINGERING.0 | Self::DOOMED.0);

    /// What keeps a source from being read for its handler.
    const NO_READ: Self = Self(
        Self::PAUSED.0
            | Self::HELD.0
            | Self::READS_NOT.0
            | Self::EOF_READ.0
            | Self::CONNECTING.0
            | Self::WRITE_ONLY.0
            | Self::ENDING.0,
    );

    /// What does not keep an event from taking the short way.
    const HARMLESS: Self = Self(Self::IN_READY.0 | Self::ENDING_SEEN.0 | Self::URGENT_SEEN.0);

    pub(super) const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    pub(super) fn set(&mut self, flags: Self, value: bool) {
        if value {
            self.0 |= flags.0;
        } else {
            self.0 &= !flags.0;
        }
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
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

/// What is still to be sent. Never an empty queue: that is `Empty`, and the flag `QUEUED` says which.
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
}

/// One source. An idle connection costs this, its timers and its handler.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) flags: Flags,
    /// The turn that the next two fields are about.
    pub(super) turn: u32,
    /// Bytes, datagrams or connections that may still be taken in this turn.
    pub(super) budget: u32,
    /// What is known to be ready: set by events, cleared by `WouldBlock`.
    pub(super) ready: Readiness,
    /// What is still to be done in this turn, of [`owed`].
    pub(super) owed: u8,
    /// What the poller watches for now.
    pub(super) armed: Interest,
    pub(super) fd: OwnedFd,
    pub(super) kind: Kind,
    pub(super) policy: SlowPolicy,
    /// How many receivers hold this sender back.
    pub(super) holds: u16,
    /// When there was traffic last.
    pub(super) active_at: u64,
    pub(super) queue: Queue,
    /// Nanoseconds without traffic after which the connection ends; zero for never.
    pub(super) idle: u64,
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
    pub(super) path: Option<SocketPath>,
    /// The address in whose share of connections this one counts.
    pub(super) counted: Option<IpAddr>,
}

impl Slot {
    pub(super) fn new(fd: OwnedFd, kind: Kind, policy: SlowPolicy) -> Self {
        let mut flags = Flags::UNREGISTERED;
        flags.set(Flags::NO_STREAM, !kind.is_stream());
        Self {
            flags,
            turn: 0,
            budget: 0,
            ready: Readiness::NONE,
            owed: 0,
            armed: Interest::NONE,
            fd,
            kind,
            policy,
            holds: 0,
            active_at: 0,
            queue: Queue::Empty,
            idle: 0,
            idle_timer: None,
            patience: None,
            extra: None,
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.flags.any(Flags::DOOMED)
    }

    /// Whether the program has a say in this source: it is neither closed nor closing.
    pub(super) fn is_open(&self) -> bool {
        !self.flags.any(Flags::ENDING)
    }

    /// An established connection that is read from, and to which nothing is owed.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.owed == 0 && self.flags.0 & !Flags::HARMLESS.0 == 0
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Whether what arrives is to be read now, by the handler or by nobody.
    pub(super) fn reads(&self) -> bool {
        !self.flags.any(Flags::NO_READ) || (self.flags.any(Flags::LINGERING) && self.is_alive())
    }

    /// Whether there is something to write and no reason to believe that it would not be taken.
    pub(super) fn can_flush(&self) -> bool {
        self.flags.any(Flags::QUEUED) && !self.flags.any(Flags::BLOCKED | Flags::CONNECTING)
    }

    /// Whether the handler is to be asked for something to write.
    pub(super) fn pulls(&self) -> bool {
        let not_now = Flags::QUEUED | Flags::CONNECTING | Flags::WRITE_SHUT | Flags::ENDING;
        self.flags.any(Flags::PULLS) && !self.flags.any(not_now)
    }

    /// What has to come from the poller.
    fn interest(&self, resting: bool) -> Interest {
        if self.kind == Kind::Listener {
            return Interest::READABLE.when(!resting && self.reads());
        }
        let flags = self.flags;
        let stuck = flags.any(Flags::QUEUED) && flags.any(Flags::BLOCKED);
        let waits_for_room = flags.any(Flags::CONNECTING) || stuck || self.pulls();
        Interest::READABLE.when(self.reads())
            | Interest::WRITABLE.when(waits_for_room)
            | Interest::PRIORITY.when(flags.any(Flags::WANTS_URGENT) && self.reads())
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

    /// What the readiness that is known of means for what is wanted now, in bits of [`owed`].
    pub(super) fn due(&self, resting: bool) -> u8 {
        let readable = self.ready.contains(Readiness::READABLE);
        let writable = self.ready.contains(Readiness::WRITABLE);
        let mut due = self.owed;
        match self.kind {
            Kind::Waker if readable => return due | owed::WAKE,
            Kind::Listener if readable && !resting && self.reads() => return due | owed::ACCEPT,
            Kind::Waker | Kind::Listener => return due,
            _ => {}
        }
        if self.flags.any(Flags::CONNECTING) {
            let concluded = writable || self.ready.intersects(Readiness::ERROR | Readiness::HANG_UP);
            return if concluded { due | owed::CONNECT } else { due };
        }
        if readable && self.reads() {
            due |= owed::READ;
        }
        if self.flags.any(Flags::WANTS_URGENT) && self.ready.contains(Readiness::PRIORITY) && self.is_open() {
            due |= owed::URGENT;
        }
        // To whom others have sent in this turn, more may be sent: one write before the wait will do for all of it.
        let flushes = self.can_flush() && !self.flags.any(Flags::DIRTY);
        if flushes || (writable && self.pulls()) {
            due |= owed::WRITE;
        }
        due
    }

    /// Whether a read that found less than it asked for has found everything.
    ///
    /// For TCP, unless there is urgent data or the end. A Unix socket stops short where a descriptor was passed along,
    /// and a terminal at each line.
    pub(super) fn short_read_is_dry(&self) -> bool {
        self.kind == Kind::Tcp && !self.flags.any(Flags::ENDING_SEEN | Flags::URGENT_SEEN)
    }

    /// Gives the source its budget if this is its first call in this turn.
    #[inline]
    pub(super) fn enter(&mut self, turn: u32, budget: u32) {
        if self.turn != turn {
            self.turn = turn;
            self.budget = budget;
        }
    }

    /// Notes that there is nothing more to read for now.
    pub(super) fn run_dry(&mut self) {
        self.budget = 0;
        self.ready = self.ready - Readiness::READABLE;
    }

    /// Notes that the kernel has no room; the poller will tell when it has.
    pub(super) fn block(&mut self) {
        self.flags.set(Flags::BLOCKED, true);
        self.ready = self.ready - Readiness::WRITABLE;
    }
}

//! Who is watched, and what is owed to them.
//!
//! The ledger takes down what the program wishes: adopt this, send that, close the other. It reads and writes, but never
//! touches the poller: whose registration has to change is noted, and the reactor settles it at one place, before the
//! next wait. So a wish that is revoked in the same turn costs no system call, and the ledger, which everybody who
//! handles an event gets to see, depends on no backend.

mod deadlines;
mod ending;
mod mailing;
mod queueing;
mod reading;
mod recording;
mod sending;
mod serving;

use super::accept::Accepting;
use super::clock::Clock;
use super::reason::{Gone, Reason};
use super::recorder::Recorder;
use super::settings::Settings;
use super::slot::{Flags, Kind, Slot, owed};
use super::slots::Slots;
use super::source::{Source, Stream};
use super::stats::Stats;
use super::timers::Timers;
use super::waker::Waker;
use crate::poller::{Readiness, Refusal, Token};
use crate::sys;
use crate::sys::address::Address;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Instant;

/// Everything that a program may ask of the loop, from wherever it runs.
///
/// Sources are named by [`Token`]. A token of something that has ended names nothing, and never its successor: calls
/// with it answer [`Gone`].
#[derive(Debug)]
pub struct Ledger {
    pub(in crate::reactor) slots: Slots<Slot>,
    pub(in crate::reactor) timers: Timers,
    pub(in crate::reactor) clock: Clock,
    /// The time at which the present turn's wait ended.
    pub(in crate::reactor) now: u64,
    /// Counts turns, to tell the budgets of this one from those of others.
    pub(in crate::reactor) turn: u32,
    pub(in crate::reactor) settings: Settings,
    pub(in crate::reactor) stats: Stats,
    pub(in crate::reactor) accepting: Accepting,
    /// Whose callback is running; [`Token::NONE`] if none is.
    pub(in crate::reactor) current: Token,
    /// Whose event is being worked off; [`Token::NONE`] if none is, or if it is an ordinary one, of which nothing is left.
    serving: Token,
    /// The callback that is running is that of an ordinary connection, and nothing has happened since that would make it
    /// less ordinary: so its slot needs not be looked at again. Whatever changes a slot takes this back.
    plain: bool,
    /// Whether there is a short way, and what it has to mind.
    short_way: serving::ShortWay,
    recorder: Option<Box<Recorder>>,
    /// One that will take down no more, until somebody asks for it.
    recorded: Option<Box<Recorder>>,
    /// Whose registration may have to change.
    pub(in crate::reactor) dirty: Vec<Token>,
    /// Who is known to be ready and is served next turn, without waiting.
    pub(in crate::reactor) ready: Vec<Token>,
    /// Who has ended and is yet to be told so.
    pub(in crate::reactor) doomed: VecDeque<(Token, Reason)>,
    /// Who was told: to be freed once the batch is done, so that no place changes hands within a batch.
    buried: Vec<Token>,
    /// Empty queues, kept so that a connection which answers one message at a time allocates nothing.
    spare: sending::Spare,
    /// What the running callback sends to its own connection: written when it returns, so small answers need no queue.
    reply: Vec<u8>,
    /// How much of that may come together.
    reply_max: usize,
    /// How much one connection may read in one turn.
    read_bytes: u32,
    /// The first descriptor number that is too large for the poller.
    bound: Option<RawFd>,
    waker: Waker,
    waker_token: Token,
}

/// How many empty queues are kept.
const SPARE: usize = 128;

/// Answers up to this size are gathered while a callback runs.
const REPLY: usize = 16 * 1024;

impl Ledger {
    pub(in crate::reactor) fn new(settings: Settings, clock: Clock, bound: Option<RawFd>) -> io::Result<Self> {
        settings.check()?;
        let waker = Waker::new()?;
        let bell = waker.listener()?;
        let mut ledger = Self {
            slots: Slots::new(),
            timers: Timers::new(),
            now: clock.now(),
            clock,
            turn: 0,
            accepting: Accepting::new(&settings, bound)?,
            reply: Vec::new(),
            read_bytes: u32::try_from(settings.read_bytes).unwrap_or(u32::MAX),
            reply_max: REPLY.min(settings.queue_high).min(settings.write_bytes),
            short_way: serving::ShortWay::of(settings.trigger),
            recorder: None,
            recorded: None,
            settings,
            stats: Stats::default(),
            current: Token::NONE,
            serving: Token::NONE,
            plain: false,
            dirty: Vec::new(),
            ready: Vec::new(),
            doomed: VecDeque::new(),
            buried: Vec::new(),
            spare: Vec::new(),
            bound,
            waker,
            waker_token: Token::NONE,
        };
        ledger.waker_token = ledger.insert(bell.into(), Kind::Waker)?;
        Ok(ledger)
    }

    /// Takes a source in and watches it until it ends.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLarge`] if the backend cannot hold its number; what `fcntl` answers if it cannot be made
    /// non-blocking. The source is closed then.
    pub fn adopt(&mut self, source: impl Into<Source>) -> io::Result<Token> {
        match source.into() {
            Source::Listener(listener) => {
                sys::file::set_nonblocking(listener.as_fd())?;
                let token = self.insert(listener.fd, Kind::Listener)?;
                self.accepting.listeners.push(token);
                self.keep_path(token, listener.path);
                Ok(token)
            }
            Source::Stream(stream) => self.adopt_stream(stream),
            Source::Datagram(socket) => {
                sys::file::set_nonblocking(socket.as_fd())?;
                let token = self.insert(socket.fd, Kind::Datagram)?;
                self.keep_path(token, socket.path);
                Ok(token)
            }
            Source::Descriptor(descriptor) if descriptor.shared => self.insert(descriptor.fd, Kind::Shared),
            Source::Descriptor(descriptor) => {
                sys::file::set_nonblocking(descriptor.as_fd())?;
                self.insert(descriptor.fd, Kind::Descriptor)
            }
        }
    }

    fn adopt_stream(&mut self, stream: Stream) -> io::Result<Token> {
        if !stream.nonblocking {
            sys::file::set_nonblocking(stream.as_fd())?;
        }
        let kind = if stream.tcp { Kind::Tcp } else { Kind::Unix };
        let token = self.insert(stream.fd, kind)?;
        self.connection_opened();
        if let Some(ip) = stream.counted {
            self.accepting.count_peer(ip);
            if let Some(slot) = self.slots.get_mut(token) {
                slot.extra().counted = Some(ip);
            }
        }
        let idle = self.settings.idle_timeout;
        if idle.is_some() {
            // The token was made just now.
            let _ = self.set_idle_timeout(token, idle);
        }
        Ok(token)
    }

    /// Starts a connection to a stream socket; [`Occurrence::Connected`](super::Occurrence::Connected) or
    /// [`Occurrence::Closed`](super::Occurrence::Closed) tells how it went. What is sent meanwhile is queued.
    ///
    /// # Errors
    ///
    /// What can be told at once: EMFILE, `Refusal::TooLarge`, EADDRNOTAVAIL if the local ports are used up, and for Unix
    /// sockets ENOENT, ECONNREFUSED, and EAGAIN if the listener's backlog is full.
    pub fn connect(&mut self, peer: &Address) -> io::Result<Token> {
        let (fd, connected) = sys::socket::connect(peer)?;
        let stream = Stream::new(fd, peer);
        if stream.tcp {
            sys::socket::set_nodelay(stream.as_fd())?;
        }
        let token = self.adopt_stream(stream)?;
        let patience = self.patience(token, self.settings.connect_timeout);
        if let Some(slot) = self.slots.get_mut(token) {
            slot.flags.set(Flags::CONNECTING, true);
            slot.patience = Some(patience);
            if connected {
                slot.ready = Readiness::WRITABLE;
                slot.owed = owed::CONNECT;
                self.push_ready(token);
            }
        }
        Ok(token)
    }

    /// Makes a slot for a descriptor; the poller will be told when the loop settles.
    fn insert(&mut self, fd: OwnedFd, kind: Kind) -> io::Result<Token> {
        if let Some(limit) = self.bound.filter(|bound| fd.as_raw_fd() >= *bound) {
            return Err(Refusal::TooLarge { fd: fd.as_raw_fd(), limit }.into());
        }
        let mut slot = Slot::new(fd, kind, self.settings.slow_policy);
        slot.active_at = self.clock.now();
        if matches!(kind, Kind::Descriptor | Kind::Shared) {
            // Of a pipe's writing end no end will ever be read, and nothing be written to its reading end.
            let access = sys::file::access(slot.fd.as_fd())?;
            slot.flags.set(Flags::WRITE_ONLY, !access.reads);
            slot.flags.set(Flags::WRITE_SHUT, !access.writes);
        }
        let token = self.slots.insert(slot);
        self.touch(token);
        self.take_down_source(token);
        log::trace!("{token}: adopted {kind:?}");
        Ok(token)
    }

    fn keep_path(&mut self, token: Token, path: Option<super::source::SocketPath>) {
        if let (Some(path), Some(slot)) = (path, self.slots.get_mut(token)) {
            slot.extra().path = Some(path);
        }
    }

    /// Whether the token names something that has not ended.
    #[must_use]
    pub fn contains(&self, token: Token) -> bool {
        self.slots.get(token).is_some_and(Slot::is_alive)
    }

    /// The tokens of everything that has not ended.
    pub fn tokens(&self) -> impl Iterator<Item = Token> {
        let alive = |(token, slot): (Token, &Slot)| (slot.is_alive() && slot.kind != Kind::Waker).then_some(token);
        self.slots.iter().filter_map(alive)
    }

    /// How many sources there are.
    #[must_use]
    pub fn len(&self) -> usize {
        // The loop's own bell is not counted.
        self.slots.len().saturating_sub(1)
    }

    /// Whether there is no source.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the token names a stream or a descriptor: something that one error ends, unlike a listener or a datagram
    /// socket, which serve many.
    pub(crate) fn is_stream(&self, token: Token) -> bool {
        self.slots.get(token).is_some_and(|slot| !matches!(slot.kind, Kind::Listener | Kind::Datagram | Kind::Waker))
    }

    /// Whether the program has a say in the source: it has neither ended nor been told to.
    pub(crate) fn is_open(&self, token: Token) -> bool {
        self.slots.get(token).is_some_and(Slot::is_open)
    }

    pub(crate) fn is_listener(&self, token: Token) -> bool {
        self.slots.get(token).is_some_and(|slot| slot.kind == Kind::Listener)
    }

    /// The descriptor of a source, to set options on. Do not read, write or close it.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn descriptor(&self, token: Token) -> Result<BorrowedFd<'_>, Gone> {
        Ok(self.slots.get(token).ok_or(Gone)?.fd.as_fd())
    }

    /// The address that a socket is bound to.
    ///
    /// # Errors
    ///
    /// [`Gone`], or ENOTSOCK.
    pub fn local_address(&self, token: Token) -> io::Result<Address> {
        sys::socket::local_address(self.descriptor(token)?)
    }

    /// The address that a socket is connected to.
    ///
    /// # Errors
    ///
    /// [`Gone`], ENOTCONN, or ENOTSOCK.
    pub fn peer_address(&self, token: Token) -> io::Result<Address> {
        sys::socket::peer_address(self.descriptor(token)?)
    }

    /// The time at which the present turn's wait ended: one reading of the clock serves the whole turn.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.instant(self.now)
    }

    /// What the loop has counted.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The same, for the floor above, which counts its own.
    pub(crate) fn stats_mut(&mut self) -> &mut Stats {
        &mut self.stats
    }

    /// The limits of the loop.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A source that is open for the program: not on its way out.
    fn open(&mut self, token: Token) -> Result<&mut Slot, Gone> {
        self.slots.get_mut(token).filter(|slot| slot.is_alive()).ok_or(Gone)
    }

    /// Notes that the registration of a source may have to change, or that it has something to be written.
    pub(in crate::reactor) fn touch(&mut self, token: Token) {
        self.leave_short_way();
        if let Some(slot) = self.slots.get_mut(token) {
            if !slot.flags.any(Flags::DIRTY) {
                slot.flags.set(Flags::DIRTY, true);
                self.dirty.push(token);
            }
        }
    }

    /// Notes that a source is to be served next turn without waiting.
    fn push_ready(&mut self, token: Token) {
        self.leave_short_way();
        if let Some(slot) = self.slots.get_mut(token) {
            if !slot.flags.any(Flags::IN_READY) {
                slot.flags.set(Flags::IN_READY, true);
                self.ready.push(token);
            }
        }
    }

    /// Has a source served next turn, if only to find out what it is owed.
    pub(in crate::reactor) fn serve_again(&mut self, token: Token) {
        self.push_ready(token);
    }

    pub(in crate::reactor) fn descriptor_bound(&self) -> Option<RawFd> {
        self.bound
    }

    /// What ends the wait of this loop from another thread.
    pub(in crate::reactor) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Has [`Occurrence::Woken`](super::Occurrence::Woken) told again next turn.
    pub(crate) fn wake_again(&mut self) {
        let token = self.waker_token;
        if let Some(slot) = self.slots.get_mut(token) {
            slot.owed |= owed::WAKE;
            self.push_ready(token);
            if self.serving == token {
                self.serving = Token::NONE;
            }
        }
    }
}

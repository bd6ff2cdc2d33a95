//! The reactor itself: settle, wait, report.

mod registering;

use super::clock::{Clock, nanoseconds};
use super::ledger::Ledger;
use super::occurrence::Occurrence;
use super::reason::{Forked, Reason};
use super::settings::Settings;
use super::waker::Waker;
use crate::poller::{AnyPoller, Events, Interest, Poller, Token, Trigger};
use crate::sys;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// A loop that tells what happens and is asked for it: [`turn`](Self::turn), then [`pop`](Self::pop) until there is no
/// more. For programs that want one big `match`; most are better served by
/// [`EventLoop`](crate::dispatcher::EventLoop), one floor up.
///
/// # Examples
///
/// A server that answers one line, and its client, in one loop:
///
/// ```
/// use tripoll::poller::AnyPoller;
/// use tripoll::reactor::{Listener, Occurrence, Reactor};
///
/// let mut reactor = Reactor::new(AnyPoller::from_env()?)?;
/// let listener = Listener::bind(&"tcp://127.0.0.1:0".parse()?)?;
/// let address = listener.local_address()?;
/// reactor.ledger().adopt(listener)?;
/// let client = reactor.ledger().connect(&address)?;
/// reactor.ledger().send(client, "hello\n")?;
///
/// let mut answer = Vec::new();
/// while answer != b"HELLO\n" {
///     reactor.turn(None)?;
///     while let Some(occurrence) = reactor.pop() {
///         let ledger = reactor.ledger();
///         match occurrence {
///             Occurrence::Accepted { stream, .. } => {
///                 ledger.adopt(stream)?;
///             }
///             Occurrence::Readable(token) => {
///                 let mut buf = [0; 1024];
///                 let read = ledger.read(token, &mut buf)?;
///                 if token == client {
///                     answer.extend_from_slice(&buf[..read]);
///                 } else {
///                     ledger.send(token, buf[..read].to_ascii_uppercase())?;
///                 }
///             }
///             Occurrence::Eof(token) => ledger.finish(token)?,
///             _ => {}
///         }
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Reactor<P = AnyPoller> {
    // Dropped first: a set that is gone needs no removals.
    poller: P,
    ledger: Ledger,
    events: Events,
    phase: Phase,
    ready: Vec<Token>,
    /// When the last wait ended, to tell working from waiting.
    woke_at: u64,
    /// How long the turn before this one worked.
    last_turn: Duration,
    ghostly_turns: u32,
    /// The process that built this loop.
    process: u32,
}

/// How far a batch is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Those that were known to be ready before the wait, from this one on.
    Ready(usize),
    /// What the wait reported, from this one on.
    Events(usize),
    /// Timers that were set before this mark.
    Timers(u64),
    /// So many closings: those that were asked for before.
    Closings(usize),
    Told,
}

impl<P: Poller> Reactor<P> {
    /// A reactor that watches nothing, with the default settings.
    ///
    /// # Errors
    ///
    /// As for [`with_settings`](Self::with_settings).
    pub fn new(poller: P) -> io::Result<Self> {
        Self::with_settings(poller, Settings::default())
    }

    /// A reactor that watches nothing.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a setting makes no sense; [`Refusal::Trigger`](crate::poller::Refusal::Trigger) if the poller does
    /// not have the trigger; EMFILE, ENFILE, ENOMEM.
    pub fn with_settings(poller: P, settings: Settings) -> io::Result<Self> {
        Self::with_clock(poller, settings, Clock::real())
    }

    /// The same, living by a clock of one's choice.
    ///
    /// # Errors
    ///
    /// As for [`with_settings`](Self::with_settings).
    pub fn with_clock(poller: P, settings: Settings, clock: Clock) -> io::Result<Self> {
        let events = Events::with_capacity(settings.events_per_turn);
        let trigger = settings.trigger;
        let ledger = Ledger::new(settings, clock, poller.descriptor_bound())?;
        let mut reactor = Self {
            poller,
            woke_at: ledger.now,
            ledger,
            events,
            phase: Phase::Told,
            ready: Vec::new(),
            last_turn: Duration::ZERO,
            ghostly_turns: 0,
            process: sys::fork::process(),
        };
        reactor.try_trigger(trigger)?;
        reactor.settle();
        match reactor.ledger.doomed.pop_front() {
            Some((_, Reason::Refused(e) | Reason::Failed(e))) => Err(e),
            _ => Ok(reactor),
        }
    }

    /// Finds out now, and not with the first connection, whether the poller has the trigger.
    fn try_trigger(&mut self, trigger: Trigger) -> io::Result<()> {
        let bell = self.ledger.waker().as_fd();
        self.poller.add(bell, Token::NONE, Interest::READABLE, trigger)?;
        self.poller.remove(bell.as_raw_fd())
    }

    /// What the program may ask for.
    pub fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// The same, to look at.
    pub fn ledger_ref(&self) -> &Ledger {
        &self.ledger
    }

    /// The poller.
    pub fn poller(&self) -> &P {
        &self.poller
    }

    /// What ends a wait of this loop from another thread.
    pub fn waker(&self) -> Waker {
        self.ledger.waker().clone()
    }

    /// How long the turn before this one worked.
    pub(crate) fn last_turn(&self) -> Duration {
        self.last_turn
    }

    /// Whether a timer is set, be it the program's or the loop's.
    pub(crate) fn has_timers(&self) -> bool {
        self.ledger.timers.len() > 0
    }

    /// Begins a turn: writes what is queued, tells the poller what has changed, and waits until something happens, the
    /// timeout is over or a timer is due. If the last batch was not told to its end, it goes on with that instead.
    ///
    /// # Errors
    ///
    /// [`Forked`] in a child process; what the poller answers otherwise, after which the loop is best given up.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if sys::fork::process() != self.process {
            return Err(io::Error::other(Forked { owner: self.process }));
        }
        if self.phase != Phase::Told {
            return Ok(());
        }
        self.ledger.conclude_callback();
        self.settle();
        if self.ledger.is_recording() { self.begin::<true>(timeout) } else { self.begin::<false>(timeout) }
    }

    /// The rest of the turn's beginning, made twice, so that nobody has to ask whether it is recorded.
    fn begin<const RECORDED: bool>(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if RECORDED {
            self.ledger.keep_recording();
        }
        let began = self.ledger.clock.now();
        self.wait::<RECORDED>(began, timeout.map(|timeout| began.saturating_add(nanoseconds(timeout))))?;

        self.last_turn = Duration::from_nanos(began.saturating_sub(self.woke_at));
        let stats = &mut self.ledger.stats;
        stats.turns += 1;
        stats.working += self.last_turn;
        stats.longest_turn = stats.longest_turn.max(self.last_turn);
        stats.waiting += Duration::from_nanos(self.ledger.now - began);
        stats.events += self.events.len() as u64;
        stats.poller_calls = self.poller.system_calls();
        self.woke_at = self.ledger.now;

        self.ledger.turn = self.ledger.turn.wrapping_add(1);
        self.ready.clear();
        std::mem::swap(&mut self.ready, &mut self.ledger.ready);
        if RECORDED {
            self.ledger.take_down_turn(&self.events, &self.ready);
        }
        self.phase = if self.ready.is_empty() { Phase::Events(0) } else { Phase::Ready(0) };
        Ok(())
    }

    fn wait<const RECORDED: bool>(&mut self, mut now: u64, deadline: Option<u64>) -> io::Result<()> {
        loop {
            let until = self.time_to_wake(now, deadline);
            let timeout = until.map(|until| Duration::from_nanos(until.saturating_sub(now)));
            if RECORDED {
                self.ledger.take_down_wait(now, timeout);
            }
            self.poller.wait(&mut self.events, timeout)?;
            now = self.ledger.clock.now().max(now);
            self.ledger.now = now;
            if RECORDED {
                self.ledger.take_down_wake(&self.events);
            }
            if !self.events.is_empty() {
                return Ok(());
            }
            self.ledger.stats.empty_waits += 1;
            // A signal may have ended it early; the rest of the time is still to be waited.
            if until.is_some_and(|until| until <= now) || self.ledger.clock.is_by_hand() {
                return Ok(());
            }
        }
    }

    /// Until when nothing is known to happen; `None` for ever.
    fn time_to_wake(&mut self, now: u64, deadline: Option<u64>) -> Option<u64> {
        let ledger = &mut self.ledger;
        if !ledger.ready.is_empty() || !ledger.doomed.is_empty() || ledger.clock.is_by_hand() {
            return Some(now);
        }
        match (deadline, ledger.timers.next()) {
            (Some(deadline), Some(timer)) => Some(deadline.min(timer)),
            (deadline, timer) => deadline.or(timer),
        }
    }

    /// Tells the next thing that has happened, if it is what nearly all are: an ordinary connection is readable. `None` says
    /// nothing; ask [`pop`](Self::pop).
    #[inline]
    pub(crate) fn pop_plain<const RECORDED: bool>(&mut self) -> Option<Token> {
        if RECORDED {
            self.ledger.end_recorded_callback();
        } else {
            self.ledger.end_callback();
        }
        let Phase::Events(index) = self.phase else { return None };
        if self.ledger.is_serving() {
            return None;
        }
        let event = self.events.get(index)?;
        if !self.ledger.note_plain::<RECORDED>(event) {
            return None;
        }
        self.ghostly_turns = 0;
        self.phase = Phase::Events(index + 1);
        if RECORDED {
            self.ledger.take_down_told(Some(&Occurrence::Readable(event.token())));
        }
        Some(event.token())
    }

    /// Tells the next thing that has happened in this turn, or `None` if that was all.
    ///
    /// Each is looked at again before it is told: what was closed or paused by an earlier one is left out. The order:
    /// what was known to be ready before, what the wait reported, timers, and closings at last.
    pub fn pop(&mut self) -> Option<Occurrence> {
        if self.ledger.is_recording() {
            return self.pop_recorded();
        }
        match self.pop_plain::<false>() {
            Some(token) => Some(Occurrence::Readable(token)),
            None => self.pop_unusual(),
        }
    }

    #[cold]
    fn pop_recorded(&mut self) -> Option<Occurrence> {
        self.ledger.end_recorded_callback();
        let told = self.pop_unusual();
        self.ledger.take_down_told(told.as_ref());
        told
    }

    /// The same after [`pop_plain`](Self::pop_plain) had nothing to say.
    pub(crate) fn pop_unusual(&mut self) -> Option<Occurrence> {
        loop {
            if self.ledger.is_serving() {
                if let Some(occurrence) = self.ledger.next_owed() {
                    return Some(occurrence);
                }
            }
            self.phase = match self.phase {
                Phase::Ready(index) => match self.ready.get(index) {
                    Some(token) => {
                        self.ledger.serve_ready(*token);
                        Phase::Ready(index + 1)
                    }
                    None => Phase::Events(0),
                },
                Phase::Events(index) => match self.events.get(index) {
                    Some(event) => {
                        if self.ledger.note_plain::<false>(event) {
                            self.ghostly_turns = 0;
                            self.phase = Phase::Events(index + 1);
                            return Some(Occurrence::Readable(event.token()));
                        }
                        if self.ledger.note(event) {
                            self.ghostly_turns = 0;
                        }
                        Phase::Events(index + 1)
                    }
                    None => {
                        self.exorcise();
                        if self.ledger.has_told_all() {
                            self.phase = Phase::Told;
                            return None;
                        }
                        Phase::Timers(self.ledger.timers.mark())
                    }
                },
                Phase::Timers(mark) => match self.ledger.next_expired(mark) {
                    Some(occurrence) => return Some(occurrence),
                    None => Phase::Closings(self.ledger.doomed.len()),
                },
                Phase::Closings(0) => {
                    self.ledger.bury();
                    Phase::Told
                }
                Phase::Closings(left) => {
                    self.phase = Phase::Closings(left - 1);
                    return self.close_next();
                }
                Phase::Told => return None,
            };
        }
    }
}

//! Working off an event: what it means for its source now, one occurrence after the other.

use super::super::occurrence::Occurrence;
use super::super::reason::{Reason, SelfConnect};
use super::super::recorder::Callback;
use super::super::settings::SlowPolicy;
use super::super::slot::{Flags, Kind, owed};
use super::Ledger;
use crate::poller::{Event, Interest, Readiness, Token, Trigger};
use crate::sys;
use std::io;
use std::os::fd::AsFd;

/// What the short way has to mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShortWay {
    Level,
    Edge,
    /// One-shot events disarm, so each source is to be armed again; and who records has a way of his own.
    Closed,
}

impl ShortWay {
    pub(super) fn of(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Level => Self::Level,
            Trigger::Edge => Self::Edge,
            Trigger::Oneshot => Self::Closed,
        }
    }
}

impl Ledger {
    /// Takes the short way, for what nearly every event is: an ordinary connection has become readable. False if it is
    /// something else, of which nothing was noted yet, or if a recording has begun or ended since it was asked for.
    #[inline]
    pub(in crate::reactor) fn note_plain<const RECORDED: bool>(&mut self, event: Event) -> bool {
        let way = if RECORDED { self.recorded_way() } else { self.short_way };
        let token = event.token();
        let Some(slot) = self.slots.get_mut(token) else { return false };
        if event.readiness() != Readiness::READABLE || !slot.is_plain() {
            return false;
        }
        match way {
            ShortWay::Level => {}
            // What is not read now will not be reported again.
            ShortWay::Edge => slot.ready |= Readiness::READABLE,
            ShortWay::Closed => return false,
        }
        self.current = token;
        self.plain = slot.policy != SlowPolicy::DropOldest;
        if !self.plain {
            self.serving = token;
        }
        true
    }

    /// The short way of who records.
    fn recorded_way(&self) -> ShortWay {
        if self.recorder.is_some() { ShortWay::of(self.settings.trigger) } else { ShortWay::Closed }
    }

    /// Has the callback that is running ended with a look at its slot, because it is no longer that of an ordinary
    /// connection.
    #[inline]
    pub(super) fn leave_short_way(&mut self) {
        if self.plain {
            self.plain = false;
            self.serving = self.current;
        }
    }

    /// Whether something is still to be done for a source whose event came.
    #[inline]
    pub(in crate::reactor) fn is_serving(&self) -> bool {
        self.serving != Token::NONE
    }

    /// Whether there is nothing in this turn but what was told already: no timer is due, and nothing has ended.
    #[inline]
    pub(in crate::reactor) fn has_told_all(&self) -> bool {
        self.timers.are_quiet(self.now) && self.doomed.is_empty() && self.buried.is_empty()
    }

    /// Notes what a wait reported; false if it was about something that is gone.
    pub(in crate::reactor) fn note(&mut self, event: Event) -> bool {
        let oneshot = self.settings.trigger == Trigger::Oneshot;
        let token = event.token();
        let Some(slot) = self.slots.get_mut(token) else {
            self.stats.stale_events += 1;
            return false;
        };
        let seen = event.readiness();
        if seen.intersects(Readiness::INVALID) {
            self.doom(token, Reason::Failed(io::Error::from_raw_os_error(libc::EBADF)));
            return true;
        }
        slot.ready |= seen;
        if seen.intersects(Readiness::READ_CLOSED | Readiness::ERROR | Readiness::HANG_UP) {
            slot.flags.set(Flags::ENDING_SEEN, true);
        }
        if seen.intersects(Readiness::PRIORITY) {
            slot.flags.set(Flags::URGENT_SEEN, true);
        }
        if seen.intersects(Readiness::WRITABLE) {
            slot.flags.set(Flags::BLOCKED, false);
        }
        let disarmed = oneshot && slot.kind != Kind::Waker;
        if disarmed {
            slot.armed = Interest::NONE;
        }
        self.serve(token);
        if disarmed {
            self.touch(token);
        }
        true
    }

    /// Serves one of those that were known to be ready before the wait.
    pub(in crate::reactor) fn serve_ready(&mut self, token: Token) {
        if let Some(slot) = self.slots.get_mut(token) {
            slot.flags.set(Flags::IN_READY, false);
            self.serve(token);
        }
    }

    fn serve(&mut self, token: Token) {
        let resting = self.accepting.is_resting();
        if let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.is_alive()) {
            slot.owed |= slot.due(resting);
            self.serving = token;
        }
    }

    /// The next occurrence of the source that is being served.
    pub(in crate::reactor) fn next_owed(&mut self) -> Option<Occurrence> {
        let token = self.serving;
        loop {
            let slot = self.slots.get_mut(token).filter(|slot| slot.owed != 0);
            let Some(slot) = slot else {
                self.served(token);
                return None;
            };
            let bit = slot.owed & slot.owed.wrapping_neg();
            slot.owed &= !bit;
            if let Some(occurrence) = self.work_off(token, bit) {
                return Some(occurrence);
            }
        }
    }

    /// Does what one of the [`owed`] bits stands for; answers what the program is to be told of it.
    fn work_off(&mut self, token: Token, bit: u8) -> Option<Occurrence> {
        let slot = self.slots.get_mut(token)?;
        let told = match bit {
            owed::READ if slot.flags.any(Flags::LINGERING) => {
                self.discard(token);
                return None;
            }
            // Looked at again, since another bit of the same event may have changed it.
            owed::READ if slot.reads() => Occurrence::Readable(token),
            owed::EOF if slot.is_open() => Occurrence::Eof(token),
            owed::WRITE => {
                self.flush(token);
                self.progress(token);
                let slot = self.slots.get_mut(token)?;
                if !(slot.pulls() && slot.ready.contains(Readiness::WRITABLE)) {
                    return None;
                }
                Occurrence::Writable(token)
            }
            owed::DRAIN if slot.is_open() => Occurrence::Drained(token),
            owed::CONNECT => {
                if !self.conclude_connect(token) {
                    return None;
                }
                Occurrence::Connected(token)
            }
            owed::ACCEPT if slot.reads() => self.accept(token)?,
            owed::URGENT if slot.flags.any(Flags::WANTS_URGENT) => Occurrence::Urgent(token),
            owed::WAKE => {
                slot.ready = Readiness::NONE;
                if let Err(e) = self.waker.take() {
                    log::warn!("the bell of the loop cannot be read: {e}");
                }
                // The bell is nobody, and so is not held back for what those who rang it send.
                return Some(Occurrence::Woken);
            }
            _ => return None,
        };
        self.current = token;
        Some(told)
    }

    /// Begins a callback that the floor above makes of its own accord; the one before has returned.
    pub(crate) fn begin_callback(&mut self, token: Token, callback: Callback) {
        self.conclude_callback();
        self.take_down_call(token, callback);
        self.current = token;
    }

    /// Whose callback is running.
    pub(crate) fn current(&self) -> Token {
        self.current
    }

    /// Ends whatever callback is running: writes its answer, and takes the next step of a source on its way out.
    #[inline]
    pub(crate) fn end_callback(&mut self) {
        let token = std::mem::replace(&mut self.current, Token::NONE);
        if token == Token::NONE {
            return;
        }
        if !self.reply.is_empty() {
            self.write_reply(token);
        }
        if self.plain {
            self.plain = false;
            if self.settings.trigger == Trigger::Level {
                return;
            }
            self.serving = token;
        }
        let edge = self.settings.trigger == Trigger::Edge;
        let Some(slot) = self.slots.get_mut(token) else { return };
        if slot.is_plain() && !(edge && slot.ready.contains(Readiness::READABLE)) {
            if self.serving == token {
                self.serving = Token::NONE;
            }
        } else {
            self.end_unusual_callback(token);
        }
    }

    #[cold]
    fn end_unusual_callback(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.is_alive()) else { return };
        // If others sent to it in this turn, more may follow: one write before the wait will do for all of it.
        if !slot.flags.any(Flags::DIRTY) && slot.can_flush() {
            self.flush(token);
        }
        self.progress(token);
        if self.serving != token {
            self.look_ahead(token);
        }
    }

    /// The event is worked off: what the kernel will repeat is forgotten, what it will not is kept in mind.
    fn served(&mut self, token: Token) {
        self.serving = Token::NONE;
        let edge = self.settings.trigger == Trigger::Edge;
        if let Some(slot) = self.slots.get_mut(token) {
            if !edge && !slot.flags.any(Flags::ALWAYS_READY) {
                slot.ready = Readiness::NONE;
            }
            self.look_ahead(token);
        }
    }

    /// Sees whether a source has to be settled or served before the next wait.
    fn look_ahead(&mut self, token: Token) {
        let (trigger, resting) = (self.settings.trigger, self.accepting.is_resting());
        let Some(slot) = self.slots.get_mut(token) else { return };
        if slot.flags.any(Flags::DOOMED | Flags::DIRTY) {
            return;
        }
        let changes = !slot.flags.any(Flags::ALWAYS_READY) && slot.registration(trigger, resting) != slot.armed;
        if slot.due(resting) != 0 {
            self.push_ready(token);
        }
        if changes {
            self.touch(token);
        }
    }

    /// Prepares a source for the next wait; answers the interest to register it with, if that has changed.
    pub(in crate::reactor) fn prepare(&mut self, token: Token) -> Option<Interest> {
        self.flush(token);
        self.progress(token);
        let (trigger, resting) = (self.settings.trigger, self.accepting.is_resting());
        let slot = self.slots.get_mut(token)?;
        slot.flags.set(Flags::DIRTY, false);
        if !slot.is_alive() {
            return None;
        }
        let interest = slot.registration(trigger, resting);
        let changed = !slot.flags.any(Flags::ALWAYS_READY) && interest != slot.armed;
        if slot.due(resting) != 0 {
            self.push_ready(token);
        }
        changed.then_some(interest)
    }

    /// Asks how an attempt to connect went.
    fn conclude_connect(&mut self, token: Token) -> bool {
        let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.flags.any(Flags::CONNECTING)) else {
            return false;
        };
        let fd = slot.fd.as_fd();
        let error = match sys::socket::take_error(fd) {
            Ok(None) => match (sys::socket::peer_address(fd), sys::socket::local_address(fd)) {
                // A client that connects to a local port where nobody listens can be given that very port.
                (Ok(peer), Ok(local)) if slot.kind == Kind::Tcp && peer == local => {
                    io::Error::new(io::ErrorKind::ConnectionRefused, SelfConnect)
                }
                // Reported too early.
                (Err(e), _) if e.kind() == io::ErrorKind::NotConnected => return false,
                (Err(e), _) => e,
                (Ok(_), _) => {
                    slot.flags.set(Flags::CONNECTING, false);
                    slot.active_at = self.now;
                    if let Some(patience) = slot.patience.take() {
                        self.timers.cancel(patience);
                    }
                    // From now on it is read from. Otherwise it is an ordinary connection, at which nobody looks again.
                    self.touch(token);
                    return true;
                }
            },
            Ok(Some(e)) | Err(e) => e,
        };
        self.doom(token, Reason::Failed(error));
        false
    }
}

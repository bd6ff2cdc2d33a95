//! Working off an event: what it means for its source now, one occurrence after the other.

use super::super::occurrence::Occurrence;
use super::super::reason::{Reason, SelfConnect};
use super::super::slot::{Ending, Kind, Slot, owed};
use super::Ledger;
use crate::poller::{Event, Interest, Readiness, Token, Trigger};
use crate::sys;
use std::io;
use std::os::fd::AsFd;

impl Ledger {
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
        if oneshot && slot.kind != Kind::Waker {
            slot.armed = Interest::NONE;
            self.touch(token);
        }
        let Some(slot) = self.slots.get_mut(token) else { return true };
        slot.ready |= seen;
        if seen != Readiness::READABLE {
            slot.ending_seen |= seen.intersects(Readiness::READ_CLOSED | Readiness::ERROR | Readiness::HANG_UP);
            slot.urgent_seen |= seen.intersects(Readiness::PRIORITY);
            slot.blocked &= !seen.intersects(Readiness::WRITABLE);
        }
        self.serve(token);
        true
    }

    /// Serves one of those that were known to be ready before the wait.
    pub(in crate::reactor) fn serve_ready(&mut self, token: Token) {
        if let Some(slot) = self.slots.get_mut(token) {
            slot.in_ready = false;
            self.serve(token);
        }
    }

    fn serve(&mut self, token: Token) {
        let resting = self.accepting.is_resting();
        if let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.is_alive()) {
            slot.owed |= slot.due(resting);
            self.serving = Some(token);
        }
    }

    /// The next occurrence of the source that is being served.
    pub(in crate::reactor) fn next_owed(&mut self) -> Option<Occurrence> {
        let token = self.serving?;
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
            owed::READ if slot.ending == Ending::Lingering => {
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
            owed::ACCEPT => self.accept(token)?,
            owed::URGENT if slot.wants_urgent => Occurrence::Urgent(token),
            owed::WAKE => {
                slot.ready = Readiness::NONE;
                if let Err(e) = self.waker.take() {
                    log::warn!("the bell of the loop cannot be read: {e}");
                }
                Occurrence::Woken
            }
            _ => return None,
        };
        self.current = Some(token);
        Some(told)
    }

    /// What is to be done once the callback of a source has returned: write its answer, and take the next step out.
    fn callback_returned(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.is_alive()) else { return };
        // If others sent to it in this turn, more may follow: one write before the wait will do for all of it.
        if !slot.dirty && slot.can_flush() {
            self.flush(token);
        }
        self.progress(token);
        if self.serving != Some(token) {
            self.look_ahead(token);
        }
    }

    /// The event is worked off: what the kernel will repeat is forgotten, what it will not is kept in mind.
    fn served(&mut self, token: Token) {
        self.serving = None;
        let edge = self.is_edge();
        if let Some(slot) = self.slots.get_mut(token) {
            if !edge && !slot.always_ready {
                slot.ready = Readiness::NONE;
            }
            self.look_ahead(token);
        }
    }

    /// Sees whether a source has to be settled or served before the next wait.
    fn look_ahead(&mut self, token: Token) {
        let (trigger, resting) = (self.settings.trigger, self.accepting.is_resting());
        let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.is_alive() && !slot.dirty) else { return };
        let changes = !slot.always_ready && slot.registration(trigger, resting) != slot.armed;
        if slot.due(resting) != 0 {
            self.push_ready(token);
        }
        if changes {
            self.touch(token);
        }
    }

    /// Prepares a source for the next wait; answers the interest to register it with, if that has changed.
    pub(in crate::reactor) fn prepare(&mut self, token: Token) -> Option<Interest> {
        let slot = self.slots.get_mut(token)?;
        slot.dirty = false;
        self.flush(token);
        self.progress(token);
        let (trigger, resting) = (self.settings.trigger, self.accepting.is_resting());
        let slot = self.slots.get_mut(token).filter(|slot| slot.is_alive())?;
        // `progress` may have asked for this preparation again, which is what happens here.
        let interest = slot.registration(trigger, resting);
        let changed = !slot.always_ready && interest != slot.armed;
        if slot.due(resting) != 0 {
            self.push_ready(token);
        }
        changed.then_some(interest)
    }

    /// Asks how an attempt to connect went.
    fn conclude_connect(&mut self, token: Token) -> bool {
        let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.connecting) else { return false };
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
                    slot.connecting = false;
                    slot.active_at = self.now;
                    if let Some(patience) = slot.patience.take() {
                        self.timers.cancel(patience);
                    }
                    return true;
                }
            },
            Ok(Some(e)) | Err(e) => e,
        };
        self.doom(token, Reason::Failed(error));
        false
    }

    /// Begins a callback that the floor above makes of its own accord; the one before has returned.
    pub(crate) fn begin_callback(&mut self, token: Token) {
        self.end_callback();
        self.current = Some(token);
    }

    /// Ends whatever callback is running.
    pub(crate) fn end_callback(&mut self) {
        if let Some(token) = self.current.take() {
            self.callback_returned(token);
        }
    }
}

impl Slot {
    /// What the readiness that is known of means for what is wanted now, in bits of [`owed`].
    fn due(&self, resting: bool) -> u8 {
        let readable = self.ready.contains(Readiness::READABLE);
        let writable = self.ready.contains(Readiness::WRITABLE);
        let mut due = self.owed;
        match self.kind {
            Kind::Waker if readable => return due | owed::WAKE,
            Kind::Listener if readable && !resting && self.reads() => return due | owed::ACCEPT,
            Kind::Waker | Kind::Listener => return due,
            _ => {}
        }
        if self.connecting {
            let concluded = writable || self.ready.intersects(Readiness::ERROR | Readiness::HANG_UP);
            return if concluded { due | owed::CONNECT } else { due };
        }
        if readable && self.reads() {
            due |= owed::READ;
        }
        if self.wants_urgent && self.ready.contains(Readiness::PRIORITY) && self.is_open() {
            due |= owed::URGENT;
        }
        if self.can_flush() || (writable && self.pulls()) {
            due |= owed::WRITE;
        }
        due
    }
}

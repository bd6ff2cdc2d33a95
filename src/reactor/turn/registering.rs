//! What the poller is told: registrations that are made, changed and taken back.

use super::super::occurrence::Occurrence;
use super::super::reason::Reason;
use super::super::recorder::Change;
use super::super::slot::{Flags, Kind};
use super::Reactor;
use crate::poller::{Interest, Poller, Readiness, Refusal, Token, Trigger};
use std::os::fd::{AsFd, AsRawFd};

/// Turns in a row with nothing but events for what is gone, after which the poller is emptied and filled anew. Only a
/// registration that could not be removed does that: of a descriptor that somebody else closed while a duplicate lives.
const GHOSTLY_TURNS: u32 = 100;

impl<P: Poller> Reactor<P> {
    /// Tells the poller what has changed since it was told last, one call for each source that has.
    pub(super) fn settle(&mut self) {
        let mut index = 0;
        // Settling one can touch another.
        while let Some(token) = self.ledger.dirty.get(index).copied() {
            index += 1;
            if let Some(interest) = self.ledger.prepare(token) {
                self.register(token, interest);
            }
        }
        self.ledger.dirty.clear();
    }

    fn register(&mut self, token: Token, interest: Interest) {
        let Some(slot) = self.ledger.slots.get_mut(token) else { return };
        // The bell is rung again and again, and is emptied each time it is heard.
        let trigger = if slot.kind == Kind::Waker { Trigger::Level } else { self.ledger.settings.trigger };
        let fd = slot.fd.as_fd();
        let (result, change) = if slot.flags.any(Flags::UNREGISTERED) {
            (self.poller.add(fd, token, interest, trigger), Change::Add)
        } else {
            (self.poller.modify(fd, token, interest, trigger), Change::Modify)
        };
        match result {
            Ok(()) => {
                slot.flags.set(Flags::UNREGISTERED, false);
                slot.armed = interest;
                self.ledger.take_down_interest(token, interest, change);
            }
            Err(e) if matches!(Refusal::of(&e), Some(Refusal::AlwaysReady { .. })) => {
                slot.flags.set(Flags::ALWAYS_READY, true);
                slot.ready = Readiness::READABLE | Readiness::WRITABLE;
                self.ledger.serve_again(token);
            }
            Err(e) => self.ledger.doom(token, Reason::Refused(e)),
        }
    }

    /// Takes what has ended out of the poller, before its descriptor is closed.
    pub(super) fn close_next(&mut self) -> Option<Occurrence> {
        let (token, reason) = self.ledger.doomed.pop_front()?;
        let slot = self.ledger.slots.get_mut(token).filter(|slot| !slot.flags.any(Flags::UNREGISTERED));
        if let Some(slot) = slot {
            slot.flags.set(Flags::UNREGISTERED, true);
            if let Err(e) = self.poller.remove(slot.fd.as_raw_fd()) {
                log::warn!("{token}: the poller would not let go of it: {e}");
            }
            self.ledger.take_down_interest(token, Interest::NONE, Change::Remove);
        }
        self.ledger.lay_out(token, &reason);
        Some(Occurrence::Closed(token, reason))
    }

    /// Rids the poller of registrations that nobody can remove, if there is nothing else to be heard.
    pub(super) fn exorcise(&mut self) {
        if self.events.is_empty() {
            return;
        }
        self.ghostly_turns += 1;
        if self.ghostly_turns > GHOSTLY_TURNS {
            self.ghostly_turns = 0;
            log::warn!("the poller reports nothing but what is gone: registering everything anew");
            match self.poller.clear() {
                Ok(()) => self.ledger.register_anew(),
                Err(e) => log::warn!("the poller cannot be emptied: {e}"),
            }
        }
    }
}

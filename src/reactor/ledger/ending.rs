//! The ways out.

use super::super::reason::{Gone, Reason};
use super::super::slot::{Flags, Kind, Slot};
use super::Ledger;
use crate::poller::{Interest, Token};
use crate::sys;
use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;

impl Ledger {
    /// Ends a source in an orderly way: writes what is queued, sends the end, waits until the peer ends too, closes.
    ///
    /// Nothing is read for the program any more. If all that takes longer than
    /// [`close_timeout`](super::super::Settings), the connection is cut.
    ///
    /// # Errors
    ///
    /// [`Gone`]. Calling it again changes nothing.
    pub fn finish(&mut self, token: Token) -> Result<(), Gone> {
        let slot = self.open(token)?;
        if slot.is_open() {
            slot.flags.set(Flags::FINISHING, true);
            self.touch(token);
        }
        Ok(())
    }

    /// Sends the end once the queue is written, and goes on reading: half-close.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the token names nothing; `Unsupported` if it is not a stream socket.
    pub fn shutdown_write(&mut self, token: Token) -> io::Result<()> {
        let slot = self.open(token)?;
        if !slot.kind.is_stream() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "only stream sockets have two ends: use finish"));
        }
        slot.flags.set(Flags::WRITE_SHUT, true);
        self.touch(token);
        Ok(())
    }

    /// Ends a source at once: what is queued is lost, and the peer gets a reset.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn abort(&mut self, token: Token) -> Result<(), Gone> {
        self.open(token)?;
        self.doom(token, Reason::Aborted);
        Ok(())
    }

    /// Ends a source at once, for a reason of the floor above.
    pub(crate) fn cut(&mut self, token: Token, reason: Reason) {
        self.doom(token, reason);
    }

    /// Puts a source on the list of those to be reported closed. The first reason is the one that counts.
    pub(in crate::reactor) fn doom(&mut self, token: Token, reason: Reason) {
        self.leave_short_way();
        if self.current == token {
            // An answer that will not be written any more counts as lost.
            self.spill_reply(token);
        }
        let Some(slot) = self.slots.get_mut(token) else { return };
        if slot.is_alive() {
            slot.flags.set(Flags::DOOMED, true);
            slot.owed = 0;
            self.doomed.push_back((token, reason));
        }
    }

    /// Takes the next step of a source that is on its way out, or half way.
    pub(in crate::reactor) fn progress(&mut self, token: Token) {
        let on_the_way = Flags::FINISHING | Flags::LINGERING | Flags::WRITE_SHUT;
        let Some(slot) = self.slots.get_mut(token) else { return };
        if !slot.flags.any(on_the_way) || !slot.is_alive() {
            return;
        }
        if !slot.flags.any(Flags::QUEUED | Flags::CONNECTING) {
            let (finishing, eof_read) = (slot.flags.any(Flags::FINISHING), slot.flags.any(Flags::EOF_READ));
            if !finishing {
                self.send_end(token);
            } else if slot.kind.is_stream() && !eof_read {
                slot.flags.set(Flags::FINISHING, false);
                slot.flags.set(Flags::LINGERING, true);
                self.send_end(token);
                self.touch(token);
            } else {
                self.doom(token, if eof_read { Reason::Peer } else { Reason::Local });
            }
        }
        let Some(slot) = self.slots.get(token).filter(|slot| slot.is_alive()) else { return };
        if !slot.is_open() && slot.patience.is_none() {
            let patience = self.patience(token, self.settings.close_timeout);
            if let Some(slot) = self.slots.get_mut(token) {
                slot.patience = Some(patience);
            }
        }
    }

    fn send_end(&mut self, token: Token) {
        // A pipe's reading end counts as shut for writing from the start, and has nobody to send an end to.
        let sends = |slot: &&mut Slot| slot.kind.is_stream() && !slot.flags.any(Flags::EOF_SENT);
        let Some(slot) = self.slots.get_mut(token).filter(sends) else { return };
        slot.flags.set(Flags::EOF_SENT, true);
        if let Err(e) = sys::socket::shutdown(slot.fd.as_fd(), Shutdown::Write) {
            self.fail(token, e);
        }
    }

    /// What remains to be done for a source before its close is reported. The slot stays until
    /// [`bury`](Self::bury), so that its place is not taken within the batch.
    pub(in crate::reactor) fn lay_out(&mut self, token: Token, reason: &Reason) {
        self.release_held(token);
        let Some(slot) = self.slots.get_mut(token) else { return };
        let lost = slot.queue.len();
        // A stream that was cut short must not look complete: an orderly end would say that this was all.
        let cut = matches!(reason, Reason::Aborted | Reason::Overflow | Reason::Shutdown | Reason::CloseTimeout);
        if slot.kind == Kind::Tcp && !slot.flags.any(Flags::CONNECTING) && (cut || lost > 0) {
            // Fails only for a socket that is beyond sending anything.
            let _ = sys::socket::reset_on_close(slot.fd.as_fd());
        }
        let timers = [slot.idle_timer.take(), slot.patience.take()];
        let extra = slot.extra.as_mut().map(|extra| std::mem::take(&mut extra.timers)).unwrap_or_default();
        for timer in timers.into_iter().flatten().chain(extra) {
            self.timers.cancel(timer);
        }
        self.take_down_end(token, reason, lost);
        self.stats.closed += 1;
        self.stats.bytes_lost += lost as u64;
        self.buried.push(token);
        log::trace!("{token}: {reason}");
    }

    /// Frees those whose close was reported. Closes their descriptors, so that waiting clients can be accepted.
    pub(in crate::reactor) fn bury(&mut self) {
        for token in std::mem::take(&mut self.buried) {
            self.give_queue_back(token);
            let Some(slot) = self.slots.remove(token) else { continue };
            if slot.kind == Kind::Listener {
                self.accepting.listeners.retain(|listener| *listener != token);
            }
            let counted = slot.extra.as_ref().and_then(|extra| extra.counted);
            let is_stream = slot.kind.is_stream();
            drop(slot);
            if let Some(ip) = counted {
                self.accepting.uncount_peer(ip);
            }
            self.descriptor_freed(is_stream);
        }
    }

    /// Forgets what the poller knew, because it knows nothing any more: everything is registered anew.
    pub(in crate::reactor) fn register_anew(&mut self) {
        let tokens: Vec<_> = self.slots.iter().map(|(token, _)| token).collect();
        for token in tokens {
            if let Some(slot) = self.slots.get_mut(token) {
                slot.flags.set(Flags::UNREGISTERED, true);
                slot.armed = Interest::NONE;
            }
            self.touch(token);
        }
    }
}

//! The ways out.

use super::super::reason::{Gone, Reason};
use super::super::slot::{Ending, Kind};
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
        if slot.ending == Ending::Open {
            slot.ending = Ending::Finishing;
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
        slot.write_shut = true;
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
        let Some(slot) = self.slots.get_mut(token) else { return };
        if slot.is_alive() {
            slot.ending = Ending::Doomed;
            slot.owed = 0;
            self.doomed.push_back((token, reason));
        }
    }

    /// Takes the next step of a source that is on its way out, or half way.
    pub(in crate::reactor) fn progress(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token) else { return };
        let ready = slot.queue.is_empty() && !slot.connecting;
        match slot.ending {
            Ending::Open if slot.write_shut && ready => self.send_end(token),
            Ending::Finishing if ready => {
                let (is_stream, end_read) = (slot.kind.is_stream(), slot.end_read);
                if is_stream && !end_read {
                    slot.ending = Ending::Lingering;
                    self.send_end(token);
                    self.touch(token);
                } else {
                    self.doom(token, if end_read { Reason::Peer } else { Reason::Local });
                }
            }
            _ => {}
        }
        let Some(slot) = self.slots.get(token) else { return };
        if matches!(slot.ending, Ending::Finishing | Ending::Lingering) && slot.patience.is_none() {
            let patience = self.patience(token, self.settings.close_timeout);
            if let Some(slot) = self.slots.get_mut(token) {
                slot.patience = Some(patience);
            }
        }
    }

    fn send_end(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token).filter(|slot| !slot.end_sent) else { return };
        slot.end_sent = true;
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
        if slot.kind == Kind::Tcp && !slot.connecting && (cut || lost > 0) {
            // Fails only for a socket that is beyond sending anything.
            let _ = sys::socket::reset_on_close(slot.fd.as_fd());
        }
        let timers = [slot.idle_timer.take(), slot.patience.take()];
        let extra = slot.extra.as_mut().map(|extra| std::mem::take(&mut extra.timers)).unwrap_or_default();
        for timer in timers.into_iter().flatten().chain(extra) {
            self.timers.cancel(timer);
        }
        self.stats.closed += 1;
        self.stats.bytes_lost += lost as u64;
        self.buried.push(token);
        log::trace!("{token}: {reason}");
    }

    /// Frees those whose close was reported. Closes their descriptors, so that waiting clients can be accepted.
    pub(in crate::reactor) fn bury(&mut self) {
        for token in std::mem::take(&mut self.buried) {
            let Some(mut slot) = self.slots.remove(token) else { continue };
            self.drop_queue(std::mem::take(&mut slot.queue));
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
                slot.registered = false;
                slot.armed = Interest::NONE;
            }
            self.touch(token);
        }
    }
}

//! Giving out what is owed: streams and descriptors.

use super::super::outbox::{Outbox, Piece};
use super::super::recorder::{Done, Io, What};
use super::super::slot::{Flags, Queue, Slot, owed};
use super::{Ledger, SPARE};
use crate::poller::Token;
use crate::sys;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};

impl Ledger {
    /// Offers bytes to the kernel before anything is queued; answers how much it took. An error ends the connection.
    pub(super) fn write_now(&mut self, to: Token, bytes: &[u8]) -> io::Result<usize> {
        self.leave_short_way();
        let offer = &bytes[..bytes.len().min(self.settings.write_bytes)];
        let Some(slot) = self.slots.get_mut(to) else { return Ok(0) };
        self.stats.writes += 1;
        let result = slot.write(Piece::One(offer));
        self.take_down_io(to, Io::Send, offer.len(), || Done::of(&result));
        let Some(slot) = self.slots.get_mut(to) else { return Ok(0) };
        match result {
            Ok(written) => {
                slot.active_at = self.now;
                self.stats.bytes_out += written as u64;
                if written < offer.len() {
                    slot.block();
                }
                Ok(written)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                slot.block();
                Ok(0)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(e) => Err(self.fail(to, e)),
        }
    }

    #[inline]
    /// Writes the answer of the callback that has just returned. What the kernel does not take is queued.
    pub(in crate::reactor) fn write_reply(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token) else { return };
        self.stats.writes += 1;
        match sys::socket::send(slot.fd.as_fd(), &self.reply) {
            Ok(written) if written == self.reply.len() => {
                slot.active_at = self.now;
                self.stats.bytes_out += written as u64;
                self.reply.clear();
            }
            result => self.write_reply_in_part(token, result),
        }
    }

    #[cold]
    fn write_reply_in_part(&mut self, token: Token, result: io::Result<usize>) {
        self.leave_short_way();
        self.take_down_io(token, Io::Reply, self.reply.len(), || Done::of(&result));
        let written = match result {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => 0,
            result => {
                let Some(slot) = self.slots.get_mut(token) else { return };
                slot.block();
                match result {
                    Ok(written) => written,
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
                    Err(e) => {
                        self.fail(token, e);
                        0
                    }
                }
            }
        };
        self.stats.bytes_out += written as u64;
        self.reply.drain(..written);
        self.queue_reply(token, written > 0);
    }

    /// Sends a byte of urgent data on a TCP connection, ahead of what is queued:
    /// [`tcp(7)`](https://man7.org/linux/man-pages/man7/tcp.7.html).
    ///
    /// # Errors
    ///
    /// `NotConnected` if the token names nothing; `WouldBlock` if there is no room; what `send` answers otherwise.
    pub fn send_urgent(&mut self, to: Token, byte: u8) -> io::Result<()> {
        let result = sys::socket::send_urgent(self.open(to)?.fd.as_fd(), byte);
        self.stats.writes += 1;
        self.take_down_io(to, Io::SendUrgent, 1, || result.as_ref().map_or_else(Done::error, |()| Done::bytes(1)));
        result
    }

    /// Writes what is queued for a source, as much as the kernel takes and this turn's budget allows.
    pub(in crate::reactor) fn flush(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.is_alive() && slot.can_flush()) else { return };
        let result = match &slot.queue {
            Queue::Empty => return,
            Queue::Bytes(_) => self.flush_bytes(token),
            Queue::Letters(_) => {
                self.flush_letters(token);
                Ok(())
            }
        };
        if let Err(e) = result {
            self.fail(token, e);
            return;
        }
        let Some(slot) = self.slots.get_mut(token) else { return };
        if slot.flags.any(Flags::ABOVE_HIGH) && slot.queue.len() <= self.settings.queue_low {
            slot.flags.set(Flags::ABOVE_HIGH, false);
            slot.owed |= owed::DRAIN;
            if self.serving != token {
                self.push_ready(token);
            }
            // Told of this, it may be an ordinary connection again, at which nobody looks to take the interest in writing back.
            self.touch(token);
            self.release_held(token);
        }
    }

    fn flush_bytes(&mut self, token: Token) -> io::Result<()> {
        let Some(slot) = self.slots.get_mut(token) else { return Ok(()) };
        let Queue::Bytes(mut outbox) = std::mem::take(&mut slot.queue) else { return Ok(()) };
        let mut budget = self.settings.write_bytes;
        let mut result = Ok(());
        while budget > 0 && !outbox.is_empty() {
            self.stats.writes += 1;
            let asked = outbox.len().min(budget);
            let written = outbox.write(budget, |piece| slot.write(piece));
            if let Some(recorder) = &mut self.recorder {
                let done = written.as_ref().map_or_else(Done::error, |progress| Done::bytes(progress.written));
                recorder.io(self.clock.now(), token, Io::Flush, asked, done);
            }
            match written {
                Ok(progress) => {
                    budget -= progress.written;
                    slot.active_at = self.now;
                    self.stats.bytes_out += progress.written as u64;
                    self.stats.queued -= progress.written;
                    if progress.full {
                        slot.block();
                        break;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    slot.block();
                    break;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
        }
        let empty = outbox.is_empty();
        slot.queue = Queue::Bytes(outbox);
        if empty {
            self.give_queue_back(token);
        }
        result
    }

    /// Takes a queue away from its source, and gives its memory back.
    pub(in crate::reactor) fn give_queue_back(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token) else { return };
        slot.flags.set(Flags::QUEUED, false);
        let queue = std::mem::take(&mut slot.queue);
        if !matches!(queue, Queue::Empty) {
            self.take_down(token, What::QueueEnd);
        }
        self.stats.queued -= queue.len();
        if let Queue::Bytes(mut outbox) = queue {
            if self.spare.len() < SPARE {
                outbox.clear();
                self.spare.push(outbox);
            }
        }
    }
}

impl Slot {
    #[inline]
    fn write(&self, piece: Piece<'_>) -> io::Result<usize> {
        let fd: BorrowedFd<'_> = self.fd.as_fd();
        match (self.kind.is_stream(), piece) {
            (true, Piece::One(bytes)) => sys::socket::send(fd, bytes),
            (true, Piece::Many(slices)) => sys::socket::send_vectored(fd, slices),
            (false, Piece::One(bytes)) => sys::file::write_vectored(fd, &[IoSlice::new(bytes)]),
            (false, Piece::Many(slices)) => sys::file::write_vectored(fd, slices),
        }
    }
}

/// A queue that nobody uses.
pub(super) type Spare = Vec<Box<Outbox>>;

//! Giving out what is owed.

use super::super::chunk::Chunk;
use super::super::mailbox::Letter;
use super::super::outbox::{Outbox, Piece};
use super::super::reason::{Broadcast, Gone, Reason, SendError, Sent};
use super::super::settings::SlowPolicy;
use super::super::slot::{Kind, Queue, Slot, owed};
use super::{Ledger, SPARE};
use crate::poller::{Readiness, Token};
use crate::sys;
use crate::sys::address::Address;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};

/// A borrowed slice of at least this size is offered to the kernel at once, since copying it would cost more than
/// another system call; smaller ones are gathered until the callback ends.
const DIRECT: usize = 4096;

impl Ledger {
    /// Queues bytes for a stream or a descriptor.
    ///
    /// They are written when the callback of that source ends, if it is the one that is running, and before the next wait
    /// otherwise: so that whatever is sent to one connection in one turn takes one system call.
    ///
    /// # Errors
    ///
    /// [`SendError`]. Nothing was taken then.
    pub fn send<'a>(&mut self, to: Token, chunk: impl Into<Chunk<'a>>) -> Result<Sent, SendError> {
        self.push(to, chunk.into())
    }

    /// Queues the same bytes for many. One who cannot take them does not keep the others from theirs.
    pub fn broadcast<'a>(
        &mut self,
        to: impl IntoIterator<Item = Token>,
        chunk: impl Into<Chunk<'a>>,
    ) -> Broadcast {
        let chunk = match chunk.into() {
            Chunk::Borrowed(bytes) if bytes.len() >= DIRECT => Chunk::Shared(bytes.into()),
            Chunk::Owned(bytes) => Chunk::Shared(bytes.into()),
            chunk => chunk,
        };
        let mut result = Broadcast::default();
        for token in to {
            match self.push(token, chunk.clone()) {
                Ok(Sent::Queued) => result.queued += 1,
                Ok(Sent::AboveHigh) => {
                    result.queued += 1;
                    result.above_high += 1;
                }
                Ok(Sent::Dropped) => result.dropped += 1,
                Err(_) => result.refused += 1,
            }
        }
        result
    }

    fn push(&mut self, to: Token, mut chunk: Chunk<'_>) -> Result<Sent, SendError> {
        let own = self.current == Some(to);
        let slot = self.slots.get_mut(to).filter(|slot| slot.is_open() && !slot.write_shut).ok_or(Gone)?;
        if matches!(slot.kind, Kind::Listener | Kind::Datagram | Kind::Waker) {
            return Err(SendError::Gone);
        }
        let rest;
        if let Chunk::Borrowed(bytes) = chunk {
            if own && bytes.len() >= DIRECT && slot.queue.is_empty() && !slot.blocked && !slot.connecting {
                let written = self.write_directly(to, bytes)?;
                rest = &bytes[written..];
                if rest.is_empty() {
                    return Ok(Sent::Queued);
                }
                chunk = Chunk::Owned(rest.to_vec());
            }
        }
        self.enqueue(to, chunk, own)
    }

    /// Offers a slice to the kernel before anything is queued; answers how much it took.
    fn write_directly(&mut self, to: Token, bytes: &[u8]) -> Result<usize, SendError> {
        let Some(slot) = self.slots.get_mut(to) else { return Ok(0) };
        let offer = &bytes[..bytes.len().min(self.settings.write_bytes)];
        self.stats.writes += 1;
        match slot.write(Piece::One(offer)) {
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
            Err(e) => {
                self.fail(to, e);
                Err(SendError::Gone)
            }
        }
    }

    fn enqueue(&mut self, to: Token, chunk: Chunk<'_>, own: bool) -> Result<Sent, SendError> {
        let size = chunk.as_ref().len();
        if !self.make_room(to, size)? {
            return Ok(Sent::Dropped);
        }
        let Some(slot) = self.slots.get_mut(to) else { return Err(SendError::Gone) };
        if let Queue::Empty = slot.queue {
            slot.queue = Queue::Bytes(self.spare.pop().unwrap_or_default());
        }
        let Queue::Bytes(outbox) = &mut slot.queue else { return Err(SendError::Gone) };
        outbox.push(chunk, slot.policy == SlowPolicy::DropOldest);
        let above = outbox.len() > self.settings.queue_high;
        slot.above_high |= above;
        let pauses = above && slot.policy == SlowPolicy::PauseProducer;
        self.count_queued(size);
        if !own {
            self.touch(to);
        }
        if pauses {
            self.hold_current_for(to);
        }
        Ok(if above { Sent::AboveHigh } else { Sent::Queued })
    }

    fn count_queued(&mut self, size: usize) {
        self.stats.queued += size;
        self.stats.queued_peak = self.stats.queued_peak.max(self.stats.queued);
    }

    /// Sees to it that a message fits, by the connection's policy; false if the message is to be dropped.
    fn make_room(&mut self, to: Token, size: usize) -> Result<bool, SendError> {
        let (queue_max, queues_max) = (self.settings.queue_max, self.settings.queues_max);
        loop {
            let Some(slot) = self.slots.get_mut(to) else { return Err(SendError::Gone) };
            let queued = slot.queue.len();
            let full = if size > queue_max.saturating_sub(queued) {
                SendError::Full { queued, limit: queue_max }
            } else if size > queues_max.saturating_sub(self.stats.queued) {
                SendError::Full { queued: self.stats.queued, limit: queues_max }
            } else {
                return Ok(true);
            };
            match (slot.policy, &mut slot.queue) {
                (SlowPolicy::DropOldest, Queue::Bytes(outbox)) if size <= queue_max => {
                    let Some(dropped) = outbox.drop_oldest() else {
                        self.stats.dropped += 1;
                        return Ok(false);
                    };
                    self.stats.queued -= dropped;
                    self.stats.dropped += 1;
                }
                (SlowPolicy::DropOldest | SlowPolicy::DropNewest, _) => {
                    self.stats.dropped += 1;
                    return Ok(false);
                }
                (SlowPolicy::Disconnect | SlowPolicy::PauseProducer, _) => {
                    log::debug!("{to}: {full}; closing");
                    self.doom(to, Reason::Overflow);
                    return Err(full);
                }
            }
        }
    }

    /// Stops reading from whoever's callback is running until `receiver` has drained.
    fn hold_current_for(&mut self, receiver: Token) {
        let Some(sender) = self.current else { return };
        let Some(slot) = self.slots.get_mut(receiver) else { return };
        let holding = &mut slot.extra().holding;
        if holding.contains(&sender) {
            return;
        }
        holding.push(sender);
        if let Some(slot) = self.slots.get_mut(sender) {
            slot.holds += 1;
            self.touch(sender);
        }
    }

    /// Lets those be read again who waited for this receiver.
    pub(in crate::reactor) fn release_held(&mut self, receiver: Token) {
        let Some(extra) = self.slots.get_mut(receiver).and_then(|slot| slot.extra.as_mut()) else { return };
        for sender in std::mem::take(&mut extra.holding) {
            if let Some(slot) = self.slots.get_mut(sender) {
                slot.holds -= 1;
                self.touch(sender);
            }
        }
    }

    /// Says what happens when this connection's queue is full, instead of what [`Settings`](super::super::Settings) say.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn set_slow_policy(&mut self, token: Token, policy: SlowPolicy) -> Result<(), Gone> {
        self.open(token)?.policy = policy;
        Ok(())
    }

    /// How many bytes are queued for a source. Still answered while its close is being reported: then it is what was
    /// lost.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn queued(&self, token: Token) -> Result<usize, Gone> {
        Ok(self.slots.get(token).ok_or(Gone)?.queue.len())
    }

    /// Sends a byte of urgent data on a TCP connection, ahead of what is queued:
    /// [`tcp(7)`](https://man7.org/linux/man-pages/man7/tcp.7.html).
    ///
    /// # Errors
    ///
    /// `NotConnected` if the token names nothing; `WouldBlock` if there is no room; what `send` answers otherwise.
    pub fn send_urgent(&mut self, to: Token, byte: u8) -> io::Result<()> {
        self.stats.writes += 1;
        sys::socket::send_urgent(self.open(to)?.fd.as_fd(), byte)
    }

    /// Writes what is queued for a source, as much as the kernel takes and this turn's budget allows.
    pub(in crate::reactor) fn flush(&mut self, token: Token) {
        let Some(slot) = self.slots.get_mut(token).filter(|slot| slot.is_alive() && slot.can_flush()) else { return };
        let result = match &slot.queue {
            Queue::Empty => return,
            Queue::Bytes(_) => self.flush_bytes(token),
            Queue::Letters(_) => self.flush_letters(token),
        };
        if let Err(e) = result {
            self.fail(token, e);
            return;
        }
        let Some(slot) = self.slots.get_mut(token) else { return };
        if slot.above_high && slot.queue.len() <= self.settings.queue_low {
            slot.above_high = false;
            slot.owed |= owed::DRAIN;
            if self.serving != Some(token) {
                self.push_ready(token);
            }
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
            match outbox.write(budget, |piece| slot.write(piece)) {
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
        if outbox.is_empty() {
            recycle(&mut self.spare, outbox);
        } else {
            slot.queue = Queue::Bytes(outbox);
        }
        result
    }

    /// Gives a queue's memory back.
    pub(in crate::reactor) fn drop_queue(&mut self, queue: Queue) {
        self.stats.queued -= queue.len();
        if let Queue::Bytes(mut outbox) = queue {
            outbox.clear();
            recycle(&mut self.spare, outbox);
        }
    }

    /// Sends a datagram, to an address or, on a connected socket, to its peer.
    ///
    /// It is sent at once if the kernel takes it, and queued otherwise; when the queue is full it is dropped, as the
    /// network would.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the token names nothing; `InvalidInput` if it is not a datagram socket; what `sendto` answers:
    /// EMSGSIZE if it is too long, ENETUNREACH, or ECONNREFUSED for an earlier one. The socket stays open.
    pub fn send_datagram(&mut self, from: Token, to: Option<&Address>, data: &[u8]) -> io::Result<Sent> {
        let slot = self.slots.get_mut(from).filter(|slot| slot.is_open()).ok_or(Gone)?;
        if slot.kind != Kind::Datagram {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a datagram socket: use send"));
        }
        if slot.queue.is_empty() && !slot.blocked {
            self.stats.writes += 1;
            match sys::socket::send_to(slot.fd.as_fd(), data, to) {
                Ok(sent) => {
                    slot.active_at = self.now;
                    self.stats.bytes_out += sent as u64;
                    return Ok(Sent::Queued);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => slot.block(),
                Err(e) => return Err(e),
            }
        }
        let queued = slot.queue.len();
        let room = (self.settings.queue_max.saturating_sub(queued))
            .min(self.settings.queues_max.saturating_sub(self.stats.queued));
        // An empty datagram takes room as well.
        if data.len().max(1) > room {
            self.stats.dropped += 1;
            return Ok(Sent::Dropped);
        }
        if let Queue::Empty = slot.queue {
            slot.queue = Queue::Letters(Box::default());
        }
        let Queue::Letters(mailbox) = &mut slot.queue else { return Err(Gone.into()) };
        mailbox.push(Letter { to: to.cloned(), data: data.to_vec() });
        let above = mailbox.len() > self.settings.queue_high;
        slot.above_high |= above;
        self.count_queued(data.len());
        self.touch(from);
        Ok(if above { Sent::AboveHigh } else { Sent::Queued })
    }

    fn flush_letters(&mut self, token: Token) -> io::Result<()> {
        let Some(slot) = self.slots.get_mut(token) else { return Ok(()) };
        let Queue::Letters(mut mailbox) = std::mem::take(&mut slot.queue) else { return Ok(()) };
        for _ in 0..self.settings.datagrams_per_turn {
            let Some(letter) = mailbox.front() else { break };
            self.stats.writes += 1;
            match sys::socket::send_to(slot.fd.as_fd(), &letter.data, letter.to.as_ref()) {
                Ok(sent) => {
                    slot.active_at = self.now;
                    self.stats.bytes_out += sent as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    slot.block();
                    break;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    log::debug!("{token}: a datagram was refused: {e}");
                    self.stats.dropped += 1;
                }
            }
            self.stats.queued -= mailbox.pop().map_or(0, |letter: Letter| letter.data.len());
        }
        if mailbox.front().is_some() {
            slot.queue = Queue::Letters(mailbox);
        }
        Ok(())
    }
}

/// Keeps an empty queue for the next who needs one, unless there are enough.
fn recycle(spare: &mut Vec<Box<Outbox>>, mut outbox: Box<Outbox>) {
    if spare.len() < SPARE {
        outbox.clear();
        spare.push(outbox);
    }
}

impl Slot {
    /// Notes that the kernel has no room; the poller will tell when it has.
    fn block(&mut self) {
        self.blocked = true;
        self.ready = self.ready - Readiness::WRITABLE;
    }

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


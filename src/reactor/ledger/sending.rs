//! Giving out what is owed: streams and descriptors.

use super::super::chunk::Chunk;
use super::super::outbox::{COPY_SHARED, Outbox, Piece};
use super::super::reason::{Broadcast, Gone, Reason, SendError, Sent};
use super::super::settings::SlowPolicy;
use super::super::slot::{Flags, Kind, Queue, Slot, owed};
use super::{Ledger, SPARE};
use crate::poller::Token;
use crate::sys;
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
    #[inline]
    pub fn send<'a>(&mut self, to: Token, chunk: impl Into<Chunk<'a>>) -> Result<Sent, SendError> {
        let chunk = chunk.into();
        let bytes = chunk.as_ref();
        if self.current == Some(to) && bytes.len() <= self.reply_max.saturating_sub(self.reply.len()) {
            let slot = self.slots.get_mut(to).ok_or(Gone)?;
            let queue_first = Flags::QUEUED | Flags::BLOCKED | Flags::CONNECTING;
            let in_the_way = queue_first | Flags::NO_STREAM | Flags::WRITE_SHUT | Flags::ENDING;
            if !slot.flags.any(in_the_way) && slot.policy != SlowPolicy::DropOldest {
                self.reply.extend_from_slice(bytes);
                return Ok(Sent::Queued);
            }
        }
        self.push(to, chunk)
    }

    /// Queues the same bytes for many. One who cannot take them does not keep the others from theirs.
    pub fn broadcast<'a>(&mut self, to: impl IntoIterator<Item = Token>, chunk: impl Into<Chunk<'a>>) -> Broadcast {
        let chunk = match chunk.into() {
            Chunk::Borrowed(bytes) if bytes.len() > COPY_SHARED => Chunk::Shared(bytes.into()),
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
        if own {
            self.spill_reply(to);
        }
        let slot = self.slots.get_mut(to).filter(|slot| slot.is_open()).ok_or(Gone)?;
        if slot.flags.any(Flags::WRITE_SHUT) || matches!(slot.kind, Kind::Listener | Kind::Datagram | Kind::Waker) {
            return Err(SendError::Gone);
        }
        let in_the_way = Flags::QUEUED | Flags::BLOCKED | Flags::CONNECTING;
        if let Chunk::Borrowed(bytes) = chunk {
            if own && bytes.len() >= DIRECT && !slot.flags.any(in_the_way) {
                let written = self.write_now(to, bytes).map_err(|_| SendError::Gone)?;
                if written == bytes.len() {
                    return Ok(Sent::Queued);
                }
                if written > 0 {
                    // The rest of a message that has begun must follow, whatever the policy.
                    return Ok(self.enqueue(to, Chunk::Borrowed(&bytes[written..]), own, true));
                }
                chunk = Chunk::Borrowed(bytes);
            }
        }
        if !self.make_room(to, chunk.as_ref().len())? {
            return Ok(Sent::Dropped);
        }
        Ok(self.enqueue(to, chunk, own, false))
    }

    /// Offers bytes to the kernel before anything is queued; answers how much it took. An error ends the connection.
    fn write_now(&mut self, to: Token, bytes: &[u8]) -> io::Result<usize> {
        let offer = &bytes[..bytes.len().min(self.settings.write_bytes)];
        let Some(slot) = self.slots.get_mut(to) else { return Ok(0) };
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
            Err(e) => Err(self.fail(to, e)),
        }
    }

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

    /// Moves the answer so far into the queue, because something is to follow it there.
    pub(in crate::reactor) fn spill_reply(&mut self, token: Token) {
        if !self.reply.is_empty() {
            self.queue_reply(token, false);
        }
    }

    fn queue_reply(&mut self, token: Token, begun: bool) {
        let reply = std::mem::take(&mut self.reply);
        // Whatever the limits: it was accepted, and is at most `reply_max`.
        self.enqueue(token, Chunk::Borrowed(&reply), true, begun);
        self.reply = reply;
        self.reply.clear();
    }

    fn enqueue(&mut self, to: Token, chunk: Chunk<'_>, own: bool, begun: bool) -> Sent {
        let size = chunk.as_ref().len();
        let Some(slot) = self.slots.get_mut(to) else { return Sent::Dropped };
        if size == 0 {
            return Sent::Queued;
        }
        if let Queue::Empty = slot.queue {
            slot.queue = Queue::Bytes(self.spare.pop().unwrap_or_default());
            slot.flags.set(Flags::QUEUED, true);
        }
        let Queue::Bytes(outbox) = &mut slot.queue else { return Sent::Dropped };
        outbox.push(chunk, slot.policy == SlowPolicy::DropOldest);
        if begun {
            outbox.mark_begun();
        }
        let above = outbox.len() > self.settings.queue_high;
        if above {
            slot.flags.set(Flags::ABOVE_HIGH, true);
        }
        let pauses = above && slot.policy == SlowPolicy::PauseProducer;
        self.count_queued(size);
        if !own {
            self.touch(to);
        }
        if pauses {
            self.hold_current_for(to);
        }
        if above { Sent::AboveHigh } else { Sent::Queued }
    }

    pub(in crate::reactor) fn count_queued(&mut self, size: usize) {
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
                    let empty = outbox.is_empty();
                    self.stats.queued -= dropped;
                    self.stats.dropped += 1;
                    if empty {
                        self.give_queue_back(to);
                    }
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
            slot.flags.set(Flags::HELD, true);
            self.touch(sender);
        }
    }

    /// Lets those be read again who waited for this receiver.
    pub(in crate::reactor) fn release_held(&mut self, receiver: Token) {
        let Some(extra) = self.slots.get_mut(receiver).and_then(|slot| slot.extra.as_mut()) else { return };
        for sender in std::mem::take(&mut extra.holding) {
            if let Some(slot) = self.slots.get_mut(sender) {
                slot.holds -= 1;
                slot.flags.set(Flags::HELD, slot.holds > 0);
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
        let answer = if self.current == Some(token) { self.reply.len() } else { 0 };
        Ok(self.slots.get(token).ok_or(Gone)?.queue.len() + answer)
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

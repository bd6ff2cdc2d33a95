//! Taking in what is to be sent: how much may wait for whom, and what happens when that is full.

use super::super::chunk::Chunk;
use super::super::outbox::COPY_SHARED;
use super::super::reason::{Broadcast, Gone, Reason, SendError, Sent};
use super::super::recorder::What;
use super::super::settings::SlowPolicy;
use super::super::slot::{Flags, Kind, Queue};
use super::Ledger;
use crate::poller::Token;

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
        if self.plain && self.current == to {
            let bytes = chunk.as_ref();
            if bytes.len() <= self.reply_max - self.reply.len() {
                self.reply.extend_from_slice(bytes);
                return Ok(Sent::Queued);
            }
        }
        self.send_unusual(to, chunk)
    }

    fn send_unusual(&mut self, to: Token, chunk: Chunk<'_>) -> Result<Sent, SendError> {
        let bytes = chunk.as_ref();
        if self.current == to && bytes.len() <= self.reply_max.saturating_sub(self.reply.len()) {
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

    /// Queues a message: the short way if its stream has a queue already that is not long.
    #[inline]
    fn push(&mut self, to: Token, chunk: Chunk<'_>) -> Result<Sent, SendError> {
        let size = chunk.as_ref().len();
        let slot = self.slots.get_mut(to).ok_or(Gone)?;
        let fits = size <= self.settings.queues_max.saturating_sub(self.stats.queued);
        if fits && self.current != to && !slot.flags.any(Flags::ENDING | Flags::WRITE_SHUT | Flags::NO_STREAM) {
            if let Queue::Bytes(outbox) = &mut slot.queue {
                if size <= self.settings.queue_high.saturating_sub(outbox.len()) {
                    outbox.push(chunk, slot.policy == SlowPolicy::DropOldest);
                    if !slot.flags.any(Flags::DIRTY) {
                        slot.flags.set(Flags::DIRTY, true);
                        self.dirty.push(to);
                    }
                    self.count_queued(size);
                    return Ok(Sent::Queued);
                }
            }
        }
        self.push_unusual(to, chunk)
    }

    fn push_unusual(&mut self, to: Token, mut chunk: Chunk<'_>) -> Result<Sent, SendError> {
        let own = self.current == to;
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

    /// Moves the answer so far into the queue, because something is to follow it there.
    pub(in crate::reactor) fn spill_reply(&mut self, token: Token) {
        if !self.reply.is_empty() {
            self.queue_reply(token, false);
        }
    }

    pub(super) fn queue_reply(&mut self, token: Token, begun: bool) {
        let reply = std::mem::take(&mut self.reply);
        // Whatever the limits: it was accepted, and is at most `reply_max`.
        self.enqueue(token, Chunk::Borrowed(&reply), true, begun);
        self.reply = reply;
        self.reply.clear();
    }

    fn enqueue(&mut self, to: Token, chunk: Chunk<'_>, own: bool, begun: bool) -> Sent {
        self.leave_short_way();
        let size = chunk.as_ref().len();
        let Some(slot) = self.slots.get_mut(to) else { return Sent::Dropped };
        if size == 0 {
            return Sent::Queued;
        }
        let begins = matches!(slot.queue, Queue::Empty);
        if begins {
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
        if begins {
            self.take_down(to, What::Queue);
        }
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
        let sender = self.current;
        if sender == Token::NONE {
            return;
        }
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
        self.leave_short_way();
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
        let answer = if self.current == token { self.reply.len() } else { 0 };
        Ok(self.slots.get(token).ok_or(Gone)?.queue.len() + answer)
    }
}

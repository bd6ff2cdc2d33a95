//! Datagrams, in and out.

use super::super::mailbox::Letter;
use super::super::reason::{Gone, Sent};
use super::super::recorder::{Done, Io, What};
use super::super::slot::{Flags, Kind, Queue};
use super::Ledger;
use crate::poller::Token;
use crate::sys;
use crate::sys::address::Address;
use std::io;
use std::os::fd::AsFd;

impl Ledger {
    /// Receives a datagram and its sender, or `None` if there is none or the socket has used up its
    /// [`datagrams_per_turn`](super::super::Settings). What does not fit into `buf` is lost.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the token names nothing; `InvalidInput` if it is not a datagram socket; and what the network said
    /// of an earlier datagram (ECONNREFUSED, on a connected socket). The socket stays open.
    pub fn read_datagram(&mut self, from: Token, buf: &mut [u8]) -> io::Result<Option<(usize, Address)>> {
        let per_turn = u32::try_from(self.settings.datagrams_per_turn).unwrap_or(u32::MAX);
        let (now, turn) = (self.now, self.turn);
        let slot = self.slots.get_mut(from).filter(|slot| slot.is_alive()).ok_or(Gone)?;
        if slot.kind != Kind::Datagram {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a datagram socket: use read"));
        }
        slot.enter(turn, per_turn);
        if slot.budget == 0 {
            return Ok(None);
        }
        slot.budget -= 1;
        loop {
            self.stats.reads += 1;
            let slot = self.slots.get_mut(from).ok_or(Gone)?;
            let received = sys::socket::recv_from(slot.fd.as_fd(), buf);
            match &received {
                Ok(_) => slot.active_at = now,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => slot.run_dry(),
                Err(_) => {}
            }
            let done = received.as_ref().map_or_else(Done::error, |(len, _)| Done::bytes((*len).min(buf.len())));
            self.take_down_io(from, Io::ReceiveDatagram, buf.len(), || done);
            match received {
                Ok((len, sender)) => {
                    let len = len.min(buf.len());
                    self.stats.bytes_in += len as u64;
                    return Ok(Some((len, sender)));
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(e) => return Err(e),
            }
        }
    }

    /// Sends a datagram, to an address or, on a connected socket, to its peer.
    ///
    /// It is sent at once if the kernel takes it, and queued otherwise; when the queue is full it is dropped, as the
    /// network would. To the address of a Unix socket that has no room it is dropped at once: no poller tells when that
    /// one has room again.
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
        if !slot.flags.any(Flags::QUEUED | Flags::BLOCKED) {
            self.stats.writes += 1;
            let result = sys::socket::send_to(slot.fd.as_fd(), data, to);
            self.take_down_io(from, Io::SendDatagram, data.len(), || Done::of(&result));
            let slot = self.slots.get_mut(from).ok_or(Gone)?;
            match result {
                Ok(sent) => {
                    slot.active_at = self.now;
                    self.stats.bytes_out += sent as u64;
                    return Ok(Sent::Queued);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && is_receivers_fault(to) => {
                    self.stats.dropped += 1;
                    return Ok(Sent::Dropped);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => slot.block(),
                Err(e) => return Err(e),
            }
        }
        let slot = self.slots.get_mut(from).ok_or(Gone)?;
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
            slot.flags.set(Flags::QUEUED, true);
            self.take_down(from, What::Queue);
        }
        let slot = self.slots.get_mut(from).ok_or(Gone)?;
        let Queue::Letters(mailbox) = &mut slot.queue else { return Err(Gone.into()) };
        let letter = Letter { to: to.cloned(), data: data.to_vec() };
        let size = letter.size();
        mailbox.push(letter);
        let above = mailbox.len() > self.settings.queue_high;
        if above {
            slot.flags.set(Flags::ABOVE_HIGH, true);
        }
        self.count_queued(size);
        self.touch(from);
        Ok(if above { Sent::AboveHigh } else { Sent::Queued })
    }

    pub(super) fn flush_letters(&mut self, token: Token) {
        for _ in 0..self.settings.datagrams_per_turn {
            let Some(slot) = self.slots.get_mut(token) else { return };
            let Queue::Letters(mailbox) = &mut slot.queue else { return };
            let Some(letter) = mailbox.front() else { break };
            self.stats.writes += 1;
            let (asked, result) =
                (letter.data.len(), sys::socket::send_to(slot.fd.as_fd(), &letter.data, letter.to.as_ref()));
            self.take_down_io(token, Io::Flush, asked, || Done::of(&result));
            let Some(slot) = self.slots.get_mut(token) else { return };
            let Queue::Letters(mailbox) = &mut slot.queue else { return };
            let Some(letter) = mailbox.front() else { break };
            match result {
                Ok(sent) => {
                    slot.active_at = self.now;
                    self.stats.bytes_out += sent as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && !is_receivers_fault(letter.to.as_ref()) => {
                    slot.block();
                    return;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    log::debug!("{token}: a datagram was refused: {e}");
                    self.stats.dropped += 1;
                }
            }
            self.stats.queued -= mailbox.pop();
            if mailbox.len() == 0 {
                self.give_queue_back(token);
                return;
            }
        }
    }
}

/// Whether a datagram that finds no room is held up by its receiver and not by this socket.
///
/// That is so for the address of a Unix socket. This socket stays writable then, so that waiting for it would be spinning,
/// and one who does not read would hold up all the others. (A connected Unix socket is writable when its peer has room.)
fn is_receivers_fault(to: Option<&Address>) -> bool {
    matches!(to, Some(Address::Unix(_)))
}

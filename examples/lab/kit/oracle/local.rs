//! A pair of Unix sockets: streams, records, or datagrams to a bound receiver.

use super::model::{Beyond, Cause, Deed, Model, Side, Wakes, unread};
use super::truth::{Facts, Room, Sure};
use crate::kit::{Bits, Half};
use std::collections::VecDeque;

/// What a write costs in the books of the kernel, apart from its bytes.
const OVERHEAD: u64 = 1280;

/// A Unix socket is writable as long as no more than a quarter of its send buffer is in use, and this is less than that.
const SURELY_FREE: u64 = 48 * 1024;

/// What any pair takes in before it refuses more.
const FLOOD: u64 = 64 * 1024;

/// The kernel puts at least so much into one piece.
const PIECE: u64 = 32 * 1024;

/// The datagrams that a receiver may have waiting, and one more: `net.unix.max_dgram_qlen` where nobody has changed it.
const QUEUE: usize = 11;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Stream,
    Seqpacket,
    /// The first end is connected to the second, which is bound.
    Datagram,
}

/// What has arrived, in the pieces in which it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Inbox {
    pieces: VecDeque<u64>,
    /// Behind them, pieces of which only the least sum is known.
    flood: Option<u64>,
}

impl Inbox {
    fn some(&self) -> Sure {
        match self.flood {
            Some(0) if self.pieces.is_empty() => Sure::Perhaps,
            flood => Sure::of(flood.is_some() || !self.pieces.is_empty()),
        }
    }

    fn load(&self) -> u64 {
        self.pieces.iter().map(|piece| piece + OVERHEAD).sum()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    open: bool,
    /// Whether it still knows where to send; datagrams forget it with the first error.
    connected: bool,
    inbox: Inbox,
    shut_read: bool,
    shut_write: bool,
    error: bool,
    room: Room,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Local {
    sort: Sort,
    ends: [End; 2],
}

impl Local {
    pub(super) fn new(sort: Sort) -> Self {
        let end = |connected| End {
            open: true,
            connected,
            inbox: Inbox::default(),
            shut_read: false,
            shut_write: false,
            error: false,
            room: Room::Free,
        };
        Self { sort, ends: [end(true), end(sort != Sort::Datagram)] }
    }

    fn datagrams(&self) -> bool {
        self.sort == Sort::Datagram
    }

    /// Whether the receiver's queue has no place for a further datagram.
    fn crowded(&self, side: Side) -> bool {
        let there = &self.ends[1 - side];
        self.datagrams() && side == 0 && self.ends[0].connected && there.open && there.inbox.pieces.len() >= QUEUE
    }

    /// What makes a write fail without being sent.
    fn refuses(&mut self, side: Side, wakes: &mut Wakes) -> bool {
        let (there_open, there_reads) = (self.ends[1 - side].open, !self.ends[1 - side].shut_read);
        let (datagrams, crowded) = (self.datagrams(), self.crowded(side));
        let end = &mut self.ends[side];
        if self.sort != Sort::Stream && std::mem::take(&mut end.error) {
            return true;
        }
        if end.shut_write || self.sort == Sort::Stream && !there_open {
            return true;
        }
        if datagrams && end.connected && !there_open {
            // The first one to find out is told so, and that it may try elsewhere.
            end.connected = false;
            wakes.now(side, Bits::OUT, Cause::Refused);
            return true;
        }
        let refused = !end.connected || !there_open || !there_reads || crowded;
        if refused {
            // Newer kernels find out when they have packed the message already; unpacking it again frees room.
            wakes.perhaps(side, Bits::OUT, Cause::Sent);
        }
        refused
    }

    fn write(&mut self, side: Side, count: u64, wakes: &mut Wakes) -> Result<(), Beyond> {
        if count == 0 && self.sort == Sort::Stream || self.refuses(side, wakes) {
            return Ok(());
        }
        match self.ends[side].room {
            Room::Full => return Ok(()),
            Room::Partly => return Err(Beyond),
            Room::Free => {}
        }
        if count > PIECE || self.ends[1 - side].inbox.flood.is_some() {
            return Err(Beyond);
        }
        self.ends[1 - side].inbox.pieces.push_back(count);
        if self.ends[1 - side].inbox.load() > SURELY_FREE {
            self.ends[side].room = Room::Partly;
        }
        wakes.now(1 - side, Wakes::DATA, Cause::Arrived(count));
        Ok(())
    }

    fn fill(&mut self, side: Side, wakes: &mut Wakes) -> Result<(), Beyond> {
        if self.refuses(side, wakes) {
            return Ok(());
        }
        let inbox = &mut self.ends[1 - side].inbox;
        if self.sort == Sort::Datagram {
            inbox.pieces.resize(QUEUE, 1);
            wakes.now(1 - side, Wakes::DATA, Cause::Arrived(1));
            return Ok(());
        }
        match std::mem::replace(&mut self.ends[side].room, Room::Full) {
            Room::Full => {}
            Room::Partly => {
                inbox.flood.get_or_insert(0);
                wakes.perhaps(1 - side, Wakes::DATA, Cause::Arrived(FLOOD));
            }
            Room::Free => {
                inbox.flood = Some(inbox.flood.unwrap_or(0) + FLOOD);
                wakes.now(1 - side, Wakes::DATA, Cause::Arrived(FLOOD));
            }
        }
        Ok(())
    }

    fn read(&mut self, side: Side, mut count: u64, wakes: &mut Wakes) {
        let stream = self.sort == Sort::Stream;
        let end = &mut self.ends[side];
        // Records and datagrams come after the error, a stream's bytes before it.
        if end.error && (!stream || end.inbox.some() == Sure::No) {
            end.error = false;
            return;
        }
        let mut freed = Sure::No;
        while let Some(piece) = end.inbox.pieces.front_mut() {
            if stream && *piece > count {
                *piece -= count;
                count = 0;
                break;
            }
            count = count.saturating_sub(*piece);
            end.inbox.pieces.pop_front();
            freed = Sure::Yes;
            if !stream || count == 0 {
                self.freed(1 - side, freed, Room::Partly, wakes);
                return;
            }
        }
        if let (Some(flood), true) = (end.inbox.flood, count > 0) {
            let taken = if stream { count } else { PIECE };
            end.inbox.flood = Some(flood.saturating_sub(taken));
            freed = freed.or(Sure::Perhaps);
        }
        self.freed(1 - side, freed, Room::Partly, wakes);
    }

    /// A piece that `side` had sent was freed. If it is writable then, it is told so, even if it was writable before.
    fn freed(&mut self, side: Side, freed: Sure, to: Room, wakes: &mut Wakes) {
        if freed == Sure::No {
            return;
        }
        let small = self.ends[1 - side].inbox.load() <= SURELY_FREE && self.ends[1 - side].inbox.flood.is_none();
        let end = &mut self.ends[side];
        if end.room != Room::Free {
            end.room = if small { Room::Free } else { to };
        }
        if end.room == Room::Free && freed == Sure::Yes {
            wakes.now(side, Bits::OUT, Cause::Room);
        } else {
            wakes.perhaps(side, Bits::OUT, Cause::Room);
        }
    }

    fn drain(&mut self, side: Side, wakes: &mut Wakes) {
        if self.sort != Sort::Stream && std::mem::take(&mut self.ends[side].error) {
            // The error ends it before it has begun.
            return;
        }
        let inbox = std::mem::take(&mut self.ends[side].inbox);
        let freed = inbox.some();
        self.read(side, 0, wakes);
        self.freed(1 - side, freed, Room::Free, wakes);
    }

    fn shutdown(&mut self, side: Side, half: Half, wakes: &mut Wakes) {
        let (read, write) = (half != Half::Write, half != Half::Read);
        self.ends[side].shut_read |= read;
        self.ends[side].shut_write |= write;
        wakes.now(side, Bits::NONE, Cause::Shut);
        if !self.datagrams() {
            // The peer is told of both halves, not only of the end of the data.
            self.ends[1 - side].shut_read |= write;
            self.ends[1 - side].shut_write |= read;
            wakes.now(1 - side, Bits::NONE, if write { Cause::Fin } else { Cause::PeerShut });
        }
    }

    fn close(&mut self, side: Side, wakes: &mut Wakes) {
        let inbox = std::mem::take(&mut self.ends[side].inbox);
        let unread = inbox.some();
        self.ends[side].open = false;
        if !self.datagrams() {
            let peer = &mut self.ends[1 - side];
            (peer.shut_read, peer.shut_write) = (true, true);
            peer.error |= unread == Sure::Yes;
            wakes.now(1 - side, Bits::NONE, Cause::PeerClosed);
        }
        self.freed(1 - side, unread, Room::Free, wakes);
    }
}

impl Model for Local {
    fn facts(&self, side: Side) -> Facts {
        let end = &self.ends[side];
        let writable = if self.crowded(side) { Sure::No } else { end.room.writable() };
        Facts::default()
            .with(Bits::IN, end.inbox.some().or(Sure::of(end.shut_read)))
            .with(Bits::RDHUP, Sure::of(end.shut_read))
            .with(Bits::HUP, Sure::of(end.shut_read && end.shut_write))
            .with(Bits::OUT, writable)
            .with(Bits::ERR, Sure::of(end.error))
    }

    fn act(&mut self, side: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond> {
        match deed {
            Deed::Write(count) => return self.write(side, count, wakes),
            Deed::Fill => return self.fill(side, wakes),
            Deed::Read(count) => self.read(side, count, wakes),
            Deed::Peek(_) => {
                if self.sort != Sort::Stream || self.ends[side].inbox.some() == Sure::No {
                    self.ends[side].error = false;
                }
            }
            Deed::Drain => self.drain(side, wakes),
            Deed::MakeRoom => {
                self.ends[side].inbox = Inbox { pieces: VecDeque::new(), flood: Some(0) };
                self.ends[1 - side].room = Room::Free;
                wakes.now(1 - side, Bits::OUT, Cause::Room);
            }
            Deed::TakeError => self.ends[side].error = false,
            Deed::Shutdown(half) => self.shutdown(side, half, wakes),
            Deed::Close | Deed::Reset => {
                if self.ends[side].inbox.some() == Sure::Perhaps {
                    return Err(Beyond);
                }
                self.close(side, wakes);
            }
            Deed::Set(_) => {}
            Deed::Type(_) | Deed::Urgent | Deed::ReadUrgent | Deed::SendToNobody => return Err(Beyond),
        }
        Ok(())
    }

    fn unread(&self, side: Side) -> Option<u64> {
        let inbox = &self.ends[side].inbox;
        let sum = if self.sort == Sort::Stream { inbox.pieces.iter().sum() } else { inbox.pieces.len() as u64 };
        inbox.flood.is_none().then_some(sum)
    }

    fn reason(&self, side: Side, bit: Bits) -> String {
        let end = &self.ends[side];
        let (one, many) = match self.sort {
            Sort::Stream => ("byte", "bytes"),
            Sort::Seqpacket => ("record", "records"),
            Sort::Datagram => ("datagram", "datagrams"),
        };
        match bit {
            Bits::IN if end.inbox.some() != Sure::No => unread(self.unread(side), one, many, "unread"),
            Bits::IN => "a read would answer the end".to_owned(),
            Bits::OUT if end.shut_write || !end.connected => "a write would fail at once".to_owned(),
            Bits::OUT => "there is room to send".to_owned(),
            Bits::ERR => "ECONNRESET waits to be told: the peer closed without having read everything".to_owned(),
            Bits::HUP if !self.ends[1 - side].open => "the peer has closed".to_owned(),
            Bits::HUP => "both directions are over".to_owned(),
            _ => "the peer will send no more".to_owned(),
        }
    }
}

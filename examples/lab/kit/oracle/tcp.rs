//! A TCP connection: both ends, as `tcp_poll` sees them.

use super::model::{Beyond, Cause, Deed, Model, Side, Wakes, unread};
use super::truth::{Amount, Facts, Room, Sure};
use crate::kit::{Bits, Half, Tweak};

/// What any send buffer takes without becoming short of room.
const SURELY_FREE: u64 = 32 * 1024;

/// What a send and a receive buffer together take at least.
const FLOOD: u64 = 64 * 1024;

/// A byte of urgent data that is not yet behind us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Urgent {
    /// How much ordinary data is unread before it.
    before: u64,
    taken: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct End {
    /// Whether anybody holds it, be it the backlog of a listener.
    open: bool,
    /// What has arrived, the urgent byte included.
    unread: Amount,
    urgent: Option<Urgent>,
    inline: bool,
    /// The peer's FIN has come.
    fin: bool,
    shut_read: bool,
    shut_write: bool,
    /// The connection is over, for this end.
    dead: bool,
    error: Option<&'static str>,
    /// Whether there may be none after all.
    error_is_doubtful: bool,
    /// The connection was broken off.
    failed: bool,
    room: Room,
    /// This end's FIN is on its way, and the peer may take its time to acknowledge it.
    fin_unacknowledged: bool,
}

impl End {
    const OPEN: Self = Self {
        open: true,
        unread: Amount::NOTHING,
        urgent: None,
        inline: false,
        fin: false,
        shut_read: false,
        shut_write: false,
        dead: false,
        error: None,
        error_is_doubtful: false,
        failed: false,
        room: Room::Free,
        fin_unacknowledged: false,
    };

    fn readable(&self) -> Sure {
        match self.urgent {
            Some(Urgent { before: 0, .. }) if !self.inline => Sure::of(self.unread.least > 1),
            _ => self.unread.some(),
        }
    }

    /// What is there to read is read, as much as one call takes.
    fn read(&mut self, count: u64) {
        if self.unread.some() == Sure::No {
            return self.read_nothing();
        }
        match self.urgent {
            // A read stops before the urgent byte.
            Some(Urgent { before, taken }) if before > 0 => {
                let count = count.min(before);
                self.urgent = Some(Urgent { before: before - count, taken });
                self.unread.take(count);
            }
            // And skips it if it stands first, even if it was not taken.
            Some(_) => {
                self.urgent = None;
                self.unread.take(u64::from(!self.inline));
                match self.unread.some() {
                    Sure::No => self.read_nothing(),
                    _ => self.unread.take(count),
                }
            }
            None => self.unread.take(count),
        }
    }

    /// With the data gone, the end of it comes before the error, and the error comes once.
    fn read_nothing(&mut self) {
        if !self.fin {
            self.error = None;
        }
    }

    fn drain(&mut self) {
        self.unread = Amount::NOTHING;
        self.urgent = None;
        self.read_nothing();
    }
}

/// A connection. The first end is the accepted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tcp {
    ends: [End; 2],
}

impl Tcp {
    pub(super) const CONNECTED: Self = Self { ends: [End::OPEN, End::OPEN] };

    /// One whose connect was refused. The side that would have connected is `side`.
    pub(super) fn refused(side: Side) -> Self {
        let mut tcp = Self::CONNECTED;
        tcp.ends[1 - side].open = false;
        tcp.ends[1 - side].dead = true;
        let end = &mut tcp.ends[side];
        (end.dead, end.failed, end.error) = (true, true, Some("ECONNREFUSED"));
        tcp
    }

    fn write(&mut self, side: Side, count: u64, wakes: &mut Wakes) -> Result<(), Beyond> {
        let peer = 1 - side;
        let end = &mut self.ends[side];
        if end.dead || end.shut_write || end.error.is_some() {
            // Whoever writes is told the error, and it is gone.
            end.error = None;
            return Ok(());
        }
        match end.room {
            Room::Full => return Ok(()),
            Room::Partly => return Err(Beyond),
            Room::Free => {}
        }
        if count == 0 {
            return Ok(());
        }
        let there = &mut self.ends[peer];
        if !there.open || (there.shut_read && there.shut_write) {
            // Nobody can ever read it: the peer's kernel throws the connection away, on both sides.
            self.abort(peer, wakes);
            self.abort(side, wakes);
            return Ok(());
        }
        there.unread.add(count);
        if there.unread.least > SURELY_FREE {
            self.ends[side].room = Room::Partly;
        }
        self.acknowledge(peer, wakes);
        wakes.now(peer, Wakes::DATA, Cause::Arrived(count));
        Ok(())
    }

    /// What `side` hears from its peer says that its FIN has arrived, unless it had been told before.
    fn acknowledge(&mut self, side: Side, wakes: &mut Wakes) {
        if std::mem::take(&mut self.ends[side].fin_unacknowledged) {
            wakes.perhaps(side, Bits::NONE, Cause::FinAcknowledged);
        }
    }

    /// The connection is over for `side`, and not by its own wish.
    fn abort(&mut self, side: Side, wakes: &mut Wakes) {
        let end = &mut self.ends[side];
        if end.dead {
            return;
        }
        end.error = Some(if end.fin && !end.shut_write { "EPIPE" } else { "ECONNRESET" });
        (end.dead, end.failed) = (true, true);
        end.room = Room::Free;
        wakes.now(side, Bits::NONE, Cause::Reset);
    }

    /// `side` has sent a FIN.
    fn send_fin(&mut self, side: Side, cause: Cause, wakes: &mut Wakes) {
        let peer = 1 - side;
        if self.ends[side].dead {
            return;
        }
        self.ends[peer].fin = true;
        wakes.now(peer, Bits::NONE, cause);
        self.acknowledge(peer, wakes);
        if self.ends[side].fin {
            if !self.ends[peer].open {
                // Where more connections are over than `net.ipv4.tcp_max_tw_buckets` allows to be remembered, the kernel
                // has forgotten the closed end, and answers its peer's FIN with a reset.
                (self.ends[side].error, self.ends[side].error_is_doubtful) = (Some("ECONNRESET"), true);
            }
            // Both directions are over.
            for side in [side, peer] {
                self.ends[side].dead = true;
                self.ends[side].room = Room::Free;
                wakes.now(side, Bits::NONE, cause);
            }
        } else if self.ends[side].open {
            self.ends[side].fin_unacknowledged = true;
            wakes.later(side, Bits::NONE, Cause::FinAcknowledged);
        }
    }

    fn shutdown(&mut self, side: Side, half: Half, wakes: &mut Wakes) -> Result<(), Beyond> {
        let end = &mut self.ends[side];
        end.shut_read |= half != Half::Write;
        let sends = half != Half::Read && !end.shut_write;
        if sends {
            if end.room != Room::Free {
                // The FIN stands behind data that has not left.
                return Err(Beyond);
            }
            end.shut_write = true;
        }
        if sends {
            self.send_fin(side, Cause::Fin, wakes);
        }
        // The peer hears of it first.
        wakes.now(side, Bits::NONE, Cause::Shut);
        Ok(())
    }

    fn close(&mut self, side: Side, abruptly: bool, wakes: &mut Wakes) -> Result<(), Beyond> {
        let end = &mut self.ends[side];
        if end.room != Room::Free && !end.dead {
            return Err(Beyond);
        }
        end.open = false;
        let lost = match end.unread.some() {
            Sure::Perhaps => return Err(Beyond),
            some => some == Sure::Yes,
        };
        if end.dead {
            return Ok(());
        }
        if lost || abruptly {
            // Who throws away what the peer sent says so.
            self.ends[side].dead = true;
            self.abort(1 - side, wakes);
        } else if !self.ends[side].shut_write {
            self.ends[side].shut_write = true;
            self.send_fin(side, Cause::PeerClosed, wakes);
        }
        Ok(())
    }

    /// `side` took something out: the other one may have room again, and sends what it still had to send.
    fn make_room(&mut self, side: Side, wakes: &mut Wakes, freed: Room) {
        let before = self.ends[1 - side].room;
        if before == Room::Free {
            return;
        }
        self.ends[1 - side].room = freed;
        wakes.perhaps(side, Wakes::DATA, Cause::Arrived(1));
        match (before, freed) {
            (Room::Full, Room::Free) => wakes.now(1 - side, Bits::OUT, Cause::Room),
            _ => wakes.perhaps(1 - side, Bits::OUT, Cause::Room),
        }
        wakes.perhaps(side, Wakes::DATA, Cause::Arrived(1));
    }

    fn fill(&mut self, side: Side, wakes: &mut Wakes) -> Result<(), Beyond> {
        let peer = &self.ends[1 - side];
        let nobody = !peer.open || (peer.shut_read && peer.shut_write);
        let end = &mut self.ends[side];
        if end.dead || end.shut_write || end.error.is_some() || nobody {
            // Of nobody the first write finds out, and the second is told.
            self.write(side, 1, wakes)?;
            self.ends[side].error = None;
            return Ok(());
        }
        if self.ends[1 - side].room != Room::Free {
            // With both ways full, what is left over trickles in when the kernel's timers have it.
            return Err(Beyond);
        }
        // A write that was refused for a moment leaves word that it waits for room, and room may still have come.
        wakes.perhaps(side, Bits::OUT, Cause::Room);
        match std::mem::replace(&mut self.ends[side].room, Room::Full) {
            Room::Full => return Ok(()),
            Room::Partly => {
                self.ends[1 - side].unread.flood(0);
                wakes.perhaps(1 - side, Wakes::DATA, Cause::Arrived(FLOOD));
            }
            Room::Free => {
                self.ends[1 - side].unread.flood(FLOOD);
                wakes.now(1 - side, Wakes::DATA, Cause::Arrived(FLOOD));
            }
        }
        self.acknowledge(1 - side, wakes);
        Ok(())
    }

    fn urgent(&mut self, side: Side, wakes: &mut Wakes) -> Result<(), Beyond> {
        let there = &mut self.ends[1 - side];
        if there.urgent.is_some() || there.unread.vague || there.room != Room::Free {
            // A second one turns the first into ordinary data, and one that meets a full way back may be late.
            return Err(Beyond);
        }
        if there.open && there.shut_read && there.shut_write {
            // It is thrown away with the connection, and yet told.
            return Err(Beyond);
        }
        let before = there.unread.least;
        self.write(side, 1, wakes)?;
        let there = &mut self.ends[1 - side];
        if there.unread.least > before {
            there.urgent = Some(Urgent { before, taken: false });
            wakes.now(1 - side, Wakes::DATA, Cause::Urgent);
        }
        Ok(())
    }
}

impl Model for Tcp {
    fn facts(&self, side: Side) -> Facts {
        let end = &self.ends[side];
        let no_more = end.fin || end.shut_read || end.dead;
        let error = Sure::of(end.error.is_some());
        let over = end.dead || (end.shut_write && no_more);
        Facts::default()
            .with(Bits::IN, end.readable().or(Sure::of(no_more)))
            .with(Bits::RDHUP, Sure::of(no_more))
            .with(Bits::HUP, Sure::of(over))
            .with(Bits::OUT, end.room.writable().or(Sure::of(end.shut_write || end.dead)))
            .with(Bits::PRI, Sure::of(end.urgent.is_some_and(|urgent| !urgent.taken)))
            .with(Bits::ERR, if end.error_is_doubtful { error.min(Sure::Perhaps) } else { error })
    }

    fn act(&mut self, side: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond> {
        match deed {
            Deed::Write(count) => return self.write(side, count, wakes),
            Deed::Urgent => return self.urgent(side, wakes),
            Deed::Fill => return self.fill(side, wakes),
            Deed::Shutdown(half) => return self.shutdown(side, half, wakes),
            Deed::Close => return self.close(side, false, wakes),
            Deed::Reset => return self.close(side, true, wakes),
            Deed::Read(count) => {
                self.ends[side].read(count);
                self.make_room(side, wakes, Room::Partly);
            }
            Deed::Peek(_) => {
                if self.ends[side].readable() == Sure::No {
                    self.ends[side].read_nothing();
                }
            }
            // Where nothing more is to be received, the first gap looks like the end.
            Deed::Drain if self.ends[side].shut_read && self.ends[side].unread.vague => return Err(Beyond),
            Deed::Drain => {
                self.ends[side].drain();
                self.make_room(side, wakes, Room::Free);
            }
            Deed::MakeRoom => {
                self.ends[side].unread = Amount { least: 0, vague: true };
                self.make_room(side, wakes, Room::Free);
            }
            // Of a connection that was broken off it is not to be had any more, and stays.
            Deed::ReadUrgent if self.ends[side].dead && !self.ends[side].fin => {}
            Deed::ReadUrgent => {
                if let Some(urgent) = &mut self.ends[side].urgent {
                    urgent.taken |= !self.ends[side].inline;
                }
            }
            Deed::TakeError => self.ends[side].error = None,
            Deed::Set(Tweak::OobInline) => self.ends[side].inline = true,
            Deed::Set(_) => {}
            Deed::Type(_) | Deed::SendToNobody => return Err(Beyond),
        }
        Ok(())
    }

    fn has_told_its_error(&self, side: Side) -> bool {
        self.ends[side].failed && self.ends[side].error.is_none()
    }

    fn unread(&self, side: Side) -> Option<u64> {
        let amount = self.ends[side].unread;
        (!amount.vague).then_some(amount.least)
    }

    fn reason(&self, side: Side, bit: Bits) -> String {
        let end = &self.ends[side];
        match bit {
            Bits::IN if end.readable() != Sure::No => unread(self.unread(side), "byte", "bytes", "unread"),
            Bits::IN => "a read would answer the end".to_owned(),
            Bits::PRI => "an urgent byte waits".to_owned(),
            Bits::OUT if end.dead || end.shut_write => "a write would fail at once".to_owned(),
            Bits::OUT => "there is room to send".to_owned(),
            Bits::ERR => format!("{} waits to be told", end.error.unwrap_or("an error")),
            Bits::HUP => "both directions are over".to_owned(),
            _ if end.fin => "the peer will send no more".to_owned(),
            _ => "nothing more will be received".to_owned(),
        }
    }
}

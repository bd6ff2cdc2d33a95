//! UDP sockets: two that are connected to each other, or one on its own.

use super::model::{Beyond, Cause, Deed, Model, Side, Wakes, unread};
use super::truth::{Facts, Sure};
use crate::kit::{Bits, Half};
use std::collections::VecDeque;

/// So many small datagrams fit into any receive buffer; what does not fit is thrown away.
const SURELY_KEPT: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct End {
    open: bool,
    queue: VecDeque<u64>,
    /// Somebody's kernel has answered that nobody is there.
    error: bool,
    shut_read: bool,
    shut_write: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Udp {
    ends: [End; 2],
    connected: bool,
}

impl Udp {
    /// `peer`: whether somebody is at the other end. `connected`: whether the socket has another end at all.
    pub(super) fn new(connected: bool, peer: bool) -> Self {
        let end = |open| End { open, ..End::default() };
        Self { ends: [end(true), end(peer)], connected }
    }

    fn write(&mut self, side: Side, count: u64, wakes: &mut Wakes) -> Result<(), Beyond> {
        let end = &mut self.ends[side];
        if std::mem::take(&mut end.error) || end.shut_write || !self.connected {
            return Ok(());
        }
        // Over loopback a datagram leaves the send buffer before it arrives anywhere, and that is told, needed or not.
        let there = &mut self.ends[1 - side];
        if there.open {
            if there.queue.len() >= SURELY_KEPT {
                return Err(Beyond);
            }
            there.queue.push_back(count);
            wakes.now(side, Bits::OUT, Cause::Sent);
            wakes.now(1 - side, Wakes::DATA, Cause::Arrived(1));
        } else {
            self.ends[side].error = true;
            wakes.now(side, Bits::OUT, Cause::Sent);
            wakes.now(side, Bits::ERR, Cause::Refused);
        }
        Ok(())
    }

    fn read(&mut self, side: Side) {
        let end = &mut self.ends[side];
        // The error comes before the data.
        if !std::mem::take(&mut end.error) {
            end.queue.pop_front();
        }
    }
}

impl Model for Udp {
    fn facts(&self, side: Side) -> Facts {
        let end = &self.ends[side];
        Facts::default()
            .with(Bits::IN, Sure::of(!end.queue.is_empty() || end.shut_read))
            .with(Bits::OUT, Sure::Yes)
            .with(Bits::RDHUP, Sure::of(end.shut_read))
            .with(Bits::HUP, Sure::of(end.shut_read && end.shut_write))
            .with(Bits::ERR, Sure::of(end.error))
    }

    fn act(&mut self, side: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond> {
        match deed {
            Deed::Write(count) => return self.write(side, count, wakes),
            Deed::SendToNobody => {
                if !std::mem::take(&mut self.ends[side].error) && !self.ends[side].shut_write {
                    wakes.now(side, Bits::OUT, Cause::Sent);
                }
            }
            Deed::Read(_) => self.read(side),
            Deed::Drain => {
                let end = &mut self.ends[side];
                // An error ends it before it has begun.
                if !std::mem::take(&mut end.error) {
                    end.queue.clear();
                }
            }
            Deed::Peek(_) | Deed::TakeError => self.ends[side].error = false,
            Deed::Shutdown(half) => {
                self.ends[side].shut_read |= half != Half::Write;
                self.ends[side].shut_write |= half != Half::Read;
                wakes.now(side, Bits::NONE, Cause::Shut);
            }
            Deed::Close | Deed::Reset => self.ends[side] = End::default(),
            Deed::Set(_) => {}
            Deed::Fill | Deed::MakeRoom | Deed::Type(_) | Deed::Urgent | Deed::ReadUrgent => return Err(Beyond),
        }
        Ok(())
    }

    fn unread(&self, side: Side) -> Option<u64> {
        Some(self.ends[side].queue.len() as u64)
    }

    fn reason(&self, side: Side, bit: Bits) -> String {
        match bit {
            Bits::IN if self.ends[side].queue.is_empty() => "a read would answer the end".to_owned(),
            Bits::IN => unread(self.unread(side), "datagram", "datagrams", "unread"),
            Bits::OUT => "there is room to send".to_owned(),
            Bits::ERR => "ECONNREFUSED waits to be told".to_owned(),
            Bits::HUP => "both directions are shut down".to_owned(),
            _ => "nothing more will be received".to_owned(),
        }
    }
}

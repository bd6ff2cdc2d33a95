//! A TCP listener and its backlog.

use super::model::{Beyond, Cause, Deed, Model, Side, Wakes, unread};
use super::truth::{Facts, Sure};
use crate::kit::{Bits, Half, Tweak};
use std::collections::VecDeque;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listener {
    /// Connections that can be accepted; objects of the world.
    backlog: VecDeque<usize>,
    /// Connections that are held back until they have sent something.
    held: Vec<usize>,
    defers: bool,
    /// No listener any more, but an ordinary socket that is not connected.
    shut: bool,
    /// Which has been shut down in its turn.
    shut_read: bool,
}

impl Listener {
    pub(super) const fn listens(&self) -> bool {
        !self.shut
    }

    /// A client has come.
    pub(super) fn join(&mut self, connection: usize, wakes: &mut Wakes) {
        if self.defers {
            self.held.push(connection);
        } else {
            self.queue(connection, wakes);
        }
    }

    fn queue(&mut self, connection: usize, wakes: &mut Wakes) {
        self.backlog.push_back(connection);
        wakes.now(0, Wakes::DATA, Cause::Arrived(1));
    }

    /// The client of this connection was heard of, or has gone without a word.
    pub(super) fn release(&mut self, connection: usize, heard: bool, wakes: &mut Wakes) {
        if let Some(place) = self.held.iter().position(|held| *held == connection) {
            self.held.remove(place);
            if heard {
                self.queue(connection, wakes);
            }
        }
    }

    pub(super) fn accept(&mut self) -> Option<usize> {
        if self.shut { None } else { self.backlog.pop_front() }
    }

    /// All that nobody will accept any more.
    ///
    /// # Errors
    ///
    /// Clients are held back, which are not told before they send something.
    pub(super) fn abandoned(&mut self) -> Result<Vec<usize>, Beyond> {
        if self.held.is_empty() { Ok(self.backlog.drain(..).collect()) } else { Err(Beyond) }
    }
}

impl Model for Listener {
    fn facts(&self, _: Side) -> Facts {
        if self.shut {
            let facts = Facts::default().with(Bits::HUP | Bits::OUT, Sure::Yes);
            return facts.with(Bits::IN | Bits::RDHUP, Sure::of(self.shut_read));
        }
        Facts::default().with(Bits::IN, Sure::of(!self.backlog.is_empty()))
    }

    fn act(&mut self, _: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond> {
        match deed {
            Deed::Shutdown(half) => {
                self.shut_read |= self.shut && half != Half::Write;
                self.shut |= half != Half::Write;
                wakes.now(0, Bits::NONE, Cause::Shut);
            }
            Deed::Set(Tweak::DeferAccept) => self.defers = true,
            Deed::Fill | Deed::MakeRoom | Deed::Urgent | Deed::Write(_) | Deed::Type(_) => return Err(Beyond),
            _ => {}
        }
        Ok(())
    }

    fn unread(&self, _: Side) -> Option<u64> {
        Some(self.backlog.len() as u64)
    }

    fn reason(&self, _: Side, bit: Bits) -> String {
        match bit {
            Bits::IN | Bits::RDHUP if self.shut => "nothing more will be received".to_owned(),
            Bits::IN => unread(self.unread(0), "connection", "connections", "waiting to be accepted"),
            Bits::HUP => "it listens no more".to_owned(),
            _ => "a write would fail at once".to_owned(),
        }
    }
}

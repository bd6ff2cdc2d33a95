//! Descriptors that count: eventfd, signalfd, inotify.

use super::model::{Beyond, Cause, Deed, Model, Side, Wakes, unread};
use super::truth::{Facts, Sure};
use crate::kit::Bits;

/// The most that an eventfd counts to.
const MOST: u64 = u64::MAX - 1;

/// What a signal takes of a reader's buffer; one that is smaller is refused.
const SIGNAL: u64 = 128;

/// What the news of a file with a short name takes.
const EVENT: u64 = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Eventfd,
    /// Each read takes one.
    Semaphore,
    Signalfd,
    Inotify,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counter {
    sort: Sort,
    count: u64,
}

impl Counter {
    pub(super) fn new(sort: Sort) -> Self {
        Self { sort, count: 0 }
    }

    pub(super) const fn is_signalfd(&self) -> bool {
        matches!(self.sort, Sort::Signalfd)
    }

    fn eventfd(&self) -> bool {
        matches!(self.sort, Sort::Eventfd | Sort::Semaphore)
    }

    fn write(&mut self, count: u64, wakes: &mut Wakes) {
        match self.sort {
            Sort::Eventfd | Sort::Semaphore if count > MOST - self.count => return,
            Sort::Eventfd | Sort::Semaphore => self.count += count,
            // A standard signal that is pending already is not raised a second time, and nobody is told.
            Sort::Signalfd if self.count == 1 => return,
            Sort::Signalfd | Sort::Inotify => self.count += 1,
        }
        wakes.now(0, if self.eventfd() { Bits::IN } else { Bits::NONE }, Cause::Arrived(count));
    }

    /// `room`: how many bytes the reader has room for; an eventfd's reader always has enough.
    fn read(&mut self, room: u64, wakes: &mut Wakes) {
        if self.count == 0 {
            return;
        }
        self.count -= match self.sort {
            Sort::Eventfd => self.count,
            Sort::Semaphore => 1,
            Sort::Signalfd => room / SIGNAL,
            Sort::Inotify => room / EVENT,
        }
        .min(self.count);
        if self.eventfd() {
            wakes.now(0, Bits::OUT, Cause::Taken);
        }
    }
}

impl Model for Counter {
    fn facts(&self, _: Side) -> Facts {
        let room = self.eventfd() && self.count < MOST;
        Facts::default().with(Bits::IN, Sure::of(self.count > 0)).with(Bits::OUT, Sure::of(room))
    }

    fn act(&mut self, _: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond> {
        match deed {
            Deed::Write(count) => self.write(count, wakes),
            Deed::Read(room) => self.read(room, wakes),
            Deed::Drain => {
                self.count = self.count.min(1);
                self.read(u64::MAX, wakes);
            }
            Deed::Fill if self.eventfd() => {
                // Also with nothing left to add: adding nothing wakes as well.
                self.count = MOST;
                wakes.now(0, Bits::IN, Cause::Arrived(MOST));
            }
            Deed::Fill | Deed::MakeRoom => return Err(Beyond),
            // What sockets have and counters have not.
            _ => {}
        }
        Ok(())
    }

    fn unread(&self, _: Side) -> Option<u64> {
        Some(self.count)
    }

    fn reason(&self, _: Side, bit: Bits) -> String {
        match (self.sort, bit) {
            (Sort::Signalfd, _) => "a signal is pending".to_owned(),
            (Sort::Inotify, _) => unread(Some(self.count), "event", "events", "unread"),
            (_, Bits::IN) => format!("the counter is {}", self.count),
            _ => "there is room in the counter".to_owned(),
        }
    }
}

//! A pipe, by the pages that it is made of. The first end reads, the second writes.

use super::model::{Beyond, Cause, Deed, Model, Side, Wakes, unread};
use super::truth::{Facts, Sure};
use crate::kit::Bits;
use std::collections::VecDeque;

const PAGE: u64 = 4096;

/// How many pages a pipe has until somebody changes it.
const PAGES: usize = 16;

const READER: Side = 0;
const WRITER: Side = 1;

/// A page in use: where its data begins, and how much it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    start: u64,
    len: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pipe {
    pages: VecDeque<Page>,
    open: [bool; 2],
}

impl Pipe {
    pub(super) fn new() -> Self {
        Self { pages: VecDeque::new(), open: [true; 2] }
    }

    fn full(&self) -> bool {
        self.pages.len() >= PAGES
    }

    fn write(&mut self, count: u64, wakes: &mut Wakes) {
        if !self.open[READER] || count == 0 {
            return;
        }
        let mut count = count;
        let tail = count % PAGE;
        if let Some(last) = self.pages.back_mut().filter(|last| tail > 0 && last.start + last.len + tail <= PAGE) {
            last.len += tail;
            count -= tail;
        }
        while count > 0 && !self.full() {
            let len = count.min(PAGE);
            self.pages.push_back(Page { start: 0, len });
            count -= len;
        }
        // Also when nothing went in: the reader is woken by the attempt.
        wakes.now(READER, Bits::IN, Cause::Arrived(count));
    }

    fn read(&mut self, mut count: u64, wakes: &mut Wakes) {
        let mut was_full = false;
        while let Some(page) = self.pages.front_mut().filter(|_| count > 0) {
            let len = count.min(page.len);
            page.start += len;
            page.len -= len;
            count -= len;
            if page.len == 0 {
                was_full |= self.full();
                self.pages.pop_front();
            }
        }
        if was_full {
            wakes.now(WRITER, Bits::OUT, Cause::Room);
        }
    }
}

impl Model for Pipe {
    fn facts(&self, side: Side) -> Facts {
        if side == READER {
            let data = Sure::of(!self.pages.is_empty());
            return Facts::default().with(Bits::IN, data).with(Bits::HUP, Sure::of(!self.open[WRITER]));
        }
        Facts::default().with(Bits::OUT, Sure::of(!self.full())).with(Bits::ERR, Sure::of(!self.open[READER]))
    }

    fn act(&mut self, side: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond> {
        match deed {
            Deed::Write(count) if side == WRITER => self.write(count, wakes),
            Deed::Fill if side == WRITER => self.write(PAGES as u64 * PAGE, wakes),
            Deed::Read(count) if side == READER => self.read(count, wakes),
            Deed::Drain if side == READER => self.read(u64::MAX, wakes),
            Deed::MakeRoom if side == READER => {
                let first = self.pages.front().map_or(0, |page| page.len);
                if self.full() {
                    self.read(first, wakes);
                }
            }
            Deed::Close | Deed::Reset => {
                self.open[side] = false;
                if self.open[1 - side] {
                    wakes.now(1 - side, Bits::NONE, Cause::PeerClosed);
                }
            }
            // The wrong end, or no socket: an error without consequences.
            _ => {}
        }
        Ok(())
    }

    fn unread(&self, _: Side) -> Option<u64> {
        Some(self.pages.iter().map(|page| page.len).sum())
    }

    fn reason(&self, side: Side, bit: Bits) -> String {
        match bit {
            Bits::IN => unread(self.unread(side), "byte", "bytes", "unread"),
            Bits::OUT => "a page of the pipe is free".to_owned(),
            Bits::ERR => "nobody reads it any more".to_owned(),
            _ => "nobody writes to it any more".to_owned(),
        }
    }
}

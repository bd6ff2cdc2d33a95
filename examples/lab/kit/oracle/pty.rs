//! A pseudo-terminal in line mode. The first end is the master, the second the slave.

use super::model::{Beyond, Cause, Deed, Model, Side, Wakes, unread};
use super::truth::{Facts, Sure};
use crate::kit::Bits;
use std::collections::VecDeque;

const MASTER: Side = 0;
const SLAVE: Side = 1;

/// What a terminal holds without further ado.
const SURELY_KEPT: u64 = 1024;

/// With so much left to be read, the writer is told to go on.
const LITTLE: u64 = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pty {
    /// Letters of a line that is not finished.
    typed: u64,
    lines: VecDeque<u64>,
    /// What the slave has written.
    written: u64,
    open: [bool; 2],
}

impl Pty {
    pub(super) fn new() -> Self {
        Self { typed: 0, lines: VecDeque::new(), written: 0, open: [true; 2] }
    }

    /// `count` letters into the master, the last one a newline or not.
    fn type_in(&mut self, count: u64, newline: bool, wakes: &mut Wakes) -> Result<(), Beyond> {
        if count == 0 {
            return Ok(());
        }
        // A terminal tells its writer after each write that it may write, be it into nothing.
        wakes.now(MASTER, Bits::OUT, Cause::Sent);
        self.typed += count;
        if self.typed + self.lines.iter().sum::<u64>() > SURELY_KEPT {
            return Err(Beyond);
        }
        if newline && self.open[SLAVE] {
            self.lines.push_back(std::mem::take(&mut self.typed));
            wakes.now(SLAVE, Bits::IN, Cause::Arrived(count));
        }
        Ok(())
    }

    fn write_out(&mut self, count: u64, wakes: &mut Wakes) -> Result<(), Beyond> {
        if !self.open[MASTER] || count == 0 {
            return Ok(());
        }
        self.written += count;
        if self.written > SURELY_KEPT {
            return Err(Beyond);
        }
        wakes.now(SLAVE, Bits::OUT, Cause::Sent);
        wakes.now(MASTER, Bits::IN, Cause::Arrived(count));
        Ok(())
    }

    fn read(&mut self, side: Side, count: u64, wakes: &mut Wakes) {
        if side == SLAVE {
            let Some(line) = self.lines.front_mut() else { return };
            *line = line.saturating_sub(count);
            if *line == 0 {
                self.lines.pop_front();
            }
        } else {
            if self.written == 0 {
                return;
            }
            self.written = self.written.saturating_sub(count);
        }
        // Who writes is told of room only when little is left.
        if self.unread(side).is_some_and(|left| left <= LITTLE) {
            wakes.now(1 - side, Bits::OUT, Cause::Room);
        }
    }
}

impl Model for Pty {
    fn facts(&self, side: Side) -> Facts {
        if side == MASTER {
            let facts = Facts::default().with(Bits::IN, Sure::of(self.written > 0)).with(Bits::OUT, Sure::Yes);
            return facts.with(Bits::HUP, Sure::of(!self.open[SLAVE]));
        }
        let gone = Sure::of(!self.open[MASTER]);
        let facts = Facts::default().with(Bits::IN, gone.or(Sure::of(!self.lines.is_empty())));
        facts.with(Bits::OUT, Sure::Yes).with(Bits::ERR | Bits::HUP, gone)
    }

    fn act(&mut self, side: Side, deed: Deed, wakes: &mut Wakes) -> Result<(), Beyond> {
        match deed {
            Deed::Write(count) if side == MASTER => return self.type_in(count, true, wakes),
            Deed::Type(count) if side == MASTER => return self.type_in(count, false, wakes),
            Deed::Write(count) => return self.write_out(count, wakes),
            Deed::Read(count) => self.read(side, count, wakes),
            Deed::Drain if side == SLAVE => {
                while !self.lines.is_empty() {
                    self.read(side, u64::MAX, wakes);
                }
            }
            Deed::Drain => self.read(side, u64::MAX, wakes),
            Deed::Close | Deed::Reset => {
                self.open[side] = false;
                wakes.now(1 - side, Bits::NONE, Cause::PeerClosed);
            }
            // When that has come to the master is not waited for.
            Deed::Type(_) | Deed::Fill | Deed::MakeRoom => return Err(Beyond),
            // What sockets have and terminals have not.
            _ => {}
        }
        Ok(())
    }

    fn unread(&self, side: Side) -> Option<u64> {
        Some(if side == SLAVE { self.lines.iter().sum() } else { self.written })
    }

    fn reason(&self, side: Side, bit: Bits) -> String {
        match bit {
            Bits::IN if side == SLAVE && !self.open[MASTER] => "a read would answer the end".to_owned(),
            Bits::IN if side == SLAVE => {
                unread(self.unread(side), "byte of whole lines", "bytes of whole lines", "unread")
            }
            Bits::IN => unread(self.unread(side), "byte", "bytes", "unread"),
            Bits::OUT => "there is room to write".to_owned(),
            Bits::ERR => "the terminal was taken away".to_owned(),
            _ if side == MASTER => "nobody has the terminal open any more".to_owned(),
            _ => "the master has closed".to_owned(),
        }
    }
}

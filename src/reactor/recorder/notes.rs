//! Taking down: one record after the other, into room that was set aside.

use super::record::{Callback, Done, Io, Record, What};
use super::{Occurrence, Recorder};
use crate::poller::Token;

impl Recorder {
    /// Whether more can be taken down.
    pub(in crate::reactor) fn is_active(&self) -> bool {
        !self.done
    }

    #[inline]
    pub(in crate::reactor) fn push(&mut self, at: u64, token: Token, what: What) {
        let full = self.records.len() >= self.room;
        if self.done || self.saving || (full && !self.keeps_latest) {
            return self.push_unusual(at, token, what);
        }
        // A hand that turns the clock may turn it anywhere, but a record follows the one before.
        self.last = self.last.max(at);
        self.fresh = true;
        self.taken += 1;
        let what = if self.taken == self.limit { self.stop_at_limit() } else { what };
        let record = Record { at: self.last, token, what };
        if full {
            self.records[self.oldest] = record;
            self.oldest = if self.oldest + 1 == self.room { 0 } else { self.oldest + 1 };
            self.lost += 1;
        } else {
            self.records.push(record);
        }
    }

    #[cold]
    fn push_unusual(&mut self, at: u64, token: Token, what: What) {
        if self.done {
            return;
        }
        if !self.saving {
            // A turn so long that there is no room left.
            self.save(at);
        }
        self.saving = false;
        self.push(at, Token::NONE, What::SaveEnd);
        self.push(at, token, what);
    }

    #[cold]
    fn stop_at_limit(&mut self) -> What {
        self.done = true;
        What::Limit
    }

    pub(in crate::reactor) fn io(&mut self, at: u64, token: Token, call: Io, asked: usize, done: Done) {
        self.push(at, token, What::io(call, asked, done));
    }

    /// The last record's time if nothing has run since, for what begins where something else has ended.
    pub(in crate::reactor) fn fresh(&self) -> Option<u64> {
        self.fresh.then_some(self.last)
    }

    /// From now on the program runs.
    pub(in crate::reactor) fn hand_over(&mut self) {
        self.fresh = false;
    }

    pub(in crate::reactor) fn begin_turn(&mut self, at: u64, number: u32) {
        self.in_turn = true;
        self.push(at, Token::NONE, What::Turn { number });
    }

    pub(in crate::reactor) fn end_turn(&mut self, at: u64) {
        self.end_call(at);
        if std::mem::take(&mut self.in_turn) {
            self.push(at, Token::NONE, What::TurnEnd);
        }
    }

    pub(in crate::reactor) fn begin_call(&mut self, at: u64, token: Token, callback: Callback) {
        self.end_call(at);
        self.in_call = true;
        self.push(at, token, What::Call(callback));
        self.hand_over();
    }

    pub(in crate::reactor) fn begin_occurrence(&mut self, at: u64, occurrence: &Occurrence) {
        let (token, callback) = Callback::of(occurrence);
        self.begin_call(at, token, callback);
    }

    pub(in crate::reactor) fn is_in_call(&self) -> bool {
        self.in_call
    }

    pub(in crate::reactor) fn end_call(&mut self, at: u64) {
        if std::mem::take(&mut self.in_call) {
            self.push(at, Token::NONE, What::CallEnd);
        }
    }

    /// Notes the load of the loop, if it has changed.
    pub(in crate::reactor) fn weigh(&mut self, at: u64, connections: usize, queued: usize) {
        let load = (u32::try_from(connections).unwrap_or(u32::MAX), queued as u64);
        if load != self.load {
            self.load = load;
            self.push(at, Token::NONE, What::Load { connections: load.0, queued: load.1 });
        }
    }
}

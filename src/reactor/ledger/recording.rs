//! What a recorder is told. While there is none, each of these is one comparison, and on the short way not even that: it is
//! not taken while there is one.

use super::super::occurrence::Occurrence;
use super::super::reason::Reason;
use super::super::recorder::{Callback, Change, Done, Io, Recorder, What};
use super::super::slot::Slot;
use super::Ledger;
use super::serving::ShortWay;
use crate::poller::{Events, Interest, Token};
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

impl Ledger {
    /// Has what the loop does taken down from now on; answers the recorder that did so before.
    ///
    /// Callbacks may do this, too. What such a one sends to its own connection may be missing.
    pub fn record(&mut self, recorder: Recorder) -> Option<Recorder> {
        let before = self.stop_recording();
        self.leave_short_way();
        self.short_way = ShortWay::Closed;
        let at = self.clock.now();
        let recorder = self.recorder.insert(Box::new(recorder));
        recorder.begin_turn(at, self.turn);
        for (token, slot) in self.slots.iter() {
            recorder.push(at, token, source(slot, false));
        }
        before
    }

    /// Ends a recording, and gives the recorder back.
    pub fn stop_recording(&mut self) -> Option<Recorder> {
        if let Some(recorder) = self.recorded.take() {
            return Some(*recorder);
        }
        let mut recorder = self.recorder.take()?;
        self.short_way = ShortWay::of(self.settings.trigger);
        let at = self.clock.now();
        recorder.weigh(at, self.stats.connections, self.stats.queued);
        recorder.end_turn(at);
        recorder.push(at, Token::NONE, What::Stop);
        Some(*recorder)
    }

    /// Whether what the loop does is taken down. No more, if the recorder has reached its limit or cannot write.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }

    /// Takes something down that happens now.
    #[inline]
    pub(in crate::reactor) fn take_down(&mut self, token: Token, what: What) {
        if self.recorder.is_some() {
            self.take_down_now(token, what);
        }
    }

    #[cold]
    fn take_down_now(&mut self, token: Token, what: What) {
        let at = self.clock.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.push(at, token, what);
        }
    }

    /// The same as far as it concerns a read that brought data. Answers what the read does, so that it can be the last thing
    /// which that does: the short way has nothing to remember across it.
    #[cold]
    pub(in crate::reactor) fn take_down_read(&mut self, from: Token, asked: usize, read: usize) -> io::Result<usize> {
        self.take_down_now(from, What::io(Io::Receive, asked, Done::bytes(read)));
        Ok(read)
    }

    /// Ends whatever callback is running, as [`end_callback`](Self::end_callback), and takes it down.
    #[inline]
    pub(crate) fn conclude_callback(&mut self) {
        if self.recorder.is_some() {
            self.end_recorded_callback();
        } else {
            self.end_callback();
        }
    }

    #[cold]
    pub(in crate::reactor) fn end_recorded_callback(&mut self) {
        self.take_down_return();
        let (asked, before) = (self.reply.len(), self.stats.bytes_out);
        if asked > 0 {
            let token = self.current;
            self.write_reply(token);
            if self.stats.bytes_out - before == asked as u64 {
                // If it was less, that was taken down when it was found out.
                self.take_down_now(token, What::io(Io::Reply, asked, Done::bytes(asked)));
            }
        }
        self.end_callback();
    }

    /// A system call has carried data, or not.
    #[inline]
    pub(in crate::reactor) fn take_down_io(
        &mut self,
        token: Token,
        call: Io,
        asked: usize,
        done: impl FnOnce() -> Done,
    ) {
        if self.recorder.is_some() {
            self.take_down_now(token, What::io(call, asked, done()));
        }
    }

    pub(in crate::reactor) fn take_down_interest(&mut self, token: Token, interest: Interest, change: Change) {
        self.take_down(token, What::Interest { interest, change });
    }

    pub(in crate::reactor) fn take_down_source(&mut self, token: Token) {
        if let Some(slot) = self.slots.get(token).filter(|_| self.recorder.is_some()) {
            let what = source(slot, true);
            self.take_down_now(token, what);
        }
    }

    pub(in crate::reactor) fn take_down_end(&mut self, token: Token, reason: &Reason, lost: usize) {
        if self.recorder.is_some() {
            self.take_down_now(token, What::end(reason, lost));
        }
    }

    /// The program is told something, or that there is no more.
    #[cold]
    pub(in crate::reactor) fn take_down_told(&mut self, told: Option<&Occurrence>) {
        let Some(recorder) = &mut self.recorder else { return };
        // Nothing has happened since the callback before this one has ended.
        let fresh = recorder.fresh().filter(|_| matches!(told, Some(Occurrence::Readable(_))));
        let at = fresh.unwrap_or_else(|| self.clock.now());
        match told {
            Some(occurrence) => recorder.begin_occurrence(at, occurrence),
            None => recorder.end_call(at),
        }
    }

    /// The floor above makes a callback of its own accord.
    pub(crate) fn take_down_call(&mut self, token: Token, callback: Callback) {
        if let Some(recorder) = &mut self.recorder {
            recorder.begin_call(self.clock.now(), token, callback);
        }
    }

    /// A callback has returned.
    #[inline]
    pub(crate) fn take_down_return(&mut self) {
        if self.recorder.is_some() {
            self.take_down_return_now();
        }
    }

    #[cold]
    fn take_down_return_now(&mut self) {
        if let Some(recorder) = self.recorder.as_mut().filter(|recorder| recorder.is_in_call()) {
            recorder.end_call(self.clock.now());
        }
    }

    /// A handler has panicked.
    pub(crate) fn count_panic(&mut self, token: Token) {
        self.stats.panics += 1;
        self.take_down(token, What::Panic);
    }

    /// Between two turns: writes what was taken down, if that is due, and goes back to the short way if that was all.
    pub(in crate::reactor) fn keep_recording(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        recorder.end_call(self.clock.now());
        if recorder.is_due() {
            recorder.save(self.clock.now());
        }
        if !recorder.is_active() {
            self.recorded = self.recorder.take();
            self.short_way = ShortWay::of(self.settings.trigger);
        }
    }

    /// The poller is asked, which ends the turn, unless it was asked in vain before.
    pub(in crate::reactor) fn take_down_wait(&mut self, at: u64, timeout: Option<Duration>) {
        let Some(recorder) = &mut self.recorder else { return };
        recorder.weigh(at, self.stats.connections, self.stats.queued);
        recorder.end_turn(at);
        let asked = timeout.map_or(u64::MAX, super::super::clock::nanoseconds);
        recorder.push(at, Token::NONE, What::Wait { asked });
    }

    /// The poller has answered.
    pub(in crate::reactor) fn take_down_wake(&mut self, events: &Events) {
        let Some(recorder) = &mut self.recorder else { return };
        let events = u32::try_from(events.len()).unwrap_or(u32::MAX);
        recorder.push(self.now, Token::NONE, What::WaitEnd { events });
    }

    /// A turn has begun, with these events, and with those that are known to be ready.
    pub(in crate::reactor) fn take_down_turn(&mut self, events: &Events, ready: &[Token]) {
        let Some(recorder) = &mut self.recorder else { return };
        recorder.begin_turn(self.now, self.turn);
        for token in ready {
            recorder.push(self.now, *token, What::Ready);
        }
        for event in events {
            recorder.push(self.now, event.token(), What::Event(event.readiness()));
        }
        recorder.hand_over();
    }
}

fn source(slot: &Slot, new: bool) -> What {
    What::Source { kind: slot.kind, new, fd: slot.fd.as_raw_fd() }
}

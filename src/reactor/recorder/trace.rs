//! Records as Trace Event JSON: an array of events, one a line, so that what there is of a file that was cut off is whole.

use super::line::{LOOP, Line, Lines};
use super::record::{Callback, Change, Ending, Record, What};
use super::text::Text;
use crate::poller::{Interest, Readiness, Token};
use crate::reactor::slot::Kind;
use std::collections::BTreeSet;

/// What was written so far, as far as it says what may follow.
#[derive(Debug)]
pub(super) struct Trace {
    lines: Lines,
    finished: bool,
    in_turn: bool,
    in_wait: bool,
    in_save: bool,
    in_call: Option<(Token, Callback)>,
    /// For whom something is queued.
    queues: BTreeSet<Token>,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self {
            lines: Lines::new(),
            finished: false,
            in_turn: false,
            in_wait: false,
            in_save: false,
            in_call: None,
            queues: BTreeSet::new(),
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Adds a record to the text.
    ///
    /// An end whose beginning was not recorded, or is not kept any more, is left out, so that slices always nest.
    pub(super) fn write(&mut self, record: &Record, out: &mut Text) {
        let Record { at, token, what } = *record;
        match what {
            What::Turn { number } => {
                self.in_turn = true;
                self.open(out, "turn", "loop", at).number("turn", number.into());
            }
            What::TurnEnd => {
                let open = std::mem::take(&mut self.in_turn);
                self.close(out, "turn", open, at);
            }
            What::Wait { asked } => {
                self.in_wait = true;
                let mut line = self.open(out, "wait", "loop", at);
                if asked == u64::MAX {
                    line.word("timeout_us", "none");
                } else {
                    line.microseconds("timeout_us", asked);
                }
            }
            What::WaitEnd { events } => {
                if std::mem::take(&mut self.in_wait) {
                    self.lines.plain(out, "E", "wait", at, LOOP).number("events", events.into());
                }
            }
            What::Save => {
                self.in_save = true;
                self.open(out, "recorder writes", "recorder", at);
            }
            What::SaveEnd => {
                let open = std::mem::take(&mut self.in_save);
                self.close(out, "recorder writes", open, at);
            }
            What::Call(callback) => self.begin_call(at, token, callback, out),
            What::CallEnd => self.end_call(at, out),
            What::Queue => {
                if self.queues.insert(token) {
                    self.lines.paired(out, "b", "queued", at, token);
                }
            }
            What::QueueEnd => {
                if self.queues.remove(&token) {
                    self.lines.paired(out, "e", "queued", at, token);
                }
            }
            What::Load { connections, queued } => {
                self.lines.plain(out, "C", "connections", at, LOOP).number("open", connections.into());
                self.lines.plain(out, "C", "queued bytes", at, LOOP).number("bytes", queued);
            }
            what => self.write_moment(at, token, what, out),
        }
    }

    fn write_moment(&mut self, at: u64, token: Token, what: What, out: &mut Text) {
        match what {
            What::Event(readiness) => self.event(at, token, readiness, out),
            What::Ready => _ = self.lines.instant(out, "still ready", "event", at, token),
            What::Io { call, asked, done } => {
                let (name, is_read) = call.name();
                let mut line = self.lines.instant(out, name, if is_read { "read" } else { "write" }, at, token);
                line.number("asked", asked.into());
                line.done(done);
            }
            What::Interest { interest, change } => {
                let name = if interest.is_none() { "no interest" } else { "interest" };
                let mut line = self.lines.instant(out, name, "interest", at, token);
                line.list("interest", &INTEREST, |flag| interest.contains(flag));
                let change = match change {
                    Change::Add => "add",
                    Change::Modify => "modify",
                    Change::Remove => "remove",
                };
                line.word("change", change);
            }
            What::Source { kind, new, fd } => {
                let kind = kind_name(kind);
                self.lines.name_lane(out, token, kind);
                let name = if new { "opened" } else { "there already" };
                let mut line = self.lines.instant(out, name, "source", at, token);
                line.word("kind", kind);
                line.number("fd", u64::try_from(fd).unwrap_or(0));
            }
            What::End { ending, lost, error } => {
                let mut line = self.lines.instant(out, "closed", "source", at, token);
                line.word("reason", ending_name(ending));
                line.number("lost", lost.into());
                line.error(error);
            }
            What::Panic => _ = self.lines.instant(out, "panicked", "callback", at, token),
            What::Limit => _ = self.lines.instant(out, "limit reached", "recorder", at, Token::NONE),
            What::Stop => _ = self.lines.instant(out, "stopped", "recorder", at, token),
            // What takes its time is not a moment.
            _ => {}
        }
    }

    /// Ends whatever is open, and the array.
    pub(super) fn finish(&mut self, at: u64, out: &mut Text) {
        self.lines.begin(out);
        self.finished = true;
        let open = std::mem::take(&mut self.in_save);
        self.close(out, "recorder writes", open, at);
        self.end_call(at, out);
        let (turn, wait) = (std::mem::take(&mut self.in_turn), std::mem::take(&mut self.in_wait));
        self.close(out, "turn", turn, at);
        self.close(out, "wait", wait, at);
        for token in std::mem::take(&mut self.queues) {
            self.lines.paired(out, "e", "queued", at, token);
        }
        out.push("\n]\n");
    }

    /// Begins a slice of the loop's lane.
    fn open<'a>(&mut self, out: &'a mut Text, name: &str, category: &str, at: u64) -> Line<'a> {
        self.lines.begins(out, name, category, at)
    }

    /// Ends a slice of the loop's lane, if it is open. Some viewers look for the name to find what is ended.
    fn close(&mut self, out: &mut Text, name: &str, open: bool, at: u64) {
        if open {
            self.lines.plain(out, "E", name, at, LOOP);
        }
    }

    /// A callback is drawn twice: in the loop's lane, where one sees what kept the loop, and in that of whose it is.
    fn begin_call(&mut self, at: u64, whose: Token, callback: Callback, out: &mut Text) {
        self.end_call(at, out);
        if !self.in_turn {
            // Its beginning is not kept any more.
            self.in_turn = true;
            self.open(out, "turn", "loop", at);
        }
        self.in_call = Some((whose, callback));
        self.lines.begin_call(out, callback.name(), at, whose);
    }

    fn end_call(&mut self, at: u64, out: &mut Text) {
        if let Some((whose, callback)) = self.in_call.take() {
            self.lines.end_call(out, callback.name(), at, whose);
        }
    }

    fn event(&mut self, at: u64, token: Token, readiness: Readiness, out: &mut Text) {
        if readiness == Readiness::READABLE {
            self.lines.instant(out, "readable", "event", at, token).word("ready", "readable");
            return;
        }
        let mut words = String::new();
        for (_, name) in READINESS.iter().filter(|(flag, _)| readiness.contains(*flag)) {
            words.push_str(if words.is_empty() { "" } else { ", " });
            words.push_str(name);
        }
        self.lines.instant(out, &words, "event", at, token).word("ready", &words);
    }
}

const READINESS: [(Readiness, &str); 8] = [
    (Readiness::READABLE, "readable"),
    (Readiness::WRITABLE, "writable"),
    (Readiness::PRIORITY, "priority"),
    (Readiness::ERROR, "error"),
    (Readiness::READ_CLOSED, "read closed"),
    (Readiness::WRITE_CLOSED, "write closed"),
    (Readiness::HANG_UP, "hang-up"),
    (Readiness::INVALID, "invalid"),
];

const INTEREST: [(Interest, &str); 3] =
    [(Interest::READABLE, "readable"), (Interest::WRITABLE, "writable"), (Interest::PRIORITY, "priority")];

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Listener => "listener",
        Kind::Tcp => "tcp",
        Kind::Unix => "unix",
        Kind::Datagram => "datagram",
        Kind::Descriptor | Kind::Shared => "descriptor",
        Kind::Waker => "bell",
    }
}

fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Peer => "peer",
        Ending::Local => "local",
        Ending::Aborted => "aborted",
        Ending::Failed => "failed",
        Ending::Overflow => "overflow",
        Ending::Idle => "idle",
        Ending::ConnectTimeout => "connect timeout",
        Ending::CloseTimeout => "close timeout",
        Ending::Shutdown => "shutdown",
        Ending::Panicked => "panicked",
        Ending::Refused => "refused",
    }
}

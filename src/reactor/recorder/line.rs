//! One event of a trace, as a line of JSON.
//!
//! A record becomes one line or three, and a busy loop makes a million of them in a second or two. So what is the same in line
//! after line, the process, the lane and the token, is put together once and copied.

use super::record::Done;
use super::text::Text;
use crate::poller::Token;
use std::io;
use std::process;

/// The lane of the loop, and of its bell, which has the first place. Every other source has the lane behind its place's
/// number, since viewers take lane 0 for something else.
pub(super) const LOOP: u32 = 1;

pub(super) fn lane(token: Token) -> u32 {
    if token == Token::NONE { LOOP } else { token.index().saturating_add(1) }
}

/// What lines have in common.
#[derive(Debug)]
pub(super) struct Lines {
    begun: bool,
    /// By lane: whether it was given a name, and of what kind.
    lanes: Vec<Option<&'static str>>,
    /// What is said of the process, the lane and the token in each line about this token.
    latest: Option<Token>,
    about: Text,
    /// The length of it without the token.
    place: usize,
    /// The time of the line before, and its text.
    at: Option<u64>,
    time: Text,
    /// The number of the process.
    process: Text,
}

impl Lines {
    pub(super) fn new() -> Self {
        let mut process = Text::default();
        process.number(process::id().into());
        Self {
            begun: false,
            lanes: Vec::new(),
            latest: None,
            about: Text::default(),
            place: 0,
            at: None,
            time: Text::default(),
            process,
        }
    }

    /// The array begins, once.
    pub(super) fn begin(&mut self, out: &mut Text) {
        if self.begun {
            return;
        }
        self.begun = true;
        out.push("[\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":");
        out.push_rest(&self.process, 0);
        out.push(",\"tid\":1,\"args\":{\"name\":\"tripoll\"}}");
        self.name(out, LOOP, "loop");
    }

    /// Says what a lane is, when it has become something else.
    pub(super) fn name_lane(&mut self, out: &mut Text, token: Token, kind: &'static str) {
        self.begin(out);
        let lane = lane(token);
        if lane == LOOP {
            return;
        }
        let place = lane as usize;
        if self.lanes.len() <= place {
            self.lanes.resize(place + 1, None);
        }
        if self.lanes[place] != Some(kind) {
            self.lanes[place] = Some(kind);
            self.name(out, lane, kind);
        }
    }

    fn name(&self, out: &mut Text, lane: u32, kind: &str) {
        out.push(",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":");
        out.push_rest(&self.process, 0);
        out.push(",\"tid\":");
        out.number(lane.into());
        out.push(",\"args\":{\"name\":\"");
        out.push(kind);
        if lane != LOOP {
            out.push(" ");
            out.number(u64::from(lane) - 1);
        }
        out.push("\"}}");
    }

    /// Callbacks begin in two lanes, and often at the moment when another has ended in two.
    fn time(&mut self, out: &mut Text, at: u64) {
        if self.at != Some(at) {
            self.at = Some(at);
            self.time.clear();
            self.time.microseconds(at);
        }
        out.push_rest(&self.time, 0);
    }

    /// Puts together what is said of a token.
    fn turn_to(&mut self, out: &mut Text, whose: Token) {
        if self.latest == Some(whose) {
            return;
        }
        self.begin(out);
        let lane = lane(whose);
        if lane != LOOP && self.lanes.get(lane as usize).is_none_or(Option::is_none) {
            // It was there before what is kept of the recording.
            self.name_lane(out, whose, "source");
        }
        self.latest = Some(whose);
        let about = &mut self.about;
        about.clear();
        about.push(",\"pid\":");
        about.push_rest(&self.process, 0);
        about.push(",\"tid\":");
        about.number(lane.into());
        self.place = about.len();
        about.push(",\"args\":{\"token\":\"");
        about.token(whose);
        about.push("\"");
    }

    /// A moment of a source, drawn in its own lane.
    pub(super) fn instant<'a>(
        &mut self,
        out: &'a mut Text,
        name: &str,
        category: &str,
        at: u64,
        whose: Token,
    ) -> Line<'a> {
        self.turn_to(out, whose);
        out.push(",\n{\"ph\":\"i\",\"s\":\"t\",\"name\":\"");
        out.push(name);
        out.push("\",\"cat\":\"");
        out.push(category);
        out.push("\",\"ts\":");
        self.time(out, at);
        out.push_rest(&self.about, 0);
        Line { out, has_args: true }
    }

    /// The beginning of a callback, in two lanes.
    pub(super) fn begin_call(&mut self, out: &mut Text, name: &str, at: u64, whose: Token) {
        self.turn_to(out, whose);
        out.push(",\n{\"ph\":\"B\",\"cat\":\"callback\",\"name\":\"");
        out.push(name);
        out.push(" ");
        out.token(whose);
        out.push("\",\"ts\":");
        self.time(out, at);
        out.push(",\"pid\":");
        out.push_rest(&self.process, 0);
        out.push(",\"tid\":1");
        out.push_rest(&self.about, self.place);
        out.push(",\"callback\":\"");
        out.push(name);
        out.push("\"}}");
        if lane(whose) != LOOP {
            out.push(",\n{\"ph\":\"B\",\"cat\":\"callback\",\"name\":\"");
            out.push(name);
            out.push("\",\"ts\":");
            self.time(out, at);
            out.push_rest(&self.about, 0);
            out.push("}}");
        }
    }

    /// Its end, in the same two.
    pub(super) fn end_call(&mut self, out: &mut Text, name: &str, at: u64, whose: Token) {
        if lane(whose) != LOOP {
            self.plain(out, "E", name, at, lane(whose));
        }
        out.push(",\n{\"ph\":\"E\",\"name\":\"");
        out.push(name);
        out.push(" ");
        out.token(whose);
        self.place(out, at, LOOP);
    }

    /// The beginning of a slice of the loop.
    pub(super) fn begins<'a>(&mut self, out: &'a mut Text, name: &str, category: &str, at: u64) -> Line<'a> {
        self.begin(out);
        out.push(",\n{\"ph\":\"B\",\"name\":\"");
        out.push(name);
        out.push("\",\"cat\":\"");
        out.push(category);
        self.place(out, at, LOOP)
    }

    /// An event of any other phase.
    pub(super) fn plain<'a>(&mut self, out: &'a mut Text, phase: &str, name: &str, at: u64, lane: u32) -> Line<'a> {
        self.begin(out);
        out.push(",\n{\"ph\":\"");
        out.push(phase);
        out.push("\",\"name\":\"");
        out.push(name);
        self.place(out, at, lane)
    }

    /// The beginning or the end of something that overlaps with the slices of its lane, and finds its pair by the token.
    pub(super) fn paired(&mut self, out: &mut Text, phase: &str, name: &str, at: u64, whose: Token) {
        self.turn_to(out, whose);
        out.push(",\n{\"cat\":\"queue\",\"id\":\"");
        out.token(whose);
        out.push("\",\"ph\":\"");
        out.push(phase);
        out.push("\",\"name\":\"");
        out.push(name);
        self.place(out, at, lane(whose));
    }

    fn place<'a>(&mut self, out: &'a mut Text, at: u64, lane: u32) -> Line<'a> {
        out.push("\",\"ts\":");
        self.time(out, at);
        out.push(",\"pid\":");
        out.push_rest(&self.process, 0);
        out.push(",\"tid\":");
        out.number(lane.into());
        Line { out, has_args: false }
    }
}

/// An event that is being written. It ends when it is dropped.
pub(super) struct Line<'a> {
    out: &'a mut Text,
    has_args: bool,
}

impl Line<'_> {
    fn key(&mut self, key: &str) {
        self.out.push(if self.has_args { ",\"" } else { ",\"args\":{\"" });
        self.has_args = true;
        self.out.push(key);
        self.out.push("\":");
    }

    pub(super) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        self.out.number(value);
    }

    pub(super) fn microseconds(&mut self, key: &str, nanoseconds: u64) {
        self.key(key);
        self.out.microseconds(nanoseconds);
    }

    /// A string that needs no escapes.
    pub(super) fn word(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push("\"");
        self.out.push(value);
        self.out.push("\"");
    }

    /// The names of those flags that are set: `readable, writable`.
    pub(super) fn list<F: Copy>(&mut self, key: &str, names: &[(F, &str)], is_set: impl Fn(F) -> bool) {
        self.key(key);
        self.out.push("\"");
        let mut separator = "";
        for (_, name) in names.iter().filter(|(flag, _)| is_set(*flag)) {
            self.out.push(separator);
            self.out.push(name);
            separator = ", ";
        }
        self.out.push("\"");
    }

    pub(super) fn done(&mut self, done: Done) {
        let bytes = if let Done::Bytes(bytes) = done { bytes } else { 0 };
        self.number("done", bytes.into());
        self.error(done);
    }

    pub(super) fn error(&mut self, done: Done) {
        let text = match done {
            Done::Bytes(_) => return,
            Done::Os(number) => io::Error::from_raw_os_error(number).to_string(),
            Done::Error(kind) => kind.to_string(),
        };
        self.key("error");
        self.out.string(&text);
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.out.push(if self.has_args { "}}" } else { "}" });
    }
}

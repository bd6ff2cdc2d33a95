//! A member of the plain chat who numbers the lines he says, and so knows which he must hear of the others.

use crate::drive::{Act, Conversation};
use crate::random::Random;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

/// How a member behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Character {
    /// Stays until everything is said and heard.
    Steady,
    /// Sends the end after the last line.
    HalfCloses,
    /// Goes away by a reset, in the middle of a line.
    Resets,
}

/// One member and how far he has come.
pub(crate) struct Member {
    character: Character,
    /// What is left to be said, the oldest last so that it can be taken off.
    pieces: Vec<Vec<u8>>,
    until: Option<Instant>,
    random: Random,
    /// What was heard of a line whose end is missing.
    partial: Vec<u8>,
    /// By member: the number of the line that must come next.
    next: BTreeMap<usize, usize>,
    /// By member: how many lines he has to be heard with.
    awaited: BTreeMap<usize, usize>,
    half_closed: bool,
}

impl Member {
    /// Number `id`, who says so many lines, and waits for those that `awaited` tells.
    pub(crate) fn new(
        id: usize,
        character: Character,
        lines: usize,
        awaited: BTreeMap<usize, usize>,
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed ^ id as u64);
        let mut text = String::new();
        for number in 0..lines {
            let padding = "x".repeat(random.within(0..100));
            // Writing to a string does not fail.
            let _ = writeln!(text, "{id} {number} {padding}");
        }
        if character == Character::Resets {
            text.push_str("0 0 a line that never ends");
        }
        Self {
            character,
            pieces: cut(text.as_bytes(), &mut random),
            until: None,
            random,
            partial: Vec::new(),
            next: BTreeMap::new(),
            awaited,
            half_closed: false,
        }
    }

    fn hear(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split(' ').map(str::parse);
        let (Some(Ok(id)), Some(Ok(number))) = (words.next(), words.next()) else {
            return Err(format!("nobody said {line:?}"));
        };
        let next = self.next.entry(id).or_insert(0);
        if *next != number {
            return Err(format!("line {number} of member {id} came instead of {next}"));
        }
        *next += 1;
        Ok(())
    }
}

/// Cuts a text where no line ends, mostly.
fn cut(mut text: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let (piece, rest) = text.split_at(random.within(1..2000).min(text.len()));
        pieces.push(piece.to_vec());
        text = rest;
    }
    pieces.reverse();
    pieces
}

impl Conversation for Member {
    fn next(&mut self, now: Instant) -> Act<'_> {
        if let Some(until) = self.until {
            if now < until {
                return Act::Pause(until);
            }
            self.until = None;
        }
        match (self.pieces.last(), self.character) {
            (Some(piece), _) => Act::Send(piece),
            (None, Character::HalfCloses) if !self.half_closed => {
                self.half_closed = true;
                Act::HalfClose
            }
            (None, Character::Resets) => Act::Reset,
            (None, _) => Act::Listen,
        }
    }

    fn sent(&mut self, count: usize) {
        let Some(piece) = self.pieces.last_mut() else { return };
        piece.drain(..count);
        if piece.is_empty() {
            self.pieces.pop();
            let pause = Duration::from_millis(self.random.within(0..20) as u64);
            self.until = Some(Instant::now() + pause);
        }
    }

    fn received(&mut self, data: &[u8]) -> Result<(), String> {
        self.partial.extend_from_slice(data);
        let partial = std::mem::take(&mut self.partial);
        let mut lines = partial.split(|byte| *byte == b'\n');
        // What is behind the last end of a line, if only nothing.
        self.partial = lines.next_back().unwrap_or_default().to_vec();
        for line in lines {
            self.hear(std::str::from_utf8(line).map_err(|e| e.to_string())?)?;
        }
        Ok(())
    }

    fn ended(&mut self, error: Option<io::Error>) -> Result<(), String> {
        match error {
            None if self.half_closed => Ok(()),
            error => Err(format!("the server ended it: {error:?}")),
        }
    }

    fn is_done(&self) -> bool {
        let has_heard = |(id, lines): (&usize, &usize)| self.next.get(id) == Some(lines);
        self.character == Character::Steady && self.pieces.is_empty() && self.awaited.iter().all(has_heard)
    }
}

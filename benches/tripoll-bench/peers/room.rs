//! What the chats of mio, polling and calloop have in common: a bounded queue for each member, emptied once a turn by a
//! gathered write.

use super::super::support::raw::Counter;
use super::echo::{BUFFER, Outcome};
use slab::Slab;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;

/// Bytes that may be queued for a member, the library's default; who is further behind is closed.
pub const QUEUE_MAX: usize = 1024 * 1024;

/// Lines that one write takes.
pub const LINES: usize = 128;

/// A connection of a loop.
pub trait Link {
    fn receive(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn send(&self, lines: &[IoSlice<'_>]) -> io::Result<usize>;
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has lines that its socket has no room for.
    Stuck,
    /// It has none any more.
    Flowing,
    /// It is about to be dropped.
    Gone,
}

struct Member<L> {
    link: L,
    /// A line that has not ended yet.
    input: Vec<u8>,
    queue: VecDeque<Rc<[u8]>>,
    /// How much of the first line of the queue is written.
    written: usize,
    /// Bytes in the queue.
    queued: usize,
    /// Its last write found no room, and no event has told of any since.
    blocked: bool,
    /// Whether its loop was told that it is stuck.
    stuck: bool,
}

/// Everyone who is connected.
pub struct Room<L> {
    members: Slab<Member<L>>,
    gone: Vec<usize>,
    /// Somebody may have something to write.
    dirty: bool,
    buf: Vec<u8>,
}

impl<L: Link> Room<L> {
    pub fn new() -> Self {
        Self { members: Slab::new(), gone: Vec::new(), dirty: false, buf: vec![0; BUFFER] }
    }

    /// The number of who joins next.
    pub fn next_key(&self) -> usize {
        self.members.vacant_key()
    }

    pub fn join(&mut self, link: L) {
        let (input, queue) = (Vec::new(), VecDeque::new());
        self.members.insert(Member { link, input, queue, written: 0, queued: 0, blocked: false, stuck: false });
    }

    /// There is room to write again.
    pub fn unblock(&mut self, key: usize) {
        if let Some(member) = self.members.get_mut(key) {
            member.blocked = false;
            self.dirty |= member.stuck;
        }
    }

    /// Reads once, and queues whole lines for everyone else.
    pub fn hear(&mut self, key: usize, count: &mut Counter) -> Outcome {
        let Some(speaker) = self.members.get_mut(key) else { return Outcome::Nothing };
        count.calls += 1;
        let read = match speaker.link.receive(&mut self.buf) {
            Ok(0) => return self.leave(key),
            Ok(read) => read,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Outcome::Nothing,
            Err(_) => return self.leave(key),
        };
        speaker.input.extend_from_slice(&self.buf[..read]);
        let mut input = std::mem::take(&mut speaker.input);
        let mut start = 0;
        while let Some(end) = input[start..].iter().position(|byte| *byte == b'\n') {
            self.say(key, input[start..=start + end].into());
            start += end + 1;
        }
        input.drain(..start);
        self.members[key].input = input;
        if read == self.buf.len() { Outcome::Full } else { Outcome::Short }
    }

    fn say(&mut self, speaker: usize, line: Rc<[u8]>) {
        for (key, member) in self.members.iter_mut().filter(|(key, _)| *key != speaker) {
            member.queued += line.len();
            member.queue.push_back(Rc::clone(&line));
            if member.queued > QUEUE_MAX {
                self.gone.push(key);
            }
        }
        self.dirty = true;
    }

    fn leave(&mut self, key: usize) -> Outcome {
        self.gone.push(key);
        Outcome::Ended
    }

    /// At the end of a turn: writes what is queued, and drops who is gone. `tell` hears whose interest changes.
    pub fn settle(&mut self, count: &mut Counter, mut tell: impl FnMut(&mut Counter, usize, &L, Change)) {
        if std::mem::take(&mut self.dirty) {
            for (key, member) in &mut self.members {
                if !member.blocked && !member.queue.is_empty() && member.flush(count).is_err() {
                    self.gone.push(key);
                }
                // A member that has just become writable, too, has a queue and was tried.
                if member.blocked != member.stuck {
                    member.stuck = member.blocked;
                    tell(count, key, &member.link, if member.stuck { Change::Stuck } else { Change::Flowing });
                }
            }
        }
        for key in self.gone.drain(..) {
            // It may have gone for two reasons.
            if let Some(member) = self.members.try_remove(key) {
                tell(count, key, &member.link, Change::Gone);
                count.calls += 1;
            }
        }
    }
}

impl<L: Link> Member<L> {
    /// Writes as much as there is room for.
    fn flush(&mut self, count: &mut Counter) -> io::Result<()> {
        while !self.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); LINES];
            let used = self.queue.len().min(LINES);
            for (slice, line) in slices.iter_mut().zip(&self.queue) {
                *slice = IoSlice::new(line);
            }
            slices[0] = IoSlice::new(&self.queue[0][self.written..]);
            let offered: usize = slices[..used].iter().map(|slice| slice.len()).sum();
            count.calls += 1;
            let written = match self.link.send(&slices[..used]) {
                Ok(written) => written,
                Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
                Err(e) => return Err(e),
            };
            self.queued -= written;
            self.written += written;
            while let Some(line) = self.queue.front().filter(|line| line.len() <= self.written) {
                self.written -= line.len();
                self.queue.pop_front();
            }
            if written < offered {
                self.blocked = true;
                break;
            }
        }
        Ok(())
    }
}

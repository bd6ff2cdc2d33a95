//! What a wait reports.

use super::Token;
use std::fmt;
use std::ops::{BitOr, BitOrAssign, Sub};

/// What is true of a descriptor, as far as the backend can tell.
///
/// | | select | poll and epoll | mio |
/// |---|---|---|---|
/// | [`READABLE`](Self::READABLE) | read set | IN, RDHUP, HUP, ERR | readable, read closed, error |
/// | [`WRITABLE`](Self::WRITABLE) | write set | OUT, HUP, ERR | writable, write closed, error |
/// | [`PRIORITY`](Self::PRIORITY) | except set | PRI | priority |
/// | [`ERROR`](Self::ERROR) | - | ERR | error |
/// | [`READ_CLOSED`](Self::READ_CLOSED) | - | RDHUP, HUP | read closed |
/// | [`WRITE_CLOSED`](Self::WRITE_CLOSED) | - | HUP, ERR | write closed |
/// | [`HANG_UP`](Self::HANG_UP) | - | HUP | read closed and write closed |
/// | [`INVALID`](Self::INVALID) | EBADF of the whole call | NVAL; epoll forgets a closed descriptor | - |
///
/// The first three can be relied on: a call of that kind will not block. The others are hints, and say less on some
/// backends than on others; what holds on all of them is the answer of the read or the write.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Readiness(u8);

impl Readiness {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// A read will not block. It may well answer with the end of the stream or an error.
    pub const READABLE: Self = Self(1);
    /// A write will not block. It may well answer with an error.
    pub const WRITABLE: Self = Self(1 << 1);
    /// Urgent data.
    pub const PRIORITY: Self = Self(1 << 2);
    /// An error is pending; the next read, write or `SO_ERROR` takes it. On a pipe's writing end: the reader is gone.
    pub const ERROR: Self = Self(1 << 3);
    /// The peer will send no more, or this side has shut down reading. Data may still be unread.
    pub const READ_CLOSED: Self = Self(1 << 4);
    /// Nothing more can be sent, by a stream. A datagram socket with an error to be taken shows this too, and can send
    /// again once it was taken.
    pub const WRITE_CLOSED: Self = Self(1 << 5);
    /// Both directions are over.
    pub const HANG_UP: Self = Self(1 << 6);
    /// The number is no open descriptor: it was closed while it was registered. Remove it.
    pub const INVALID: Self = Self(1 << 7);

    /// Whether all of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in this set.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether nothing is ready.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// This set if `condition` holds, else [`NONE`](Self::NONE).
    #[must_use]
    pub const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

impl BitOr for Readiness {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What is in the left set and not in the right one.
impl Sub for Readiness {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::READABLE, "READABLE"),
            (Self::WRITABLE, "WRITABLE"),
            (Self::PRIORITY, "PRIORITY"),
            (Self::ERROR, "ERROR"),
            (Self::READ_CLOSED, "READ_CLOSED"),
            (Self::WRITE_CLOSED, "WRITE_CLOSED"),
            (Self::HANG_UP, "HANG_UP"),
            (Self::INVALID, "INVALID"),
        ];
        write_names(f, names.into_iter().map(|(flag, name)| (self.contains(flag), name)))
    }
}

/// Writes the names of the flags that are set, as `A | B`, or `NONE`.
pub(super) fn write_names(
    f: &mut fmt::Formatter<'_>,
    flags: impl Iterator<Item = (bool, &'static str)>,
) -> fmt::Result {
    let mut separator = "";
    for (_, name) in flags.filter(|(set, _)| *set) {
        write!(f, "{separator}{name}")?;
        separator = " | ";
    }
    if separator.is_empty() { f.write_str("NONE") } else { Ok(()) }
}

/// One registration and what is true of its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    token: Token,
    readiness: Readiness,
}

impl Event {
    /// An event, for those who write a poller.
    #[must_use]
    pub const fn new(token: Token, readiness: Readiness) -> Self {
        Self { token, readiness }
    }

    /// The token that the descriptor was registered with.
    #[must_use]
    pub const fn token(self) -> Token {
        self.token
    }

    /// What is true.
    #[must_use]
    pub const fn readiness(self) -> Readiness {
        self.readiness
    }

    /// Whether a read will not block.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.readiness.contains(Readiness::READABLE)
    }

    /// Whether a write will not block.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        self.readiness.contains(Readiness::WRITABLE)
    }
}

/// A list of events that waits are made into, again and again.
///
/// A wait clears it first and puts in at most [`capacity`](Self::capacity) events; what is ready beyond that comes with
/// the next waits.
///
/// # Examples
///
/// ```
/// use tripoll::poller::Events;
///
/// let events = Events::with_capacity(256);
/// assert!(events.is_empty());
/// assert_eq!(events.capacity(), 256);
/// ```
#[derive(Debug)]
pub struct Events {
    list: Vec<Event>,
    capacity: usize,
}

impl Events {
    /// Room for this many events a wait, but for one at least.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { list: Vec::with_capacity(capacity), capacity }
    }

    /// How many events a wait may report, at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many events the last wait reported.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether the last wait reported nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether there is no room for another event.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= self.capacity
    }

    /// The events of the last wait.
    pub fn iter(&self) -> std::iter::Copied<std::slice::Iter<'_, Event>> {
        self.list.iter().copied()
    }

    /// The event at a place of the list.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Event> {
        self.list.get(index).copied()
    }

    /// Forgets the events.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// Adds events that are known to fit.
    #[inline]
    pub(super) fn extend(&mut self, events: impl ExactSizeIterator<Item = Event>) {
        debug_assert!(events.len() <= self.capacity - self.list.len());
        self.list.extend(events);
    }

    /// Adds an event, for those who write a poller; false, and nothing added, if the list is full.
    pub fn push(&mut self, event: Event) -> bool {
        let fits = !self.is_full();
        if fits {
            self.list.push(event);
        }
        fits
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = Event;
    type IntoIter = std::iter::Copied<std::slice::Iter<'a, Event>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_takes_no_more() {
        let mut events = Events::with_capacity(0);
        let event = Event::new(Token::new(1, 2), Readiness::READABLE | Readiness::HANG_UP);
        assert!(events.push(event));
        assert!(!events.push(event));
        assert_eq!(events.iter().collect::<Vec<_>>(), [event]);
        assert_eq!(format!("{:?} {:?}", event.readiness(), Readiness::NONE), "READABLE | HANG_UP NONE");
    }
}

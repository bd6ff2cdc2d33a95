//! What a backend can do.

use std::fmt;
use std::ops::BitOr;

/// A set of abilities, so that a program can ask before it relies on one.
///
/// | | select | poll | epoll | mio |
/// |---|---|---|---|---|
/// | [`LEVEL`](Self::LEVEL) | native | native | native | by registering again after each event |
/// | [`EDGE`](Self::EDGE) | refused | refused | native | native |
/// | [`ONESHOT`](Self::ONESHOT) | by its own table | by its own table | native | by its own table |
/// | [`PRIORITY`](Self::PRIORITY) | yes | yes | yes | yes |
/// | [`FILES`](Self::FILES) | yes | yes | refused | refused |
/// | [`CLOSE_KINDS`](Self::CLOSE_KINDS) | no | yes | yes | yes |
/// | [`SCALES`](Self::SCALES) | no | no | yes | yes |
/// | [`NANOSECONDS`](Self::NANOSECONDS) | yes | yes | yes (Linux 5.11) | no: milliseconds, rounded up |
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Features(u8);

impl Features {
    /// Takes [`Trigger::Level`](super::Trigger::Level).
    pub const LEVEL: Self = Self(1);
    /// Takes [`Trigger::Edge`](super::Trigger::Edge).
    pub const EDGE: Self = Self(1 << 1);
    /// Takes [`Trigger::Oneshot`](super::Trigger::Oneshot).
    pub const ONESHOT: Self = Self(1 << 2);
    /// Takes [`Interest::PRIORITY`](super::Interest::PRIORITY).
    pub const PRIORITY: Self = Self(1 << 3);
    /// Takes regular files, directories and `/dev/null`, and calls them always ready.
    pub const FILES: Self = Self(1 << 4);
    /// Tells hang-up, error and half-close apart. Without it they show as readable or writable only, and the read or
    /// the write tells.
    pub const CLOSE_KINDS: Self = Self(1 << 5);
    /// The cost of a wait depends on how many descriptors are ready, not on how many are registered.
    pub const SCALES: Self = Self(1 << 6);
    /// Waits are timed in nanoseconds.
    pub const NANOSECONDS: Self = Self(1 << 7);

    /// Whether all of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOr for Features {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::LEVEL, "LEVEL"),
            (Self::EDGE, "EDGE"),
            (Self::ONESHOT, "ONESHOT"),
            (Self::PRIORITY, "PRIORITY"),
            (Self::FILES, "FILES"),
            (Self::CLOSE_KINDS, "CLOSE_KINDS"),
            (Self::SCALES, "SCALES"),
            (Self::NANOSECONDS, "NANOSECONDS"),
        ];
        super::event::write_names(f, names.into_iter().map(|(flag, name)| (self.contains(flag), name)))
    }
}

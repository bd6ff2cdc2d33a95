//! The ways of waiting that the lab compares.

use super::bits::Vocabulary;
use std::fmt;

/// A system call and, where it has several, a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mechanism {
    Select,
    Poll,
    Level,
    Edge,
    Oneshot,
    /// The crate mio: edge-triggered epoll, asked for each descriptor as mio asks.
    Mio,
}

impl Mechanism {
    pub(crate) const ALL: [Self; 6] = [Self::Select, Self::Poll, Self::Level, Self::Edge, Self::Oneshot, Self::Mio];

    /// As on the command line and on the page.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Poll => "poll",
            Self::Level => "epoll-level",
            Self::Edge => "epoll-edge",
            Self::Oneshot => "epoll-oneshot",
            Self::Mio => "mio",
        }
    }

    /// As in the tables of a lesson, where they stand in narrow rows.
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Edge => "edge",
            Self::Oneshot => "oneshot",
            other => other.name(),
        }
    }

    /// The mechanism of this name, long or short.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| name == mechanism.name() || name == mechanism.short())
    }

    pub(crate) const fn vocabulary(self) -> Vocabulary {
        match self {
            Self::Select => Vocabulary::Select,
            Self::Mio => Vocabulary::Mio,
            _ => Vocabulary::Poll,
        }
    }

    /// Whether each wait answers what is true then, whatever was answered before.
    pub(crate) const fn is_level(self) -> bool {
        matches!(self, Self::Select | Self::Poll | Self::Level)
    }

    pub(crate) const fn is_epoll(self) -> bool {
        matches!(self, Self::Level | Self::Edge | Self::Oneshot)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

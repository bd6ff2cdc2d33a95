//! When a readiness is reported.

use std::fmt;
use std::str::FromStr;

/// When a registration reports that it is ready.
///
/// | | is reported | after a partial read | when nothing is wanted for a while |
/// |---|---|---|---|
/// | `Level` | at every wait, as long as it is true | again | the interest must be dropped, or each wait returns at once |
/// | `Edge` | once per arrival | not again: read until `WouldBlock` or remember that there is more | nothing to do |
/// | `Oneshot` | once, then the registration is deaf | at once when it is re-armed by `modify` | do not re-arm |
///
/// Three things that are often told otherwise. An arrival is an edge also on top of unread data. An edge event carries
/// everything that is true at that moment, not only what changed. `add` and `modify` look at the present state, so
/// that registering late loses nothing, and `modify` with the same interest is the way to ask again:
/// [`epoll(7)`](https://man7.org/linux/man-pages/man7/epoll.7.html).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// What is true now.
    #[default]
    Level,
    /// What has happened since the last wait.
    Edge,
    /// What is true, once. Edge- and level-triggered one-shot are the same thing.
    Oneshot,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Level, Self::Edge, Self::Oneshot];

    /// The name that [`FromStr`] reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Edge => "edge",
            Self::Oneshot => "oneshot",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads `level`, `edge` or `oneshot`.
impl FromStr for Trigger {
    type Err = UnknownTrigger;

    fn from_str(name: &str) -> Result<Self, UnknownTrigger> {
        Self::ALL.into_iter().find(|trigger| trigger.name() == name).ok_or_else(|| UnknownTrigger(name.to_owned()))
    }
}

/// A name that is none of the triggers'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTrigger(String);

impl fmt::Display for UnknownTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown trigger {:?}: choose one of level, edge, oneshot", self.0)
    }
}

impl std::error::Error for UnknownTrigger {}

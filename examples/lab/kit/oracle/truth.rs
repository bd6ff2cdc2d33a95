//! What is true of an open file, as far as it can be known.

use crate::kit::Bits;

/// How sure something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    No,
    /// The kernel decides by sizes that are not its promise.
    Perhaps,
    Yes,
}

impl Sure {
    pub(super) const fn of(condition: bool) -> Self {
        if condition { Self::Yes } else { Self::No }
    }

    /// Yes if either is.
    pub(super) fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

/// The bits that `poll` would answer if it were asked for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Surely true.
    pub(crate) must: Bits,
    /// True or not.
    pub(crate) may: Bits,
}

impl Facts {
    pub(super) fn with(mut self, bits: Bits, sure: Sure) -> Self {
        match sure {
            Sure::Yes => self.must |= bits,
            Sure::Perhaps => self.may |= bits,
            Sure::No => {}
        }
        self.may = self.may - self.must;
        self
    }
}

/// How much is unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) least: u64,
    /// Whether there may be more than that.
    pub(super) vague: bool,
}

impl Amount {
    pub(super) const NOTHING: Self = Self { least: 0, vague: false };

    pub(super) fn some(self) -> Sure {
        match self {
            Self { least: 0, vague: false } => Sure::No,
            Self { least: 0, vague: true } => Sure::Perhaps,
            _ => Sure::Yes,
        }
    }

    pub(super) fn add(&mut self, count: u64) {
        self.least += count;
    }

    /// So much and an unknown amount on top.
    pub(super) fn flood(&mut self, least: u64) {
        self.least += least;
        self.vague = true;
    }

    pub(super) fn take(&mut self, count: u64) {
        self.least = self.least.saturating_sub(count);
    }
}

/// What is free on the way to the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Room {
    /// Enough to be called writable.
    #[default]
    Free,
    /// Something was taken out of a full way, and whether that is enough is the kernel's affair.
    Partly,
    /// The kernel has just refused to take more.
    Full,
}

impl Room {
    pub(super) const fn writable(self) -> Sure {
        match self {
            Self::Free => Sure::Yes,
            Self::Partly => Sure::Perhaps,
            Self::Full => Sure::No,
        }
    }
}

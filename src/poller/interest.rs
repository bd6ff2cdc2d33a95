//! What one wants to hear about a descriptor.

use std::fmt;
use std::ops::{BitOr, BitOrAssign, Sub};

/// A set of the things that one may want to hear about a descriptor.
///
/// Hang-up and errors need not be asked for: they are reported with any interest but [`NONE`](Self::NONE).
///
/// # Examples
///
/// ```
/// use tripoll::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.contains(Interest::READABLE));
/// assert_eq!(both - Interest::READABLE, Interest::WRITABLE);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Interest(u8);

impl Interest {
    /// Nothing: the registration is *parked* and reports nothing, hang-up and errors included.
    pub const NONE: Self = Self(0);
    /// A read will not block: there is data, or the end of the stream, or an error; a listener has a connection.
    pub const READABLE: Self = Self(1);
    /// A write will not block: a good part of the send buffer is free, or there is an error.
    pub const WRITABLE: Self = Self(2);
    /// Urgent data on a TCP socket, a change of state on a pseudo-terminal master in packet mode.
    pub const PRIORITY: Self = Self(4);

    /// Whether all of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether this is [`NONE`](Self::NONE).
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

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What is in the left set and not in the right one.
impl Sub for Interest {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Self::READABLE, "READABLE"), (Self::WRITABLE, "WRITABLE"), (Self::PRIORITY, "PRIORITY")];
        super::event::write_names(f, names.into_iter().map(|(flag, name)| (self.contains(flag), name)))
    }
}

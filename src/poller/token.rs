//! The name of a registration.

use std::fmt;

/// The caller's name for a registration, which comes back in each of its events.
///
/// It has two halves: the *index* says where the caller keeps what belongs to the registration, and the *generation*
/// says which of the things that were kept there in turn is meant. A descriptor number is no identity, since the kernel
/// gives it out again at once; nor is an index alone. With both, an event or a message for something that is gone is
/// recognised and dropped instead of reaching whoever moved in.
///
/// A poller does not look inside: any 64 bits are a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

impl Token {
    /// A token that the reactor never gives out.
    pub const NONE: Self = Self(u64::MAX);

    /// Makes a token of its two halves.
    #[must_use]
    pub const fn new(index: u32, generation: u32) -> Self {
        Self((generation as u64) << 32 | index as u64)
    }

    /// The lower half: the place in the caller's table.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 as u32
    }

    /// The upper half: which inhabitant of that place.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The token as one number, as the kernel stores it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The token that [`to_bits`](Self::to_bits) was called on.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

/// `3#17`: index 3, generation 17.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.index(), self.generation())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_do_not_mix() {
        for (index, generation) in [(0, 0), (u32::MAX, 0), (0, u32::MAX), (3, 17)] {
            let token = Token::new(index, generation);
            assert_eq!((token.index(), token.generation()), (index, generation));
            assert_eq!(Token::from_bits(token.to_bits()), token);
        }
        assert_eq!(format!("{:?} {}", Token::new(3, 17), Token::new(3, 17)), "3#17 3#17");
    }
}

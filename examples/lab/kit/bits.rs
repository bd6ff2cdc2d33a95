//! What was reported of one descriptor.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

/// The bits of [`poll(2)`](https://man7.org/linux/man-pages/man2/poll.2.html), which are those of epoll too.
///
/// select and mio say less and name it otherwise; their answers are kept in the same bits and written with their own
/// words, see [`Vocabulary`]: select's three sets are IN, OUT and PRI; mio's `read_closed` is RDHUP, its `write_closed`
/// is HUP.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bits(pub(crate) u16);

/// The words that an interface has for what it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    /// `IN`, `OUT`, `RDHUP`, ...: poll and epoll.
    Poll,
    /// `r`, `w`, `x`: the three sets of select.
    Select,
    /// `readable`, `read_closed`, ...: mio.
    Mio,
}

impl Bits {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const IN: Self = Self(1);
    pub(crate) const PRI: Self = Self(1 << 1);
    pub(crate) const OUT: Self = Self(1 << 2);
    pub(crate) const ERR: Self = Self(1 << 3);
    pub(crate) const HUP: Self = Self(1 << 4);
    pub(crate) const NVAL: Self = Self(1 << 5);
    pub(crate) const RDHUP: Self = Self(1 << 13);

    /// Every bit, in the order in which they are written.
    const ALL: [Self; 7] = [Self::IN, Self::PRI, Self::OUT, Self::ERR, Self::HUP, Self::RDHUP, Self::NVAL];

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These bits if `condition` holds, else none.
    pub(crate) const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }

    /// One bit's word, if the interface has one for it.
    const fn word(self, vocabulary: Vocabulary) -> Option<&'static str> {
        Some(match (vocabulary, self) {
            (Vocabulary::Poll, Self::IN) => "IN",
            (Vocabulary::Poll, Self::PRI) => "PRI",
            (Vocabulary::Poll, Self::OUT) => "OUT",
            (Vocabulary::Poll, Self::ERR) => "ERR",
            (Vocabulary::Poll, Self::HUP) => "HUP",
            (Vocabulary::Poll, Self::RDHUP) => "RDHUP",
            (Vocabulary::Poll, Self::NVAL) => "NVAL",
            (Vocabulary::Select, Self::IN) => "r",
            (Vocabulary::Select, Self::OUT) => "w",
            (Vocabulary::Select, Self::PRI) => "x",
            (Vocabulary::Mio, Self::IN) => "readable",
            (Vocabulary::Mio, Self::OUT) => "writable",
            (Vocabulary::Mio, Self::PRI) => "priority",
            (Vocabulary::Mio, Self::ERR) => "error",
            (Vocabulary::Mio, Self::RDHUP) => "read_closed",
            (Vocabulary::Mio, Self::HUP) => "write_closed",
            _ => return None,
        })
    }

    /// The bits that are written so: words with `|` between them.
    ///
    /// # Errors
    ///
    /// The word that the interface does not have.
    pub(crate) fn parse(text: &str, vocabulary: Vocabulary) -> Result<Self, &str> {
        text.split('|').try_fold(Self::NONE, |bits, word| {
            let bit = Self::ALL.into_iter().find(|bit| bit.word(vocabulary) == Some(word));
            bit.map(|bit| bits | bit).ok_or(word)
        })
    }

    /// The bits in the words of an interface: `IN|RDHUP`, `r`, `readable|read_closed`.
    pub(crate) fn display(self, vocabulary: Vocabulary) -> String {
        let set = Self::ALL.into_iter().filter(|bit| self.contains(*bit));
        let words: Vec<&str> = set.filter_map(|bit| bit.word(vocabulary)).collect();
        words.join("|")
    }

    /// The words of an interface, for messages about a wrong one.
    pub(crate) fn words(vocabulary: Vocabulary) -> Vec<&'static str> {
        Self::ALL.into_iter().filter_map(|bit| bit.word(vocabulary)).collect()
    }
}

impl BitOr for Bits {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Bits {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Bits {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// What is in the left set and not in the right one.
impl Sub for Bits {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.display(Vocabulary::Poll);
        f.write_str(if words.is_empty() { "-" } else { &words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for vocabulary in [Vocabulary::Poll, Vocabulary::Select, Vocabulary::Mio] {
            for word in Bits::words(vocabulary) {
                assert_eq!(Bits::parse(word, vocabulary).map(|bits| bits.display(vocabulary)), Ok(word.to_owned()));
            }
            let all = Bits::words(vocabulary).join("|");
            assert_eq!(Bits::parse(&all, vocabulary).map(|bits| bits.display(vocabulary)), Ok(all.clone()));
        }
        assert_eq!(Bits::parse("IN|in", Vocabulary::Poll), Err("in"));
        assert_eq!(Bits::parse("IN", Vocabulary::Select), Err("IN"));
    }
}

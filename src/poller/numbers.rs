//! A set of descriptor numbers, a bit each.

use std::os::fd::RawFd;

/// Which descriptors something holds for; as large as the largest number put in.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    words: Vec<u64>,
}

impl Numbers {
    pub(super) fn contains(&self, fd: RawFd) -> bool {
        let Ok(fd) = usize::try_from(fd) else { return false };
        self.words.get(fd / 64).is_some_and(|word| word & (1 << (fd % 64)) != 0)
    }

    /// Puts an open descriptor's number in.
    pub(super) fn insert(&mut self, fd: RawFd) {
        let fd = fd as usize;
        if self.words.len() <= fd / 64 {
            self.words.resize(fd / 64 + 1, 0);
        }
        self.words[fd / 64] |= 1 << (fd % 64);
    }

    /// Takes a number out; false if it was not in.
    pub(super) fn remove(&mut self, fd: RawFd) -> bool {
        let was = self.contains(fd);
        if was {
            self.words[fd as usize / 64] &= !(1 << (fd as usize % 64));
        }
        was
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = RawFd> + '_ {
        (0..self.words.len() as RawFd * 64).filter(|fd| self.contains(*fd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_and_go() {
        let mut numbers = Numbers::default();
        for fd in [0, 63, 64, 1500] {
            assert!(!numbers.contains(fd));
            numbers.insert(fd);
            assert!(numbers.contains(fd));
        }
        assert!(numbers.remove(63));
        assert!(!numbers.remove(63) && !numbers.remove(-1) && !numbers.remove(RawFd::MAX));
        assert_eq!(numbers.iter().collect::<Vec<_>>(), [0, 64, 1500]);
    }
}

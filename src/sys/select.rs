//! [`select(2)`](https://man7.org/linux/man-pages/man2/select.2.html).

use super::{check, timespec};
use std::io;
use std::mem::size_of;
use std::os::fd::RawFd;
use std::ptr;
use std::time::Duration;

const WORD_BITS: usize = libc::c_ulong::BITS as usize;
const WORDS: usize = libc::FD_SETSIZE / WORD_BITS;

/// A set of descriptor numbers from 0 to 1,023: the C library's `fd_set`, with its bounds checked.
///
/// The kernel has no such bound, but the C type does: its `FD_SET` writes outside the set for larger numbers.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct FdSet {
    words: [libc::c_ulong; WORDS],
}

const _: () = assert!(size_of::<FdSet>() == size_of::<libc::fd_set>());

impl FdSet {
    /// One more than the largest number that fits.
    pub(crate) const LIMIT: RawFd = libc::FD_SETSIZE as RawFd;

    /// Word and bit of a number in range; out of range it belongs to no set.
    fn place(fd: RawFd) -> Option<(usize, libc::c_ulong)> {
        let fd = usize::try_from(fd).ok().filter(|fd| *fd < libc::FD_SETSIZE)?;
        Some((fd / WORD_BITS, 1 << (fd % WORD_BITS)))
    }

    /// Puts a number in or takes it out; false if it is out of range.
    pub(crate) fn set(&mut self, fd: RawFd, present: bool) -> bool {
        let Some((word, bit)) = Self::place(fd) else { return false };
        if present {
            self.words[word] |= bit;
        } else {
            self.words[word] &= !bit;
        }
        true
    }

    pub(crate) fn contains(&self, fd: RawFd) -> bool {
        Self::place(fd).is_some_and(|(word, bit)| self.words[word] & bit != 0)
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut union = *self;
        for (ours, theirs) in union.words.iter_mut().zip(other.words) {
            *ours |= theirs;
        }
        union
    }

    pub(crate) fn difference(&self, other: &Self) -> Self {
        let mut difference = *self;
        for (ours, theirs) in difference.words.iter_mut().zip(other.words) {
            *ours &= !theirs;
        }
        difference
    }

    /// The members at or above `start`, in rising order, then the rest.
    pub(crate) fn iter_from(&self, start: RawFd) -> impl Iterator<Item = RawFd> + '_ {
        self.iter_range(start, Self::LIMIT).chain(self.iter_range(0, start))
    }

    /// The members in `from..to`, in rising order, a word at a time: most of a set is empty.
    fn iter_range(&self, from: RawFd, to: RawFd) -> impl Iterator<Item = RawFd> + '_ {
        let first = from as usize / WORD_BITS;
        self.words.iter().enumerate().skip(first).flat_map(move |(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    (index * WORD_BITS) as RawFd + bit as RawFd
                })
            })
            .filter(move |fd| (from..to).contains(fd))
        })
    }
}

/// The three sets of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FdSets {
    pub(crate) read: FdSet,
    pub(crate) write: FdSet,
    pub(crate) except: FdSet,
}

/// Waits until one of the descriptors below `bound` is ready; leaves in `sets` those that are.
///
/// On an error the sets are as they were passed in, which is not an answer.
pub(crate) fn select(bound: RawFd, sets: &mut FdSets, timeout: Option<Duration>) -> io::Result<()> {
    let bound = bound.clamp(0, FdSet::LIMIT);
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `FdSet` is laid out as `fd_set` (same words, same size); `bound` keeps the kernel inside; the timeout is
    // null or lives through the call; a null mask leaves the signal mask alone.
    let ready = unsafe {
        libc::pselect(
            bound,
            (&raw mut sets.read).cast(),
            (&raw mut sets.write).cast(),
            (&raw mut sets.except).cast(),
            timeout,
            ptr::null(),
        )
    };
    check(ready)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_does_what_a_set_of_numbers_does(
            steps in prop::collection::vec((-3..1100, any::<bool>()), 0..200), start in 0..FdSet::LIMIT
        ) {
            let mut set = FdSet::default();
            let mut model = BTreeSet::new();
            for (fd, present) in steps {
                let fits = (0..1024).contains(&fd);
                prop_assert_eq!(set.set(fd, present), fits);
                if fits && present { model.insert(fd); } else { model.remove(&fd); }
            }
            for fd in -3..1100 {
                prop_assert_eq!(set.contains(fd), model.contains(&fd));
            }
            let expected: Vec<RawFd> = model.range(start..).chain(model.range(..start)).copied().collect();
            prop_assert_eq!(set.iter_from(start).collect::<Vec<_>>(), expected);
        }
    }
}

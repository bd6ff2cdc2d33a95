//! The numbers that the descriptors of one run get.

use super::trouble::Trouble;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::{Condvar, Mutex, PoisonError};

/// The lowest number that is given to a lesson. Everything else in the process takes the lowest free one and stays below.
const FIRST: RawFd = 256;
/// How many numbers a run has: more than a lesson may have names.
const SIZE: RawFd = 96;
/// How many runs can be under way at once: what fits below select's 1024.
const RANGES: usize = 8;

/// Which ranges are in use.
static TAKEN: Mutex<[bool; RANGES]> = Mutex::new([false; RANGES]);
static FREED: Condvar = Condvar::new();

/// A range of numbers that nobody else in the process gets.
///
/// The kernel gives the lowest free number to whoever asks next. A lesson that closes a descriptor and goes on with its
/// number would find there, now and then, what another thread has just opened. In a range of its own, out of the way of
/// ordinary descriptors, a closed number stays closed until the lesson itself uses it again.
#[derive(Debug)]
pub(crate) struct Numbers {
    range: usize,
    /// The number that is tried next. It only grows: a number comes back when a lesson says so and not by accident.
    next: RawFd,
}

/// The first number of a range.
fn first(range: usize) -> RawFd {
    FIRST + SIZE * RawFd::try_from(range).unwrap_or_default()
}

impl Numbers {
    /// A range, as soon as one is free.
    pub(crate) fn take() -> Self {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(range) = taken.iter().position(|taken| !taken) {
                taken[range] = true;
                return Self { range, next: first(range) };
            }
            taken = FREED.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// One past the last number.
    fn end(&self) -> RawFd {
        first(self.range) + SIZE
    }

    /// The open file of `fd`, under the next number of the range.
    pub(crate) fn place(&mut self, fd: impl AsFd) -> Result<OwnedFd, Trouble> {
        let placed = rustix::io::fcntl_dupfd_cloexec(fd, self.next).map_err(|error| {
            let hint = "the limit of open files must be 1024 or more (ulimit -n)";
            Trouble::new(format!("descriptor number {} is not to be had: {error}; {hint}", self.next))
        })?;
        if placed.as_raw_fd() >= self.end() {
            return Err(Trouble::new(format!("a run has {SIZE} descriptor numbers, and this lesson needs more")));
        }
        self.next = placed.as_raw_fd() + 1;
        Ok(placed)
    }

    /// The open file of `fd`, under exactly this number, which was closed.
    pub(crate) fn place_at(fd: impl AsFd, number: RawFd) -> Result<OwnedFd, Trouble> {
        // Not dup3, which would close without a word whatever stands there.
        match rustix::io::fcntl_dupfd_cloexec(fd, number) {
            Ok(placed) if placed.as_raw_fd() == number => Ok(placed),
            Ok(_) => Err(Trouble::new(format!("descriptor number {number} is open, so nothing else can get it"))),
            Err(error) => Err(Trouble::new(format!("descriptor number {number} is not to be had: {error}"))),
        }
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        TAKEN.lock().unwrap_or_else(PoisonError::into_inner)[self.range] = false;
        FREED.notify_one();
    }
}

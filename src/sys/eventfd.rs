//! [`eventfd(2)`](https://man7.org/linux/man-pages/man2/eventfd.2.html): a counter to wake a loop with.

use super::{check, check_len};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

#[derive(Debug)]
pub(crate) struct EventFd(OwnedFd);

impl EventFd {
    /// A counter at zero: non-blocking, closed on exec.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointers.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })?;
        // SAFETY: the call succeeded, so the descriptor is open, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Adds one: the descriptor becomes readable.
    pub(crate) fn signal(&self) -> io::Result<()> {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the kernel reads the eight bytes of `one`, which lives through the call.
        match check_len(unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) }) {
            // At its maximum the counter is readable, which is all that is asked of it.
            Err(e) if e.kind() != io::ErrorKind::WouldBlock => Err(e),
            _ => Ok(()),
        }
    }

    /// Takes the counter back to zero.
    pub(crate) fn drain(&self) -> io::Result<()> {
        let mut count = [0; 8];
        // SAFETY: the kernel writes eight bytes to `count`.
        match check_len(unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) }) {
            Err(e) if e.kind() != io::ErrorKind::WouldBlock => Err(e),
            _ => Ok(()),
        }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

impl From<EventFd> for OwnedFd {
    fn from(counter: EventFd) -> Self {
        counter.0
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

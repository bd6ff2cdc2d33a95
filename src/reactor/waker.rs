//! Ending a wait from another thread.

use crate::sys::eventfd::EventFd;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends the present or the next wait of a loop, from any thread.
///
/// Waking is coalesced: until the loop has told of it, further calls cost one atomic operation and no system call.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Bell>);

#[derive(Debug)]
struct Bell {
    fd: EventFd,
    rung: AtomicBool,
}

impl Waker {
    /// Wakes the loop.
    ///
    /// # Errors
    ///
    /// If the bell cannot be rung; on Linux that does not happen while the waker exists.
    pub fn wake(&self) -> io::Result<()> {
        // What the caller wrote before is visible to the loop after it has taken the flag.
        if self.0.rung.swap(true, Ordering::AcqRel) { Ok(()) } else { self.0.fd.signal() }
    }

    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Bell { fd: EventFd::new()?, rung: AtomicBool::new(false) })))
    }

    /// The end that the loop watches: a descriptor of its own, since every source of the loop owns its descriptor.
    pub(super) fn listener(&self) -> io::Result<EventFd> {
        self.0.fd.try_clone()
    }

    /// Takes the flag down. In this order, so that whoever rings from now on rings the bell again.
    pub(super) fn take(&self) -> io::Result<()> {
        let drained = self.0.fd.drain();
        self.0.rung.swap(false, Ordering::AcqRel);
        drained
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}

//! The signal that a signalfd reads.

use super::trouble::Trouble;
use nix::errno::Errno;
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by the run that has a signalfd, from before it is made until it is gone.
///
/// A signal goes to one thread, but it wakes the signalfds of the whole process. One that still has a signal to be read
/// is then a new edge for its epoll, from a signal that it will never see.
static ALONE: Mutex<()> = Mutex::new(());

/// SIGUSR1 is blocked in this thread and goes to its signalfds.
#[derive(Debug)]
pub(crate) struct Blocked {
    before: SigSet,
    _alone: MutexGuard<'static, ()>,
}

impl Blocked {
    pub(crate) fn new() -> Result<Self, Trouble> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let before = set().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Self { before, _alone: alone })
    }

    /// A descriptor that reads the signal.
    pub(crate) fn descriptor() -> Result<SignalFd, Errno> {
        SignalFd::with_flags(&set(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
    }

    /// Sends the signal to this thread, and to no other, which may not have blocked it.
    pub(crate) fn raise() -> Result<(), Errno> {
        pthread_kill(pthread_self(), Signal::SIGUSR1)
    }
}

fn set() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGUSR1);
    set
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // A signal that nobody has read would end the process as soon as it is let through. Standard signals do not queue
        // up: reading once is enough.
        let _ = Self::descriptor().and_then(|descriptor| descriptor.read_signal());
        let _ = self.before.thread_set_mask();
    }
}

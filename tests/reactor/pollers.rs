//! Pollers that misbehave, or tell what they are asked.

use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;
use tripoll::poller::{AnyPoller, Events, Features, Poller};
use tripoll::{Backend, Interest, Token, Trigger};

type Wait = Box<dyn FnMut(&mut AnyPoller, &mut Events, Option<Duration>) -> io::Result<()>>;

/// A poller whose waits can be meddled with.
pub(crate) struct Meddler {
    inner: AnyPoller,
    wait: Wait,
}

impl Meddler {
    pub(crate) fn new(
        backend: Backend,
        wait: impl FnMut(&mut AnyPoller, &mut Events, Option<Duration>) -> io::Result<()> + 'static,
    ) -> Self {
        Self { inner: AnyPoller::new(backend).unwrap(), wait: Box::new(wait) }
    }
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Meddler").field(&self.inner).finish()
    }
}

impl Poller for Meddler {
    fn name(&self) -> &'static str {
        "meddler"
    }

    fn features(&self) -> Features {
        self.inner.features()
    }

    fn descriptor_bound(&self) -> Option<RawFd> {
        self.inner.descriptor_bound()
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.inner.add(fd, token, interest, trigger)
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.inner.modify(fd, token, interest, trigger)
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.inner.remove(fd)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        (self.wait)(&mut self.inner, events, timeout)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn system_calls(&self) -> u64 {
        self.inner.system_calls()
    }
}

//! A poller that makes its events up: for measuring what lies above it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;
use tripoll::poller::{Event, Events, Features, Poller, Readiness};
use tripoll::{Interest, Token, Trigger};

/// A poller that calls everything readable that it was given.
#[derive(Default)]
pub struct AlwaysReady {
    registered: Vec<(RawFd, Token)>,
}

impl Poller for AlwaysReady {
    fn name(&self) -> &'static str {
        "always ready"
    }

    fn features(&self) -> Features {
        Features::LEVEL
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, _: Interest, _: Trigger) -> io::Result<()> {
        self.registered.push((fd.as_raw_fd(), token));
        Ok(())
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.remove(fd.as_raw_fd())?;
        self.add(fd, token, interest, trigger)
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.registered.retain(|(registered, _)| *registered != fd);
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, _: Option<Duration>) -> io::Result<()> {
        events.clear();
        // The first is the loop's own bell, which nobody rang.
        for (_, token) in self.registered.iter().skip(1) {
            events.push(Event::new(*token, Readiness::READABLE));
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.registered.clear();
        Ok(())
    }
}

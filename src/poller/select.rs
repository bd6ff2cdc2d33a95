//! select: three sets of descriptor numbers are handed to the kernel at each wait, and three come back.
//!
//! The oldest of the interfaces, and the one that says least: readable, writable, exceptional. The sets hold the numbers
//! from 0 to 1,023 and each wait looks at all of them up to the largest one.

use super::poll::{check_open, refuse_edge};
use super::table::{Entry, Table};
use super::{Event, Events, Features, Interest, Poller, Readiness, Refusal, Token, Trigger, unless_interrupted};
use crate::sys;
use crate::sys::select::{FdSet, FdSets};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// The poller over [`select(2)`](https://man7.org/linux/man-pages/man2/select.2.html).
#[derive(Debug, Default)]
pub struct SelectPoller {
    table: Table,
    /// Boxed, since it is large beside what other backends have.
    wanted: Box<FdSets>,
    /// One more than the largest number that was ever wanted.
    bound: RawFd,
    /// Where the next look through the answer starts: behind the last event that found room.
    start: RawFd,
    calls: u64,
}

impl SelectPoller {
    /// A poller that watches nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters in the three sets what is wanted of a descriptor.
    fn want(&mut self, fd: RawFd, interest: Interest) {
        self.wanted.read.set(fd, interest.contains(Interest::READABLE));
        self.wanted.write.set(fd, interest.contains(Interest::WRITABLE));
        self.wanted.except.set(fd, interest.contains(Interest::PRIORITY));
        self.bound = self.bound.max(fd + 1);
    }

    /// Finds the descriptors that were closed while registered, for which the whole call fails with EBADF, and asks
    /// again without them. They are in the set answered; `ready` holds what is ready of the others.
    fn ask_without_closed(&mut self, ready: &mut FdSets) -> io::Result<FdSet> {
        let mut closed = FdSet::default();
        for entry in self.table.entries() {
            self.calls += 1;
            if !entry.wanted().is_none() && !sys::file::is_open(entry.fd) {
                closed.set(entry.fd, true);
            }
        }
        *ready = FdSets {
            read: self.wanted.read.difference(&closed),
            write: self.wanted.write.difference(&closed),
            except: self.wanted.except.difference(&closed),
        };
        self.calls += 1;
        sys::select::select(self.bound, ready, Some(Duration::ZERO))?;
        Ok(closed)
    }
}

impl Poller for SelectPoller {
    fn name(&self) -> &'static str {
        "select"
    }

    fn features(&self) -> Features {
        Features::LEVEL | Features::ONESHOT | Features::PRIORITY | Features::FILES | Features::NANOSECONDS
    }

    fn descriptor_bound(&self) -> Option<RawFd> {
        Some(FdSet::LIMIT)
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        refuse_edge(self.name(), trigger)?;
        self.table.check_absent(fd)?;
        self.calls += 1;
        check_open(fd)?;
        if fd >= FdSet::LIMIT {
            return Err(Refusal::TooLarge { fd, limit: FdSet::LIMIT }.into());
        }
        self.table.push(Entry::new(fd, token, interest, trigger));
        self.want(fd, interest);
        Ok(())
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        let position = self.table.position(fd)?;
        refuse_edge(self.name(), trigger)?;
        *self.table.entry_mut(position) = Entry::new(fd, token, interest, trigger);
        self.want(fd, interest);
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        let position = self.table.position(fd)?;
        self.table.swap_remove(position);
        self.want(fd, Interest::NONE);
        if self.table.len() == 0 {
            self.bound = 0;
        }
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        let mut ready = *self.wanted;
        let mut closed = FdSet::default();
        self.calls += 1;
        match sys::select::select(self.bound, &mut ready, timeout) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(e) if e.raw_os_error() == Some(libc::EBADF) => {
                closed = match unless_interrupted(self.ask_without_closed(&mut ready).map(Some))? {
                    Some(closed) => closed,
                    None => return Ok(()),
                };
            }
            Err(e) => return Err(e),
        }
        let any = ready.read.union(&ready.write).union(&ready.except).union(&closed);
        for fd in any.iter_from(self.start) {
            let Ok(position) = self.table.position(fd) else { continue };
            let readiness = Readiness::READABLE.when(ready.read.contains(fd))
                | Readiness::WRITABLE.when(ready.write.contains(fd))
                | Readiness::PRIORITY.when(ready.except.contains(fd))
                | Readiness::INVALID.when(closed.contains(fd));
            let entry = self.table.entry_mut(position);
            if !events.push(Event::new(entry.token, readiness)) {
                self.start = fd;
                return Ok(());
            }
            if entry.fire() {
                self.want(fd, Interest::NONE);
            }
        }
        self.start = 0;
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        *self = Self { calls: self.calls, ..Self::default() };
        Ok(())
    }

    fn system_calls(&self) -> u64 {
        self.calls
    }
}

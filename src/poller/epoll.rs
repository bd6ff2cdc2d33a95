//! epoll: the kernel remembers the registrations and keeps a list of those that are ready.
//!
//! A wait costs as much as there are events, whatever the number of registrations; what costs is changing them, a
//! system call each. Nothing is shared with the kernel: the events are copied out by each wait.

use super::numbers::Numbers;
use super::{Event, Events, Features, Interest, Poller, Refusal, Token, Trigger, bits, unless_interrupted};
use crate::sys;
use crate::sys::epoll::{Epoll, Op};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// The poller over [`epoll(7)`](https://man7.org/linux/man-pages/man7/epoll.7.html).
#[derive(Debug)]
pub struct EpollPoller {
    epoll: Epoll,
    /// What was added and not removed: the kernel cannot tell a descriptor closed too early from one never added.
    known: Numbers,
    /// Known, but not in the kernel's list: an entry with an empty mask would still report hang-up, again and again.
    parked: Numbers,
    buffer: Vec<sys::epoll::epoll_event>,
    calls: u64,
}

impl EpollPoller {
    /// A poller that watches nothing.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE at the descriptor limit, ENOMEM.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new()?,
            known: Numbers::default(),
            parked: Numbers::default(),
            buffer: Vec::new(),
            calls: 1,
        })
    }

    /// The registered numbers that are no longer open: closed without being removed first.
    ///
    /// Such a registration is silent, or a ghost if a duplicate of the descriptor is open. A number that was given out
    /// again cannot be recognised.
    #[must_use]
    pub fn audit(&self) -> Vec<RawFd> {
        self.known.iter().filter(|fd| !sys::file::is_open(*fd)).collect()
    }

    fn set(
        &mut self,
        op: Op,
        fd: BorrowedFd<'_>,
        token: Token,
        interest: Interest,
        trigger: Trigger,
    ) -> io::Result<()> {
        let mode = match trigger {
            Trigger::Level => 0,
            Trigger::Edge => libc::EPOLLET as u32,
            Trigger::Oneshot => libc::EPOLLONESHOT as u32,
        };
        self.calls += 1;
        self.epoll.set(op, fd, bits::encode(interest) | mode, token.to_bits())
    }

    fn delete(&mut self, fd: RawFd) -> io::Result<()> {
        self.calls += 1;
        match self.epoll.remove(fd) {
            // Closed, or closed and given out again: the entry is gone, which is what was asked for.
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::EBADF)) => Ok(()),
            result => result,
        }
    }

    fn forget(&mut self, fd: RawFd) {
        self.known.remove(fd);
        self.parked.remove(fd);
    }
}

impl Poller for EpollPoller {
    fn name(&self) -> &'static str {
        "epoll"
    }

    fn features(&self) -> Features {
        Features::LEVEL
            | Features::EDGE
            | Features::ONESHOT
            | Features::PRIORITY
            | Features::CLOSE_KINDS
            | Features::SCALES
            | Features::NANOSECONDS
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let number = fd.as_raw_fd();
        if self.parked.contains(number) || (interest.is_none() && self.known.contains(number)) {
            return Err(Refusal::AlreadyRegistered { fd: number }.into());
        }
        // A parked descriptor is added too, and taken out again: so the kernel says now what it thinks of it.
        self.set(Op::Add, fd, token, interest, trigger).map_err(|e| match e.raw_os_error() {
            Some(libc::EEXIST) => Refusal::AlreadyRegistered { fd: number }.into(),
            Some(libc::EPERM) => Refusal::AlwaysReady { fd: number }.into(),
            _ => e,
        })?;
        if interest.is_none() {
            self.delete(number)?;
            self.parked.insert(number);
        }
        self.known.insert(number);
        Ok(())
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let number = fd.as_raw_fd();
        if !self.known.contains(number) {
            return Err(Refusal::NotRegistered { fd: number }.into());
        }
        let parked = self.parked.contains(number);
        let result = match (parked, interest.is_none()) {
            (true, true) => Ok(()),
            (true, false) => self.set(Op::Add, fd, token, interest, trigger),
            (false, true) => self.delete(number),
            (false, false) => self.set(Op::Modify, fd, token, interest, trigger),
        };
        match result {
            Ok(()) if interest.is_none() => self.parked.insert(number),
            Ok(()) => drop(self.parked.remove(number)),
            Err(e) => {
                // The kernel knows of no such entry, because the descriptor was closed behind our back.
                if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::EBADF)) {
                    self.forget(number);
                }
                return Err(e);
            }
        }
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        if !self.known.contains(fd) {
            return Err(Refusal::NotRegistered { fd }.into());
        }
        if !self.parked.contains(fd) {
            self.delete(fd)?;
        }
        self.forget(fd);
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        self.buffer.clear();
        if self.buffer.capacity() != events.capacity() {
            self.buffer = Vec::with_capacity(events.capacity());
        }
        self.calls += unless_interrupted(self.epoll.wait(&mut self.buffer, timeout))?.max(1);
        // The buffer has the list's own capacity, so all of them fit.
        events.extend(self.buffer.iter().map(|event| {
            let (flags, token) = (event.events, event.u64);
            Event::new(Token::from_bits(token), bits::decode(flags))
        }));
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        let calls = self.calls;
        *self = Self::new()?;
        self.calls += calls;
        Ok(())
    }

    fn system_calls(&self) -> u64 {
        self.calls
    }
}

/// An epoll descriptor can be watched by another poller: it is readable while something inside is ready.
impl AsFd for EpollPoller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

//! mio: the portable selector that most Rust network code stands on, here over epoll.
//!
//! mio registers everything edge-triggered. So edge is what it has; level is made of it by registering again after each
//! event, which asks the kernel anew, at the price of a system call per event; one-shot is made of it by not passing on
//! what comes after the first event.

use super::table::{Entry, Table};
use super::{Event, Events, Features, Interest, Poller, Readiness, Refusal, Token, Trigger, unless_interrupted};
use crate::sys;
use crate::sys::poll::pollfd;
use mio::unix::SourceFd;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

/// The poller over [`mio::Poll`](https://docs.rs/mio/1/mio/struct.Poll.html).
pub struct MioPoller {
    poll: mio::Poll,
    table: Table,
    buffer: mio::Events,
    buffer_capacity: usize,
    /// Level-triggered descriptors that the last wait reported: to be registered again before the next one.
    reported: Vec<RawFd>,
    calls: u64,
}

impl std::fmt::Debug for MioPoller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MioPoller").field("poll", &self.poll).field("table", &self.table).finish_non_exhaustive()
    }
}

impl MioPoller {
    /// A poller that watches nothing.
    ///
    /// # Errors
    ///
    /// EMFILE or ENFILE at the descriptor limit, ENOMEM.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: mio::Poll::new()?,
            table: Table::default(),
            buffer: mio::Events::with_capacity(1),
            buffer_capacity: 1,
            reported: Vec::new(),
            calls: 1,
        })
    }

    fn register(&mut self, fd: RawFd, interest: mio::Interest) -> io::Result<()> {
        self.calls += 1;
        self.poll.registry().register(&mut SourceFd(&fd), key(fd), interest)
    }

    fn reregister(&mut self, fd: RawFd, interest: mio::Interest) -> io::Result<()> {
        self.calls += 1;
        self.poll.registry().reregister(&mut SourceFd(&fd), key(fd), interest)
    }

    fn deregister(&mut self, fd: RawFd) -> io::Result<()> {
        self.calls += 1;
        match self.poll.registry().deregister(&mut SourceFd(&fd)) {
            // Closed, or closed and given out again: the entry is gone, which is what was asked for.
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::EBADF)) => Ok(()),
            result => result,
        }
    }

    /// Asks the kernel again about what was reported under level: it may still be true.
    fn rearm(&mut self) {
        for fd in std::mem::take(&mut self.reported) {
            let Ok(position) = self.table.position(fd) else { continue };
            let entry = self.table.entries()[position];
            if let (Trigger::Level, Some(interest)) = (entry.trigger, translate(entry.interest)) {
                // Fails only for a descriptor that was closed too early, about which there is nothing to report.
                let _ = self.reregister(fd, interest);
            }
        }
    }

    /// One look at the kernel, and what of its answer is to be passed on.
    fn poll_once(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        self.calls += 1;
        unless_interrupted(self.poll.poll(&mut self.buffer, timeout))?;
        for event in &self.buffer {
            let Ok(position) = self.table.position(event.token().0 as RawFd) else { continue };
            let entry = self.table.entry_mut(position);
            if !entry.armed {
                continue;
            }
            entry.fire();
            if entry.trigger == Trigger::Level {
                self.reported.push(entry.fd);
            }
            let mut readiness = readiness(event);
            if event.is_priority() && readiness.contains(Readiness::READABLE) {
                self.calls += 1;
                readiness = readiness - Readiness::READABLE.when(!has_more_than_urgent(entry.fd));
            }
            events.push(Event::new(entry.token, readiness));
        }
        Ok(())
    }
}

/// mio calls a descriptor readable that has urgent data and nothing else. Only the kernel can tell.
fn has_more_than_urgent(fd: RawFd) -> bool {
    let mut entry = [pollfd { fd, events: libc::POLLIN, revents: 0 }];
    sys::poll::poll(&mut entry, Some(Duration::ZERO)).is_ok_and(|ready| ready > 0)
}

/// The descriptor itself is mio's token: the table knows ours.
fn key(fd: RawFd) -> mio::Token {
    mio::Token(fd as usize)
}

/// mio has no empty interest.
fn translate(interest: Interest) -> Option<mio::Interest> {
    [
        (Interest::READABLE, mio::Interest::READABLE),
        (Interest::WRITABLE, mio::Interest::WRITABLE),
        (Interest::PRIORITY, mio::Interest::PRIORITY),
    ]
    .into_iter()
    .filter(|(ours, _)| interest.contains(*ours))
    .map(|(_, theirs)| theirs)
    .reduce(|all, one| all | one)
}

fn readiness(event: &mio::event::Event) -> Readiness {
    let (read_closed, write_closed, error) = (event.is_read_closed(), event.is_write_closed(), event.is_error());
    Readiness::READABLE.when(event.is_readable() || read_closed || write_closed || error)
        | Readiness::WRITABLE.when(event.is_writable() || write_closed || error)
        | Readiness::PRIORITY.when(event.is_priority())
        | Readiness::ERROR.when(error)
        | Readiness::READ_CLOSED.when(read_closed)
        | Readiness::WRITE_CLOSED.when(write_closed)
        | Readiness::HANG_UP.when(read_closed && write_closed)
}

impl Poller for MioPoller {
    fn name(&self) -> &'static str {
        "mio"
    }

    fn features(&self) -> Features {
        Features::LEVEL
            | Features::EDGE
            | Features::ONESHOT
            | Features::PRIORITY
            | Features::CLOSE_KINDS
            | Features::SCALES
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        self.table.check_absent(fd)?;
        // A parked descriptor is registered too, and taken out again: so the kernel says now what it thinks of it.
        self.register(fd, translate(interest).unwrap_or(mio::Interest::READABLE)).map_err(|e| {
            match e.raw_os_error() {
                Some(libc::EEXIST) => Refusal::AlreadyRegistered { fd }.into(),
                Some(libc::EPERM) => Refusal::AlwaysReady { fd }.into(),
                _ => e,
            }
        })?;
        if interest.is_none() {
            self.deregister(fd)?;
        }
        self.table.push(Entry::new(fd, token, interest, trigger));
        Ok(())
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        let position = self.table.position(fd)?;
        let parked = self.table.entries()[position].interest.is_none();
        let result = match (parked, translate(interest)) {
            (true, None) => Ok(()),
            (true, Some(interest)) => self.register(fd, interest),
            (false, None) => self.deregister(fd),
            (false, Some(interest)) => self.reregister(fd, interest),
        };
        match &result {
            Ok(()) => *self.table.entry_mut(position) = Entry::new(fd, token, interest, trigger),
            // The kernel knows of no such entry, because the descriptor was closed behind our back.
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::EBADF)) => {
                self.table.swap_remove(position);
            }
            Err(_) => {}
        }
        result
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        let position = self.table.position(fd)?;
        if !self.table.entries()[position].interest.is_none() {
            self.deregister(fd)?;
        }
        self.table.swap_remove(position);
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        if self.buffer_capacity != events.capacity() {
            self.buffer = mio::Events::with_capacity(events.capacity());
            self.buffer_capacity = events.capacity();
        }
        self.rearm();
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut left = timeout;
        loop {
            self.poll_once(events, left)?;
            // Only what one-shots have no more say in may have come: that must not cut the wait short.
            if !events.is_empty() || self.buffer.is_empty() {
                return Ok(());
            }
            left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        }
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

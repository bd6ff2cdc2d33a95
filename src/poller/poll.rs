//! poll: the whole list is handed to the kernel at each wait.
//!
//! Nothing is remembered in the kernel, so changing a registration costs nothing, and each wait costs as much as there
//! are registrations. While most of them are active, that is no worse than epoll.

use super::table::{Entry, Table};
use super::{Event, Events, Features, Interest, Poller, Refusal, Token, Trigger, bits, unless_interrupted};
use crate::sys;
use crate::sys::poll::pollfd;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// The poller over [`poll(2)`](https://man7.org/linux/man-pages/man2/poll.2.html).
#[derive(Debug, Default)]
pub struct PollPoller {
    table: Table,
    /// What the kernel gets: an entry for each of the table, at the same position.
    list: Vec<pollfd>,
    /// Where the next look through the list starts: behind the last event that found room.
    start: usize,
    calls: u64,
}

impl PollPoller {
    /// A poller that watches nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the kernel is to be asked of an entry. A negative number makes it skip the entry, hang-up included.
    fn question(entry: &Entry) -> pollfd {
        let wanted = entry.wanted();
        let fd = if wanted.is_none() { -1 } else { entry.fd };
        pollfd { fd, events: bits::encode(wanted) as i16, revents: 0 }
    }
}

/// Refuses what can be refused without asking the kernel: the same for the two backends that have no edges.
pub(super) fn refuse_edge(backend: &'static str, trigger: Trigger) -> io::Result<()> {
    match trigger {
        Trigger::Level | Trigger::Oneshot => Ok(()),
        Trigger::Edge => Err(Refusal::Trigger { backend, trigger }.into()),
    }
}

/// EBADF now, since the kernel would only say so at the next wait.
pub(super) fn check_open(fd: RawFd) -> io::Result<()> {
    if sys::file::is_open(fd) { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EBADF)) }
}

impl Poller for PollPoller {
    fn name(&self) -> &'static str {
        "poll"
    }

    fn features(&self) -> Features {
        Features::LEVEL
            | Features::ONESHOT
            | Features::PRIORITY
            | Features::FILES
            | Features::CLOSE_KINDS
            | Features::NANOSECONDS
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        refuse_edge(self.name(), trigger)?;
        self.table.check_absent(fd)?;
        self.calls += 1;
        check_open(fd)?;
        let entry = Entry::new(fd, token, interest, trigger);
        self.list.push(Self::question(&entry));
        self.table.push(entry);
        Ok(())
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        let position = self.table.position(fd)?;
        refuse_edge(self.name(), trigger)?;
        let entry = Entry::new(fd, token, interest, trigger);
        self.list[position] = Self::question(&entry);
        *self.table.entry_mut(position) = entry;
        Ok(())
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        let position = self.table.position(fd)?;
        self.table.swap_remove(position);
        self.list.swap_remove(position);
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.clear();
        self.calls += 1;
        let mut ready = unless_interrupted(sys::poll::poll(&mut self.list, timeout))?;
        let count = self.list.len();
        let start = if self.start < count { self.start } else { 0 };
        for position in (start..count).chain(0..start) {
            if ready == 0 {
                break;
            }
            let answer = std::mem::take(&mut self.list[position].revents);
            if answer == 0 {
                continue;
            }
            ready -= 1;
            let entry = self.table.entry_mut(position);
            if !events.push(Event::new(entry.token, bits::decode(answer as u32))) {
                self.start = position;
                return Ok(());
            }
            if entry.fire() {
                self.list[position] = Self::question(entry);
            }
        }
        self.start = 0;
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.table.clear();
        self.list.clear();
        Ok(())
    }

    fn system_calls(&self) -> u64 {
        self.calls
    }
}

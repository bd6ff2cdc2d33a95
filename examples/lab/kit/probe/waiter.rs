//! A watcher of the lessons for the experiments: each descriptor has a place, and calls are counted.

use crate::kit::bits::Bits;
use crate::kit::cell::Cell;
use crate::kit::mechanism::Mechanism;
use crate::kit::watch::{self, Asked, Refusal, Watcher};
use nix::errno::Errno;
use nix::sys::epoll::{EpollEvent, EpollFlags};
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How long a report is waited for that must come.
pub(super) const BOUND: Duration = Duration::from_secs(2);

/// How many events a wait takes: more than a probe ever watches.
const EVENTS: usize = 16;

/// What is watched has a place, from 0, in the order of registering; reports name it by that.
pub(super) struct Waiter<'fd> {
    mechanism: Mechanism,
    watcher: Box<dyn Watcher>,
    watched: Vec<Asked<'fd>>,
    /// How many calls were made to register, and to register anew.
    pub(super) registrations: usize,
}

impl<'fd> Waiter<'fd> {
    pub(super) fn new(mechanism: Mechanism) -> io::Result<Self> {
        Ok(Self { mechanism, watcher: watch::open(mechanism)?, watched: Vec::new(), registrations: 0 })
    }

    pub(super) fn add(&mut self, fd: BorrowedFd<'fd>, interest: Bits) -> io::Result<()> {
        let asked = Asked { token: self.watched.len(), fd, interest };
        self.watcher.watch(asked).map_err(refused)?;
        self.watched.push(asked);
        self.count();
        Ok(())
    }

    /// Registers anew, with the interest that it had.
    pub(super) fn again(&mut self, place: usize) -> io::Result<()> {
        self.watcher.modify(self.watched[place]).map_err(refused)?;
        self.count();
        Ok(())
    }

    /// Registers anew where a report has disarmed it.
    pub(super) fn rearm(&mut self, place: usize) -> io::Result<()> {
        if self.mechanism == Mechanism::Oneshot { self.again(place) } else { Ok(()) }
    }

    /// What one wait reports, by place. The limit is rounded up to milliseconds.
    pub(super) fn wait(&mut self, limit: Duration) -> io::Result<Vec<(usize, Bits)>> {
        let mut reported = self.watcher.wait(&self.watched, EVENTS, rounded_up(limit))?;
        reported.sort_unstable();
        Ok(reported)
    }

    /// The same as it stands in a table, of what is watched under these names.
    pub(super) fn answer(&mut self, names: &[&str], limit: Duration) -> io::Result<String> {
        let reported = self.wait(limit)?.into_iter().map(|(place, bits)| (names[place].to_owned(), bits));
        Ok(Cell::Reported(reported.collect()).display(self.mechanism, names.len() > 1))
    }

    /// select and poll make no call to register.
    fn count(&mut self) {
        self.registrations += usize::from(registers(self.mechanism));
    }
}

/// Whether the mechanism has a call to register, and so remembers.
pub(super) const fn registers(mechanism: Mechanism) -> bool {
    !matches!(mechanism, Mechanism::Select | Mechanism::Poll)
}

/// What epoll is told to report that something has arrived, for experiments that ask it more than lessons do.
pub(super) fn arrivals_of(mechanism: Mechanism, more: EpollFlags, place: u64) -> EpollEvent {
    let trigger = match mechanism {
        Mechanism::Edge => EpollFlags::EPOLLET,
        Mechanism::Oneshot => EpollFlags::EPOLLONESHOT,
        _ => EpollFlags::empty(),
    };
    EpollEvent::new(EpollFlags::EPOLLIN | trigger | more, place)
}

/// Whole milliseconds, not fewer than asked for.
pub(super) fn rounded_up(limit: Duration) -> Duration {
    Duration::from_millis(u64::try_from(limit.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
}

/// The error's name as manual pages have it.
pub(super) fn name_of(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |number| format!("{:?}", Errno::from_raw(number)))
}

fn refused(refusal: Refusal) -> io::Error {
    match refusal {
        Refusal::Errno(errno) => errno.into(),
        Refusal::TooHigh(number) => {
            io::Error::other(format!("descriptor {number} does not fit into a set of select: close others first"))
        }
    }
}

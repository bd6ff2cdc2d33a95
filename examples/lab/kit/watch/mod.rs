//! The mechanisms, behind one small door. What they say is passed on as it is: no bit is added, left out or renamed.

mod epoll;
mod mio;
mod poll;
mod select;

use super::{Bits, Mechanism};
use nix::errno::Errno;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

/// A registration, as select and poll have to be told of it at every wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'fd> {
    /// What the registration is called in a report.
    pub(crate) token: usize,
    pub(crate) fd: BorrowedFd<'fd>,
    pub(crate) interest: Bits,
}

/// Why a registration was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// By the kernel.
    Errno(Errno),
    /// select's sets end at `FD_SETSIZE`, and setting a bit behind their end would write into other memory.
    TooHigh(RawFd),
}

/// Something that waits for descriptors.
pub(crate) trait Watcher {
    fn watch(&mut self, asked: Asked<'_>) -> Result<(), Refusal>;

    fn modify(&mut self, asked: Asked<'_>) -> Result<(), Refusal>;

    fn unwatch(&mut self, fd: BorrowedFd<'_>) -> Result<(), Refusal>;

    /// One wait. Answers what was reported, by token. Who keeps no registrations goes by `asked`, the others do not look
    /// at it; who cannot be told how much to report at most does not look at `max`.
    fn wait(&mut self, asked: &[Asked<'_>], max: usize, timeout: Duration) -> Result<Vec<(usize, Bits)>, Errno>;

    /// Whether there is a registration of this number, by the kernel's own account.
    fn lists(&self, number: RawFd) -> bool;
}

/// A mechanism that watches nothing yet.
///
/// # Errors
///
/// The kernel gives no descriptor for it.
pub(crate) fn open(mechanism: Mechanism) -> io::Result<Box<dyn Watcher>> {
    Ok(match mechanism {
        Mechanism::Select => Box::new(select::Select),
        Mechanism::Poll => Box::new(poll::Poll),
        Mechanism::Level | Mechanism::Edge | Mechanism::Oneshot => Box::new(epoll::Queue::new(mechanism)?),
        Mechanism::Mio => Box::new(mio::Mio::new()?),
    })
}

/// Whether an epoll has a registration of this number.
fn epoll_lists(epoll: RawFd, number: RawFd) -> bool {
    let lines = fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).unwrap_or_default();
    let mut listed = lines.lines().filter_map(|line| line.strip_prefix("tfd:")?.split_whitespace().next());
    listed.any(|word| word.parse() == Ok(number))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errno(error) => write!(f, "{error:?}"),
            Self::TooHigh(number) => write!(f, "select takes no number above 1023, and this is {number}"),
        }
    }
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        Self::Errno(error)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Errno(Errno::from_raw(error.raw_os_error().unwrap_or_default()))
    }
}

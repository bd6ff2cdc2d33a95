//! poll(2): a list of numbers, handed over for each wait.

use super::{Asked, Refusal, Watcher};
use crate::kit::Bits;
use nix::errno::Errno;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

pub(super) struct Poll;

impl Watcher for Poll {
    fn watch(&mut self, _: Asked<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn modify(&mut self, _: Asked<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn unwatch(&mut self, _: BorrowedFd<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn wait(&mut self, asked: &[Asked<'_>], _: usize, timeout: Duration) -> Result<Vec<(usize, Bits)>, Errno> {
        let entry = |asked: &Asked<'_>| asked.interest.0;
        // rustix and not nix, which does not know RDHUP and then answers nothing at all.
        let entries =
            asked.iter().map(|asked| PollFd::from_borrowed_fd(asked.fd, PollFlags::from_bits_retain(entry(asked))));
        let mut entries: Vec<PollFd<'_>> = entries.collect();
        let timeout = Timespec::try_from(timeout).unwrap_or_default();
        poll(&mut entries, Some(&timeout)).map_err(|error| Errno::from_raw(error.raw_os_error()))?;
        let found = asked.iter().zip(&entries).map(|(asked, entry)| (asked.token, Bits(entry.revents().bits())));
        Ok(found.filter(|(_, bits)| !bits.is_none()).collect())
    }

    fn lists(&self, _: RawFd) -> bool {
        false
    }
}

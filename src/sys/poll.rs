//! [`poll(2)`](https://man7.org/linux/man-pages/man2/poll.2.html).

use super::{check, timespec};
use std::io;
use std::ptr;
use std::time::Duration;

pub(crate) use libc::pollfd;

/// Waits until one of `fds` is ready and fills in their `revents`; answers how many are.
///
/// Entries with a negative descriptor are skipped, and their `revents` cleared.
pub(crate) fn poll(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
    let timeout = timeout.map(timespec);
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: the kernel reads and writes exactly the entries of the slice; the timeout is null or lives through the
    // call; a null mask leaves the signal mask alone.
    let ready = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout, ptr::null()) };
    Ok(check(ready)? as usize)
}

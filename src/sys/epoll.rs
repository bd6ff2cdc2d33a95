//! [`epoll(7)`](https://man7.org/linux/man-pages/man7/epoll.7.html).

use super::check;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

pub(crate) use libc::epoll_event;

/// What to do with an entry of the interest list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Add,
    Modify,
}

#[derive(Debug)]
pub(crate) struct Epoll {
    fd: OwnedFd,
    /// Whether the kernel has `epoll_pwait2` (Linux 5.11), which takes nanoseconds; found out at the first wait.
    nanoseconds: bool,
}

impl Epoll {
    /// An empty interest list, closed on exec.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointers.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the call succeeded, so the descriptor is open, and nobody else knows it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, nanoseconds: true })
    }

    /// The same, as on a kernel older than 5.11.
    #[cfg(test)]
    pub(crate) fn in_milliseconds() -> io::Result<Self> {
        Ok(Self { nanoseconds: false, ..Self::new()? })
    }

    /// Adds or changes an entry; `data` comes back with each event.
    pub(crate) fn set(&self, op: Op, fd: BorrowedFd<'_>, events: u32, data: u64) -> io::Result<()> {
        let op = match op {
            Op::Add => libc::EPOLL_CTL_ADD,
            Op::Modify => libc::EPOLL_CTL_MOD,
        };
        let mut event = epoll_event { events, u64: data };
        // SAFETY: `event` lives through the call, and the kernel copies it.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), op, fd.as_raw_fd(), &raw mut event) })?;
        Ok(())
    }

    /// Removes an entry. Takes a bare number, since a descriptor that was closed too early can be removed as well.
    pub(crate) fn remove(&self, fd: RawFd) -> io::Result<()> {
        // SAFETY: the kernel ignores the event when it deletes; a number that is not open is answered with EBADF.
        check(unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, ptr::null_mut()) })?;
        Ok(())
    }

    /// Waits and fills `events`, up to its capacity. Answers how many system calls it took.
    pub(crate) fn wait(&mut self, events: &mut Vec<epoll_event>, timeout: Option<Duration>) -> io::Result<u64> {
        events.clear();
        let mut calls = 0;
        if self.nanoseconds {
            calls += 1;
            match self.wait_nanoseconds(events, timeout) {
                // ENOSYS on kernels before 5.11, EPERM from the system call filters of container engines of that age.
                Err(e) if matches!(e.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => self.nanoseconds = false,
                result => return result.map(|()| calls),
            }
        }
        self.wait_milliseconds(events, timeout)?;
        Ok(calls + 1)
    }

    fn wait_nanoseconds(&self, events: &mut Vec<epoll_event>, timeout: Option<Duration>) -> io::Result<()> {
        /// The kernel's own layout, the same on 32-bit targets.
        #[repr(C)]
        struct KernelTimespec {
            seconds: i64,
            nanoseconds: i64,
        }
        let timeout = timeout.map(|timeout| KernelTimespec {
            seconds: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: timeout.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
        let room = libc::c_int::try_from(events.capacity()).unwrap_or(libc::c_int::MAX);
        // By number, since C libraries older than the kernel do not name it.
        // SAFETY: the kernel writes at most `room` events to the spare capacity of an empty vector; the timeout is null
        // or lives through the call; a null mask leaves the signal mask alone.
        let ready = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.fd.as_raw_fd(),
                events.as_mut_ptr(),
                room,
                timeout,
                ptr::null::<libc::sigset_t>(),
                0_usize,
            )
        };
        let ready = usize::try_from(ready).map_err(|_| io::Error::last_os_error())?;
        // SAFETY: the kernel has just initialised the first `ready` events, and there was room for them.
        unsafe { events.set_len(ready) };
        Ok(())
    }

    fn wait_milliseconds(&self, events: &mut Vec<epoll_event>, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map_or(-1, round_up_to_milliseconds);
        let room = libc::c_int::try_from(events.capacity()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the kernel writes at most `room` events to the spare capacity of an empty vector.
        let ready = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), events.as_mut_ptr(), room, timeout) };
        let ready = check(ready)? as usize;
        // SAFETY: the kernel has just initialised the first `ready` events, and there was room for them.
        unsafe { events.set_len(ready) };
        Ok(())
    }
}

impl AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Up, because a wait that ends before the deadline is followed by another one of zero: a busy loop for the last
/// fraction of a millisecond. Waits beyond 24.8 days end early; the caller looks at the clock again anyway.
fn round_up_to_milliseconds(timeout: Duration) -> libc::c_int {
    let up = timeout.checked_add(Duration::from_nanos(999_999)).unwrap_or(timeout);
    libc::c_int::try_from(up.as_millis()).unwrap_or(libc::c_int::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn milliseconds_are_rounded_up_and_never_wrap() {
        let rounded = |nanoseconds| round_up_to_milliseconds(Duration::from_nanos(nanoseconds));
        assert_eq!(rounded(0), 0);
        assert_eq!(rounded(1), 1);
        assert_eq!(rounded(1_000_000), 1);
        assert_eq!(rounded(1_000_001), 2);
        assert_eq!(round_up_to_milliseconds(Duration::MAX), libc::c_int::MAX);
    }

    #[test]
    fn both_ways_of_waiting_last_as_long_as_asked() {
        for mut epoll in [Epoll::new().unwrap(), Epoll::in_milliseconds().unwrap()] {
            let mut events = Vec::with_capacity(1);
            for asked in [Duration::ZERO, Duration::from_micros(300), Duration::from_micros(2_500)] {
                let start = Instant::now();
                assert_eq!(epoll.wait(&mut events, Some(asked)).unwrap(), 1);
                assert!(start.elapsed() >= asked, "waited {:?} instead of {asked:?}", start.elapsed());
                assert!(events.is_empty());
            }
        }
    }
}

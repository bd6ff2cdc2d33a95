//! Descriptors of any kind: pipes, terminals, files, child processes' ends.

use super::{check, check_len};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;
use std::time::Duration;

/// Whether this number is an open descriptor of this process.
pub(crate) fn is_open(fd: RawFd) -> bool {
    // SAFETY: takes no pointers; a number that is not open is answered with EBADF.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// Makes reads and writes answer `WouldBlock` instead of waiting.
///
/// The flag belongs to the open file, not to the descriptor: whoever shares it (a duplicate, the shell that lent its
/// terminal) is switched as well.
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes no pointers.
    let flags = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })?;
    if flags & libc::O_NONBLOCK == 0 {
        // SAFETY: takes no pointers.
        check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) })?;
    }
    Ok(())
}

/// What an open file was opened for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
}

pub(crate) fn access(fd: BorrowedFd<'_>) -> io::Result<Access> {
    // SAFETY: takes no pointers.
    let mode = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) })? & libc::O_ACCMODE;
    Ok(Access { reads: mode != libc::O_WRONLY, writes: mode != libc::O_RDONLY })
}

/// Whether a read of a blocking descriptor would return at once: asked just before it, by a zero wait.
pub(crate) fn is_readable_now(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut entry = [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    Ok(super::poll::poll(&mut entry, Some(Duration::ZERO))? > 0)
}

/// [`read(2)`](https://man7.org/linux/man-pages/man2/read.2.html)
pub(crate) fn read(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the kernel writes at most `buf.len()` bytes to `buf`.
    check_len(unsafe { libc::read(fd.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len()) })
}

/// [`writev(2)`](https://man7.org/linux/man-pages/man2/writev.2.html), without a SIGPIPE if the reader is gone.
pub(crate) fn write_vectored(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    without_sigpipe(|| {
        let count = libc::c_int::try_from(bufs.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: `IoSlice` is guaranteed to be laid out as `iovec`; the kernel reads `count` of them and what they span.
        check_len(unsafe { libc::writev(fd.as_raw_fd(), bufs.as_ptr().cast(), count) })
    })
}

/// Runs `write` so that it answers EPIPE but raises no SIGPIPE.
///
/// For sockets a flag of `send` does this. For pipes there is none, so the signal is held back in this thread and, if
/// `write` raised it, taken. Rust programs ignore SIGPIPE from the start; then this costs the question only.
fn without_sigpipe(write: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    if sigpipe_is_ignored()? {
        return write();
    }
    let mut sigpipe = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the call writes the set, which lives through it.
    unsafe { libc::sigemptyset(sigpipe.as_mut_ptr()) };
    // SAFETY: `sigemptyset` has initialised it.
    let mut sigpipe = unsafe { sigpipe.assume_init() };
    // SAFETY: `sigpipe` is an initialised set.
    unsafe { libc::sigaddset(&raw mut sigpipe, libc::SIGPIPE) };
    let mut pending = sigpipe;
    // SAFETY: the kernel overwrites `pending`, which lives through the call.
    check(unsafe { libc::sigpending(&raw mut pending) })?;
    // SAFETY: `pending` is an initialised set.
    let was_pending = unsafe { libc::sigismember(&raw const pending, libc::SIGPIPE) } == 1;
    let mut before = sigpipe;
    // SAFETY: both sets live through the call; only this thread's mask changes.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const sigpipe, &raw mut before) };
    let result = write();
    let raised = matches!(&result, Err(e) if e.raw_os_error() == Some(libc::EPIPE));
    if raised && !was_pending {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the timeout live through the call; no information about the signal is asked for.
        unsafe { libc::sigtimedwait(&raw const sigpipe, ptr::null_mut(), &raw const now) };
    }
    // SAFETY: `before` was filled by the call that blocked the signal.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    result
}

fn sigpipe_is_ignored() -> io::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a null new action changes nothing; the kernel fills `action`, which lives through the call.
    check(unsafe { libc::sigaction(libc::SIGPIPE, ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: the call succeeded, so `action` is initialised.
    Ok(unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    /// Sets the disposition of SIGPIPE for the whole process and answers the one before.
    fn set_sigpipe(handler: libc::sighandler_t) -> libc::sighandler_t {
        // SAFETY: the default and the ignoring disposition are valid, and no handler of ours runs.
        unsafe { libc::signal(libc::SIGPIPE, handler) }
    }

    #[test]
    fn writing_to_a_pipe_without_a_reader_is_an_error_even_where_sigpipe_kills() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let before = set_sigpipe(libc::SIG_DFL);
        let result = write_vectored(writer.as_fd(), &[IoSlice::new(b"x")]);
        set_sigpipe(before);
        assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EPIPE));
    }
}

//! What the suite needs of the system and the standard library does not have.

#![allow(unsafe_code)]

use crate::support::BOUND;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::mem::{self, size_of};
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::thread::JoinHandleExt;
use std::ptr;
use std::thread;
use std::time::Instant;

pub(crate) const IN: i16 = libc::POLLIN;
pub(crate) const OUT: i16 = libc::POLLOUT;
pub(crate) const PRI: i16 = libc::POLLPRI;
pub(crate) const ERR: i16 = libc::POLLERR;
pub(crate) const HUP: i16 = libc::POLLHUP;
pub(crate) const RDHUP: i16 = libc::POLLRDHUP;

fn check(result: libc::c_int) -> libc::c_int {
    assert!(result >= 0, "{}", io::Error::last_os_error());
    result
}

fn owned(fd: libc::c_int) -> OwnedFd {
    // SAFETY: whoever calls this has just been given the descriptor by the kernel, and nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(check(fd)) }
}

/// What the kernel says of a descriptor, asked past every poller: all the bits that there are.
pub(crate) fn bits(fd: &impl AsFd) -> i16 {
    let mut entry = libc::pollfd { fd: fd.as_fd().as_raw_fd(), events: IN | OUT | PRI | RDHUP, revents: 0 };
    // SAFETY: one entry, which lives through the call; the timeout is zero.
    check(unsafe { libc::poll(&raw mut entry, 1, 0) });
    entry.revents
}

/// Waits until the kernel says exactly this: what goes over the loopback device arrives when it likes.
#[track_caller]
pub(crate) fn settle(fd: &impl AsFd, expected: i16) {
    settle_as("the kernel", fd, expected);
}

/// The same, with a name for the case that it never does.
#[track_caller]
pub(crate) fn settle_as(name: &str, fd: &impl AsFd, expected: i16) {
    let start = Instant::now();
    while bits(fd) != expected {
        assert!(start.elapsed() < BOUND, "{name} says {:#06x} instead of {expected:#06x}", bits(fd));
        thread::yield_now();
    }
}

/// A duplicate with a number that is at least this.
pub(crate) fn duplicate_at(fd: &impl AsFd, least: RawFd) -> OwnedFd {
    // SAFETY: takes no pointers.
    owned(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_DUPFD_CLOEXEC, least) })
}

/// Gives a descriptor another open file: what becomes of a number that is closed and given out again.
pub(crate) fn replace(fd: RawFd, file: &impl AsFd) {
    // SAFETY: takes no pointers; the callers own the number.
    check(unsafe { libc::dup3(file.as_fd().as_raw_fd(), fd, libc::O_CLOEXEC) });
}

/// Closes a descriptor that is registered, too early, and answers its number.
pub(crate) fn close_early(fd: OwnedFd) -> RawFd {
    let number = fd.into_raw_fd();
    // SAFETY: the number was owned, and its owner has just given it up.
    check(unsafe { libc::close(number) });
    number
}

/// A number, dressed up as a descriptor: what a pollers' user has who was careless.
pub(crate) fn careless(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: not -1, which is all that the type itself relies on. That the number is not open is the very thing to be
    // tried; it goes into system calls only, which answer EBADF.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Whether a number is closed on exec; `None` if it is not open.
pub(crate) fn closes_on_exec(number: RawFd) -> Option<bool> {
    // SAFETY: takes no pointers.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    (flags >= 0).then_some(flags & libc::FD_CLOEXEC != 0)
}

pub(crate) fn set_nonblocking(fd: &impl AsFd) {
    // SAFETY: takes no pointers.
    check(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) });
}

/// Writes to a non-blocking descriptor until it takes no more.
pub(crate) fn fill(mut fd: impl Write) {
    while fd.write(&[0; 4096]).is_ok() {}
}

/// Makes the next close a reset.
pub(crate) fn reset_on_close(socket: &impl AsFd) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let len = size_of::<libc::linger>() as libc::socklen_t;
    let value = (&raw const linger).cast();
    // SAFETY: the kernel reads `len` bytes of `linger`, which lives through the call.
    let set = unsafe { libc::setsockopt(socket.as_fd().as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, value, len) };
    check(set);
}

pub(crate) fn send_urgent(socket: &impl AsFd) {
    let byte = b'!';
    // SAFETY: the kernel reads the one byte.
    let sent = unsafe { libc::send(socket.as_fd().as_raw_fd(), (&raw const byte).cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1);
}

pub(crate) fn receive_urgent(socket: &impl AsFd) -> u8 {
    let mut byte = 0_u8;
    // SAFETY: the kernel writes the one byte.
    let received = unsafe { libc::recv(socket.as_fd().as_raw_fd(), (&raw mut byte).cast(), 1, libc::MSG_OOB) };
    assert_eq!(received, 1);
    byte
}

/// Shuts down the reading side of any socket, a listener too.
pub(crate) fn shut_reading(socket: &impl AsFd) {
    // SAFETY: takes no pointers.
    check(unsafe { libc::shutdown(socket.as_fd().as_raw_fd(), libc::SHUT_RD) });
}

/// A TCP socket that was never connected.
pub(crate) fn tcp_socket() -> OwnedFd {
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointers.
    owned(unsafe { libc::socket(libc::AF_INET, kind, 0) })
}

/// A TCP socket on its way to be connected, or refused.
pub(crate) fn connecting(to: SocketAddrV4) -> OwnedFd {
    let socket = tcp_socket();
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    };
    let len = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes of `address`, which lives through the call.
    let result = unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), len) };
    assert!(result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::EINPROGRESS));
    socket
}

/// A pipe: the end to read from and the end to write to.
pub(crate) fn pipe() -> (File, File) {
    let mut ends = [-1; 2];
    // SAFETY: the kernel writes two numbers to `ends`.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) });
    (owned(ends[0]).into(), owned(ends[1]).into())
}

/// Two ends of a Unix socket that keeps records apart.
pub(crate) fn seqpacket_pair() -> (OwnedFd, OwnedFd) {
    let mut ends = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the kernel writes two numbers to `ends`.
    check(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) });
    (owned(ends[0]), owned(ends[1]))
}

/// A counter that starts at `count`.
pub(crate) fn eventfd(count: u32) -> OwnedFd {
    // SAFETY: takes no pointers.
    owned(unsafe { libc::eventfd(count, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) })
}

/// A pseudo-terminal: master and slave.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: takes no pointers.
    let master = owned(unsafe { libc::posix_openpt(flags) });
    // SAFETY: takes no pointers.
    check(unsafe { libc::unlockpt(master.as_raw_fd()) });
    // SAFETY: takes no pointers; the argument is the flags to open the slave with.
    let slave = owned(unsafe { libc::ioctl(master.as_raw_fd(), libc::TIOCGPTPEER, flags) });
    (master, slave)
}

/// Runs `child` in a forked process and answers its exit code. For a process with one thread at work only: the child
/// has a copy of every lock, as it was.
pub(crate) fn fork(child: impl FnOnce()) -> libc::c_int {
    // SAFETY: the callers are alone in their process, and the child does no more than it is told before it leaves.
    let process = check(unsafe { libc::fork() });
    if process == 0 {
        child();
        // SAFETY: ends the child without running what the parent has registered for its own end.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: the kernel writes the status, which lives through the call.
    check(unsafe { libc::waitpid(process, &raw mut status, 0) });
    status
}

thread_local! {
    /// How many signals this thread has handled. Without an initialiser or a destructor, so that a handler may use it.
    static HANDLED: Cell<usize> = const { Cell::new(0) };
}

extern "C" fn count_signal(_: libc::c_int) {
    HANDLED.set(HANDLED.get() + 1);
}

/// Has SIGUSR1 counted, by a handler that restarts nothing.
fn install_handler() {
    // SAFETY: `sigaction` is integers and a function pointer as an integer, for which all zeros is a value: no flags,
    // an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = count_signal as *const () as libc::sighandler_t;
    // SAFETY: the handler only adds to a number of its own thread, which is safe at any moment.
    check(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) });
}

/// Runs `work` on a thread of its own, which gets one signal after the other until it is done.
pub(crate) fn under_signals<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    install_handler();
    let worker = thread::spawn(move || {
        while HANDLED.get() == 0 {
            thread::yield_now();
        }
        work()
    });
    while !worker.is_finished() {
        // SAFETY: the thread was not joined yet, so its handle is valid, even if it has ended.
        unsafe { libc::pthread_kill(worker.as_pthread_t(), libc::SIGUSR1) };
        thread::yield_now();
    }
    worker.join().expect("the worker does not panic")
}

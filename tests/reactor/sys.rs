//! What these tests need of the kernel and the standard library does not offer.

#![allow(unsafe_code, reason = "system calls")]

use crate::support::BOUND;
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::thread::JoinHandleExt;
use std::ptr;
use std::thread;
use std::time::Instant;

fn check(result: libc::c_int) -> libc::c_int {
    assert!(result >= 0, "{}", io::Error::last_os_error());
    result
}

fn owned(number: libc::c_int) -> OwnedFd {
    // SAFETY: the system call that answered this number has just made it, for nobody else.
    unsafe { OwnedFd::from_raw_fd(check(number)) }
}

fn set_option<T: Copy>(socket: impl AsFd, level: libc::c_int, name: libc::c_int, value: &T) {
    let len = size_of::<T>() as libc::socklen_t;
    let value = ptr::from_ref(value).cast();
    // SAFETY: the kernel reads `len` bytes of `value`, which is that large.
    check(unsafe { libc::setsockopt(socket.as_fd().as_raw_fd(), level, name, value, len) });
}

/// An option of a socket that is a number.
pub(crate) fn option(socket: impl AsFd, level: libc::c_int, name: libc::c_int) -> libc::c_int {
    let mut value: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    let target = (&raw mut value).cast();
    // SAFETY: the kernel writes at most `len` bytes, the size of `value`, which lives through the call.
    check(unsafe { libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, target, &raw mut len) });
    value
}

/// How many connections wait at a listener, and how many may.
pub(crate) fn backlog(listener: impl AsFd) -> (u32, u32) {
    let mut info = [0_u32; 64];
    let mut len = size_of_val(&info) as libc::socklen_t;
    let (fd, target) = (listener.as_fd().as_raw_fd(), info.as_mut_ptr().cast());
    // SAFETY: the kernel writes at most `len` bytes, the size of `info`, which lives through the call.
    check(unsafe { libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, target, &raw mut len) });
    // `tcpi_unacked` and `tcpi_sacked`, which say this of a listener, follow eight bytes and four numbers.
    (info[6], info[7])
}

/// Waits until so many connections wait at a listener: loopback is quick, but not immediate.
pub(crate) fn until_waiting(listener: impl AsFd, wanted: u32) {
    let began = Instant::now();
    while backlog(&listener).0 < wanted {
        assert!(began.elapsed() < BOUND);
        thread::yield_now();
    }
}

/// Has a socket keep its port and refuse everybody.
pub(crate) fn stop_listening(listener: impl AsFd) {
    // SAFETY: takes no pointers.
    check(unsafe { libc::shutdown(listener.as_fd().as_raw_fd(), libc::SHUT_RD) });
}

/// Changes how many connections may wait at a listener.
pub(crate) fn set_backlog(listener: impl AsFd, backlog: libc::c_int) {
    // SAFETY: takes no pointers.
    check(unsafe { libc::listen(listener.as_fd().as_raw_fd(), backlog) });
}

/// Closes a connection by a reset.
pub(crate) fn reset(stream: TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    set_option(&stream, libc::SOL_SOCKET, libc::SO_LINGER, &linger);
    drop(stream);
}

/// Makes the kernel's buffers for what this socket sends and receives small, so that a peer who does not read is soon
/// felt. Over TCP they must not be much smaller than this, or the kernel waits for its timers.
pub(crate) fn shrink_buffers(socket: impl AsFd) {
    const SIZE: libc::c_int = 32 * 1024;
    set_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, &SIZE);
    set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, &SIZE);
}

/// Waits until so many bytes can be read from a socket: loopback is quick, but not immediate.
pub(crate) fn until_received(socket: impl AsFd, wanted: usize) {
    let began = Instant::now();
    loop {
        let mut available: libc::c_int = 0;
        // SAFETY: the kernel writes the number, which lives through the call.
        check(unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::FIONREAD, &raw mut available) });
        if available as usize >= wanted {
            return;
        }
        assert!(began.elapsed() < BOUND, "{available} of {wanted} bytes have arrived");
        thread::yield_now();
    }
}

/// Makes a pipe hold no more than a page.
pub(crate) fn shrink_pipe(pipe: impl AsFd) {
    // SAFETY: takes no pointers.
    check(unsafe { libc::fcntl(pipe.as_fd().as_raw_fd(), libc::F_SETPIPE_SZ, 4096) });
}

pub(crate) fn is_nonblocking(fd: impl AsFd) -> bool {
    // SAFETY: takes no pointers.
    check(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETFL) }) & libc::O_NONBLOCK != 0
}

pub(crate) fn closes_on_exec(fd: impl AsFd) -> bool {
    // SAFETY: takes no pointers.
    check(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETFD) }) & libc::FD_CLOEXEC != 0
}

/// A pipe: what is written to the second can be read from the first.
pub(crate) fn pipe() -> (File, File) {
    let mut ends = [-1; 2];
    // SAFETY: the kernel writes two numbers to `ends`.
    check(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) });
    (owned(ends[0]).into(), owned(ends[1]).into())
}

/// A pseudo-terminal: master and slave.
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let (mut master, mut slave) = (-1, -1);
    // SAFETY: the call writes the two numbers; name, settings and size are not asked for.
    check(unsafe { libc::openpty(&raw mut master, &raw mut slave, ptr::null_mut(), ptr::null(), ptr::null()) });
    (owned(master), owned(slave))
}

/// Sends a byte of urgent data.
pub(crate) fn send_urgent(stream: impl AsFd, byte: u8) {
    // SAFETY: the kernel reads the one byte, which lives through the call.
    let sent = unsafe { libc::send(stream.as_fd().as_raw_fd(), (&raw const byte).cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1, "{}", io::Error::last_os_error());
}

/// Has SIGPIPE end the process, as it does in programs that are not written in Rust.
pub(crate) fn restore_sigpipe() {
    // SAFETY: the default action; no handler is installed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// Runs `child` in a forked process; true if it answered true there. For a process with one thread at work only: the
/// child has a copy of every lock, as it was.
pub(crate) fn fork(child: impl FnOnce() -> bool) -> bool {
    // SAFETY: the callers are alone in their process, and the child does no more than it is told before it leaves.
    let process = check(unsafe { libc::fork() });
    if process == 0 {
        let code = if child() { 0 } else { 1 };
        // SAFETY: ends the child without running what the parent has registered for its own end.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: the kernel writes the status, which lives through the call.
    check(unsafe { libc::waitpid(process, &raw mut status, 0) });
    status == 0
}

thread_local! {
    /// How many signals this thread has handled. Without an initialiser or a destructor, so that a handler may use it.
    static HANDLED: Cell<usize> = const { Cell::new(0) };
}

extern "C" fn count_signal(_: libc::c_int) {
    HANDLED.set(HANDLED.get() + 1);
}

/// Runs `work` on a thread of its own, which is interrupted by one signal after the other until it is done.
pub(crate) fn under_signals<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // SAFETY: `sigaction` is integers and a function pointer as an integer, for which all zeros is a value: no flags, so
    // that nothing is restarted, and an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = count_signal as *const () as libc::sighandler_t;
    // SAFETY: the handler only adds to a number of its own thread, which is safe at any moment.
    check(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) });
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

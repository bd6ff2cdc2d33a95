//! System calls for loops written by hand: each counted, none wrapped in more than it takes.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};

pub use libc::{EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP, epoll_event};

/// System calls of the server's thread so far, for the thread that answers the bench.
pub static CALLS: AtomicU64 = AtomicU64::new(0);
/// Waits among them.
pub static WAITS: AtomicU64 = AtomicU64::new(0);

/// Counts without the cost of an atomic operation per call: published once a turn.
#[derive(Clone, Copy, Default)]
pub struct Counter {
    pub calls: u64,
    pub waits: u64,
}

impl Counter {
    pub fn publish(self) {
        CALLS.store(self.calls, Ordering::Relaxed);
        WAITS.store(self.waits, Ordering::Relaxed);
    }
}

pub fn epoll() -> RawFd {
    unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }
}

pub fn add(epoll: RawFd, fd: RawFd, events: i32) -> i32 {
    add_as(epoll, fd, events, fd as u64)
}

/// Registers with a number of one's choice instead of the descriptor's.
pub fn add_as(epoll: RawFd, fd: RawFd, events: i32, data: u64) -> i32 {
    let mut event = epoll_event { events: events as u32, u64: data };
    unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) }
}

pub fn modify(epoll: RawFd, fd: RawFd, events: i32) -> i32 {
    modify_as(epoll, fd, events, fd as u64)
}

/// The same for who registered with a number of his choice.
pub fn modify_as(epoll: RawFd, fd: RawFd, events: i32, data: u64) -> i32 {
    let mut event = epoll_event { events: events as u32, u64: data };
    unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_MOD, fd, &raw mut event) }
}

pub fn wait(epoll: RawFd, events: &mut [epoll_event], timeout: i32) -> &[epoll_event] {
    let n = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), events.len() as i32, timeout) };
    &events[..n.max(0) as usize]
}

pub fn accept(listener: RawFd) -> RawFd {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    unsafe { libc::accept4(listener, std::ptr::null_mut(), std::ptr::null_mut(), flags) }
}

pub fn read(fd: RawFd, buf: &mut [u8]) -> isize {
    unsafe { libc::read(fd, buf.as_mut_ptr().cast(), buf.len()) }
}

pub fn write(fd: RawFd, buf: &[u8]) -> isize {
    unsafe { libc::write(fd, buf.as_ptr().cast(), buf.len()) }
}

pub fn writev(fd: RawFd, bufs: &[io::IoSlice<'_>]) -> isize {
    unsafe { libc::writev(fd, bufs.as_ptr().cast(), bufs.len() as i32) }
}

pub fn close(fd: RawFd) {
    unsafe { libc::close(fd) };
}

pub fn eventfd() -> RawFd {
    unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) }
}

/// Rings an eventfd.
pub fn ring(bell: RawFd) {
    write(bell, &1u64.to_ne_bytes());
}

/// Adds to a poller of the crate `polling`, whose own call for it is unsafe: the source is to be deleted from the poller
/// before it is closed.
pub fn poll_add(
    poller: &polling::Poller,
    source: &impl AsRawFd,
    interest: polling::Event,
    mode: polling::PollMode,
) -> io::Result<()> {
    unsafe { poller.add_with_mode(source, interest, mode) }
}

pub fn would_block() -> bool {
    io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock
}

/// Binds the calling thread to one processor; false if that is not possible.
pub fn pin(cpu: usize) -> bool {
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0
    }
}

/// Has the kernel end this process when its parent ends.
pub fn end_with_parent() {
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

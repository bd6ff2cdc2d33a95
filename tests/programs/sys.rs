//! The system calls that these tests need and the standard library lacks.

#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

pub(crate) use libc::{POLLERR, POLLHUP, POLLIN, POLLOUT, SIGINT, SIGKILL, SIGTERM, pollfd};

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Waits until one of the descriptors is ready or the time is over; how many are.
pub(crate) fn poll(fds: &mut [pollfd], timeout: Duration) -> usize {
    let timeout = i32::try_from(timeout.as_millis() + 1).unwrap_or(i32::MAX);
    // SAFETY: the kernel reads and writes exactly the entries of the slice.
    let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, timeout) };
    check(ready).map_or(0, |ready| ready as usize)
}

/// What to ask of one descriptor; nothing of a negative one.
pub(crate) fn question(fd: RawFd, events: i16) -> pollfd {
    pollfd { fd, events, revents: 0 }
}

/// Makes closing it a reset.
pub(crate) fn reset_on_close(socket: BorrowedFd<'_>) {
    set_option(socket, libc::SO_LINGER, &libc::linger { l_onoff: 1, l_linger: 0 });
}

/// Has the kernel keep no more than this, or little more, for one who does not read.
pub(crate) fn set_receive_buffer(socket: BorrowedFd<'_>, bytes: libc::c_int) {
    set_option(socket, libc::SO_RCVBUF, &bytes);
}

fn set_option<T: Copy>(socket: BorrowedFd<'_>, name: libc::c_int, value: &T) {
    let len = size_of::<T>() as libc::socklen_t;
    let value = std::ptr::from_ref(value).cast();
    // SAFETY: the kernel reads `len` bytes of `value`, which lives through the call.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, name, value, len) }).unwrap();
}

pub(crate) fn signal(pid: u32, signal: i32) {
    // SAFETY: takes no pointers.
    check(unsafe { libc::kill(pid as libc::pid_t, signal) }).unwrap();
}

/// Raises the soft descriptor limit of this process to the hard one; how many that is.
pub(crate) fn raise_descriptor_limit() -> usize {
    let limit = tripoll::reactor::limits::raise_descriptor_limit().unwrap();
    usize::try_from(limit.soft).unwrap_or(usize::MAX)
}

/// Has the program do something before it starts.
fn before_exec(command: &mut Command, work: impl FnMut() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: all that is done here between fork and exec is one or two system calls.
    unsafe { command.pre_exec(work) };
}

/// Has the program end when the thread that starts it does.
pub(crate) fn end_with_this_thread(command: &mut Command) {
    // SAFETY: takes no pointers.
    before_exec(command, || check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, SIGKILL) }).map(drop));
}

/// Has the program start with so many descriptors, which it cannot raise.
pub(crate) fn limit_descriptors(command: &mut Command, count: u64) {
    before_exec(command, move || {
        let limit = libc::rlimit { rlim_cur: count, rlim_max: count };
        // SAFETY: the kernel reads `limit`, which lives through the call.
        check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }).map(drop)
    });
}

/// Has the program start without root's right to write where nobody may, if it has it.
pub(crate) fn without_privileges(command: &mut Command) {
    const CAP_DAC_OVERRIDE: libc::c_ulong = 1;
    before_exec(command, || {
        // SAFETY: takes no pointers. Fails for one who has no such right to lose.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) };
        Ok(())
    });
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Time on a processor.
    pub(crate) cpu: Duration,
    /// How often it went to sleep.
    pub(crate) sleeps: u64,
}

/// What the main thread of a process has used so far.
pub(crate) fn usage(pid: u32) -> Usage {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/task/{pid}/{name}")).unwrap();
    let nanoseconds = read("schedstat").split_whitespace().next().unwrap().parse().unwrap();
    let status = read("status");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    Usage { cpu: Duration::from_nanos(nanoseconds), sleeps: line.unwrap().trim().parse().unwrap() }
}

/// Whether the main thread of a process waits for something, and not for a processor.
pub(crate) fn is_waiting(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/task/{pid}/status")).unwrap();
    status.lines().any(|line| line.starts_with("State:\tS"))
}

/// How many descriptors with numbers below `bound` a process has open. (It may have inherited others.)
pub(crate) fn open_descriptors(pid: u32, bound: u64) -> u64 {
    let names = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().parse::<u64>().unwrap() < bound).count() as u64
}

/// How much memory of a process is in use.
pub(crate) fn memory(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

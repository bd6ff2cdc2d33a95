//! The system calls that these tests need and the standard library lacks.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr;

pub(crate) use libc::{SIGINT, SIGKILL, SIGTERM};

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

pub(crate) fn signal(pid: u32, signal: i32) {
    // SAFETY: takes no pointers.
    check(unsafe { libc::kill(pid as libc::pid_t, signal) }).unwrap();
}

/// Has the program end when the thread that starts it does.
pub(crate) fn end_with_this_thread(command: &mut Command) {
    // SAFETY: takes no pointers.
    let set = || check(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, SIGKILL) }).map(drop);
    // SAFETY: between fork and exec, only a system call is made.
    unsafe { command.pre_exec(set) };
}

/// Whether reads and writes of this open file answer at once.
pub(crate) fn is_nonblocking(fd: impl AsFd) -> bool {
    // SAFETY: takes no pointers.
    let flags = check(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETFL) }).unwrap();
    flags & libc::O_NONBLOCK != 0
}

/// A terminal without echo, and the side of it where the person sits: (person, program).
pub(crate) fn terminal() -> (OwnedFd, OwnedFd) {
    let (mut person, mut program) = (-1, -1);
    // SAFETY: the two numbers are written, and live through the call; the other arguments may be null.
    let opened = unsafe { libc::openpty(&raw mut person, &raw mut program, ptr::null_mut(), ptr::null(), ptr::null()) };
    check(opened).unwrap();
    // SAFETY: it was opened just now, and belongs to nobody else.
    let person = unsafe { OwnedFd::from_raw_fd(person) };
    // SAFETY: as above.
    let program = unsafe { OwnedFd::from_raw_fd(program) };
    // SAFETY: all zeros are a value of this struct of integers.
    let mut settings: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills `settings`, which lives through the call.
    check(unsafe { libc::tcgetattr(program.as_raw_fd(), &raw mut settings) }).unwrap();
    settings.c_lflag &= !libc::ECHO;
    settings.c_oflag &= !libc::OPOST;
    // SAFETY: the kernel reads `settings`, which lives through the call.
    check(unsafe { libc::tcsetattr(program.as_raw_fd(), libc::TCSANOW, &raw const settings) }).unwrap();
    (person, program)
}

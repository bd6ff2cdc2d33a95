//! The system calls, one typed function each, and the only `unsafe` of the crate.
//!
//! The rule of this room: a function here makes one system call (or one that cannot be told apart from outside), checks
//! its result, and hands out nothing that the caller could misuse: no raw pointers, no uninitialised memory, no
//! descriptor without an owner. Everything above is safe Rust.

#![allow(unsafe_code)]

pub(crate) mod address;
pub(crate) mod clock;
pub(crate) mod epoll;
pub(crate) mod eventfd;
pub(crate) mod file;
pub(crate) mod fork;
pub mod limits;
pub(crate) mod poll;
pub(crate) mod select;
pub(crate) mod socket;

use std::io;
use std::time::Duration;

/// Turns the C convention, minus one and `errno`, into a `Result`.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The same for calls that answer with a number of bytes.
#[inline]
fn check_len(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// A relative timeout for the calls that take nanoseconds.
///
/// Waits beyond the range of `time_t` are cut to it: on a 64-bit target that is longer than the age of the universe.
fn timespec(timeout: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    }
}

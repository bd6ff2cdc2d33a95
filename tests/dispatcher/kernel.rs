//! What the tests need of the kernel and the standard library does not offer.

#![allow(unsafe_code, reason = "system calls")]

use std::io;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd};

/// Sends a byte of urgent data.
pub(crate) fn send_urgent(stream: &TcpStream, byte: u8) {
    let byte = [byte];
    // SAFETY: the kernel reads one byte, of which there is one.
    let sent = unsafe { libc::send(stream.as_raw_fd(), byte.as_ptr().cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1, "{}", io::Error::last_os_error());
}

/// Closes a connection by a reset, whatever was or was not read.
pub(crate) fn reset(stream: TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    set_option(&stream, libc::SO_LINGER, &linger);
    drop(stream);
}

/// Makes the kernel's buffer of bytes to be sent as small as it gets.
pub(crate) fn shrink_send_buffer(socket: impl AsFd) {
    set_option(socket, libc::SO_SNDBUF, &1_i32);
}

fn set_option<T: Copy>(socket: impl AsFd, name: libc::c_int, value: &T) {
    let size = size_of::<T>() as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the kernel reads `size` bytes from `value`, which is that large.
    let result = unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, name, std::ptr::from_ref(value).cast(), size) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Sends a signal to this thread, whose handler has run when this returns.
pub(crate) fn raise(signal: i32) {
    // SAFETY: takes no pointers.
    let result = unsafe { libc::raise(signal) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Has SIGPIPE end the process, as it does in programs that are not written in Rust.
pub(crate) fn restore_sigpipe() {
    // SAFETY: restores the default action; no handler is installed.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

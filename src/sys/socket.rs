//! What the standard library's sockets lack: non-blocking connects and accepts, gathered and signal-free sends, urgent
//! data, the pending error.

use super::address::{Address, Storage};
use super::{check, check_len};
use std::io::{self, IoSlice};
use std::mem::{self, size_of};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

/// Never wait, never raise SIGPIPE: the peer's disappearance is an error value, whatever the host program is.
const SEND_FLAGS: libc::c_int = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;

/// [`accept4(2)`](https://man7.org/linux/man-pages/man2/accept4.2.html): the next pending connection, non-blocking and
/// closed on exec.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Address)> {
    let mut peer = Storage::new();
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the kernel writes at most `len` bytes of address, and the storage has that much room.
    let fd = unsafe { libc::accept4(listener.as_raw_fd(), peer.as_mut_ptr(), peer.len_mut(), flags) };
    let fd = check(fd)?;
    // SAFETY: the call succeeded, so the descriptor is open, and nobody else knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok((fd, peer.decode()?))
}

/// Starts connecting a new stream socket; true if it is connected already.
///
/// A Unix socket is connected at once, or refused: with EAGAIN if the listener's backlog is full.
pub(crate) fn connect(peer: &Address) -> io::Result<(OwnedFd, bool)> {
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::socket(peer.family(), kind, 0) })?;
    // SAFETY: the call succeeded, so the descriptor is open, and nobody else knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let storage = Storage::encode(peer);
    // SAFETY: `storage` holds an address of the length that it says, and lives through the call.
    match check(unsafe { libc::connect(fd.as_raw_fd(), storage.as_ptr(), storage.len()) }) {
        Ok(_) => Ok((fd, true)),
        // After EINTR the attempt goes on, as after EINPROGRESS.
        Err(e) if matches!(e.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR)) => Ok((fd, false)),
        Err(e) => Err(e),
    }
}

/// Sets how many connections may wait to be accepted. On a socket that listens already, this changes the number; the
/// kernel cuts it to `net.core.somaxconn`.
pub(crate) fn listen(socket: BorrowedFd<'_>, backlog: u32) -> io::Result<()> {
    let backlog = libc::c_int::try_from(backlog).unwrap_or(libc::c_int::MAX);
    // SAFETY: takes no pointers.
    check(unsafe { libc::listen(socket.as_raw_fd(), backlog) })?;
    Ok(())
}

/// [`send(2)`](https://man7.org/linux/man-pages/man2/send.2.html): how much of `data` the kernel took.
///
/// By number, as [`recv`] is: in a program with threads the C library makes each of its wrappers a point at which the
/// thread may be cancelled, and that takes three times as many instructions as the call itself.
#[inline]
pub(crate) fn send(socket: BorrowedFd<'_>, data: &[u8]) -> io::Result<usize> {
    let nobody = ptr::null::<libc::sockaddr>();
    // SAFETY: the kernel reads at most `data.len()` bytes of `data`, and no address.
    let sent = unsafe {
        libc::syscall(libc::SYS_sendto, socket.as_raw_fd(), data.as_ptr(), data.len(), SEND_FLAGS, nobody, 0_usize)
    };
    check_len(sent as isize)
}

/// The same, gathered from several places by one call.
pub(crate) fn send_vectored(socket: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    // SAFETY: `msghdr` is integers and pointers, for which all zeros is a value.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = bufs.as_ptr().cast_mut().cast();
    message.msg_iovlen = bufs.len() as _;
    // SAFETY: `IoSlice` is guaranteed to be laid out as `iovec`; the kernel only reads them and what they span.
    check_len(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, SEND_FLAGS) })
}

/// Sends one datagram, to `to` or, on a connected socket, to its peer.
pub(crate) fn send_to(socket: BorrowedFd<'_>, data: &[u8], to: Option<&Address>) -> io::Result<usize> {
    let to = to.map(Storage::encode);
    let (to, len) = to.as_ref().map_or((ptr::null(), 0), |to| (to.as_ptr(), to.len()));
    // SAFETY: the kernel reads at most `data.len()` bytes of `data`, and `len` bytes of an address that lives through
    // the call, or none.
    check_len(unsafe { libc::sendto(socket.as_raw_fd(), data.as_ptr().cast(), data.len(), SEND_FLAGS, to, len) })
}

/// [`recv(2)`](https://man7.org/linux/man-pages/man2/recv.2.html): how much of `buf` was filled; 0 at the end of a
/// stream.
#[inline]
pub(crate) fn recv(socket: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let nobody = ptr::null_mut::<libc::sockaddr>();
    // SAFETY: the kernel writes at most `buf.len()` bytes to `buf`, and no address.
    let received = unsafe {
        libc::syscall(
            libc::SYS_recvfrom,
            socket.as_raw_fd(),
            buf.as_mut_ptr(),
            buf.len(),
            libc::MSG_DONTWAIT,
            nobody,
            nobody,
        )
    };
    check_len(received as isize)
}

/// Receives the urgent byte: [`tcp(7)`](https://man7.org/linux/man-pages/man7/tcp.7.html), "urgent data".
pub(crate) fn recv_urgent(socket: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_OOB;
    // SAFETY: the kernel writes at most `buf.len()` bytes to `buf`.
    check_len(unsafe { libc::recv(socket.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), flags) })
}

/// Sends a byte marked as urgent.
pub(crate) fn send_urgent(socket: BorrowedFd<'_>, byte: u8) -> io::Result<()> {
    let flags = SEND_FLAGS | libc::MSG_OOB;
    // SAFETY: the kernel reads the one byte.
    check_len(unsafe { libc::send(socket.as_raw_fd(), (&raw const byte).cast(), 1, flags) })?;
    Ok(())
}

/// Receives one datagram and its sender; what does not fit into `buf` is lost, so the full length is answered too.
pub(crate) fn recv_from(socket: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<(usize, Address)> {
    let mut from = Storage::new();
    let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
    // SAFETY: the kernel writes at most `buf.len()` bytes to `buf` and at most `len` bytes of address, for which the
    // storage has room.
    let len = unsafe {
        libc::recvfrom(socket.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len(), flags, from.as_mut_ptr(), from.len_mut())
    };
    Ok((check_len(len)?, from.decode()?))
}

/// [`shutdown(2)`](https://man7.org/linux/man-pages/man2/shutdown.2.html)
pub(crate) fn shutdown(socket: BorrowedFd<'_>, how: Shutdown) -> io::Result<()> {
    let how = match how {
        Shutdown::Read => libc::SHUT_RD,
        Shutdown::Write => libc::SHUT_WR,
        Shutdown::Both => libc::SHUT_RDWR,
    };
    // SAFETY: takes no pointers.
    check(unsafe { libc::shutdown(socket.as_raw_fd(), how) })?;
    Ok(())
}

/// Makes the next close a reset: what is unsent is dropped, and the peer hears of it.
pub(crate) fn reset_on_close(socket: BorrowedFd<'_>) -> io::Result<()> {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    set_option(socket, libc::SOL_SOCKET, libc::SO_LINGER, &linger)
}

/// Sends small segments at once instead of waiting for more. A listener's connections inherit it.
pub(crate) fn set_nodelay(socket: BorrowedFd<'_>) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, &1_i32)
}

fn set_option<T: Copy>(socket: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel reads `len` bytes of `value`, which lives through the call.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(value).cast(), len) })?;
    Ok(())
}

/// Takes the pending error of a socket, so that nobody else will see it: `SO_ERROR` of
/// [`socket(7)`](https://man7.org/linux/man-pages/man7/socket.7.html).
pub(crate) fn take_error(socket: BorrowedFd<'_>) -> io::Result<Option<io::Error>> {
    let mut error: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    let target = (&raw mut error).cast();
    // SAFETY: the kernel writes at most `len` bytes, the size of `error`, which lives through the call.
    check(unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_ERROR, target, &raw mut len) })?;
    Ok((error != 0).then(|| io::Error::from_raw_os_error(error)))
}

/// The address that a socket is bound to.
pub(crate) fn local_address(socket: BorrowedFd<'_>) -> io::Result<Address> {
    let mut address = Storage::new();
    // SAFETY: the kernel writes at most `len` bytes of address, and the storage has that much room.
    check(unsafe { libc::getsockname(socket.as_raw_fd(), address.as_mut_ptr(), address.len_mut()) })?;
    address.decode()
}

/// The address that a socket is connected to.
pub(crate) fn peer_address(socket: BorrowedFd<'_>) -> io::Result<Address> {
    let mut address = Storage::new();
    // SAFETY: the kernel writes at most `len` bytes of address, and the storage has that much room.
    check(unsafe { libc::getpeername(socket.as_raw_fd(), address.as_mut_ptr(), address.len_mut()) })?;
    address.decode()
}

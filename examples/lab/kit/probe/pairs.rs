//! The descriptors that the experiments are done with, all of them non-blocking.

use super::waiter::BOUND;
use rustix::io::ioctl_fionread;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// Two ends of a connection over loopback; the first was accepted.
pub(super) fn tcp() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    for end in [&server, &client] {
        end.set_nonblocking(true)?;
        end.set_nodelay(true)?;
    }
    Ok((server, client))
}

pub(super) fn unix() -> io::Result<(UnixStream, UnixStream)> {
    let (left, right) = UnixStream::pair()?;
    left.set_nonblocking(true)?;
    right.set_nonblocking(true)?;
    Ok((left, right))
}

pub(super) fn listener() -> io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Until this many bytes lie unread, which on loopback is at once, but not in the call that sends them.
pub(super) fn until_arrived(fd: impl AsFd, bytes: u64) -> io::Result<()> {
    let start = Instant::now();
    while ioctl_fionread(fd.as_fd())? < bytes {
        if start.elapsed() > BOUND {
            return Err(io::Error::other(format!("{bytes} bytes did not arrive within 2 s")));
        }
        thread::sleep(Duration::from_micros(100));
    }
    Ok(())
}

//! Both ends of connections over loopback, for one thread to hold.

use super::meter::End;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

/// How long anything may take that is bound to happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A connection: the server's end and the client's, both non-blocking.
pub(super) fn connection() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let own = client.local_addr()?;
    // Anybody on this machine may have found the port.
    let server = loop {
        let (stream, peer) = listener.accept()?;
        if peer == own {
            break stream;
        }
    };
    for end in [&server, &client] {
        end.set_nonblocking(true)?;
        end.set_nodelay(true)?;
    }
    Ok((server, client))
}

/// Ends a connection by a reset.
pub(super) fn reset(client: TcpStream) -> io::Result<()> {
    setsockopt(&client, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })?;
    drop(client);
    Ok(())
}

/// Reads what is there; 0 if that is nothing, and an error at the end of the stream.
pub(super) fn read_some(mut from: impl Read, buf: &mut [u8]) -> io::Result<usize> {
    match from.read(buf) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
        answer => answer,
    }
}

/// How many bytes have arrived and were not read.
pub(super) fn unread(of: impl AsFd) -> io::Result<u64> {
    Ok(rustix::io::ioctl_fionread(of)?)
}

/// Waits until so many bytes have arrived: loopback is quick, but not immediate.
pub(super) fn until_arrived(at: impl AsFd, bytes: u64) -> io::Result<()> {
    let end = End::after(PATIENCE);
    while unread(&at)? < bytes {
        if end.has_come() {
            let what = format!("{} of {bytes} bytes have arrived over loopback in {PATIENCE:?}", unread(&at)?);
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        thread::yield_now();
    }
    Ok(())
}

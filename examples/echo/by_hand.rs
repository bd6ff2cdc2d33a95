//! What `on_poller.rs` has to know of sockets, which the floors above know by themselves.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use tripoll::Interest;
use tripoll::reactor::{Address, Datagram, Listener};

/// What a connection needs next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Wait(Interest),
    Close,
}

/// A client.
#[derive(Debug)]
pub(super) struct Connection {
    /// Reading and writing is all that is done to it, and a file can do that, whatever kind of socket it is.
    socket: File,
    /// What was read and could not be written yet.
    rest: Vec<u8>,
    /// What the poller waits for.
    pub(super) wanted: Interest,
}

impl Connection {
    fn new(socket: OwnedFd) -> Self {
        Self { socket: socket.into(), rest: Vec::new(), wanted: Interest::READABLE }
    }

    /// Writes what is owed, then reads once and writes that.
    ///
    /// Nothing is read while something is owed. This one rule bounds the memory, pushes back at a client that does not
    /// read, and makes the end simple: when it is read, nothing is owed any more.
    ///
    /// # Errors
    ///
    /// Those of the connection, which is of no use any more.
    pub(super) fn echo(&mut self, buffer: &mut [u8]) -> io::Result<Next> {
        self.write_rest()?;
        if !self.rest.is_empty() {
            return Ok(Next::Wait(Interest::WRITABLE));
        }
        let read = match self.socket.read(buffer) {
            Ok(0) => return Ok(Next::Close),
            Ok(read) => read,
            Err(e) if is_temporary(&e) => return Ok(Next::Wait(Interest::READABLE)),
            Err(e) => return Err(e),
        };
        let written = write(&self.socket, &buffer[..read])?;
        self.rest.extend_from_slice(&buffer[written..read]);
        Ok(Next::Wait(if self.rest.is_empty() { Interest::READABLE } else { Interest::WRITABLE }))
    }

    fn write_rest(&mut self) -> io::Result<()> {
        if !self.rest.is_empty() {
            let written = write(&self.socket, &self.rest)?;
            self.rest.drain(..written);
            if self.rest.is_empty() {
                // An idle connection shall not keep the memory of its busiest moment.
                self.rest = Vec::new();
            }
        }
        Ok(())
    }
}

/// How much the kernel took, which may be nothing.
fn write(mut socket: &File, data: &[u8]) -> io::Result<usize> {
    match socket.write(data) {
        Err(e) if is_temporary(&e) => Ok(0),
        result => result,
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A listener.
#[derive(Debug)]
pub(super) struct Door {
    socket: DoorSocket,
    /// Removes the path of a Unix socket in the end.
    _bound: Listener,
}

#[derive(Debug)]
enum DoorSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Door {
    pub(super) fn new(bound: Listener) -> io::Result<Self> {
        let fd = bound.as_fd().try_clone_to_owned()?;
        let socket = match bound.local_address()? {
            Address::Inet(_) => DoorSocket::Tcp(fd.into()),
            _ => DoorSocket::Unix(fd.into()),
        };
        // A client may change its mind between the event and the accept, which must not block then.
        match &socket {
            DoorSocket::Tcp(listener) => listener.set_nonblocking(true)?,
            DoorSocket::Unix(listener) => listener.set_nonblocking(true)?,
        }
        Ok(Self { socket, _bound: bound })
    }

    pub(super) fn accept(&self) -> io::Result<Connection> {
        Ok(Connection::new(match &self.socket {
            DoorSocket::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                stream.into()
            }
            DoorSocket::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                stream.into()
            }
        }))
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            DoorSocket::Tcp(listener) => listener.as_fd(),
            DoorSocket::Unix(listener) => listener.as_fd(),
        }
    }
}

/// A datagram socket.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: DatagramSocket,
    _bound: Datagram,
}

#[derive(Debug)]
enum DatagramSocket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

impl Datagrams {
    /// The longest that IP carries.
    pub(super) const MAX: usize = 65_536;

    pub(super) fn new(bound: Datagram) -> io::Result<Self> {
        let fd = bound.as_fd().try_clone_to_owned()?;
        let socket = match bound.local_address()? {
            Address::Inet(_) => DatagramSocket::Udp(fd.into()),
            _ => DatagramSocket::Unix(fd.into()),
        };
        match &socket {
            DatagramSocket::Udp(socket) => socket.set_nonblocking(true)?,
            DatagramSocket::Unix(socket) => socket.set_nonblocking(true)?,
        }
        Ok(Self { socket, _bound: bound })
    }

    /// Echoes one datagram; false if there was none. If there is no room for the answer it is lost, as the network would
    /// have lost it; keeping it would be a promise that datagrams do not make.
    pub(super) fn echo(&self, buffer: &mut [u8]) -> bool {
        let sent = match &self.socket {
            DatagramSocket::Udp(socket) => match socket.recv_from(buffer) {
                Ok((len, sender)) => socket.send_to(&buffer[..len], sender),
                Err(_) => return false,
            },
            DatagramSocket::Unix(socket) => match socket.recv_from(buffer) {
                Ok((len, sender)) => socket.send_to_addr(&buffer[..len], &sender),
                Err(_) => return false,
            },
        };
        if let Err(e) = sent {
            log::debug!("a datagram was lost: {e}");
        }
        true
    }
}

impl AsFd for Datagrams {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            DatagramSocket::Udp(socket) => socket.as_fd(),
            DatagramSocket::Unix(socket) => socket.as_fd(),
        }
    }
}

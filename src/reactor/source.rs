//! What a loop can watch: listeners, streams, datagram sockets, and descriptors of any other kind.
//!
//! A source owns its descriptor, so that the loop can remove it from the poller before it is closed. The standard
//! library's types convert into one, and are made non-blocking when the loop adopts them.

use super::endpoint::Endpoint;
use crate::sys;
use crate::sys::address::Address;
use std::fs;
use std::io;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;

/// A socket that others connect to.
#[derive(Debug)]
pub struct Listener {
    pub(super) fd: OwnedFd,
    pub(super) path: Option<SocketPath>,
}

impl Listener {
    /// Connections that may wait to be accepted, unless [`bind_with_backlog`](Self::bind_with_backlog) says otherwise.
    /// The kernel cuts the number to `net.core.somaxconn`.
    pub const BACKLOG: u32 = 1024;

    /// Listens at a TCP or Unix endpoint. TCP connections will send small messages at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Says where, what, and what to do: the address is in use, the path exists, permission is lacking, the endpoint is
    /// one for datagrams.
    pub fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        Self::bind_with_backlog(endpoint, Self::BACKLOG)
    }

    /// The same, with room for `backlog` connections that wait to be accepted.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub fn bind_with_backlog(endpoint: &Endpoint, backlog: u32) -> io::Result<Self> {
        let bind = || {
            let listener = match endpoint {
                Endpoint::Tcp(addr) => Self::from(TcpListener::bind(addr)?),
                Endpoint::Unix(path) => {
                    // First of all: a path that could not be bound is somebody else's, and is not to be removed.
                    let listener = UnixListener::bind(path)?;
                    Self { path: Some(SocketPath(path.clone())), ..listener.into() }
                }
                Endpoint::Udp(_) | Endpoint::UnixDatagram(_) => {
                    let what = "datagram sockets have no connections: write tcp:// or unix://";
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
                }
            };
            if matches!(endpoint, Endpoint::Tcp(_)) {
                sys::socket::set_nodelay(listener.as_fd())?;
            }
            sys::socket::listen(listener.as_fd(), backlog)?;
            Ok(listener)
        };
        bind().map_err(|e| bind_error(endpoint, e))
    }

    /// Where it listens: the port that the kernel chose, if 0 was asked for.
    ///
    /// # Errors
    ///
    /// Those of `getsockname`; a listening socket has an address.
    pub fn local_address(&self) -> io::Result<Address> {
        sys::socket::local_address(self.as_fd())
    }
}

/// Says what to do about an endpoint that cannot be had.
fn bind_error(endpoint: &Endpoint, error: io::Error) -> io::Error {
    let advice = match (error.kind(), endpoint) {
        (io::ErrorKind::AddrInUse, Endpoint::Unix(_) | Endpoint::UnixDatagram(_)) => {
            ": the path exists; remove it if no server is using it, or choose another"
        }
        (io::ErrorKind::AddrInUse, _) => ": another program has this port; stop it or choose another port",
        (io::ErrorKind::AddrNotAvailable, _) => ": this machine does not have that address",
        (io::ErrorKind::PermissionDenied, Endpoint::Tcp(_) | Endpoint::Udp(_)) => {
            ": ports below 1024 are for privileged programs; choose a higher one"
        }
        (io::ErrorKind::PermissionDenied, _) => ": the directory is not writable; choose another path",
        (io::ErrorKind::NotFound, _) => ": the directory does not exist; create it or choose another path",
        _ => "",
    };
    io::Error::new(error.kind(), format!("cannot listen on {endpoint}: {error}{advice}"))
}

/// The path of a Unix socket that this process bound; removed when the socket is closed.
#[derive(Debug)]
pub(super) struct SocketPath(PathBuf);

impl Drop for SocketPath {
    fn drop(&mut self) {
        // It may have been removed by hand, which is no reason to complain.
        let _ = fs::remove_file(&self.0);
    }
}

/// A connected stream socket, TCP or Unix.
#[derive(Debug)]
pub struct Stream {
    pub(super) fd: OwnedFd,
    pub(super) tcp: bool,
    /// Set already, for what the loop itself accepted or connected.
    pub(super) nonblocking: bool,
    /// Whose share of [`Settings::max_per_peer`](super::Settings) it takes.
    pub(super) counted: Option<IpAddr>,
}

impl Stream {
    pub(super) fn new(fd: OwnedFd, peer: &Address) -> Self {
        Self { fd, tcp: peer.as_inet().is_some(), nonblocking: true, counted: None }
    }

    /// The peer's address.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the peer has reset the connection already.
    pub fn peer_address(&self) -> io::Result<Address> {
        sys::socket::peer_address(self.as_fd())
    }
}

/// A UDP or Unix datagram socket.
#[derive(Debug)]
pub struct Datagram {
    pub(super) fd: OwnedFd,
    pub(super) path: Option<SocketPath>,
}

impl Datagram {
    /// A socket that receives what is sent to a UDP or Unix datagram endpoint.
    ///
    /// # Errors
    ///
    /// As for [`Listener::bind`].
    pub fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        let bind = || match endpoint {
            Endpoint::Udp(addr) => Ok(UdpSocket::bind(addr)?.into()),
            Endpoint::UnixDatagram(path) => {
                // First of all, as for a listener.
                let socket = UnixDatagram::bind(path)?;
                Ok(Self { path: Some(SocketPath(path.clone())), ..socket.into() })
            }
            Endpoint::Tcp(_) | Endpoint::Unix(_) => {
                let what = "stream sockets have connections, not datagrams: write udp:// or unixgram://";
                Err(io::Error::new(io::ErrorKind::InvalidInput, what))
            }
        };
        bind().map_err(|e| bind_error(endpoint, e))
    }

    /// Where it is bound: the port that the kernel chose, if 0 was asked for.
    ///
    /// # Errors
    ///
    /// Those of `getsockname`; a bound socket has an address.
    pub fn local_address(&self) -> io::Result<Address> {
        sys::socket::local_address(self.as_fd())
    }
}

/// A descriptor of any other kind: a pipe, a terminal, a child's output, a file.
#[derive(Debug)]
pub struct Descriptor {
    pub(super) fd: OwnedFd,
    /// Others use the same open file and would notice if it became non-blocking.
    pub(super) shared: bool,
}

impl Descriptor {
    /// A descriptor of which nobody else holds a duplicate. It is made non-blocking.
    #[must_use]
    pub fn new(fd: impl Into<OwnedFd>) -> Self {
        Self { fd: fd.into(), shared: false }
    }

    /// A duplicate of a descriptor that others go on using, such as the terminal that standard input, standard output and
    /// the shell have in common. It is left blocking, and each read is preceded by a question whether it would block.
    ///
    /// Writing to it does block. It is meant for reading.
    ///
    /// # Errors
    ///
    /// EMFILE at the descriptor limit.
    pub fn shared(fd: impl AsFd) -> io::Result<Self> {
        Ok(Self { fd: fd.as_fd().try_clone_to_owned()?, shared: true })
    }
}

/// Any of them.
#[derive(Debug)]
#[non_exhaustive]
pub enum Source {
    /// Takes in connections.
    Listener(Listener),
    /// Carries bytes in order.
    Stream(Stream),
    /// Carries separate messages.
    Datagram(Datagram),
    /// Whatever else can be read or written.
    Descriptor(Descriptor),
}

macro_rules! sources {
    ($($kind:ident),*) => { $(
        impl AsFd for $kind {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.fd.as_fd()
            }
        }

        impl From<$kind> for Source {
            fn from(source: $kind) -> Self {
                Self::$kind(source)
            }
        }
    )* };
}

sources!(Listener, Stream, Datagram, Descriptor);

macro_rules! from_std {
    ($($std:ty => $kind:ident { $($field:ident: $value:expr),* };)*) => { $(
        impl From<$std> for $kind {
            fn from(socket: $std) -> Self {
                Self { fd: socket.into(), $($field: $value),* }
            }
        }

        impl From<$std> for Source {
            fn from(socket: $std) -> Self {
                Self::$kind(socket.into())
            }
        }
    )* };
}

from_std! {
    TcpListener => Listener { path: None };
    UnixListener => Listener { path: None };
    TcpStream => Stream { tcp: true, nonblocking: false, counted: None };
    UnixStream => Stream { tcp: false, nonblocking: false, counted: None };
    UdpSocket => Datagram { path: None };
    UnixDatagram => Datagram { path: None };
}

/// Gives the connection back to the world outside the loop, non-blocking as it is.
impl From<Stream> for OwnedFd {
    fn from(stream: Stream) -> Self {
        stream.fd
    }
}

/// Gives the socket to the world outside the loop. The path of a Unix socket is removed with this.
impl From<Listener> for OwnedFd {
    fn from(listener: Listener) -> Self {
        listener.fd
    }
}

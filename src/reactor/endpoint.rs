//! Addresses as people write them on a command line.

use crate::sys::address::Address;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens or a client connects: `tcp://127.0.0.1:7000`, `udp://[::1]:7000`, `unix:///run/chat.sock`,
/// `unixgram:///run/log.sock`.
///
/// # Examples
///
/// ```
/// use tripoll::Endpoint;
///
/// let endpoint: Endpoint = "tcp://127.0.0.1:7000".parse()?;
/// assert_eq!(endpoint.to_string(), "tcp://127.0.0.1:7000");
/// assert!("127.0.0.1:7000".parse::<Endpoint>().is_err());
/// # Ok::<(), tripoll::reactor::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// A TCP socket.
    Tcp(SocketAddr),
    /// A UDP socket.
    Udp(SocketAddr),
    /// A Unix stream socket.
    Unix(PathBuf),
    /// A Unix datagram socket.
    UnixDatagram(PathBuf),
}

impl Endpoint {
    /// Whether it carries separate datagrams instead of a stream.
    #[must_use]
    pub fn is_datagram(&self) -> bool {
        matches!(self, Self::Udp(_) | Self::UnixDatagram(_))
    }

    /// The socket address.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path of a Unix socket is longer than 107 bytes.
    pub fn address(&self) -> std::io::Result<Address> {
        match self {
            Self::Tcp(addr) | Self::Udp(addr) => Ok((*addr).into()),
            Self::Unix(path) | Self::UnixDatagram(path) => Address::unix(path),
        }
    }

    /// The same kind of endpoint at another address: where a server really listens, after it asked for port 0.
    #[must_use]
    pub fn at(&self, address: &Address) -> Self {
        match (self, address) {
            (Self::Tcp(_), Address::Inet(addr)) => Self::Tcp(*addr),
            (Self::Udp(_), Address::Inet(addr)) => Self::Udp(*addr),
            _ => self.clone(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => write!(f, "tcp://{addr}"),
            Self::Udp(addr) => write!(f, "udp://{addr}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::UnixDatagram(path) => write!(f, "unixgram://{}", path.display()),
        }
    }
}

/// Reads `scheme://address`. A host name is looked up, which may block, and its first address taken.
impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let error = |what: String| EndpointError { text: text.to_owned(), what };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(error("it has no scheme".to_owned()));
        };
        match scheme {
            "tcp" => resolve(rest).map(Self::Tcp).map_err(error),
            "udp" => resolve(rest).map(Self::Udp).map_err(error),
            "unix" | "unixgram" if rest.is_empty() => Err(error("it has no path".to_owned())),
            "unix" => Ok(Self::Unix(rest.into())),
            "unixgram" => Ok(Self::UnixDatagram(rest.into())),
            _ => Err(error(format!("the scheme {scheme:?} is unknown"))),
        }
    }
}

fn resolve(text: &str) -> Result<SocketAddr, String> {
    if let Ok(addr) = text.parse() {
        return Ok(addr);
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err("it has no port".to_owned());
    };
    if port.parse::<u16>().is_err() {
        return Err(format!("{port:?} is no port (0 to 65535)"));
    }
    if host.is_empty() || host.contains([':', '[', ']']) {
        return Err(format!("{host:?} is no host (an IPv6 address stands in brackets)"));
    }
    match text.to_socket_addrs() {
        Ok(mut found) => found.next().ok_or_else(|| format!("the host {host:?} has no address")),
        Err(e) => Err(format!("the host {host:?} was not found: {e}")),
    }
}

/// Why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    text: String,
    what: String,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no address: {}; write tcp://HOST:PORT, udp://HOST:PORT, unix:///PATH or unixgram:///PATH",
            self.text, self.what
        )
    }
}

impl std::error::Error for EndpointError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_they_are_shown() {
        for text in [
            "tcp://192.168.0.1:50",
            "tcp://[ffff::1]:1000",
            "udp://127.0.0.1:0",
            "unix:///run/chat.sock",
            "unix://relative.sock",
            "unixgram:///run/log.sock",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        let local = "tcp://localhost:7000".parse::<Endpoint>().unwrap();
        assert!(matches!(local, Endpoint::Tcp(addr) if addr.ip().is_loopback() && addr.port() == 7000));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, what) in [
            ("127.0.0.1:7000", "no scheme"),
            ("http://127.0.0.1:7000", "\"http\" is unknown"),
            ("tcp://1.2.3.4", "no port"),
            ("tcp://1.2.3.4:65599", "\"65599\" is no port"),
            ("tcp://1.2.3.4:-1", "\"-1\" is no port"),
            ("tcp://[ffff::1:1000", "\"[ffff::1\" is no host"),
            ("tcp://::1:1000", "\"::1\" is no host"),
            ("tcp://:7000", "\"\" is no host"),
            ("unix://", "no path"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("tcp://HOST:PORT"), "{text}: {error}");
        }
    }

    #[test]
    fn the_port_that_the_kernel_chose_replaces_the_one_asked_for() {
        let asked: Endpoint = "tcp://127.0.0.1:0".parse().unwrap();
        let given = Address::Inet("127.0.0.1:4711".parse().unwrap());
        assert_eq!(asked.at(&given).to_string(), "tcp://127.0.0.1:4711");
    }
}

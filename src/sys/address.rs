//! Socket addresses, ours and the kernel's.

use std::fmt;
use std::io;
use std::mem::{self, size_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::Path;

/// Where a socket is: an IP address with its port, or the name of a Unix socket.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Address {
    /// IPv4 or IPv6, with the port: [`ip(7)`](https://man7.org/linux/man-pages/man7/ip.7.html).
    Inet(SocketAddr),
    /// A Unix socket: a path, an abstract name, or (a client, most of the time) no name at all:
    /// [`unix(7)`](https://man7.org/linux/man-pages/man7/unix.7.html).
    Unix(Box<UnixAddr>),
}

impl Address {
    /// The address of a Unix socket in the file system.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path is longer than the 107 bytes that the kernel has room for, or holds a zero byte.
    pub fn unix(path: impl AsRef<Path>) -> io::Result<Self> {
        UnixAddr::from_pathname(path).map(|name| Self::Unix(Box::new(name)))
    }

    /// The IP address and port, if it is one.
    #[must_use]
    pub fn as_inet(&self) -> Option<SocketAddr> {
        match self {
            Self::Inet(addr) => Some(*addr),
            Self::Unix(_) => None,
        }
    }

    /// The path of a Unix socket that has one.
    #[must_use]
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Inet(_) => None,
            Self::Unix(name) => name.as_pathname(),
        }
    }

    pub(super) fn family(&self) -> libc::c_int {
        match self {
            Self::Inet(SocketAddr::V4(_)) => libc::AF_INET,
            Self::Inet(SocketAddr::V6(_)) => libc::AF_INET6,
            Self::Unix(_) => libc::AF_UNIX,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(addr: SocketAddr) -> Self {
        Self::Inet(addr)
    }
}

impl From<UnixAddr> for Address {
    fn from(name: UnixAddr) -> Self {
        Self::Unix(Box::new(name))
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inet(a), Self::Inet(b)) => a == b,
            (Self::Unix(a), Self::Unix(b)) => {
                a.as_pathname() == b.as_pathname() && a.as_abstract_name() == b.as_abstract_name()
            }
            _ => false,
        }
    }
}

impl Eq for Address {}

/// `127.0.0.1:7000`, `[::1]:7000`, `/run/chat.sock`, `@abstract`, or `(unnamed)`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Inet(addr) => return addr.fmt(f),
            Self::Unix(name) => name,
        };
        if let Some(path) = name.as_pathname() {
            path.display().fmt(f)
        } else if let Some(bytes) = name.as_abstract_name() {
            write!(f, "@{}", bytes.escape_ascii())
        } else {
            f.write_str("(unnamed)")
        }
    }
}

/// Room for any address that the kernel may write, and how much of it is filled.
pub(super) struct Storage {
    raw: libc::sockaddr_storage,
    len: libc::socklen_t,
}

impl Storage {
    /// Empty, for a call that fills it.
    pub(super) fn new() -> Self {
        Self {
            // SAFETY: `sockaddr_storage` is plain integers, for which all zeros is a value.
            raw: unsafe { mem::zeroed() },
            len: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        }
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.raw).cast()
    }

    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.raw).cast()
    }

    pub(super) fn len(&self) -> libc::socklen_t {
        self.len
    }

    pub(super) fn len_mut(&mut self) -> &mut libc::socklen_t {
        &mut self.len
    }

    /// The bytes behind the family field, as far as they were filled.
    fn name(&self) -> &[u8] {
        let offset = size_of::<libc::sa_family_t>();
        let filled = (self.len as usize).clamp(offset, size_of::<libc::sockaddr_storage>());
        // SAFETY: the whole of `raw` is initialised (zeroed by `new`, overwritten by the kernel at most), and `filled`
        // is clamped to its size.
        let bytes = unsafe { std::slice::from_raw_parts((&raw const self.raw).cast::<u8>(), filled) };
        &bytes[offset..]
    }

    /// Reads what a system call left here.
    pub(super) fn decode(&self) -> io::Result<Address> {
        match i32::from(self.raw.ss_family) {
            libc::AF_INET => {
                // SAFETY: the family says that a `sockaddr_in` was written, and `sockaddr_storage` is large enough and
                // aligned for every kind of address.
                let raw = unsafe { &*(&raw const self.raw).cast::<libc::sockaddr_in>() };
                let ip = Ipv4Addr::from(u32::from_be(raw.sin_addr.s_addr));
                Ok(Address::Inet(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)).into()))
            }
            libc::AF_INET6 => {
                // SAFETY: as above, for `sockaddr_in6`.
                let raw = unsafe { &*(&raw const self.raw).cast::<libc::sockaddr_in6>() };
                let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
                let port = u16::from_be(raw.sin6_port);
                Ok(Address::Inet(SocketAddrV6::new(ip, port, raw.sin6_flowinfo, raw.sin6_scope_id).into()))
            }
            // A datagram from an unnamed Unix socket comes with no address at all, not even its family.
            libc::AF_UNIX | libc::AF_UNSPEC => {
                let name = match self.name() {
                    [0, name @ ..] if !name.is_empty() && i32::from(self.raw.ss_family) == libc::AF_UNIX => {
                        UnixAddr::from_abstract_name(name)?
                    }
                    name => {
                        let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
                        UnixAddr::from_pathname(Path::new(std::ffi::OsStr::from_bytes(&name[..end])))?
                    }
                };
                Ok(name.into())
            }
            other => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the kernel answered with address family {other}, which is neither IP nor Unix"),
            )),
        }
    }

    /// Lays an address out as the kernel wants it.
    pub(super) fn encode(address: &Address) -> Self {
        let mut storage = Self::new();
        storage.raw.ss_family = address.family() as libc::sa_family_t;
        match address {
            Address::Inet(SocketAddr::V4(addr)) => {
                // SAFETY: `sockaddr_storage` is large enough and aligned for every kind of address, and is initialised.
                let raw = unsafe { &mut *(&raw mut storage.raw).cast::<libc::sockaddr_in>() };
                raw.sin_port = addr.port().to_be();
                raw.sin_addr.s_addr = u32::from(*addr.ip()).to_be();
                storage.len = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            }
            Address::Inet(SocketAddr::V6(addr)) => {
                // SAFETY: as above, for `sockaddr_in6`.
                let raw = unsafe { &mut *(&raw mut storage.raw).cast::<libc::sockaddr_in6>() };
                raw.sin6_port = addr.port().to_be();
                raw.sin6_addr.s6_addr = addr.ip().octets();
                raw.sin6_flowinfo = addr.flowinfo();
                raw.sin6_scope_id = addr.scope_id();
                storage.len = size_of::<libc::sockaddr_in6>() as libc::socklen_t;
            }
            Address::Unix(name) => storage.encode_unix(name),
        }
        storage
    }

    fn encode_unix(&mut self, name: &UnixAddr) {
        // SAFETY: as in `encode`, for `sockaddr_un`.
        let raw = unsafe { &mut *(&raw mut self.raw).cast::<libc::sockaddr_un>() };
        // An abstract name starts with a zero byte and is as long as it says; a path ends with a zero byte, which the
        // zeroed storage already holds. Both fit: the standard library checked when it made `name`.
        let (skip, bytes, end) = match (name.as_pathname(), name.as_abstract_name()) {
            (Some(path), _) => (0, path.as_os_str().as_bytes(), 1),
            (None, Some(bytes)) => (1, bytes, 0),
            (None, None) => (0, &[][..], 0),
        };
        for (to, from) in raw.sun_path[skip..].iter_mut().zip(bytes) {
            *to = *from as libc::c_char;
        }
        self.len = (mem::offset_of!(libc::sockaddr_un, sun_path) + skip + bytes.len() + end) as libc::socklen_t;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_survives_the_way_to_the_kernel_and_back() {
        let scoped = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 7, 0, 3);
        let addresses = [
            Address::Inet("127.0.0.1:7000".parse().unwrap()),
            Address::Inet("[::1]:65535".parse().unwrap()),
            Address::Inet(scoped.into()),
            Address::unix("/run/chat.sock").unwrap(),
            Address::unix("/".repeat(107)).unwrap(),
            UnixAddr::from_abstract_name(b"hidden").unwrap().into(),
            UnixAddr::from_pathname("").unwrap().into(),
        ];
        for address in addresses {
            assert_eq!(Storage::encode(&address).decode().unwrap(), address);
        }
    }

    #[test]
    fn a_foreign_family_is_an_error_and_not_a_guess() {
        let mut storage = Storage::new();
        storage.raw.ss_family = libc::AF_NETLINK as libc::sa_family_t;
        assert_eq!(storage.decode().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn addresses_are_shown_as_people_write_them() {
        let shown = |address: Address| address.to_string();
        assert_eq!(shown(Address::Inet("[::1]:80".parse().unwrap())), "[::1]:80");
        assert_eq!(shown(Address::unix("/a b").unwrap()), "/a b");
        assert_eq!(shown(UnixAddr::from_abstract_name(b"x\n").unwrap().into()), "@x\\n");
        assert_eq!(shown(UnixAddr::from_pathname("").unwrap().into()), "(unnamed)");
    }
}

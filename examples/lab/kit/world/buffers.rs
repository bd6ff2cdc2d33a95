//! How sockets are set up: their buffers, and whether they wait.

use super::World;
use super::trouble::Trouble;
use crate::kit::Tweak;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockType, setsockopt, socket, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::{setsockopt_impl, sockopt_impl};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};

/// What TCP sockets may hold, in each direction; the kernel doubles it. Fixed, so that it does not grow while a lesson
/// goes on, and small enough to be filled quickly.
const SEND: usize = 128 * 1024;
const RECEIVE: usize = 64 * 1024;

/// After this a read or a write that would wait for ever comes back.
const TIMEOUT_MS: i64 = 40;

/// How long a listener may hold a silent client back. Longer than any lesson takes.
const DEFER_SECONDS: usize = 30;

sockopt_impl!(
    /// A listener is ready when the first data has come, and not before; in seconds, how long that may take.
    DeferAccept,
    SetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_DEFER_ACCEPT,
    usize
);

/// Has effect on connections that are made afterwards, of a listener on those that it accepts.
pub(super) fn shrink(socket: &impl AsFd) -> Result<(), Trouble> {
    setsockopt(socket, sockopt::SndBuf, &SEND)?;
    setsockopt(socket, sockopt::RcvBuf, &RECEIVE)?;
    // Else a second small write waits until the first is acknowledged.
    setsockopt(socket, sockopt::TcpNoDelay, &true)?;
    Ok(())
}

/// A TCP socket that is not connected.
pub(super) fn tcp_socket() -> Result<OwnedFd, Trouble> {
    let socket = socket(AddressFamily::Inet, SockType::Stream, super::make::FLAGS, None)?;
    shrink(&socket)?;
    Ok(socket)
}

/// An accepted socket has the listener's buffers, but not its `O_NONBLOCK`.
pub(super) fn prepare_accepted(accepted: &TcpStream) -> Result<(), Trouble> {
    accepted.set_nonblocking(true)?;
    accepted.set_nodelay(true)?;
    Ok(())
}

pub(super) fn set_nonblocking(fd: &impl AsFd, nonblocking: bool) -> Result<(), Trouble> {
    let mut flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    flags.set(OFlag::O_NONBLOCK, nonblocking);
    fcntl(fd, FcntlArg::F_SETFL(flags))?;
    Ok(())
}

impl World {
    pub(super) fn set(&mut self, name: &str, tweak: Tweak) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let descriptor = &self.descriptors[index];
        let file = &mut self.files[descriptor.file];
        match tweak {
            Tweak::Blocking => {
                let timeout = TimeVal::milliseconds(TIMEOUT_MS);
                let reading = setsockopt(descriptor, sockopt::ReceiveTimeout, &timeout);
                let both = reading.and_then(|()| setsockopt(descriptor, sockopt::SendTimeout, &timeout));
                both.map_err(|error| {
                    Trouble::new(format!(
                        "`{name}` takes no timeout ({error}), and without one a read could wait for ever"
                    ))
                })?;
                set_nonblocking(descriptor, false)?;
            }
            Tweak::OobInline => {
                setsockopt(descriptor, sockopt::OobInline, &true)?;
                file.opaque = true;
            }
            Tweak::DeferAccept => {
                setsockopt(descriptor, DeferAccept, &DEFER_SECONDS)?;
                file.defers = true;
            }
        }
        Ok("ok".to_owned())
    }
}

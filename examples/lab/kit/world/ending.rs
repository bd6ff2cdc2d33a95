//! How descriptors come to an end, and get a second life.

use super::numbers::Numbers;
use super::trouble::{Trouble, count, name as error_name, outcome};
use super::{World, settle, sight};
use crate::kit::{Bits, Half, Kind};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, Shutdown, SockType, getsockopt, setsockopt, shutdown, socketpair, sockopt};
use std::os::fd::{AsFd, AsRawFd};

/// What an end of a connection shows when the other has said, one way or another, that it is leaving.
const OVER: Bits = Bits(Bits::RDHUP.0 | Bits::HUP.0 | Bits::ERR.0);

/// Takes the pending error: `0`, or its name.
pub(super) fn take_error(socket: &impl AsFd) -> String {
    match getsockopt(socket, sockopt::SocketError) {
        Ok(0) => "0".to_owned(),
        Ok(error) => error_name(Errno::from_raw(error)),
        Err(error) => error_name(error),
    }
}

impl World {
    pub(super) fn take_error(&mut self, name: &str) -> Result<String, Trouble> {
        let index = self.find(name)?;
        Ok(take_error(&self.descriptors[index]))
    }

    pub(super) fn unread(&mut self, name: &str) -> Result<String, Trouble> {
        let unread = rustix::io::ioctl_fionread(self.fd(name)?);
        Ok(count(unread.map_err(|error| Errno::from_raw(error.raw_os_error()))))
    }

    pub(super) fn duplicate(&mut self, of: &str, name: &str) -> Result<String, Trouble> {
        let file = self.file(of)?;
        let original = self.find(of)?;
        if !self.descriptors[original].open {
            return Ok("EBADF".to_owned());
        }
        let fd = self.numbers.place(&self.descriptors[original])?;
        self.name(name, fd, file)?;
        Ok("ok".to_owned())
    }

    pub(super) fn reuse(&mut self, of: &str, name: &str, peer: &str) -> Result<String, Trouble> {
        let number = self.fd(of)?.as_raw_fd();
        let flags = super::make::FLAGS;
        let (first, second) = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)?;
        let (first_file, second_file) = self.add_files(Kind::Unix);
        let first = Numbers::place_at(&first, number)?;
        self.name(name, first, first_file)?;
        self.add(peer, second, second_file)?;
        Ok("ok".to_owned())
    }

    pub(super) fn shutdown(&mut self, name: &str, half: Half) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let file = self.descriptors[index].file;
        let how = match half {
            Half::Read => Shutdown::Read,
            Half::Write => Shutdown::Write,
            Half::Both => Shutdown::Both,
        };
        let result = shutdown(self.descriptors[index].number(), how);
        if result.is_ok() {
            self.files[file].opaque |= half != Half::Write;
            if half != Half::Write {
                self.backlog_is_gone(file)?;
            }
            let leaves =
                half != Half::Read && matches!(self.files[file].kind, Kind::Tcp | Kind::Unix | Kind::Seqpacket);
            if let (true, Some((_, peer))) = (leaves, self.peer(file)) {
                // A FIN goes after what was sent, which may have to wait for room.
                let effect = || format!("the end of `{name}`'s data at `{}`", peer.name);
                let here = || self.ready(peer, Bits::RDHUP).intersects(OVER);
                settle::until(effect, || here() || self.is_stuck(file))?;
            }
        }
        Ok(outcome(result))
    }

    /// Whether something that was sent cannot arrive before the other end reads.
    pub(super) fn is_stuck(&self, file: usize) -> bool {
        let sender = self.open(file).filter(|_| self.files[file].kind == Kind::Tcp);
        let (Some(sender), Some((_, receiver))) = (sender, self.peer(file)) else { return false };
        sight::is_stuck(sender, receiver)
    }

    pub(super) fn reset(&mut self, name: &str) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        if let Err(error) = setsockopt(&self.descriptors[index], sockopt::Linger, &linger) {
            return Ok(error_name(error));
        }
        self.end(index, true)
    }

    pub(super) fn close(&mut self, name: &str) -> Result<String, Trouble> {
        let index = self.find(name)?;
        self.end(index, false)
    }

    fn end(&mut self, index: usize, reset: bool) -> Result<String, Trouble> {
        let descriptor = &self.descriptors[index];
        let (name, file, unread) = (descriptor.name.clone(), descriptor.file, sight::unread(descriptor));
        let over = self.ready(descriptor, Bits::NONE).contains(Bits::HUP);
        let stuck = self.is_stuck(file);
        // By number, past its owner: the lesson may close a number twice.
        let result = nix::unistd::close(descriptor.number());
        self.descriptors[index].open = false;
        // A file ends with its last descriptor.
        if result.is_err() || self.open(file).is_some() {
            return Ok(outcome(result));
        }
        self.backlog_is_gone(file)?;
        let Some((_, peer)) = self.peer(file).filter(|_| !over) else { return Ok(outcome(result)) };
        let effect = || format!("the end of `{name}` at `{}`", peer.name);
        match self.files[file].kind {
            // Who leaves data unread resets the connection.
            Kind::Tcp if reset || unread.is_some_and(|bytes| bytes > 0) => {
                settle::until(effect, || self.ready(peer, Bits::NONE).contains(Bits::HUP))?;
            }
            Kind::Tcp if stuck => {}
            Kind::Tcp => settle::until(effect, || self.ready(peer, Bits::RDHUP).intersects(OVER))?,
            Kind::Unix | Kind::Seqpacket | Kind::Pty => {
                settle::until(effect, || self.ready(peer, Bits::NONE).contains(Bits::HUP))?;
            }
            Kind::Pipe | Kind::Fifo => {
                settle::until(effect, || self.ready(peer, Bits::NONE).intersects(Bits::HUP | Bits::ERR))?;
            }
            _ => {}
        }
        Ok(outcome(result))
    }
}

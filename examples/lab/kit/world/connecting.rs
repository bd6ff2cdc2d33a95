//! Clients and listeners.

use super::trouble::{Trouble, error_of, name as error_name};
use super::{OpenFile, World, buffers, settle, sight};
use crate::kit::{Bits, Kind};
use nix::sys::socket::{SockaddrIn, connect, getsockname};
use std::net::{SocketAddr, SocketAddrV4, TcpListener};
use std::os::fd::{AsFd, AsRawFd};

impl World {
    /// A client that goes to a listener. Answers what `connect` did; if that is to be waited for, what came of it.
    pub(super) fn connect(&mut self, client: &str, listener: &str, wait: bool) -> Result<String, Trouble> {
        let listening = self.file(listener)?;
        let address: SockaddrIn = getsockname(self.fd(listener)?.as_raw_fd()).map_err(|error| {
            Trouble::new(format!("`{listener}` has no address to connect to: {}", error_name(error)))
        })?;
        let socket = buffers::tcp_socket()?;
        let said = connect(socket.as_raw_fd(), &address);
        let mut answer = said.map_or_else(error_name, |()| "ok".to_owned());
        settle::until(
            || format!("the outcome of `{client}`'s connect"),
            || sight::ready(&socket).intersects(Bits::OUT | Bits::ERR),
        )?;
        let failed = sight::ready_for(&socket, Bits::NONE).contains(Bits::ERR);
        let mut file = OpenFile::new(Kind::Tcp);
        if !failed {
            let own: SockaddrIn = getsockname(socket.as_raw_fd())?;
            file.address = Some(SocketAddr::V4(SocketAddrV4::from(own)));
            file.listener = Some(listening);
        }
        if wait {
            answer = if failed { super::ending::take_error(&socket) } else { "ok".to_owned() };
        }
        let file = self.add_file(file);
        self.add(client, socket, file)?;
        if !failed {
            self.joined(listening)?;
        }
        Ok(answer)
    }

    /// Waits until one more client stands in the backlog.
    fn joined(&mut self, listening: usize) -> Result<(), Trouble> {
        if self.files[listening].defers {
            return Ok(());
        }
        self.files[listening].pending += 1;
        let (pending, descriptor) = (self.files[listening].pending, self.open(listening));
        let Some(descriptor) = descriptor else { return Ok(()) };
        settle::until(
            || "the connection in the listener's backlog".to_owned(),
            || {
                self.ready(descriptor, Bits::IN).contains(Bits::IN)
                    && sight::backlog(descriptor).is_none_or(|now| now >= pending)
            },
        )
    }

    /// Answers `ok`, or why there is nothing to accept: then the name is not given to anything.
    pub(super) fn accept(&mut self, listener: &str, name: &str) -> Result<String, Trouble> {
        let listening = self.file(listener)?;
        // A second descriptor of the same listener, which the standard library may keep and close.
        let Ok(accepting) = self.fd(listener)?.as_fd().try_clone_to_owned() else { return Ok("EBADF".to_owned()) };
        let (accepted, from) = match TcpListener::from(accepting).accept() {
            Ok(accepted) => accepted,
            Err(error) => return Ok(error_name(error_of(&error))),
        };
        buffers::prepare_accepted(&accepted)?;
        self.files[listening].pending = self.files[listening].pending.saturating_sub(1);
        let client = self.files.iter().position(|file| file.address == Some(from) && file.peer.is_none());
        let file = self.add_file(OpenFile { peer: client, ..OpenFile::new(Kind::Tcp) });
        self.add(name, accepted, file)?;
        let Some(client) = client else { return Ok("ok".to_owned()) };
        self.files[client].peer = Some(file);
        self.files[client].listener = None;
        if self.open(client).is_some() && !self.files[client].urgent {
            settle::until(
                || format!("what `{name}` was sent before"),
                || self.under_way(file) == 0 || self.is_stuck(client),
            )?;
        }
        Ok("ok".to_owned())
    }

    /// The clients that a listener has not accepted are told when it goes.
    pub(super) fn backlog_is_gone(&self, listening: usize) -> Result<(), Trouble> {
        for (index, file) in self.files.iter().enumerate().filter(|(_, file)| file.listener == Some(listening)) {
            let Some(client) = self.open(index).filter(|_| file.peer.is_none()) else { continue };
            let effect = || format!("the reset of `{}`, which was not accepted,", client.name);
            settle::until(effect, || self.ready(client, Bits::NONE).contains(Bits::HUP))?;
        }
        Ok(())
    }
}

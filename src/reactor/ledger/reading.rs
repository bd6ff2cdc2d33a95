//! Taking in what has arrived.

use super::super::reason::{Gone, Reason};
use super::super::slot::{Ending, Kind, Slot, owed};
use super::Ledger;
use crate::poller::{Readiness, Token};
use crate::sys;
use crate::sys::address::Address;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

impl Ledger {
    /// Reads from a stream or a descriptor; 0 is the end.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing is there, or this source has used up its [`read_bytes`](super::super::Settings) of this
    ///   turn; what is left is reported again.
    /// - `NotConnected`: the token names nothing.
    /// - Any other error ends the connection, and is in the [`Reason`] of its close.
    pub fn read(&mut self, from: Token, buf: &mut [u8]) -> io::Result<usize> {
        let read_bytes = self.settings.read_bytes;
        let (now, turn) = (self.now, self.turn);
        let slot = self.slots.get_mut(from).filter(|slot| slot.is_alive()).ok_or(Gone)?;
        if slot.end_read || buf.is_empty() {
            return Ok(0);
        }
        slot.enter(turn, read_bytes);
        let asked = buf.len().min(slot.budget as usize);
        if asked == 0 || slot.dry {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = loop {
            self.stats.reads += 1;
            match slot.receive(&mut buf[..asked]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        match result {
            Ok(0) => {
                slot.end_read = true;
                slot.owed |= owed::EOF;
                if self.serving != Some(from) {
                    self.push_ready(from);
                }
                Ok(0)
            }
            Ok(read) => {
                slot.budget -= read as u32;
                slot.active_at = now;
                if read < asked && slot.short_read_is_dry() {
                    slot.run_dry();
                }
                self.stats.bytes_in += read as u64;
                Ok(read)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                slot.run_dry();
                Err(e)
            }
            Err(e) => Err(self.fail(from, e)),
        }
    }

    /// Ends a connection for an error that the kernel tells once, and answers one of the same kind.
    pub(in crate::reactor) fn fail(&mut self, token: Token, error: io::Error) -> io::Error {
        let answer = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
        self.doom(token, Reason::Failed(error));
        answer
    }

    /// Receives a datagram and its sender, or `None` if there is none or the socket has used up its
    /// [`datagrams_per_turn`](super::super::Settings). What does not fit into `buf` is lost.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the token names nothing; `InvalidInput` if it is not a datagram socket; and what the network said
    /// of an earlier datagram (ECONNREFUSED, on a connected socket). The socket stays open.
    pub fn read_datagram(&mut self, from: Token, buf: &mut [u8]) -> io::Result<Option<(usize, Address)>> {
        let per_turn = self.settings.datagrams_per_turn;
        let (now, turn) = (self.now, self.turn);
        let slot = self.slots.get_mut(from).filter(|slot| slot.is_alive()).ok_or(Gone)?;
        if slot.kind != Kind::Datagram {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a datagram socket: use read"));
        }
        slot.enter(turn, per_turn);
        if slot.budget == 0 || slot.dry {
            return Ok(None);
        }
        slot.budget -= 1;
        loop {
            self.stats.reads += 1;
            match sys::socket::recv_from(slot.fd.as_fd(), buf) {
                Ok((len, sender)) => {
                    slot.active_at = now;
                    let len = len.min(buf.len());
                    self.stats.bytes_in += len as u64;
                    return Ok(Some((len, sender)));
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    slot.run_dry();
                    return Ok(None);
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes the urgent byte of a TCP connection, if there is one.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the token names nothing; what `recv` answers otherwise. The connection stays open.
    pub fn read_urgent(&mut self, from: Token) -> io::Result<Option<u8>> {
        let slot = self.open(from)?;
        let mut byte = [0];
        let result = sys::socket::recv_urgent(slot.fd.as_fd(), &mut byte);
        slot.ready = slot.ready - Readiness::PRIORITY;
        self.stats.reads += 1;
        match result {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(byte[0])),
            // EINVAL: there is none, or it was taken; EAGAIN: it was announced but has not arrived.
            Err(e) if matches!(e.raw_os_error(), Some(libc::EINVAL | libc::EAGAIN)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Stops reading from a source until [`resume`](Self::resume). What arrives waits in the kernel, and, once the buffers
    /// there are full, the peer does.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn pause(&mut self, token: Token) -> Result<(), Gone> {
        self.set_paused(token, true)
    }

    /// Goes on reading from a source.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn resume(&mut self, token: Token) -> Result<(), Gone> {
        self.set_paused(token, false)
    }

    fn set_paused(&mut self, token: Token, paused: bool) -> Result<(), Gone> {
        self.open(token)?.paused = paused;
        self.touch(token);
        Ok(())
    }

    /// Says whether a source is to be reported when it is readable (true at first) and when it is writable with an empty
    /// queue (false at first).
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn set_wants(&mut self, token: Token, read: bool, write: bool) -> Result<(), Gone> {
        let slot = self.open(token)?;
        if slot.wants_read != read || slot.wants_write != write {
            slot.wants_read = read;
            slot.wants_write = write;
            self.touch(token);
        }
        Ok(())
    }

    /// Says whether a TCP connection is to be reported when urgent data arrives (false at first).
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn set_wants_urgent(&mut self, token: Token, urgent: bool) -> Result<(), Gone> {
        self.open(token)?.wants_urgent = urgent;
        self.touch(token);
        Ok(())
    }

    /// Throws away what a peer still sends after everything was said, until it ends too.
    ///
    /// Closing with unread data in the kernel would be a reset, which can overtake the last answer and destroy it on the
    /// peer's side.
    pub(in crate::reactor) fn discard(&mut self, token: Token) {
        let mut sink = [0; 4096];
        while let Ok(read) = self.read(token, &mut sink) {
            if read == 0 {
                self.doom(token, Reason::Local);
                break;
            }
        }
    }
}

impl Slot {
    /// Gives the source its budget if this is its first call in this turn.
    pub(in crate::reactor) fn enter(&mut self, turn: u32, budget: usize) {
        if self.turn != turn {
            self.turn = turn;
            self.budget = u32::try_from(budget).unwrap_or(u32::MAX);
            self.dry = false;
        }
    }

    /// Notes that there is nothing more to read for now.
    fn run_dry(&mut self) {
        self.dry = true;
        self.ready = self.ready - Readiness::READABLE;
    }

    fn receive(&self, buf: &mut [u8]) -> io::Result<usize> {
        let fd = self.fd.as_fd();
        match self.kind {
            Kind::Tcp | Kind::Unix => sys::socket::recv(fd, buf),
            Kind::Shared if !sys::file::is_readable_now(fd)? => Err(io::ErrorKind::WouldBlock.into()),
            Kind::Descriptor | Kind::Shared => match sys::file::read(fd, buf) {
                // The master of a pseudo-terminal says so when the other side is closed.
                Err(e) if e.raw_os_error() == Some(libc::EIO) && fd.is_terminal() => Ok(0),
                result => result,
            },
            Kind::Listener | Kind::Datagram | Kind::Waker => {
                Err(io::Error::new(io::ErrorKind::InvalidInput, "this source carries no stream of bytes"))
            }
        }
    }

    /// Whether the program has a say in this source: it is neither closed nor closing.
    pub(in crate::reactor) fn is_open(&self) -> bool {
        self.ending == Ending::Open
    }
}

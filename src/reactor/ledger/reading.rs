//! Taking in what has arrived.

use super::super::reason::{Gone, Reason};
use super::super::recorder::{Done, Io};
use super::super::slot::{Flags, Kind, Slot, owed};
use super::Ledger;
use crate::poller::{Readiness, Token};
use crate::sys;
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
    #[inline]
    pub fn read(&mut self, from: Token, buf: &mut [u8]) -> io::Result<usize> {
        let not_now = Flags::DOOMED | Flags::EOF_READ | Flags::NO_STREAM;
        let Some(slot) = self.slots.get_mut(from).filter(|slot| !slot.flags.any(not_now)) else {
            return self.read_unusual(from, buf);
        };
        slot.enter(self.turn, self.read_bytes);
        let asked = buf.len().min(slot.budget as usize);
        if asked == 0 {
            return self.read_unusual(from, buf);
        }
        self.stats.reads += 1;
        match sys::socket::recv(slot.fd.as_fd(), &mut buf[..asked]) {
            Ok(read) if read > 0 => {
                slot.take_in(read, asked, self.now);
                self.stats.bytes_in += read as u64;
                if self.recorder.is_some() { self.take_down_read(from, asked, read) } else { Ok(read) }
            }
            result => self.read_nothing(from, result, buf),
        }
    }

    /// Reads from what is no stream socket, or says why there is nothing to be read.
    fn read_unusual(&mut self, from: Token, buf: &mut [u8]) -> io::Result<usize> {
        let slot = self.slots.get_mut(from).filter(|slot| slot.is_alive()).ok_or(Gone)?;
        if slot.flags.any(Flags::EOF_READ) || buf.is_empty() {
            return Ok(0);
        }
        slot.enter(self.turn, self.read_bytes);
        let asked = buf.len().min(slot.budget as usize);
        if asked == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.stats.reads += 1;
        match slot.receive_other(&mut buf[..asked]) {
            Ok(read) if read > 0 => {
                slot.take_in(read, asked, self.now);
                self.stats.bytes_in += read as u64;
                if self.recorder.is_some() { self.take_down_read(from, asked, read) } else { Ok(read) }
            }
            result => self.read_nothing(from, result, buf),
        }
    }

    /// What to make of a read that brought no data.
    #[cold]
    fn read_nothing(&mut self, from: Token, result: io::Result<usize>, buf: &mut [u8]) -> io::Result<usize> {
        self.leave_short_way();
        self.take_down_io(from, Io::Receive, buf.len(), || Done::of(&result));
        let slot = self.slots.get_mut(from).ok_or(Gone)?;
        match result {
            Ok(_) => {
                slot.flags.set(Flags::EOF_READ, true);
                slot.owed |= owed::EOF;
                if self.serving != from {
                    self.push_ready(from);
                }
                Ok(0)
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => self.read(from, buf),
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
        self.take_down_io(from, Io::ReceiveUrgent, 1, || Done::of(&result));
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
        self.open(token)?.flags.set(Flags::PAUSED, paused);
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
        if slot.flags.any(Flags::READS_NOT) == read || slot.flags.any(Flags::PULLS) != write {
            slot.flags.set(Flags::READS_NOT, !read);
            slot.flags.set(Flags::PULLS, write);
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
        self.open(token)?.flags.set(Flags::WANTS_URGENT, urgent);
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
    /// Notes what a read of so many bytes found.
    #[inline]
    fn take_in(&mut self, read: usize, asked: usize, now: u64) {
        self.budget -= read as u32;
        self.active_at = now;
        if read < asked && self.short_read_is_dry() {
            self.run_dry();
        }
    }

    fn receive_other(&self, buf: &mut [u8]) -> io::Result<usize> {
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
}

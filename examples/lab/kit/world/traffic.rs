//! What goes in at one descriptor and comes out at another.

use super::signals::Blocked;
use super::trouble::{Trouble, count, outcome};
use super::{World, settle, sight};
use crate::kit::{Bits, Kind};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockaddrIn, recv, send, sendto};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// What is moved by one call where a lesson does not say.
const CHUNK: usize = 64 * 1024;
/// Of what keeps its boundaries: small, so that the receiver's queue is full before its buffer is.
const RECORD: usize = 10;
/// What takes more than this, in bytes or in calls, has no end.
const FILL: u64 = 64 * 1024 * 1024;
const CALLS: u64 = 10_000;
/// How long room may take that is made by reading all that there is.
const ROOM: Duration = Duration::from_millis(200);

impl World {
    pub(super) fn write(&mut self, name: &str, bytes: u64) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let file = self.descriptors[index].file;
        match self.files[file].kind {
            Kind::Eventfd | Kind::Semaphore => Ok(count(self.add_to_counter(index, bytes))),
            Kind::Signalfd => {
                let raised = Blocked::raise();
                self.comes_in(index, "the signal")?;
                Ok(outcome(raised))
            }
            Kind::Inotify => {
                let scratch = self.files[file].scratch.as_mut();
                scratch.ok_or_else(|| Trouble::new("the watched directory is gone"))?.add_file()?;
                self.comes_in(index, "the news of the file")?;
                Ok("ok".to_owned())
            }
            Kind::Pty => {
                let mut line = letters(bytes)?;
                if let Some(last) = line.last_mut() {
                    *last = b'\n';
                }
                self.send(index, &line)
            }
            _ => self.send(index, &letters(bytes)?),
        }
    }

    pub(super) fn type_letters(&mut self, name: &str, bytes: u64) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let written = self.put(index, &letters(bytes)?);
        // Of half a line nothing is to be seen at the other end, so there is nothing to wait for.
        Ok(count(written))
    }

    /// Writes, and waits until it has arrived.
    fn send(&mut self, index: usize, bytes: &[u8]) -> Result<String, Trouble> {
        let before = self.peer(self.descriptors[index].file).and_then(|(_, peer)| sight::datagrams(peer));
        let written = self.put(index, bytes);
        if let Ok(written) = written {
            self.arrives(index, written, before)?;
        }
        Ok(count(written))
    }

    fn is_counter(&self, index: usize) -> bool {
        matches!(self.files[self.descriptors[index].file].kind, Kind::Eventfd | Kind::Semaphore)
    }

    /// One write, counted.
    fn put(&mut self, index: usize, bytes: &[u8]) -> Result<usize, Errno> {
        let descriptor = &self.descriptors[index];
        let written = match send(descriptor.number(), bytes, MsgFlags::MSG_NOSIGNAL) {
            Err(Errno::ENOTSOCK) => nix::unistd::write(descriptor, bytes),
            other => other,
        };
        let file = &mut self.files[descriptor.file];
        file.sent += written.map_or(0, |written| written as u64);
        file.promised = written.map_or(true, |written| written < bytes.len());
        written
    }

    /// One read, counted.
    fn take(&mut self, index: usize, bytes: &mut [u8]) -> Result<usize, Errno> {
        let descriptor = &self.descriptors[index];
        let taken = nix::unistd::read(descriptor, bytes);
        self.files[descriptor.file].received += taken.map_or(0, |taken| taken as u64);
        taken
    }

    fn add_to_counter(&mut self, index: usize, number: u64) -> Result<u64, Errno> {
        let descriptor = &self.descriptors[index];
        nix::unistd::write(descriptor, &number.to_ne_bytes())?;
        // A counter may be filled more than once.
        let file = &mut self.files[descriptor.file];
        file.sent = file.sent.wrapping_add(number);
        Ok(number)
    }

    fn take_from_counter(&mut self, index: usize) -> Result<u64, Errno> {
        let mut number = [0; 8];
        let descriptor = &self.descriptors[index];
        nix::unistd::read(descriptor, &mut number)?;
        let number = u64::from_ne_bytes(number);
        let file = &mut self.files[descriptor.file];
        file.received = file.received.wrapping_add(number);
        Ok(number)
    }

    fn comes_in(&self, index: usize, what: &str) -> Result<(), Trouble> {
        let descriptor = &self.descriptors[index];
        let effect = || format!("{what} at `{}`", descriptor.name);
        settle::until(effect, || self.ready(descriptor, Bits::IN).contains(Bits::IN))
    }

    /// Waits until what was written has come to where it can.
    fn arrives(&self, index: usize, written: usize, before: Option<(u32, u32)>) -> Result<(), Trouble> {
        let sender = &self.descriptors[index];
        let (file, kind) = (sender.file, self.files[sender.file].kind);
        let told = |bits| move || self.ready(sender, Bits::NONE).contains(bits);
        let Some((peer_file, peer)) = self.peer(file) else {
            let defers = self.files[file].listener.filter(|listener| self.files[*listener].defers);
            return match (kind, defers.and_then(|listener| self.open(listener))) {
                (_, Some(listener)) => settle::until(
                    || "the connection that had been held back".to_owned(),
                    || self.ready(listener, Bits::IN).contains(Bits::IN),
                ),
                (Kind::UdpRefused | Kind::Udp, _) => settle::until(|| "the refusal".to_owned(), told(Bits::ERR)),
                (Kind::Tcp, _) if self.files[file].peer.is_some() && written > 0 => {
                    settle::until(|| format!("the answer to what `{}` sent to nobody", sender.name), told(Bits::HUP))
                }
                _ => Ok(()),
            };
        };
        let effect = || format!("what was written to `{}` at `{}`", sender.name, peer.name);
        let readable = || self.ready(peer, Bits::IN).contains(Bits::IN);
        match kind {
            Kind::Udp => settle::until(effect, || sight::datagrams(peer) != before && readable()),
            _ if written == 0 && !self.files[file].has_records() => Ok(()),
            Kind::Tcp | Kind::Pty if !self.files[file].urgent => {
                // A peer that was shut down in both directions answers data with a reset.
                let refused = told(Bits::HUP);
                settle::until(effect, || self.under_way(peer_file) == 0 || self.is_stuck(file) || refused())
            }
            _ => settle::until(effect, || readable() || self.is_stuck(file)),
        }
    }

    pub(super) fn read(&mut self, name: &str, bytes: u64) -> Result<String, Trouble> {
        let index = self.find(name)?;
        if self.is_counter(index) {
            return Ok(count(self.take_from_counter(index)));
        }
        let taken = self.take(index, &mut letters(bytes)?);
        Ok(count(taken))
    }

    pub(super) fn peek(&mut self, name: &str, bytes: u64) -> Result<String, Trouble> {
        let number = self.fd(name)?.as_raw_fd();
        Ok(count(recv(number, &mut letters(bytes)?, MsgFlags::MSG_PEEK)))
    }

    /// Answers how much it was; if it ended with an error, that error too.
    pub(super) fn drain(&mut self, name: &str) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let mut total = 0;
        let end = loop {
            match self.take_some(index, CHUNK) {
                Ok(Some(taken)) => total += taken,
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            if total > FILL && !self.is_counter(index) {
                return Err(Trouble::new(format!(
                    "`{name}` gave {total} bytes and is not empty; it cannot be drained"
                )));
            }
        };
        self.is_writable_again(index)?;
        Ok(match end {
            None | Some(Errno::EAGAIN) => total.to_string(),
            Some(error) if total == 0 => super::error_name(error),
            Some(error) => format!("{total}, {}", super::error_name(error)),
        })
    }

    /// The next that is there, waiting for what is still on its way; `None` at the end.
    fn take_some(&mut self, index: usize, size: usize) -> Result<Option<u64>, Errno> {
        let file = self.descriptors[index].file;
        if self.is_counter(index) {
            return self.take_from_counter(index).map(Some);
        }
        let mut buffer = vec![0; size];
        let mut taken = self.take(index, &mut buffer);
        if taken == Err(Errno::EAGAIN) && self.more_is_coming(index) {
            taken = self.take(index, &mut buffer);
        }
        match taken {
            // Of what has boundaries, nothing may be a whole one. After the end there is nothing for ever.
            Ok(0) if !self.files[file].has_records() || self.is_over(index) => Ok(None),
            Ok(taken) => Ok(Some(taken as u64)),
            Err(error) => Err(error),
        }
    }

    /// Whether no more can come.
    fn is_over(&self, index: usize) -> bool {
        self.ready(&self.descriptors[index], Bits::RDHUP).intersects(Bits::RDHUP | Bits::HUP)
    }

    /// Whether more has come of what TCP still had to deliver.
    fn more_is_coming(&self, index: usize) -> bool {
        let descriptor = &self.descriptors[index];
        let file = &self.files[descriptor.file];
        let expected = file.kind == Kind::Tcp && !file.urgent && self.under_way(descriptor.file) > 0;
        expected && !sight::ready_within(descriptor, Bits::IN, settle::BOUND).is_none()
    }

    /// When everything has been read, the other end has room, as soon as it has been told so.
    fn is_writable_again(&self, index: usize) -> Result<(), Trouble> {
        let file = self.descriptors[index].file;
        let Some((_, peer)) = self.peer(file).filter(|_| self.files[file].kind == Kind::Tcp) else { return Ok(()) };
        if self.under_way(file) > 0 {
            return Ok(());
        }
        let effect = || format!("the room that was made for `{}`", peer.name);
        settle::until(effect, || !self.ready(peer, Bits::OUT).is_none())
    }

    /// Answers how many bytes it took; of what keeps boundaries, how many messages of ten bytes.
    pub(super) fn fill(&mut self, name: &str) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let file = self.descriptors[index].file;
        if self.is_counter(index) {
            let most = u64::MAX - 1 - self.files[file].sent.wrapping_sub(self.files[file].received);
            return Ok(count(self.add_to_counter(index, most)));
        }
        let has_records = self.files[file].has_records();
        let chunk = letters(if has_records { RECORD } else { CHUNK } as u64)?;
        let (mut bytes, mut times) = (0, 0_u64);
        let mut settled = self.files[file].kind != Kind::Tcp;
        let error = loop {
            match self.put(index, &chunk) {
                Ok(written) => {
                    (bytes, times) = (bytes + written as u64, times + 1);
                    settled &= self.files[file].kind != Kind::Tcp;
                }
                Err(Errno::EAGAIN) if !settled => {
                    self.settles(index)?;
                    settled = true;
                }
                Err(error) => break error,
            }
            if bytes > FILL || times > CALLS {
                let taken = format!("`{name}` took {bytes} bytes in {times} calls");
                return Err(Trouble::new(format!("{taken} and is not full; it cannot be filled")));
            }
        };
        let taken = if has_records { times } else { bytes };
        Ok(if error == Errno::EAGAIN { taken.to_string() } else { super::error_name(error) })
    }

    /// Waits until what a full TCP socket has sent has arrived, and has been acknowledged: then it may take more after all.
    fn settles(&self, index: usize) -> Result<(), Trouble> {
        let descriptor = &self.descriptors[index];
        if self.peer(descriptor.file).is_none() {
            return Ok(());
        }
        let writable = || self.ready(descriptor, Bits::OUT).contains(Bits::OUT);
        let effect = || format!("the last of what `{}` can send", descriptor.name);
        settle::until(effect, || writable() || self.is_stuck(descriptor.file))
    }

    pub(super) fn make_room(&mut self, name: &str, bytes: u64, until: &str) -> Result<String, Trouble> {
        let (index, writer) = (self.find(name)?, self.find(until)?);
        let size = letters(bytes)?.len();
        let has_room = |world: &Self| world.ready(&world.descriptors[writer], Bits::OUT).contains(Bits::OUT);
        let mut total = 0;
        while let Ok(Some(taken)) = self.take_some(index, size) {
            total += taken;
            if total > FILL {
                return Err(Trouble::new(format!(
                    "`{name}` gave {total} bytes and is not empty; it cannot be drained"
                )));
            }
            let rest = sight::unread(&self.descriptors[index]) != Some(0);
            if has_room(self) {
                return Ok(if rest { "before empty" } else { "when empty" }.to_owned());
            }
        }
        Ok(if settle::within(ROOM, || has_room(self)) { "when empty" } else { "never" }.to_owned())
    }

    pub(super) fn urgent(&mut self, name: &str) -> Result<String, Trouble> {
        let index = self.find(name)?;
        let file = self.descriptors[index].file;
        let sent = send(self.descriptors[index].number(), b"!", MsgFlags::MSG_OOB | MsgFlags::MSG_NOSIGNAL);
        self.files[file].urgent = true;
        let Some(peer) = self.files[file].peer else { return Ok(count(sent)) };
        self.files[peer].urgent = true;
        if let (Ok(_), Some(peer)) = (sent, self.open(peer)) {
            let effect = || format!("the urgent byte at `{}`", peer.name);
            settle::until(effect, || self.ready(peer, Bits::PRI).contains(Bits::PRI) || self.is_stuck(file))?;
        }
        Ok(count(sent))
    }

    pub(super) fn read_urgent(&mut self, name: &str) -> Result<String, Trouble> {
        let number = self.fd(name)?.as_raw_fd();
        Ok(count(recv(number, &mut [0], MsgFlags::MSG_OOB)))
    }

    pub(super) fn send_to_nobody(&mut self, name: &str) -> Result<String, Trouble> {
        let number: RawFd = self.fd(name)?.as_raw_fd();
        let SocketAddr::V4(nobody) = self.nobody_udp()? else { return Err(Trouble::new("loopback is not IPv4")) };
        Ok(count(sendto(number, b"x", &SockaddrIn::from(nobody), MsgFlags::MSG_NOSIGNAL)))
    }
}

/// So many letters, to be written, or to be read over.
fn letters(bytes: u64) -> Result<Vec<u8>, Trouble> {
    /// More at once is a mistake in the lesson.
    const MOST: u64 = 16 * 1024 * 1024;
    let size = usize::try_from(bytes.min(MOST + 1)).unwrap_or_default();
    if bytes > MOST {
        return Err(Trouble::new(format!("{bytes} bytes in one call; at most {MOST} are possible")));
    }
    Ok(vec![b'a'; size])
}

//! The descriptors of a lesson, by name, and what is done to them.

mod buffers;
mod connecting;
mod ending;
mod make;
mod numbers;
mod scratch;
mod settle;
mod sight;
mod signals;
mod traffic;
mod trouble;

pub(crate) use scratch::Scratch;
pub(crate) use settle::{BOUND, until};
pub(crate) use trouble::{Trouble, name as error_name};

use super::{Action, Bits, Kind};
use numbers::Numbers;
use signals::Blocked;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// All that a run has open. When it goes, so does everything that it has made.
pub(crate) struct World {
    descriptors: Vec<Descriptor>,
    files: Vec<OpenFile>,
    /// Sockets that keep a port from everybody, so that nobody answers there.
    nobody: Vec<OwnedFd>,
    blocked: Option<Blocked>,
    // The last one: the numbers are free for others when the descriptors are closed.
    numbers: Numbers,
}

/// A name and a number.
struct Descriptor {
    name: String,
    /// Stays when the descriptor is closed: the lesson goes on to use the number. `None` in `drop` alone.
    fd: Option<OwnedFd>,
    open: bool,
    /// What the number stood for when it was given this name; an index into the files.
    file: usize,
}

/// What one or more descriptors refer to.
struct OpenFile {
    kind: Kind,
    /// The other end; an index into the files.
    peer: Option<usize>,
    /// Bytes that went in here, and those that were taken out here.
    sent: u64,
    received: u64,
    /// Whether an urgent byte stands, or stood, among those bytes: then the kernel's counts do not add up.
    urgent: bool,
    /// Whether the last write met a full buffer: then the kernel has made the promise already that makes `sight::ready_for`
    /// so careful.
    promised: bool,
    /// Whether it takes a poll to see its state, since its reading side was shut or urgent data stands among the other.
    opaque: bool,
    /// Of a client, the address by which the listener's side will know it.
    address: Option<SocketAddr>,
    /// Of a client that was not accepted yet, its listener.
    listener: Option<usize>,
    /// Of a listener: the clients in its backlog, and whether it holds them back until they have sent something.
    pending: u32,
    defers: bool,
    scratch: Option<Scratch>,
}

/// The situation of one descriptor.
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) number: RawFd,
    pub(crate) ready: Bits,
    pub(crate) unread: Option<u64>,
}

impl OpenFile {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            peer: None,
            sent: 0,
            received: 0,
            urgent: false,
            promised: false,
            opaque: false,
            address: None,
            listener: None,
            pending: 0,
            defers: false,
            scratch: None,
        }
    }

    /// Whether what is read and written keeps its boundaries.
    const fn has_records(&self) -> bool {
        matches!(self.kind, Kind::Seqpacket | Kind::Datagram | Kind::Udp | Kind::UdpRefused | Kind::UdpAlone)
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_ref().expect("it is there until it is dropped").as_fd()
    }
}

impl Descriptor {
    fn number(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if let (false, Some(fd)) = (self.open, self.fd.take()) {
            // The number was closed by the lesson and may be somebody else's by now. The standard library ends the process
            // when it is made to close a number that is not open.
            let _ = fd.into_raw_fd();
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self { descriptors: Vec::new(), files: Vec::new(), nobody: Vec::new(), blocked: None, numbers: Numbers::take() }
    }

    /// Does what an action says, and waits until it has had its effect. Answers what the call answered.
    ///
    /// Asking a mechanism, probes and remarks are not the business of the world.
    ///
    /// # Errors
    ///
    /// The lesson is at odds with itself, the system refused a preparation, or the effect did not come.
    pub(crate) fn act(&mut self, action: &Action) -> Result<Option<String>, Trouble> {
        let answer = match action {
            Action::Make { kind, names } => self.make(*kind, names)?,
            Action::Connect { client, listener } => self.connect(client, listener, true)?,
            Action::Connecting { client, listener } => self.connect(client, listener, false)?,
            Action::Accept { listener, name } => self.accept(listener, name)?,
            Action::Dup { of, name } => self.duplicate(of, name)?,
            Action::Reuse { of, name, peer } => self.reuse(of, name, peer)?,
            Action::Write { name, bytes } => self.write(name, *bytes)?,
            Action::Type { name, bytes } => self.type_letters(name, *bytes)?,
            Action::Read { name, bytes } => self.read(name, *bytes)?,
            Action::Peek { name, bytes } => self.peek(name, *bytes)?,
            Action::Drain { name } => self.drain(name)?,
            Action::Fill { name } => self.fill(name)?,
            Action::MakeRoom { name, bytes, until } => self.make_room(name, *bytes, until)?,
            Action::Urgent { name } => self.urgent(name)?,
            Action::ReadUrgent { name } => self.read_urgent(name)?,
            Action::SendToNobody { name } => self.send_to_nobody(name)?,
            Action::Unread { name } => self.unread(name)?,
            Action::TakeError { name } => self.take_error(name)?,
            Action::Set { name, tweak } => self.set(name, *tweak)?,
            Action::Shutdown { name, half } => self.shutdown(name, *half)?,
            Action::Close { name } => self.close(name)?,
            Action::Reset { name } => self.reset(name)?,
            Action::Watch { .. } | Action::Modify { .. } | Action::Rearm { .. } | Action::Unwatch { .. } => {
                return Ok(None);
            }
            Action::Wait { .. } | Action::Probe { .. } | Action::Say { .. } => return Ok(None),
        };
        Ok(Some(answer))
    }

    /// What is true of every open descriptor, in the order in which they were made.
    pub(crate) fn look(&self) -> Vec<Seen> {
        let open = self.descriptors.iter().filter(|descriptor| descriptor.open);
        open.map(|descriptor| Seen {
            name: descriptor.name.clone(),
            number: descriptor.number(),
            ready: self.ready(descriptor, sight::EVERYTHING),
            unread: if self.files[descriptor.file].kind == Kind::Listener { None } else { sight::unread(descriptor) },
        })
        .collect()
    }

    /// Those of the bits that are true of a descriptor now, and of those that are never asked for.
    pub(crate) fn ready_for(&self, name: &str, bits: Bits) -> Option<Bits> {
        let descriptor = self.named(name).filter(|descriptor| descriptor.open)?;
        Some(self.ready(descriptor, bits))
    }

    fn ready(&self, descriptor: &Descriptor, bits: Bits) -> Bits {
        let file = &self.files[descriptor.file];
        if file.promised || file.opaque {
            sight::ready_within(descriptor, bits, Duration::ZERO)
        } else {
            sight::ready_for(descriptor, bits)
        }
    }

    /// A number, open or not.
    ///
    /// # Errors
    ///
    /// There is no such name.
    pub(crate) fn fd(&self, name: &str) -> Result<BorrowedFd<'_>, Trouble> {
        self.named(name).map(AsFd::as_fd).ok_or_else(|| unknown(name))
    }

    /// The number of a descriptor whose file is gone. `None` if it is not, or if the number stood for another file before
    /// that is still open: then a mechanism may rightly remember it.
    pub(crate) fn gone(&self, name: &str) -> Option<RawFd> {
        let number = self.named(name).map(Descriptor::number)?;
        let mut same = self.descriptors.iter().filter(|descriptor| descriptor.number() == number);
        same.all(|descriptor| self.open(descriptor.file).is_none()).then_some(number)
    }

    fn named(&self, name: &str) -> Option<&Descriptor> {
        self.descriptors.iter().find(|descriptor| descriptor.name == name)
    }

    /// What a name stands for now: a descriptor that was closed, and whose number is in use again, is that number.
    fn find(&self, name: &str) -> Result<usize, Trouble> {
        let index = self.descriptors.iter().position(|descriptor| descriptor.name == name);
        let index = index.ok_or_else(|| unknown(name))?;
        let descriptor = &self.descriptors[index];
        let same = |other: &Descriptor| other.open && other.number() == descriptor.number();
        Ok(if descriptor.open { index } else { self.descriptors.iter().position(same).unwrap_or(index) })
    }

    /// The file that a name stands for now.
    fn file(&self, name: &str) -> Result<usize, Trouble> {
        self.find(name).map(|index| self.descriptors[index].file)
    }

    /// A descriptor through which a file is open.
    fn open(&self, file: usize) -> Option<&Descriptor> {
        self.descriptors.iter().find(|descriptor| descriptor.open && descriptor.file == file)
    }

    /// The other end of a file, if it is open: the file and a descriptor of it.
    fn peer(&self, file: usize) -> Option<(usize, &Descriptor)> {
        let peer = self.files[file].peer?;
        self.open(peer).map(|descriptor| (peer, descriptor))
    }

    /// Bytes that were sent to this file and are still on their way, or in the sender's buffer.
    fn under_way(&self, file: usize) -> u64 {
        let unread = self.open(file).and_then(sight::unread).unwrap_or_default();
        let sent = self.files[file].peer.map_or(0, |peer| self.files[peer].sent);
        sent.saturating_sub(self.files[file].received + unread)
    }

    /// Gives an open file a name, and a number of this run.
    fn add(&mut self, name: &str, fd: impl AsFd, file: usize) -> Result<(), Trouble> {
        let fd = self.numbers.place(fd)?;
        self.name(name, fd, file)
    }

    fn name(&mut self, name: &str, fd: OwnedFd, file: usize) -> Result<(), Trouble> {
        if self.named(name).is_some() {
            return Err(Trouble::new(format!("there is a `{name}` already; another name is needed")));
        }
        self.descriptors.push(Descriptor { name: name.to_owned(), fd: Some(fd), open: true, file });
        Ok(())
    }

    fn add_file(&mut self, file: OpenFile) -> usize {
        self.files.push(file);
        self.files.len() - 1
    }

    /// Two ends of the same.
    fn add_files(&mut self, kind: Kind) -> (usize, usize) {
        let (first, second) = (self.files.len(), self.files.len() + 1);
        self.files.push(OpenFile { peer: Some(second), ..OpenFile::new(kind) });
        self.files.push(OpenFile { peer: Some(first), ..OpenFile::new(kind) });
        (first, second)
    }
}

fn unknown(name: &str) -> Trouble {
    Trouble::new(format!("there is no descriptor `{name}`; it has to be made first, and an accept has to succeed"))
}

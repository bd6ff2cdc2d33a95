//! How each kind of descriptor is made.

use super::signals::Blocked;
use super::trouble::{Trouble, name as error_name};
use super::{OpenFile, Scratch, World, buffers, settle, sight};
use crate::kit::{Bits, Kind};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::pty::openpty;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, UnixAddr, bind, connect, getsockname, socket, socketpair,
};
use nix::sys::stat::Mode;
use nix::sys::termios::{LocalFlags, OutputFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::{mkfifo, pipe2};
use std::fs::File;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Of sockets, from the start.
pub(super) const FLAGS: SockFlag = SockFlag::SOCK_NONBLOCK.union(SockFlag::SOCK_CLOEXEC);
/// Of what is opened by a path.
const OPEN: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_CLOEXEC);

impl World {
    /// Answers `ok`; of a connect that was refused, what `connect` said when it began.
    pub(super) fn make(&mut self, kind: Kind, names: &[String]) -> Result<String, Trouble> {
        match names {
            [name] => self.make_one(kind, name),
            [first, second] => self.make_pair(kind, first, second),
            _ => Err(wrong_number(kind, names.len())),
        }
    }

    fn make_pair(&mut self, kind: Kind, first: &str, second: &str) -> Result<String, Trouble> {
        let mut scratch = None;
        let (left, right): (OwnedFd, OwnedFd) = match kind {
            Kind::Tcp => tcp()?,
            Kind::Unix => socketpair(AddressFamily::Unix, SockType::Stream, None, FLAGS)?,
            Kind::Seqpacket => socketpair(AddressFamily::Unix, SockType::SeqPacket, None, FLAGS)?,
            Kind::Datagram => datagrams()?,
            Kind::Udp => udp()?,
            Kind::Pipe => pipe2(OPEN)?,
            Kind::Fifo => fifo(scratch.insert(Scratch::new()?))?,
            Kind::Pty => terminal()?,
            _ => return Err(wrong_number(kind, 2)),
        };
        let (left_file, right_file) = self.add_files(kind);
        self.files[left_file].scratch = scratch;
        self.add(first, left, left_file)?;
        self.add(second, right, right_file)?;
        Ok("ok".to_owned())
    }

    fn make_one(&mut self, kind: Kind, name: &str) -> Result<String, Trouble> {
        let mut scratch = None;
        let mut answer = "ok".to_owned();
        let fd: OwnedFd = match kind {
            Kind::UdpRefused => {
                let socket = udp_socket()?;
                socket.connect(self.nobody_udp()?)?;
                socket.into()
            }
            Kind::UdpAlone => udp_socket()?.into(),
            Kind::Eventfd => counter(EfdFlags::empty())?,
            Kind::Semaphore => counter(EfdFlags::EFD_SEMAPHORE)?,
            Kind::Signalfd => {
                if self.blocked.is_none() {
                    self.blocked = Some(Blocked::new()?);
                }
                Blocked::descriptor()?.as_fd().try_clone_to_owned()?
            }
            Kind::Inotify => {
                let watching = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
                watching.add_watch(scratch.insert(Scratch::new()?).path(), AddWatchFlags::IN_CREATE)?;
                watching.as_fd().try_clone_to_owned()?
            }
            Kind::Listener => listener()?.into(),
            Kind::Refused => {
                let (socket, said) = self.refused()?;
                answer = said;
                socket
            }
            Kind::File => {
                File::options().read(true).write(true).open(scratch.insert(Scratch::new()?).add_file()?)?.into()
            }
            Kind::Directory => open(scratch.insert(Scratch::new()?).path(), OPEN | OFlag::O_DIRECTORY, Mode::empty())?,
            Kind::Null => open("/dev/null", OPEN | OFlag::O_RDWR, Mode::empty())?,
            Kind::Zero => open("/dev/zero", OPEN | OFlag::O_RDWR, Mode::empty())?,
            Kind::Opath => {
                open(&scratch.insert(Scratch::new()?).add_file()?, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?
            }
            _ => return Err(wrong_number(kind, 1)),
        };
        let file = self.add_file(OpenFile { scratch, ..OpenFile::new(kind) });
        self.add(name, fd, file)?;
        Ok(answer)
    }

    /// A socket whose connect was refused, and what `connect` answered when it began.
    fn refused(&mut self) -> Result<(OwnedFd, String), Trouble> {
        // Bound, so that nobody else gets the port, and no listener, so that a connect is refused.
        let nobody = socket(AddressFamily::Inet, SockType::Stream, FLAGS, None)?;
        bind(nobody.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0))?;
        let address: SockaddrIn = getsockname(nobody.as_raw_fd())?;
        self.nobody.push(nobody);
        let socket = socket(AddressFamily::Inet, SockType::Stream, FLAGS, None)?;
        let answer = match connect(socket.as_raw_fd(), &address) {
            Ok(()) => "ok".to_owned(),
            Err(error) => error_name(error),
        };
        settle::until(|| "the refusal".to_owned(), || sight::ready(&socket).contains(Bits::HUP))?;
        Ok((socket, answer))
    }

    /// A port where nobody is: its socket is connected to itself, so that it does not take what others send.
    pub(super) fn nobody_udp(&mut self) -> io::Result<std::net::SocketAddr> {
        let nobody = udp_socket()?;
        let address = nobody.local_addr()?;
        nobody.connect(address)?;
        self.nobody.push(nobody.into());
        Ok(address)
    }
}

fn wrong_number(kind: Kind, given: usize) -> Trouble {
    let entry = Kind::ALL.into_iter().find(|(_, listed, _)| *listed == kind);
    let (word, _, names) = entry.expect("every kind is listed");
    Trouble::new(format!("`{word}` makes {names} descriptor(s) and was given {given} name(s)"))
}

/// The accepted end and the one that connected.
fn tcp() -> Result<(OwnedFd, OwnedFd), Trouble> {
    let listener = listener()?;
    let client = buffers::tcp_socket()?;
    let address = listener.local_addr()?;
    if let std::net::SocketAddr::V4(address) = address
        && let Err(error) = connect(client.as_raw_fd(), &SockaddrIn::from(address))
        && error != Errno::EINPROGRESS
    {
        return Err(error.into());
    }
    settle::until(|| "the connection".to_owned(), || sight::ready(&client).contains(Bits::OUT))?;
    settle::until(|| "the connection".to_owned(), || sight::ready(&listener).contains(Bits::IN))?;
    let (accepted, _) = listener.accept()?;
    buffers::prepare_accepted(&accepted)?;
    Ok((accepted.into(), client))
}

/// A listener with a backlog of 128, which is what the standard library asks for.
fn listener() -> Result<TcpListener, Trouble> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    buffers::shrink(&listener)?;
    Ok(listener)
}

fn udp_socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn udp() -> Result<(OwnedFd, OwnedFd), Trouble> {
    let (left, right) = (udp_socket()?, udp_socket()?);
    left.connect(right.local_addr()?)?;
    right.connect(left.local_addr()?)?;
    Ok((left.into(), right.into()))
}

/// The sender, and the receiver, which is bound to a name that the kernel makes up.
fn datagrams() -> Result<(OwnedFd, OwnedFd), Trouble> {
    let sender = socket(AddressFamily::Unix, SockType::Datagram, FLAGS, None)?;
    let receiver = socket(AddressFamily::Unix, SockType::Datagram, FLAGS, None)?;
    bind(receiver.as_raw_fd(), &UnixAddr::new_unnamed())?;
    let address: UnixAddr = getsockname(receiver.as_raw_fd())?;
    connect(sender.as_raw_fd(), &address)?;
    Ok((sender, receiver))
}

fn fifo(scratch: &Scratch) -> Result<(OwnedFd, OwnedFd), Trouble> {
    let path = scratch.path().join("fifo");
    mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?;
    // The reader first: without one, a writer that does not wait is refused.
    let reader = open(&path, OPEN | OFlag::O_RDONLY, Mode::empty())?;
    let writer = open(&path, OPEN | OFlag::O_WRONLY, Mode::empty())?;
    Ok((reader, writer))
}

/// Master and slave, in line mode. Without echo, and without a carriage return before each newline: bytes that nobody in
/// the lesson has written would be reported too.
fn terminal() -> Result<(OwnedFd, OwnedFd), Trouble> {
    let ends = openpty(None, None)?;
    let mut settings = tcgetattr(&ends.slave)?;
    settings.local_flags.remove(LocalFlags::ECHO);
    settings.local_flags.insert(LocalFlags::ICANON);
    settings.output_flags.remove(OutputFlags::OPOST);
    tcsetattr(&ends.slave, SetArg::TCSANOW, &settings)?;
    buffers::set_nonblocking(&ends.master, true)?;
    buffers::set_nonblocking(&ends.slave, true)?;
    Ok((ends.master, ends.slave))
}

fn counter(flags: EfdFlags) -> Result<OwnedFd, Trouble> {
    let counter = EventFd::from_value_and_flags(0, flags | EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?;
    Ok(counter.as_fd().try_clone_to_owned()?)
}

//! Whether new data on unread data is reported, for each type of descriptor.

use super::waiter::{BOUND, Waiter, arrivals_of};
use super::{Findings, child, pairs};
use crate::kit::bits::Bits;
use crate::kit::cell::Cell;
use crate::kit::mechanism::Mechanism;
use crate::kit::world::Scratch;
use nix::fcntl::{OFlag, open};
use nix::pty::openpty;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, pipe2, write};
use std::fs::File;
use std::io;
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// How long a second arrival may take to be noticed by the observer; only a kernel that does not count it takes so long.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long a wait that says nothing is given. What could be reported has arrived before it begins.
const SILENCE: Duration = Duration::from_millis(4);

/// What was reported of one type of descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// `tcp`, `pipe`, ...
    pub(crate) kind: &'static str,
    /// After the first arrival; after a second one, with nothing read; after no further one. The descriptor's name in them
    /// is that of the type.
    pub(crate) cells: [Cell; 3],
}

/// The types, in the order of the table.
const KINDS: [&str; 13] = [
    "tcp",
    "unix",
    "datagram",
    "seqpacket",
    "udp",
    "pipe",
    "fifo",
    "pty slave",
    "pty master",
    "eventfd",
    "signalfd",
    "inotify",
    "listener",
];

/// The table of all types under one mechanism. For a thread that is alone in its process with signals.
///
/// # Errors
///
/// What the kernel refused to make.
pub(crate) fn arrivals(mechanism: Mechanism) -> io::Result<Vec<Arrival>> {
    KINDS.into_iter().map(|kind| of_kind(mechanism, kind)).collect()
}

/// In a process of its own: a signalfd is woken by signals that are meant for other threads too.
pub(super) fn findings(mechanism: Mechanism) -> Findings {
    child::alone("arrivals", mechanism)
}

pub(super) fn in_child(mechanism: Mechanism) -> Findings {
    let lines = arrivals(mechanism)?.into_iter().map(|Arrival { kind, cells }| {
        let [first, second, none] = cells.map(|cell| cell.display(mechanism, false));
        format!("{kind}: {first} / {second} / {none}")
    });
    Ok(lines.collect())
}

/// The descriptor is made, and `watch` is told how something arrives at it.
fn of_kind(mechanism: Mechanism, kind: &'static str) -> io::Result<Arrival> {
    let watch = |fd: BorrowedFd<'_>, arrive: &mut dyn FnMut() -> io::Result<()>| watch(mechanism, kind, fd, arrive);
    match kind {
        "tcp" => pairs::tcp().and_then(|(a, b)| watch(a.as_fd(), &mut || put(&b))),
        "unix" => pairs::unix().and_then(|(a, b)| watch(a.as_fd(), &mut || put(&b))),
        "datagram" => UnixDatagram::pair().and_then(|(a, b)| watch(a.as_fd(), &mut || put(&b))),
        "seqpacket" => {
            let (a, b) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
            watch(a.as_fd(), &mut || put(&b))
        }
        "udp" => {
            let (a, b) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
            b.connect(a.local_addr()?)?;
            watch(a.as_fd(), &mut || put(&b))
        }
        "pipe" => {
            let (a, b) = pipe2(OFlag::O_CLOEXEC)?;
            watch(a.as_fd(), &mut || put(&b))
        }
        "fifo" => {
            let directory = Scratch::new()?;
            let path = directory.path().join("fifo");
            mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR)?;
            let a = open(&path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty())?;
            let b = open(&path, OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty())?;
            watch(a.as_fd(), &mut || put(&b))
        }
        "pty slave" => {
            openpty(None, None).map_err(Into::into).and_then(|pty| watch(pty.slave.as_fd(), &mut || put(&pty.master)))
        }
        "pty master" => {
            openpty(None, None).map_err(Into::into).and_then(|pty| watch(pty.master.as_fd(), &mut || put(&pty.slave)))
        }
        "eventfd" => {
            let counter = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
            watch(counter.as_fd(), &mut || counter.write(1).map(drop).map_err(Into::into))
        }
        "signalfd" => signals(&watch),
        "inotify" => {
            let directory = Scratch::new()?;
            let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
            inotify.add_watch(directory.path(), AddWatchFlags::IN_CREATE)?;
            let mut names = ["first", "second"].into_iter();
            let mut make = || names.next().map_or(Ok(()), |name| File::create(directory.path().join(name)).map(drop));
            watch(inotify.as_fd(), &mut make)
        }
        _ => {
            let listener = pairs::listener()?;
            let address = listener.local_addr()?;
            let mut clients = Vec::new();
            watch(listener.as_fd(), &mut || TcpStream::connect(address).map(|client| clients.push(client)))
        }
    }
}

/// Watches a descriptor, and is told how something arrives at it.
type Watch<'a> = &'a dyn Fn(BorrowedFd<'_>, &mut dyn FnMut() -> io::Result<()>) -> io::Result<Arrival>;

/// A standard signal that is pending already does not arrive again, so the second one is another.
fn signals(watch: Watch<'_>) -> io::Result<Arrival> {
    let both = [Signal::SIGUSR1, Signal::SIGUSR2];
    let mask: SigSet = both.into_iter().collect();
    let before = mask.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let descriptor = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let mut signals = both.into_iter();
    let mut raise = || signals.next().map_or(Ok(()), |signal| Ok(pthread_kill(pthread_self(), signal)?));
    let arrival = watch(descriptor.as_fd(), &mut raise);
    // Whatever became of it: a signal that is left pending would strike when it is let through again.
    while descriptor.read_signal()?.is_some() {}
    before.thread_set_mask()?;
    arrival
}

/// Every arrival is confirmed by an observer, an epoll of its own with edges, before the mechanism is asked: what it is
/// silent of then has arrived, and was not only slow.
fn watch(
    mechanism: Mechanism,
    kind: &'static str,
    fd: BorrowedFd<'_>,
    arrive: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<Arrival> {
    let observer = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    observer.add(fd, arrivals_of(Mechanism::Edge, EpollFlags::empty(), 0))?;
    let mut waiter = Waiter::new(mechanism)?;
    waiter.add(fd, Bits::IN)?;
    let mut cells = [Cell::SILENT, Cell::SILENT, Cell::SILENT];
    for (turn, cell) in cells.iter_mut().enumerate() {
        if turn < 2 {
            arrive()?;
            let patience =
                EpollTimeout::try_from(if turn == 0 { BOUND } else { PATIENCE }).unwrap_or(EpollTimeout::MAX);
            observer.wait(&mut [EpollEvent::empty()], patience)?;
        }
        let reported = waiter.wait(SILENCE)?;
        *cell = Cell::Reported(reported.into_iter().map(|(_, bits)| (kind.to_owned(), bits)).collect());
    }
    Ok(Arrival { kind, cells })
}

/// A line: of a terminal only a whole one arrives.
fn put(fd: impl AsFd) -> io::Result<()> {
    write(fd, b"ab\n")?;
    Ok(())
}

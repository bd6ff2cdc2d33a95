//! What is true of a descriptor, asked past every mechanism.

use crate::kit::Bits;
use nix::sys::socket::{MsgFlags, getsockopt, recv, setsockopt};
use nix::{getsockopt_impl, setsockopt_impl, sockopt_impl};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// Everything that `poll` can be asked for.
pub(crate) const EVERYTHING: Bits = Bits(Bits::IN.0 | Bits::PRI.0 | Bits::OUT.0 | Bits::RDHUP.0);

sockopt_impl!(
    /// The counters of a socket's buffers, as [`Memory`] reads them.
    Counters,
    GetOnly,
    libc::SOL_SOCKET,
    libc::SO_MEMINFO,
    [u32; 9]
);

sockopt_impl!(
    /// What the kernel tells of a TCP socket, as [`Tcp`] reads it: the first words of its `tcp_info`.
    Info,
    GetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    [u32; 37]
);

sockopt_impl!(
    /// Has what was received acknowledged at once.
    Acknowledge,
    SetOnly,
    libc::IPPROTO_TCP,
    libc::TCP_QUICKACK,
    bool
);

/// A socket's buffers, in bytes, overhead included.
struct Memory {
    received: u32,
    send_limit: u32,
    to_send: u32,
    /// Datagrams for which there was no room.
    dropped: u32,
}

/// A TCP socket.
struct Tcp {
    state: u8,
    /// Segments that are not acknowledged; of a listener, connections that are not accepted.
    open: u32,
    /// Bytes that have not been sent.
    unsent: u32,
}

impl Memory {
    fn of(socket: impl AsFd) -> Option<Self> {
        let [received, _, _, send_limit, _, to_send, _, _, dropped] = getsockopt(&socket, Counters).ok()?;
        Some(Self { received, send_limit, to_send, dropped })
    }
}

impl Tcp {
    const ESTABLISHED: u8 = 1;
    /// The peer has said that it sends no more.
    const CLOSE_WAIT: u8 = 8;

    fn of(socket: impl AsFd) -> Option<Self> {
        const OPEN: usize = 6;
        const UNSENT: usize = 36;
        let info = getsockopt(&socket, Info).ok()?;
        let [state, ..] = info[0].to_ne_bytes();
        Some(Self { state, open: info[OPEN], unsent: info[UNSENT] })
    }
}

/// All the bits that there are.
pub(crate) fn ready(fd: impl AsFd) -> Bits {
    ready_for(fd, EVERYTHING)
}

/// Those of the bits that are true, and of ERR, HUP and NVAL, which are never asked for.
///
/// Asking is not free of consequences. Whoever polls a TCP socket that has no room, for whatever, is promised to be woken
/// when it has, and the promise is kept to everybody: also to an edge-triggered epoll, which would not have been told,
/// since nobody had tried to write more than there was room for. So such a socket is not polled; see [`without_room`].
///
/// Pipes remember for ever that they were polled, and then wake for each write; but registering polls them too. A
/// datagram socket whose peer is full has itself put on the peer's list, but whatever the peer takes wakes it anyway.
pub(crate) fn ready_for(fd: impl AsFd, bits: Bits) -> Bits {
    match without_room(&fd) {
        Some(ready) => ready & bits,
        None => ready_within(fd, bits, Duration::ZERO),
    }
}

/// The bits, as soon as one of them is true, but not later than this.
pub(crate) fn ready_within(fd: impl AsFd, bits: Bits, timeout: Duration) -> Bits {
    let timeout = Timespec::try_from(timeout).unwrap_or_default();
    let mut entry = [PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::from_bits_retain(bits.0))];
    // A signal is taken for "nothing yet": who waits asks again.
    match poll(&mut entry, Some(&timeout)) {
        Ok(_) => Bits(entry[0].revents().bits()),
        Err(_) => Bits::NONE,
    }
}

/// What there is to say of a connected TCP socket that has no room, found out without polling it. `None` of all others; a
/// reset throws away what was to be sent, so there is room.
///
/// The kernel sees room where half as much is free as is in use.
fn without_room(fd: impl AsFd) -> Option<Bits> {
    let memory = Memory::of(&fd)?;
    if memory.send_limit.saturating_sub(memory.to_send) >= memory.to_send / 2 {
        return None;
    }
    let state = Tcp::of(&fd)?.state;
    // In all other states this side has said that it sends no more, and then there is no room to wait for.
    if ![Tcp::ESTABLISHED, Tcp::CLOSE_WAIT].contains(&state) {
        return None;
    }
    let peek = |flags| recv(fd.as_fd().as_raw_fd(), &mut [0], flags | MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT);
    let (data, urgent) = (peek(MsgFlags::empty()), peek(MsgFlags::MSG_OOB));
    let over = state == Tcp::CLOSE_WAIT || data == Ok(0);
    Some(Bits::IN.when(over || data.is_ok()) | Bits::RDHUP.when(over) | Bits::PRI.when(urgent == Ok(1)))
}

/// Bytes that have arrived and were not read, where the kernel tells.
pub(crate) fn unread(fd: impl AsFd) -> Option<u64> {
    rustix::io::ioctl_fionread(fd).ok()
}

/// How many connections wait to be accepted. `poll` says only whether there are any.
pub(crate) fn backlog(listener: impl AsFd) -> Option<u32> {
    Tcp::of(listener).map(|tcp| tcp.open)
}

/// How much has come to a datagram socket, or was dropped: a number that grows with each. `FIONREAD` tells of the first
/// datagram only, and `poll` whether there are any.
pub(crate) fn datagrams(socket: impl AsFd) -> Option<(u32, u32)> {
    Memory::of(socket).map(|memory| (memory.received, memory.dropped))
}

/// Whether of what was sent over a TCP connection everything has arrived that can before the receiver reads: something
/// is left to be sent, and nothing is on its way.
pub(crate) fn is_stuck(sender: impl AsFd, receiver: impl AsFd) -> bool {
    let Some(tcp) = Tcp::of(&sender) else { return false };
    if tcp.unsent > 0 && tcp.open > 0 {
        // What has arrived makes room in the sender's buffer when it is acknowledged, which the receiver puts off. That it
        // cannot be hurried is no loss but of time.
        let _ = setsockopt(&receiver, Acknowledge, &true);
    }
    tcp.unsent > 0 && tcp.open == 0
}

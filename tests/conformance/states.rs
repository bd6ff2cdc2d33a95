//! The states that a descriptor can be in, and what is seen of each: the table that the backends are held to.
//!
//! The first column is what the kernel says if it is asked for everything by `poll(2)`: it makes sure that the state has
//! arrived before a poller is asked, and that the table is that of this kernel. The second is what select can tell, the
//! third what all the others tell.

use crate::kit::{abstract_name, drain, pair, tcp_pair, v4};
use crate::raw::{self, ERR, HUP, IN, OUT, PRI, RDHUP};
use std::any::Any;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use tripoll::poller::Readiness;

const NONE: Readiness = Readiness::NONE;
const R: u8 = 1;
const W: u8 = 1 << 1;
const P: u8 = 1 << 2;
const E: u8 = 1 << 3;
const RC: u8 = 1 << 4;
const WC: u8 = 1 << 5;
const H: u8 = 1 << 6;

/// A descriptor in a state, and the descriptors that keep it there.
pub(crate) struct State {
    pub(crate) name: &'static str,
    pub(crate) bits: i16,
    pub(crate) select: Readiness,
    pub(crate) others: Readiness,
    pub(crate) watched: OwnedFd,
    _kept: Box<dyn Any>,
}

/// What is watched, and what must live as long.
type Made = (OwnedFd, Box<dyn Any>);

fn made(watched: impl Into<OwnedFd>, kept: impl Any) -> Made {
    (watched.into(), Box::new(kept))
}

fn readiness(letters: u8) -> Readiness {
    let all = [
        (R, Readiness::READABLE),
        (W, Readiness::WRITABLE),
        (P, Readiness::PRIORITY),
        (E, Readiness::ERROR),
        (RC, Readiness::READ_CLOSED),
        (WC, Readiness::WRITE_CLOSED),
        (H, Readiness::HANG_UP),
    ];
    all.into_iter().fold(NONE, |set, (letter, flag)| set | flag.when(letters & letter != 0))
}

fn state(name: &'static str, bits: i16, select: u8, others: u8, (watched, kept): Made) -> State {
    State { name, bits, select: readiness(select), others: readiness(others), watched, _kept: kept }
}

/// Every state, each with a descriptor that is in it or about to be.
pub(crate) fn all() -> Vec<State> {
    [tcp_open(), tcp_over(), tcp_special(), unix(), pipes(), datagrams(), others()].into_iter().flatten().collect()
}

fn tcp_open() -> Vec<State> {
    vec![
        state("TCP, idle", OUT, W, W, tcp(|_, _| {})),
        state("TCP, data waiting", IN | OUT, R | W, R | W, tcp(|_, peer| send(peer))),
        state(
            "TCP, peer shut writing",
            IN | OUT | RDHUP,
            R | W,
            R | W | RC,
            tcp(|_, peer| shut(peer, Shutdown::Write)),
        ),
        state("TCP, this side shut writing", OUT, W, W, tcp(|ours, _| shut(ours, Shutdown::Write))),
        state(
            "TCP, this side shut reading",
            IN | OUT | RDHUP,
            R | W,
            R | W | RC,
            tcp(|ours, _| shut(ours, Shutdown::Read)),
        ),
        state("TCP, urgent byte", OUT | PRI, W | P, W | P, tcp(|_, peer| raw::send_urgent(peer))),
        state(
            "TCP, data and urgent byte",
            IN | OUT | PRI,
            R | W | P,
            R | W | P,
            tcp(|_, peer| {
                send(peer);
                raw::send_urgent(peer);
            }),
        ),
    ]
}

fn tcp_over() -> Vec<State> {
    let reset = IN | OUT | ERR | HUP | RDHUP;
    let over = IN | OUT | HUP | RDHUP;
    vec![
        state("TCP, peer closed", IN | OUT | RDHUP, R | W, R | W | RC, tcp_closed(|_, _| {})),
        state("TCP, peer sent and closed", IN | OUT | RDHUP, R | W, R | W | RC, tcp_closed(|_, peer| send(peer))),
        state(
            "TCP, both shut writing",
            over,
            R | W,
            R | W | RC | WC | H,
            tcp(|ours, peer| {
                shut(peer, Shutdown::Write);
                shut(ours, Shutdown::Write);
            }),
        ),
        state("TCP, this side shut both", over, R | W, R | W | RC | WC | H, tcp(|ours, _| shut(ours, Shutdown::Both))),
        state("TCP, reset", reset, R | W, R | W | E | RC | WC | H, tcp_closed(|_, peer| raw::reset_on_close(peer))),
        state("TCP, wrote to a closed peer", reset, R | W, R | W | E | RC | WC | H, {
            let (mut ours, peer) = tcp_pair();
            drop(peer);
            raw::settle(&ours, IN | OUT | RDHUP);
            ours.write_all(b"x").unwrap();
            made(ours, ())
        }),
        state("TCP, reset, error taken", over, R | W, R | W | RC | WC | H, {
            let (ours, peer) = tcp_pair();
            raw::reset_on_close(&peer);
            drop(peer);
            raw::settle(&ours, reset);
            assert_eq!(ours.take_error().unwrap().unwrap().kind(), io::ErrorKind::ConnectionReset);
            made(ours, ())
        }),
    ]
}

fn tcp_special() -> Vec<State> {
    let refused = IN | OUT | ERR | HUP | RDHUP;
    vec![
        state("TCP, never connected", OUT | HUP, R | W, R | W | RC | WC | H, made(raw::tcp_socket(), ())),
        state("TCP, connect refused", refused, R | W, R | W | E | RC | WC | H, connect_refused()),
        state("TCP, refused, error taken", refused & !ERR, R | W, R | W | RC | WC | H, {
            let (socket, kept) = connect_refused();
            raw::settle(&socket, refused);
            let socket = TcpStream::from(socket);
            assert_eq!(socket.take_error().unwrap().unwrap().kind(), io::ErrorKind::ConnectionRefused);
            (socket.into(), kept)
        }),
        state("TCP, connected", OUT, W, W, {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            made(raw::connecting(v4(listener.local_addr())), listener)
        }),
        state("listener, nobody", 0, 0, 0, made(TcpListener::bind("127.0.0.1:0").unwrap(), ())),
        state("listener, somebody", IN, R, R, {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            made(listener, client)
        }),
        state("listener, shut", OUT | HUP, R | W, R | W | RC | WC | H, {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            raw::shut_reading(&listener);
            made(listener, ())
        }),
    ]
}

fn unix() -> Vec<State> {
    let over = IN | OUT | HUP | RDHUP;
    vec![
        state("Unix, idle", OUT, W, W, unix_stream(|_, _| {})),
        state("Unix, data waiting", IN | OUT, R | W, R | W, unix_stream(|_, mut peer| peer.write_all(b"x").unwrap())),
        state("Unix, full", 0, 0, 0, unix_stream(|ours, _| raw::fill(ours))),
        state(
            "Unix, full, then read",
            OUT,
            W,
            W,
            unix_stream(|ours, peer| {
                raw::fill(ours);
                peer.set_nonblocking(true).unwrap();
                drain(peer);
            }),
        ),
        state(
            "Unix, peer shut writing",
            IN | OUT | RDHUP,
            R | W,
            R | W | RC,
            unix_stream(|_, peer| {
                peer.shutdown(Shutdown::Write).unwrap();
            }),
        ),
        state("Unix, peer closed", over, R | W, R | W | RC | WC | H, made(pair().0, ())),
        state("seqpacket, peer closed", over, R | W, R | W | RC | WC | H, made(raw::seqpacket_pair().0, ())),
    ]
}

fn pipes() -> Vec<State> {
    vec![
        state("pipe to read, idle", 0, 0, 0, pipe_to_read(true, b"")),
        state("pipe to read, data waiting", IN, R, R, pipe_to_read(true, b"x")),
        state("pipe to read, data waiting, writer gone", IN | HUP, R, R | W | RC | WC | H, pipe_to_read(false, b"x")),
        state("pipe to read, writer gone", HUP, R, R | W | RC | WC | H, pipe_to_read(false, b"")),
        state("pipe to write, idle", OUT, W, W, pipe_to_write(true, false)),
        state("pipe to write, full", 0, 0, 0, pipe_to_write(true, true)),
        state("pipe to write, reader gone", OUT | ERR, R | W, R | W | E | WC, pipe_to_write(false, false)),
        state("pipe to write, full, reader gone", ERR, R | W, R | W | E | WC, pipe_to_write(false, true)),
    ]
}

fn datagrams() -> Vec<State> {
    vec![
        state("UDP, idle", OUT, W, W, made(UdpSocket::bind("127.0.0.1:0").unwrap(), ())),
        state("UDP, datagram waiting", IN | OUT, R | W, R | W, udp_with(b"x")),
        state("UDP, empty datagram waiting", IN | OUT, R | W, R | W, udp_with(b"")),
        state("UDP, port unreachable", OUT | ERR, R | W, R | W | E | WC, udp_refused()),
        state("UDP, port unreachable, error taken", OUT, W, W, {
            let (socket, kept) = udp_refused();
            raw::settle(&socket, OUT | ERR);
            let socket = UdpSocket::from(socket);
            assert_eq!(socket.take_error().unwrap().unwrap().kind(), io::ErrorKind::ConnectionRefused);
            (socket.into(), kept)
        }),
        state("Unix datagrams, receiver gone", OUT, W, W, {
            let (sender, receiver) = full_datagrams();
            drop(receiver);
            made(sender, ())
        }),
        state("Unix datagrams, receiver full", 0, 0, 0, unix_datagrams(|_| {})),
        state(
            "Unix datagrams, receiver took one",
            OUT,
            W,
            W,
            unix_datagrams(|receiver| {
                receiver.recv(&mut [0]).unwrap();
            }),
        ),
    ]
}

fn others() -> Vec<State> {
    let (master, slave) = raw::terminal();
    drop(slave);
    vec![
        state("counter at zero", OUT, W, W, made(raw::eventfd(0), ())),
        state("counter above zero", IN | OUT, R | W, R | W, made(raw::eventfd(1), ())),
        state("counter at its maximum", IN, R, R, {
            let mut counter = File::from(raw::eventfd(0));
            counter.write_all(&(u64::MAX - 1).to_ne_bytes()).unwrap();
            made(counter, ())
        }),
        state("terminal, slave closed", OUT | HUP, R | W, R | W | RC | WC | H, made(master, ())),
    ]
}

fn send(mut to: &TcpStream) {
    to.write_all(b"x").unwrap();
}

fn shut(socket: &TcpStream, how: Shutdown) {
    socket.shutdown(how).unwrap();
}

fn tcp(happens: impl FnOnce(&TcpStream, &TcpStream)) -> Made {
    let (ours, peer) = tcp_pair();
    happens(&ours, &peer);
    made(ours, peer)
}

fn tcp_closed(before: impl FnOnce(&TcpStream, &TcpStream)) -> Made {
    let (ours, peer) = tcp_pair();
    before(&ours, &peer);
    made(ours, ())
}

/// Nobody listens at the port of somebody's connection, and as long as that is there nobody will.
fn connect_refused() -> Made {
    let (ours, peer) = tcp_pair();
    made(raw::connecting(v4(peer.local_addr())), (ours, peer))
}

fn unix_stream(happens: impl FnOnce(&UnixStream, &UnixStream)) -> Made {
    let (ours, peer) = pair();
    happens(&ours, &peer);
    made(ours, peer)
}

fn pipe_to_read(writer_stays: bool, data: &[u8]) -> Made {
    let (reader, mut writer) = raw::pipe();
    writer.write_all(data).unwrap();
    made(reader, writer_stays.then_some(writer))
}

fn pipe_to_write(reader_stays: bool, full: bool) -> Made {
    let (reader, writer) = raw::pipe();
    raw::set_nonblocking(&writer);
    if full {
        raw::fill(&writer);
    }
    made(writer, reader_stays.then_some(reader))
}

fn udp_with(datagram: &[u8]) -> Made {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.send_to(datagram, receiver.local_addr().unwrap()).unwrap();
    made(receiver, sender)
}

/// A socket that is connected elsewhere does not take what others send, and keeps its port from those who would.
fn udp_refused() -> Made {
    let (sender, elsewhere) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    elsewhere.connect(elsewhere.local_addr().unwrap()).unwrap();
    sender.connect(elsewhere.local_addr().unwrap()).unwrap();
    sender.send(b"x").unwrap();
    made(sender, elsewhere)
}

/// The queue of a receiver with many senders is full after a number of datagrams, however small.
fn full_datagrams() -> (UnixDatagram, UnixDatagram) {
    let name = abstract_name();
    let (sender, receiver) = (UnixDatagram::unbound().unwrap(), UnixDatagram::bind_addr(&name).unwrap());
    sender.connect_addr(&name).unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.send(b"x").is_ok() {}
    (sender, receiver)
}

fn unix_datagrams(then: impl FnOnce(&UnixDatagram)) -> Made {
    let (sender, receiver) = full_datagrams();
    then(&receiver);
    made(sender, receiver)
}

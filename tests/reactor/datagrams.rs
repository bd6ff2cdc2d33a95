//! Messages with edges: UDP and Unix datagrams.

use crate::kit::{Family, MILLISECOND, Rig, Told, socket_path};
use crate::support::{BOUND, every_backend_and_trigger};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Address, Datagram, Sent};
use tripoll::{Backend, Endpoint, Settings, Token, Trigger};

every_backend_and_trigger!(
    datagrams_keep_their_edges_and_their_senders,
    a_turn_receives_as_many_as_its_budget_and_the_next_ones_the_rest,
    nobody_at_the_other_port_is_told_once_and_then_it_is_quiet,
    an_empty_datagram_is_a_datagram,
    a_datagram_that_is_too_long_is_cut_and_the_next_one_is_whole,
    unix_datagrams_come_with_the_path_of_their_sender,
    datagrams_wait_for_a_peer_that_has_no_room,
    a_datagram_socket_has_no_stream,
);

/// Datagrams by the socket that received them.
type Inbox = BTreeMap<Token, Vec<(Vec<u8>, Address)>>;

/// A turn that receives what there is.
fn turn(rig: &mut Rig<AnyPoller>, inbox: &mut Inbox) -> Vec<Told> {
    rig.turn_with(Some(MILLISECOND), |ledger, told| {
        if let Told::Readable(token) = told {
            let mut buf = [0; 2048];
            while let Ok(Some((len, sender))) = ledger.read_datagram(token, &mut buf) {
                inbox.entry(token).or_default().push((buf[..len].to_vec(), sender));
            }
        }
        true
    })
}

/// Makes turns until a socket has received so many.
fn until(rig: &mut Rig, inbox: &mut Inbox, token: Token, count: usize) {
    let received = Cell::new(0);
    let receive = |rig: &mut Rig| {
        turn(rig, inbox);
        received.set(inbox.get(&token).map_or(0, Vec::len));
    };
    rig.until_with(receive, |_| received.get() >= count);
    assert_eq!(received.get(), count);
}

fn udp(rig: &mut Rig) -> (Token, Address) {
    let socket = Datagram::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_address().unwrap();
    (rig.ledger().adopt(socket).unwrap(), address)
}

fn client(of: &Address) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(of.as_inet().unwrap()).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket
}

fn datagrams_keep_their_edges_and_their_senders(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut inbox = Inbox::new();
    let (token, address) = udp(&mut rig);
    let clients = [client(&address), client(&address)];
    for client in &clients {
        client.send(b"one").unwrap();
        client.send(b"two").unwrap();
    }
    until(&mut rig, &mut inbox, token, 4);
    for client in &clients {
        let sender = Address::from(client.local_addr().unwrap());
        let from = inbox[&token].iter().filter(|(_, other)| *other == sender).map(|(data, _)| &data[..]);
        assert_eq!(from.collect::<Vec<_>>(), [b"one", b"two"]);
        assert_eq!(rig.ledger().send_datagram(token, Some(&sender), b"answer").unwrap(), Sent::Queued);
        let mut answer = [0; 100];
        assert_eq!(client.recv(&mut answer).unwrap(), 6);
    }
    rig.assert_asleep();
}

fn a_turn_receives_as_many_as_its_budget_and_the_next_ones_the_rest(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, Settings { trigger, datagrams_per_turn: 8, ..Settings::default() });
    let mut inbox = Inbox::new();
    let (token, address) = udp(&mut rig);
    let client = client(&address);
    for number in 0..32_u8 {
        client.send(&[number]).unwrap();
    }
    // When all of them are there no further event comes, and they are received all the same.
    let (turns, mut received) = (rig.stats().turns, 0);
    rig.until_with(
        |rig| {
            turn(rig, &mut inbox);
            let before = std::mem::replace(&mut received, inbox.get(&token).map_or(0, Vec::len));
            assert!(received - before <= 8);
        },
        |rig| rig.stats().bytes_in == 32,
    );
    assert!(rig.stats().turns - turns >= 4);
    assert!(inbox[&token].iter().enumerate().all(|(number, (data, _))| *data == [number as u8]));
    rig.assert_asleep();
}

fn nobody_at_the_other_port_is_told_once_and_then_it_is_quiet(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(nobody.local_addr().unwrap()).unwrap();
    drop(nobody);
    let token = rig.ledger().adopt(socket).unwrap();
    rig.glance();
    rig.ledger().send_datagram(token, None, b"anybody?").unwrap();
    let errors = Cell::new(0);
    rig.until_with(
        |rig| {
            rig.turn_with(Some(MILLISECOND), |ledger, told| {
                assert_eq!(told, Told::Readable(token));
                // Once it was taken, the socket is as good as new.
                while let Err(e) = ledger.read_datagram(token, &mut [0; 10]) {
                    assert_eq!(e.kind(), io::ErrorKind::ConnectionRefused);
                    errors.set(errors.get() + 1);
                }
                true
            });
        },
        |_| errors.get() > 0,
    );
    rig.until_asleep();
    assert_eq!(errors.get(), 1);
    assert!(rig.ledger().contains(token) && rig.ends.is_empty());
}

fn an_empty_datagram_is_a_datagram(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut inbox = Inbox::new();
    let (token, address) = udp(&mut rig);
    let client = client(&address);
    client.send(b"").unwrap();
    client.send(b"x").unwrap();
    until(&mut rig, &mut inbox, token, 2);
    assert_eq!(inbox[&token].iter().map(|(data, _)| data.len()).collect::<Vec<_>>(), [0, 1]);
    let sender = Address::from(client.local_addr().unwrap());
    rig.ledger().send_datagram(token, Some(&sender), b"").unwrap();
    assert_eq!(client.recv(&mut [0; 10]).unwrap(), 0);
    assert!(rig.ends.is_empty());
    rig.assert_asleep();
}

fn a_datagram_that_is_too_long_is_cut_and_the_next_one_is_whole(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut inbox = Inbox::new();
    let (token, address) = udp(&mut rig);
    let client = client(&address);
    client.send(&[1; 5000]).unwrap();
    client.send(&[2; 10]).unwrap();
    until(&mut rig, &mut inbox, token, 2);
    assert_eq!(inbox[&token].iter().map(|(data, _)| data.len()).collect::<Vec<_>>(), [2048, 10]);
    let error = rig.ledger().send_datagram(token, Some(&address), &[0; 70_000]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    assert!(rig.ledger().contains(token));
}

fn unix_datagrams_come_with_the_path_of_their_sender(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut inbox = Inbox::new();
    let [ours, theirs] = [socket_path(), socket_path()];
    let token = rig.ledger().adopt(Datagram::bind(&Endpoint::UnixDatagram(ours.clone())).unwrap()).unwrap();
    let client = UnixDatagram::bind(&theirs).unwrap();
    client.set_read_timeout(Some(BOUND)).unwrap();
    client.send_to(b"hello", &ours).unwrap();
    UnixDatagram::unbound().unwrap().send_to(b"guess who", &ours).unwrap();
    until(&mut rig, &mut inbox, token, 2);
    let [(_, named), (_, unnamed)] = &inbox[&token][..] else { panic!("{inbox:?}") };
    assert_eq!((named.as_path(), unnamed.as_path()), (Some(&*theirs), None));
    rig.ledger().send_datagram(token, Some(named), b"hello yourself").unwrap();
    assert_eq!(client.recv(&mut [0; 100]).unwrap(), 14);
    std::fs::remove_file(theirs).unwrap();
    drop(rig);
    assert!(!ours.exists());
}

fn datagrams_wait_for_a_peer_that_has_no_room(backend: Backend, trigger: Trigger) {
    const COUNT: u32 = 2000;
    let mut rig = Rig::new(backend, trigger);
    let (ours, theirs) = UnixDatagram::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let token = rig.ledger().adopt(ours).unwrap();
    for number in 0..COUNT {
        rig.ledger().send_datagram(token, None, &number.to_ne_bytes()).unwrap();
    }
    assert!(rig.ledger().queued(token).unwrap() > 0, "the kernel has room for all of them");
    rig.assert_asleep();
    let mut next: u32 = 0;
    rig.until(|_| {
        let mut buf = [0; 4];
        while theirs.recv(&mut buf).is_ok() {
            assert_eq!(u32::from_ne_bytes(buf), next);
            next += 1;
        }
        next == COUNT
    });
    assert_eq!((rig.stats().queued, rig.stats().dropped), (0, 0));
    rig.assert_asleep();
}

fn a_datagram_socket_has_no_stream(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, address) = udp(&mut rig);
    assert!(rig.ledger().send(token, "x").is_err());
    assert_eq!(rig.ledger().shutdown_write(token).unwrap_err().kind(), io::ErrorKind::Unsupported);
    let (stream, _peer) = rig.pair(Family::Unix);
    assert_eq!(rig.ledger().read_datagram(stream, &mut [0]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let error = rig.ledger().send_datagram(stream, Some(&address), b"x").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(rig.ledger().contains(token) && rig.ledger().contains(stream));
}

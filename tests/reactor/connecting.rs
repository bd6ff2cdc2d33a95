//! Outgoing connections: how they come about, and how it is told that they do not.

use crate::kit::{Peer, Rig, SECOND, Told};
use crate::support::{every_backend, every_backend_and_trigger};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use tripoll::reactor::{Address, Backoff, Listener, Reason, SelfConnect};
use tripoll::{Backend, Endpoint, Settings, Token, Trigger};

every_backend_and_trigger!(
    a_connection_is_told_before_anything_of_it,
    what_is_sent_before_the_connection_stands_is_kept_in_order,
    a_refused_connection_is_told_as_what_it_is,
    a_connection_that_does_not_come_about_ends_by_its_deadline,
    a_finished_attempt_ends_without_being_connected,
    a_unix_connection_stands_at_once_and_is_told_all_the_same,
    one_who_has_connected_hears_what_the_other_side_says_first,
);

mod any_trigger {
    use super::*;

    every_backend!(
        a_unix_connection_that_cannot_be_is_refused_by_the_call,
        a_connection_to_itself_is_none,
        a_client_that_comes_back_makes_growing_pauses_and_stops_when_told,
    );
}

/// A listener that has all the connections which it has room for, and those: whoever connects now is left waiting.
pub(crate) fn full_listener() -> (Listener, Address, Vec<TcpStream>) {
    let listener = Listener::bind_with_backlog(&"tcp://127.0.0.1:0".parse().unwrap(), 0).unwrap();
    let address = listener.local_address().unwrap();
    let waiting = vec![TcpStream::connect(address.as_inet().unwrap()).unwrap()];
    (listener, address, waiting)
}

/// Where nobody listens.
fn deserted() -> (TcpListener, Address) {
    // Bound, so that nobody else gets it, and connected to by nobody, since it does not listen any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().into();
    crate::sys::stop_listening(&listener);
    (listener, address)
}

fn a_connection_is_told_before_anything_of_it(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (_, address) = rig.listen();
    let client = rig.ledger().connect(&address).unwrap();
    rig.until(|rig| rig.accepted.len() == 1);
    let server = rig.accepted[0];
    rig.ledger().send(server, "welcome").unwrap();
    rig.until(|rig| rig.read_of(client) == b"welcome");
    let of_client: Vec<_> =
        rig.log.iter().filter(|told| format!("{told:?}").contains(&format!("({client})"))).collect();
    assert_eq!(*of_client[0], Told::Connected(client));
    assert_eq!(rig.times(Told::Connected(client)), 1);
    assert_eq!(rig.ledger().peer_address(client).unwrap(), address);
    rig.assert_asleep();
}

fn what_is_sent_before_the_connection_stands_is_kept_in_order(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (_, address) = rig.listen();
    let client = rig.ledger().connect(&address).unwrap();
    rig.ledger().send(client, "one ").unwrap();
    rig.ledger().send(client, "two ").unwrap();
    assert_eq!(rig.ledger().queued(client), Ok(8));
    rig.until_told(Told::Connected(client));
    rig.ledger().send(client, "three").unwrap();
    rig.until(|rig| rig.accepted.first().is_some_and(|server| rig.read_of(*server) == b"one two three"));
    rig.assert_asleep();
}

fn a_refused_connection_is_told_as_what_it_is(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (_socket, address) = deserted();
    let client = rig.ledger().connect(&address).unwrap();
    rig.ledger().send(client, "into the void").unwrap();
    let reason = rig.end_of(client);
    assert!(matches!(reason, Reason::Failed(e) if e.raw_os_error() == Some(libc::ECONNREFUSED)), "{reason}");
    assert_eq!(rig.log, [Told::Closed(client)]);
    assert_eq!(rig.stats().bytes_lost, 13);
    rig.assert_asleep();
}

fn a_connection_that_does_not_come_about_ends_by_its_deadline(backend: Backend, trigger: Trigger) {
    let settings = Settings { trigger, connect_timeout: 30 * SECOND, ..Settings::default() };
    let (mut rig, hand) = Rig::by_hand(backend, settings);
    let (_full, address, _waiting) = full_listener();
    let client = rig.ledger().connect(&address).unwrap();
    rig.glance();
    hand.advance(30 * SECOND - std::time::Duration::from_nanos(1));
    assert_eq!(rig.glance(), []);
    hand.advance(std::time::Duration::from_nanos(1));
    assert_eq!(rig.glance(), [Told::Closed(client)]);
    assert!(matches!(rig.end_of(client), Reason::ConnectTimeout));
    rig.assert_asleep();
}

fn a_finished_attempt_ends_without_being_connected(backend: Backend, trigger: Trigger) {
    let settings = Settings { trigger, connect_timeout: 30 * SECOND, ..Settings::default() };
    let (mut rig, hand) = Rig::by_hand(backend, settings);
    let (_full, address, _waiting) = full_listener();
    let (finished, aborted) = (rig.ledger().connect(&address).unwrap(), rig.ledger().connect(&address).unwrap());
    rig.glance();
    rig.ledger().finish(finished).unwrap();
    rig.ledger().abort(aborted).unwrap();
    assert_eq!(rig.glance(), [Told::Closed(aborted)]);
    hand.advance(30 * SECOND);
    assert_eq!(rig.glance(), [Told::Closed(finished)]);
    assert!(matches!(rig.end_of(finished), Reason::ConnectTimeout));
    assert!(matches!(rig.end_of(aborted), Reason::Aborted));
}

fn a_unix_connection_stands_at_once_and_is_told_all_the_same(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let path = crate::kit::socket_path();
    let endpoint = Endpoint::Unix(path.clone());
    let listener = rig.ledger().adopt(Listener::bind(&endpoint).unwrap()).unwrap();
    let client = rig.ledger().connect(&Address::unix(&path).unwrap()).unwrap();
    rig.ledger().send(client, "hello").unwrap();
    rig.until_told(Told::Connected(client));
    rig.until(|rig| rig.accepted.first().is_some_and(|server| rig.read_of(*server) == b"hello"));
    rig.assert_asleep();
    // The path goes with the listener.
    assert!(path.exists());
    rig.ledger().finish(listener).unwrap();
    rig.until_told(Told::Closed(listener));
    assert!(!path.exists());
}

fn one_who_has_connected_hears_what_the_other_side_says_first(backend: Backend, trigger: Trigger) {
    let unix = UnixListener::bind_addr(&crate::kit::abstract_name()).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [Address::from(unix.local_addr().unwrap()), Address::from(tcp.local_addr().unwrap())];
    for address in addresses {
        let mut rig = Rig::new(backend, trigger);
        let client = rig.ledger().connect(&address).unwrap();
        rig.until_told(Told::Connected(client));
        // It has nothing to write any more, so it is not told that it could. (An edge is reported again when the interest
        // grows, as it does now.)
        let events = rig.stats().events;
        rig.assert_asleep();
        assert!(rig.stats().events == events || trigger == Trigger::Edge);
        let mut server = match address.as_inet() {
            Some(_) => Peer::Tcp(tcp.accept().unwrap().0),
            None => Peer::Unix(unix.accept().unwrap().0),
        };
        server.write_all(b"welcome").unwrap();
        rig.until(|rig| rig.read_of(client) == b"welcome");
        rig.assert_asleep();
    }
}

/// One who connects, from some port of the kernel's choice, to a port where nobody listens is given that very port sooner or
/// later, and TCP calls this connected.
fn a_connection_to_itself_is_none(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let probe = TcpListener::bind("127.0.0.1:0").unwrap();
    // A port of the kind that the kernel chooses for clients: they differ from those for listeners.
    let port = TcpStream::connect(probe.local_addr().unwrap()).unwrap().local_addr().unwrap();
    drop(probe);
    let address = Address::from(port);
    let mut attempts = 0;
    let reason = loop {
        attempts += 1;
        assert!(attempts < 200_000, "the kernel avoids it");
        let client = rig.ledger().connect(&address).unwrap();
        rig.until_told(Told::Closed(client));
        assert_eq!(rig.log, [Told::Closed(client)]);
        rig.log.clear();
        let (_, reason) = rig.ends.pop().unwrap();
        let Reason::Failed(e) = &reason else { panic!("{reason}") };
        assert_eq!(e.kind(), io::ErrorKind::ConnectionRefused);
        if e.raw_os_error().is_none() {
            break reason;
        }
    };
    let Reason::Failed(e) = reason else { panic!("{reason}") };
    assert!(e.get_ref().is_some_and(|inner| inner.is::<SelfConnect>()), "{e}");
}

fn a_unix_connection_that_cannot_be_is_refused_by_the_call(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let path = crate::kit::socket_path();
    let address = Address::unix(&path).unwrap();
    let refusal = |rig: &mut Rig| rig.ledger().connect(&address).unwrap_err().raw_os_error();
    assert_eq!(refusal(&mut rig), Some(libc::ENOENT));
    let listener = UnixListener::bind(&path).unwrap();
    crate::sys::set_backlog(&listener, 0);
    let first = rig.ledger().connect(&address).unwrap();
    assert_eq!(refusal(&mut rig), Some(libc::EAGAIN));
    drop(listener);
    assert_eq!(refusal(&mut rig), Some(libc::ECONNREFUSED));
    assert_eq!(rig.ledger().len(), 1);
    assert!(rig.ledger().contains(first));
    std::fs::remove_file(path).unwrap();
}

fn a_client_that_comes_back_makes_growing_pauses_and_stops_when_told(backend: Backend) {
    let (mut rig, hand) = Rig::by_hand(backend, Settings::default());
    let (_socket, address) = deserted();
    let mut backoff = Backoff::new(SECOND, 8 * SECOND, 1);
    let mut bounds = [1, 2, 4, 8, 8, 8].map(|seconds| (seconds * SECOND / 2, seconds * SECOND)).into_iter();
    let mut timer = rig.ledger().set_loop_timer(std::time::Duration::ZERO);
    for _ in 0..6 {
        assert_eq!(rig.glance(), [Told::Expired(Token::NONE, timer)]);
        let client = rig.ledger().connect(&address).unwrap();
        rig.until_told(Told::Closed(client));
        let pause = backoff.next_pause();
        let (shortest, longest) = bounds.next().unwrap();
        assert!(pause >= shortest && pause <= longest, "{pause:?}");
        timer = rig.ledger().set_loop_timer(pause);
        hand.advance(pause - std::time::Duration::from_nanos(1));
        assert_eq!(rig.glance(), []);
        hand.advance(std::time::Duration::from_nanos(1));
    }
    assert!(rig.ledger().cancel_timer(timer));
    hand.advance(100 * SECOND);
    assert_eq!(rig.glance(), []);
    assert!(rig.ledger().is_empty());
}

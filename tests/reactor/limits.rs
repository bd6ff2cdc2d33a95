//! The descriptor limit, and numbers that a backend cannot hold. Each test has a process to itself.

use crate::alone::{alone, test_name};
use crate::kit::{Family, MILLISECOND, Rig, SECOND, Told, connect};
use crate::support::{every_backend, every_backend_and_trigger};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use tripoll::poller::{AnyPoller, Poller, Refusal};
use tripoll::reactor::{AcceptPolicy, Address, limits};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    at_the_descriptor_limit_the_loop_sleeps_and_everybody_is_served_later,
    a_freed_descriptor_lets_the_next_one_in_at_once,
    with_a_reserve_those_who_cannot_be_served_are_sent_away,
    the_default_number_of_connections_leaves_descriptors_to_spare,
);

mod any_trigger {
    use super::*;

    every_backend!(
        the_pauses_between_attempts_grow_to_a_second,
        numbers_beyond_1024_are_served_or_refused_but_never_corrupt,
        a_client_whose_number_is_too_large_is_closed_in_an_orderly_way,
        failing_to_bind_leaks_no_descriptor,
    );
}

const CLIENTS: usize = 20;

fn no_limit_on_connections(trigger: Trigger) -> Settings {
    Settings { trigger, max_connections: Some(100_000), ..Settings::default() }
}

/// Lowers the limit and takes all the descriptors that are left.
fn exhaust() -> Vec<File> {
    let null = File::open("/dev/null").unwrap();
    limits::set_descriptor_limit(null.as_raw_fd() as u64 + 64).unwrap();
    let mut hoard = vec![null];
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    hoard
}

/// Clients that wait to be accepted.
fn clients(address: &Address, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| connect(address)).collect()
}

fn serve(rig: &mut Rig, clients: &mut [TcpStream]) {
    rig.until(|rig| rig.accepted.len() == clients.len());
    for server in rig.accepted.clone() {
        rig.ledger().send(server, "served").unwrap();
    }
    rig.glance();
    for client in clients {
        let mut answer = [0; 6];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"served");
    }
}

fn at_the_descriptor_limit_the_loop_sleeps_and_everybody_is_served_later(backend: Backend, trigger: Trigger) {
    let case = "at_the_descriptor_limit_the_loop_sleeps_and_everybody_is_served_later";
    alone(&test_name!(case, backend, trigger), || {
        let mut rig = Rig::with(backend, no_limit_on_connections(trigger));
        let (_, address) = rig.listen();
        rig.glance();
        let mut clients = clients(&address, CLIENTS);
        let hoard = exhaust();
        rig.until(|rig| rig.stats().accept_pauses == 1);
        // From here on each turn lasts until the pause is over, finds that nothing has changed, and pauses for longer.
        let before = rig.stats();
        for _ in 0..4 {
            assert_eq!(rig.turn(None), []);
        }
        let after = rig.stats();
        assert!(after.waiting - before.waiting >= 50 * MILLISECOND, "it spins: {after:?}");
        assert!(after.accepts - before.accepts <= 4, "{before:?} {after:?}");
        assert!(after.poller_calls - before.poller_calls <= 4 * 4, "{before:?} {after:?}");
        assert_eq!(after.accepted, 0);
        assert_eq!(after.shed, 0);
        drop(hoard);
        serve(&mut rig, &mut clients);
        assert_eq!(rig.stats().accepted, CLIENTS as u64);
        rig.assert_asleep();
    });
}

fn a_freed_descriptor_lets_the_next_one_in_at_once(backend: Backend, trigger: Trigger) {
    alone(&test_name!("a_freed_descriptor_lets_the_next_one_in_at_once", backend, trigger), || {
        let (mut rig, _hand) = Rig::by_hand(backend, no_limit_on_connections(trigger));
        let (_, address) = rig.listen();
        let served = [rig.pair(Family::Tcp), rig.pair(Family::Tcp)];
        rig.glance();
        let _clients = clients(&address, 2);
        let _hoard = exhaust();
        rig.until(|rig| rig.stats().accept_pauses == 1);
        // No time passes by this clock: only the end of a connection makes a difference.
        for (number, (token, _)) in served.iter().enumerate() {
            let attempts = rig.stats().accepts;
            for _ in 0..100 {
                assert_eq!(rig.glance(), []);
            }
            assert_eq!(rig.stats().accepts, attempts);
            rig.ledger().abort(*token).unwrap();
            rig.until(|rig| rig.accepted.len() == number + 1);
        }
        rig.assert_asleep();
    });
}

fn with_a_reserve_those_who_cannot_be_served_are_sent_away(backend: Backend, trigger: Trigger) {
    alone(&test_name!("with_a_reserve_those_who_cannot_be_served_are_sent_away", backend, trigger), || {
        let settings = Settings { accept_policy: AcceptPolicy::Shed, ..no_limit_on_connections(trigger) };
        let mut rig = Rig::with(backend, settings);
        let (_, address) = rig.listen();
        let (token, mut peer) = rig.pair(Family::Tcp);
        rig.glance();
        let mut clients = clients(&address, CLIENTS);
        let hoard = exhaust();
        rig.until(|rig| rig.stats().shed == CLIENTS as u64);
        for client in &mut clients {
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        }
        assert_eq!((rig.stats().accepted, rig.stats().accept_pauses), (0, 0));
        rig.assert_asleep();
        // Those who are in notice nothing.
        peer.write_all(b"x").unwrap();
        rig.until(|rig| rig.read_of(token) == b"x");
        drop(hoard);
        let mut late = [connect(&address)];
        serve(&mut rig, &mut late);
    });
}

fn the_default_number_of_connections_leaves_descriptors_to_spare(backend: Backend, trigger: Trigger) {
    alone(&test_name!("the_default_number_of_connections_leaves_descriptors_to_spare", backend, trigger), || {
        limits::set_descriptor_limit(80).unwrap();
        let mut rig = Rig::new(backend, trigger);
        limits::raise_descriptor_limit().unwrap();
        let (_, address) = rig.listen();
        rig.glance();
        let mut clients = clients(&address, 100);
        rig.until_with(
            |rig| _ = rig.turn(Some(10 * MILLISECOND)),
            |rig| rig.glance().is_empty() && !rig.accepted.is_empty(),
        );
        let first = rig.accepted.len();
        assert!((40..80).contains(&first), "{first}");
        rig.assert_asleep();
        // When some have left, as many are let in.
        let gone: Vec<_> = rig.accepted[..20].to_vec();
        for token in gone {
            rig.ledger().abort(token).unwrap();
        }
        rig.until(|rig| rig.accepted.len() == first + 20);
        rig.assert_asleep();
        assert_eq!(rig.stats().accept_pauses, 0);
        assert_eq!(rig.stats().connections, first);
        clients.clear();
    });
}

fn the_pauses_between_attempts_grow_to_a_second(backend: Backend) {
    alone(&test_name!("the_pauses_between_attempts_grow_to_a_second", "any_trigger", backend), || {
        let (mut rig, hand) = Rig::by_hand(backend, no_limit_on_connections(Trigger::Level));
        let (_, address) = rig.listen();
        rig.glance();
        let _client = clients(&address, 1);
        let hoard = exhaust();
        rig.until(|rig| rig.stats().accept_pauses == 1);
        for pause in [50, 100, 200, 400, 800, 1000, 1000] {
            let attempts = rig.stats().accepts;
            hand.advance(pause * MILLISECOND - std::time::Duration::from_nanos(1));
            (0..3).for_each(|_| assert_eq!(rig.glance(), []));
            assert_eq!(rig.stats().accepts, attempts);
            hand.advance(std::time::Duration::from_nanos(1));
            (0..3).for_each(|_| assert_eq!(rig.glance(), []));
            assert_eq!(rig.stats().accepts, attempts + 1);
        }
        drop(hoard);
        hand.advance(SECOND);
        rig.until(|rig| rig.accepted.len() == 1);
    });
}

/// Descriptors for all the numbers below this one.
fn fill_up_to(number: i32) -> Vec<OwnedFd> {
    let limit = limits::raise_descriptor_limit().unwrap();
    assert!(limit.soft > number as u64 + 100, "this test needs more descriptors than {}", limit.soft);
    let mut low = Vec::new();
    loop {
        let file = File::open("/dev/null").unwrap();
        if file.as_raw_fd() >= number {
            return low;
        }
        low.push(file.into());
    }
}

fn numbers_beyond_1024_are_served_or_refused_but_never_corrupt(backend: Backend) {
    alone(&test_name!("numbers_beyond_1024_are_served_or_refused_but_never_corrupt", "any_trigger", backend), || {
        let mut rig = Rig::with(backend, no_limit_on_connections(Trigger::Level));
        let (_, address) = rig.listen();
        let (token, mut peer) = rig.pair(Family::Unix);
        let low = fill_up_to(1024);
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let number = ours.as_raw_fd();
        assert!(number >= 1024);
        let adopted = rig.ledger().adopt(ours);
        if AnyPoller::new(backend).unwrap().descriptor_bound().is_some() {
            let error = adopted.unwrap_err();
            assert_eq!(Refusal::of(&error), Some(&Refusal::TooLarge { fd: number, limit: 1024 }));
            let error = rig.ledger().connect(&address).unwrap_err();
            assert!(matches!(Refusal::of(&error), Some(Refusal::TooLarge { limit: 1024, .. })), "{error}");
            assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
        } else {
            let high = adopted.unwrap();
            theirs.write_all(b"high").unwrap();
            rig.until(|rig| rig.read_of(high) == b"high");
        }
        peer.write_all(b"low").unwrap();
        rig.until(|rig| rig.read_of(token) == b"low");
        rig.assert_asleep();
        drop(low);
    });
}

fn a_client_whose_number_is_too_large_is_closed_in_an_orderly_way(backend: Backend) {
    alone(
        &test_name!("a_client_whose_number_is_too_large_is_closed_in_an_orderly_way", "any_trigger", backend),
        || {
            let mut rig = Rig::with(backend, no_limit_on_connections(Trigger::Level));
            let (listener, address) = rig.listen();
            let (token, mut peer) = rig.pair(Family::Tcp);
            let low = fill_up_to(1024);
            let mut clients = clients(&address, 3);
            if AnyPoller::new(backend).unwrap().descriptor_bound().is_none() {
                serve(&mut rig, &mut clients);
                return;
            }
            rig.until(|rig| rig.stats().shed == 3);
            for client in &mut clients {
                // The end, and no reset.
                assert_eq!(client.read(&mut [0]).unwrap(), 0);
            }
            assert!(rig.accepted.is_empty() && rig.ledger().contains(listener));
            rig.assert_asleep();
            peer.write_all(b"x").unwrap();
            rig.until(|rig| rig.read_of(token) == b"x");
            drop(low);
            serve(&mut rig, &mut [connect(&address)]);
            assert_eq!(rig.times(Told::Closed(listener)), 0);
        },
    );
}

fn failing_to_bind_leaks_no_descriptor(backend: Backend) {
    use tripoll::reactor::{Datagram, Listener};
    alone(&test_name!("failing_to_bind_leaks_no_descriptor", "any_trigger", backend), || {
        let mut rig = Rig::new(backend, Trigger::Level);
        let (_, address) = rig.listen();
        let taken = format!("tcp://{address}").parse().unwrap();
        let socket = Datagram::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
        let taken_too = format!("udp://{}", socket.local_address().unwrap()).parse().unwrap();
        let next = |null: std::io::Result<File>| null.unwrap().as_raw_fd();
        let before = next(File::open("/dev/null"));
        for _ in 0..1024 {
            assert_eq!(Listener::bind(&taken).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
            assert_eq!(Datagram::bind(&taken_too).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
        }
        assert_eq!(next(File::open("/dev/null")), before);
        serve(&mut rig, &mut [connect(&address)]);
    });
}

//! Taking connections in: so many a turn, so many at a time, so many from each, whatever becomes of single ones.

use crate::kit::{Rig, Told, connect};
use crate::support::{every_backend, every_backend_and_trigger};
use crate::sys;
use std::io::{Read, Write};
use std::net::TcpStream;
use tripoll::reactor::Listener;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    a_turn_accepts_as_many_as_its_budget_and_the_next_ones_the_rest,
    at_the_maximum_the_listener_rests_until_enough_have_left,
    who_has_too_many_connections_is_closed_and_counted,
    a_connection_that_is_reset_before_it_is_accepted_harms_nobody,
    a_connection_that_is_not_adopted_is_closed,
    a_paused_listener_lets_nobody_in_and_forgets_nobody,
    a_closed_listener_lets_nobody_in,
    thousands_of_short_connections_leave_nothing_behind,
);

mod any_trigger {
    use super::*;

    every_backend!(listeners_make_room_for_more_than_a_thousand_to_wait);
}

fn a_turn_accepts_as_many_as_its_budget_and_the_next_ones_the_rest(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, Settings { trigger, accepts_per_turn: 4, ..Settings::default() });
    let (listener, address) = rig.listen();
    let _clients: Vec<_> = (0..10).map(|_| connect(&address)).collect();
    sys::until_waiting(rig.ledger().descriptor(listener).unwrap(), 10);
    // Nothing happens in between that a poller could report as new.
    let accepted: Vec<_> = (0..4).map(|_| rig.glance().len()).collect();
    assert_eq!(accepted, [4, 4, 2, 0]);
    rig.assert_asleep();
}

fn at_the_maximum_the_listener_rests_until_enough_have_left(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, Settings { trigger, max_connections: Some(32), ..Settings::default() });
    let (_, address) = rig.listen();
    let mut clients: Vec<_> = (0..40).map(|_| connect(&address)).collect();
    rig.until(|rig| rig.accepted.len() == 32);
    rig.assert_asleep();
    // It goes on when a sixteenth and one have left, so that the listener is not switched with every connection.
    for left in 1..=3 {
        assert_eq!(rig.accepted.len(), 32);
        let token = rig.accepted[left - 1];
        rig.ledger().abort(token).unwrap();
        rig.glance();
        rig.glance();
    }
    rig.until(|rig| rig.accepted.len() == 35);
    rig.assert_asleep();
    assert_eq!((rig.stats().connections, rig.stats().connections_peak), (32, 32));
    // The others are let in when everybody else has gone.
    for client in clients.drain(..35) {
        sys::reset(client);
    }
    rig.until(|rig| rig.accepted.len() == 40);
    assert_eq!(rig.stats().accept_pauses, 0);
}

fn who_has_too_many_connections_is_closed_and_counted(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, Settings { trigger, max_per_peer: Some(2), ..Settings::default() });
    let (_, address) = rig.listen();
    let mut clients: Vec<_> = (0..3).map(|_| connect(&address)).collect();
    rig.until(|rig| rig.stats().shed == 1);
    assert_eq!(rig.accepted.len(), 2);
    assert_eq!(clients[2].read(&mut [0]).unwrap(), 0);
    sys::reset(clients.remove(0));
    rig.until(|rig| rig.ends.len() == 1);
    let mut another = connect(&address);
    rig.until(|rig| rig.accepted.len() == 3);
    another.write_all(b"x").unwrap();
    let server = rig.accepted[2];
    rig.until(|rig| rig.read_of(server) == b"x");
}

fn a_connection_that_is_reset_before_it_is_accepted_harms_nobody(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (listener, address) = rig.listen();
    for _ in 0..10 {
        sys::reset(connect(&address));
    }
    let mut client = connect(&address);
    client.write_all(b"alive").unwrap();
    rig.until(|rig| rig.read.values().any(|read| read == b"alive"));
    // Linux hands the dead ones out, and the first read tells.
    let dead = rig.accepted.len() - 1;
    rig.until(|rig| rig.ends.len() == dead);
    assert!(rig.ledger().contains(listener));
    rig.assert_asleep();
}

fn a_connection_that_is_not_adopted_is_closed(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (_, address) = rig.listen();
    let mut client = connect(&address);
    rig.reactor.turn(None).unwrap();
    while let Some(occurrence) = rig.reactor.pop() {
        drop(occurrence);
    }
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert_eq!((rig.stats().accepted, rig.stats().connections), (1, 0));
    rig.assert_asleep();
}

fn a_paused_listener_lets_nobody_in_and_forgets_nobody(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (listener, address) = rig.listen();
    rig.glance();
    rig.ledger().pause(listener).unwrap();
    let _clients = [connect(&address), connect(&address)];
    rig.assert_asleep();
    assert_eq!(rig.stats().accepts, 0);
    rig.ledger().resume(listener).unwrap();
    rig.until(|rig| rig.accepted.len() == 2);
    // Also in the middle of those who wait.
    let mut rig = Rig::new(backend, trigger);
    let (listener, address) = rig.listen();
    let _more = [connect(&address), connect(&address)];
    sys::until_waiting(rig.ledger().descriptor(listener).unwrap(), 2);
    let told = rig.turn_with(None, |ledger, told| {
        ledger.pause(listener).unwrap();
        matches!(told, Told::Accepted(_))
    });
    assert_eq!(told.len(), 1, "{told:?}");
    rig.assert_asleep();
    rig.ledger().resume(listener).unwrap();
    rig.until(|rig| rig.accepted.len() == 2);
}

fn a_closed_listener_lets_nobody_in(backend: Backend, trigger: Trigger) {
    for finish in [true, false] {
        let mut rig = Rig::new(backend, trigger);
        let (listener, address) = rig.listen();
        let mut waiting = connect(&address);
        if finish {
            rig.ledger().finish(listener).unwrap();
        } else {
            rig.ledger().abort(listener).unwrap();
        }
        rig.end_of(listener);
        assert!(rig.accepted.is_empty());
        // The kernel turns away whoever was waiting, and whoever comes.
        assert!(waiting.read(&mut [0]).is_err());
        assert!(TcpStream::connect(address.as_inet().unwrap()).is_err());
        rig.assert_asleep();
        assert!(rig.ledger().is_empty());
    }
}

fn thousands_of_short_connections_leave_nothing_behind(backend: Backend, trigger: Trigger) {
    const ROUNDS: usize = 100;
    const AT_A_TIME: usize = 10;
    let mut rig = Rig::new(backend, trigger);
    let (_, address) = rig.listen();
    for round in 1..=ROUNDS {
        for mut client in (0..AT_A_TIME).map(|_| connect(&address)).collect::<Vec<_>>() {
            client.write_all(b"x").unwrap();
            sys::reset(client);
        }
        rig.until(|rig| rig.ends.len() == round * AT_A_TIME);
    }
    let places = rig.accepted.iter().map(|token| token.index()).max().unwrap();
    assert!(places < 4 * AT_A_TIME as u32, "{places} places for {AT_A_TIME} connections at a time");
    assert_eq!((rig.ledger().len(), rig.stats().connections, rig.stats().queued), (1, 0, 0));
    rig.assert_asleep();
}

fn listeners_make_room_for_more_than_a_thousand_to_wait(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let (listener, _) = rig.listen();
    let most: u32 = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    let backlog = |rig: &mut Rig| sys::backlog(rig.ledger().descriptor(listener).unwrap()).1;
    assert_eq!(backlog(&mut rig), most.min(1024));
    assert_eq!(Listener::BACKLOG, 1024);
    let chosen = Listener::bind_with_backlog(&"tcp://127.0.0.1:0".parse().unwrap(), 7).unwrap();
    assert_eq!(sys::backlog(&chosen).1, 7);
}

//! Connections on which nothing moves, or too little, by a clock that is turned by hand.

use crate::kit::{Family, Rig, SECOND, Told};
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::time::Duration;
use tripoll::reactor::{Hand, Reason};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    an_idle_connection_is_closed_at_its_time,
    traffic_in_either_direction_starts_the_time_anew,
    the_idle_limit_of_one_connection_can_be_another,
    one_who_drips_is_caught_by_a_deadline_that_does_not_move,
    an_accepted_connection_has_the_idle_limit_of_the_loop,
    what_is_queued_for_one_who_does_not_read_is_no_traffic,
);

const TICK: Duration = Duration::from_nanos(1);

fn rig(backend: Backend, trigger: Trigger) -> (Rig, Hand) {
    Rig::by_hand(backend, Settings { trigger, idle_timeout: Some(3 * SECOND), ..Settings::default() })
}

fn closes_now_as_idle(rig: &mut Rig, token: Token) {
    assert_eq!(rig.glance(), [Told::Closed(token)]);
    assert!(matches!(rig.end_of(token), Reason::Idle));
}

fn an_idle_connection_is_closed_at_its_time(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let (mut rig, hand) = rig(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        rig.glance();
        hand.advance(3 * SECOND - TICK);
        assert_eq!(rig.glance(), []);
        hand.advance(TICK);
        closes_now_as_idle(&mut rig, token);
        // The peer sees an orderly end, since nothing was lost.
        assert_eq!(peer.rest(), b"");
        rig.assert_asleep();
    }
}

fn traffic_in_either_direction_starts_the_time_anew(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let (mut rig, hand) = rig(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        for round in 1..=5 {
            hand.advance(3 * SECOND - TICK);
            assert_eq!(rig.glance(), []);
            if round % 2 == 0 {
                rig.ledger().send(token, "x").unwrap();
                rig.glance();
                peer.expect(b"x");
            } else {
                peer.write_all(b"x").unwrap();
                rig.until(|rig| rig.read.remove(&token).is_some());
            }
        }
        hand.advance(3 * SECOND);
        closes_now_as_idle(&mut rig, token);
    }
}

fn the_idle_limit_of_one_connection_can_be_another(backend: Backend, trigger: Trigger) {
    let (mut rig, hand) = rig(backend, trigger);
    let [usual, shorter, none] = [0; 3].map(|_| rig.pair(Family::Unix));
    rig.ledger().set_idle_timeout(shorter.0, Some(SECOND)).unwrap();
    rig.ledger().set_idle_timeout(none.0, None).unwrap();
    hand.advance(SECOND);
    closes_now_as_idle(&mut rig, shorter.0);
    hand.advance(2 * SECOND);
    closes_now_as_idle(&mut rig, usual.0);
    hand.advance(1000 * SECOND);
    assert_eq!(rig.glance(), []);
    // Set again, it counts from the last traffic, which is long ago.
    rig.ledger().set_idle_timeout(none.0, Some(10 * SECOND)).unwrap();
    closes_now_as_idle(&mut rig, none.0);
}

fn one_who_drips_is_caught_by_a_deadline_that_does_not_move(backend: Backend, trigger: Trigger) {
    let (mut rig, hand) = rig(backend, trigger);
    let (token, mut peer) = rig.pair(Family::Tcp);
    let whole_request = rig.ledger().set_timer(token, 30 * SECOND).unwrap();
    let mut dripped = 0;
    while rig.times(Told::Expired(token, whole_request)) == 0 {
        assert!(dripped < 100, "never idle and never told");
        peer.write_all(b"x").unwrap();
        dripped += 1;
        rig.until(|rig| rig.read_of(token).len() == dripped);
        hand.advance(3 * SECOND - TICK);
        rig.glance();
    }
    assert_eq!(dripped, 11);
    assert!(rig.ends.is_empty());
    rig.ledger().abort(token).unwrap();
    assert!(matches!(rig.end_of(token), Reason::Aborted));
}

fn an_accepted_connection_has_the_idle_limit_of_the_loop(backend: Backend, trigger: Trigger) {
    let (mut rig, hand) = rig(backend, trigger);
    let (listener, address) = rig.listen();
    let _client = crate::kit::connect(&address);
    rig.until(|rig| rig.accepted.len() == 1);
    let server = rig.accepted[0];
    hand.advance(3 * SECOND);
    closes_now_as_idle(&mut rig, server);
    // A listener is not idle, it listens.
    hand.advance(1000 * SECOND);
    assert_eq!(rig.glance(), []);
    assert!(rig.ledger().contains(listener));
}

fn what_is_queued_for_one_who_does_not_read_is_no_traffic(backend: Backend, trigger: Trigger) {
    let (mut rig, hand) = rig(backend, trigger);
    let (token, _silent) = rig.pair(Family::Unix);
    rig.ledger().send(token, vec![1; 1_000_000]).unwrap();
    rig.assert_asleep();
    let written = rig.stats().bytes_out;
    assert!(rig.stats().queued > 0);
    for _ in 0..2 {
        hand.advance(SECOND);
        rig.ledger().send(token, "more").unwrap();
        assert_eq!(rig.glance(), []);
    }
    hand.advance(SECOND);
    closes_now_as_idle(&mut rig, token);
    assert_eq!(rig.stats().bytes_lost, 1_000_008 - written);
}

//! What a turn is: one look at the kernel, and what is told of it in which order.

use crate::kit::{Family, MILLISECOND, Rig, SECOND, Told};
use crate::support::{every_backend, every_backend_and_trigger};
use std::io::{self, Read, Write};
use std::time::Duration;
use tripoll::poller::{AnyPoller, Features, Poller, Refusal};
use tripoll::reactor::Reactor;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    a_turn_without_a_timeout_of_its_own_ends_with_the_first_event,
    a_turn_that_may_not_wait_tells_what_is_ready,
    an_idle_loop_makes_one_system_call_a_turn,
    a_connection_with_nothing_to_say_wakes_nobody,
    a_batch_is_told_to_its_end_before_the_next_wait,
    reading_comes_before_writing,
    what_a_read_has_closed_is_not_written,
    closings_come_after_everything_else_and_once_each,
    events_beyond_the_capacity_come_with_the_next_turns,
    dropping_a_loop_closes_everything_it_owns,
);

mod any_trigger {
    use super::*;

    every_backend!(
        a_turn_that_may_not_wait_does_not_fire_a_timer_of_the_future,
        a_turn_without_events_ends_with_the_next_timer,
        a_trigger_that_the_backend_lacks_is_refused_from_the_start,
        settings_that_make_no_sense_are_refused_by_name,
    );
}

fn a_turn_without_a_timeout_of_its_own_ends_with_the_first_event(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        let writer = std::thread::spawn(move || {
            peer.write_all(b"hello").unwrap();
            peer
        });
        let told = rig.turn(None);
        assert_eq!(told, [Told::Readable(token)]);
        assert_eq!(rig.read_of(token), b"hello");
        drop(writer.join().unwrap());
    }
}

fn a_turn_that_may_not_wait_tells_what_is_ready(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, mut peer) = rig.pair(Family::Unix);
    assert_eq!(rig.glance(), []);
    peer.write_all(b"x").unwrap();
    assert_eq!(rig.glance(), [Told::Readable(token)]);
    assert_eq!(rig.glance(), []);
}

fn a_turn_that_may_not_wait_does_not_fire_a_timer_of_the_future(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let timer = rig.ledger().set_loop_timer(3600 * SECOND);
    assert_eq!(rig.glance(), []);
    assert!(rig.ledger().timer_left(timer).is_some());
}

fn a_turn_without_events_ends_with_the_next_timer(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let timer = rig.ledger().set_loop_timer(MILLISECOND);
    rig.ledger().set_loop_timer(3600 * SECOND);
    assert_eq!(rig.turn(None), [Told::Expired(tripoll::Token::NONE, timer)]);
    assert_eq!(rig.stats().turns, 1);
}

fn an_idle_loop_makes_one_system_call_a_turn(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    rig.assert_asleep();
    let (listener, _) = rig.listen();
    let (token, mut peer) = rig.pair(Family::Tcp);
    rig.assert_asleep();
    // Also after there was something to do.
    peer.write_all(b"ping").unwrap();
    rig.until(|rig| rig.read_of(token) == b"ping");
    rig.ledger().send(token, "pong").unwrap();
    rig.glance();
    peer.expect(b"pong");
    rig.assert_asleep();
    assert!(rig.ledger().contains(listener));
}

fn a_connection_with_nothing_to_say_wakes_nobody(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (_token, peer) = rig.pair(family);
        let before = rig.stats();
        // Room to write is no news as long as nothing waits to be written.
        let told = rig.turn(Some(100 * MILLISECOND));
        assert_eq!(told, []);
        assert_eq!(rig.stats().turns, before.turns + 1);
        assert_eq!(rig.stats().events, before.events);
        drop(peer);
    }
}

fn a_batch_is_told_to_its_end_before_the_next_wait(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut pairs = [rig.pair(Family::Unix), rig.pair(Family::Unix)];
    for (_, peer) in &mut pairs {
        peer.write_all(b"x").unwrap();
    }
    rig.reactor.turn(None).unwrap();
    let first = rig.pop().unwrap();
    rig.handle(first);
    let turns = rig.stats().turns;
    rig.reactor.turn(None).unwrap();
    assert_eq!(rig.stats().turns, turns, "a new turn although the last was not told to its end");
    let second = rig.pop().unwrap();
    rig.handle(second);
    let mut expected = pairs.map(|(token, _)| Told::Readable(token)).to_vec();
    expected.retain(|told| *told != first);
    assert_eq!(expected, [second]);
    assert_eq!(rig.pop(), None);
}

fn reading_comes_before_writing(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        rig.ledger().set_wants(token, true, true).unwrap();
        peer.write_all(b"x").unwrap();
        rig.until_told(Told::Readable(token));
        let read = rig.log.iter().position(|told| *told == Told::Readable(token)).unwrap();
        // In the same turn, unless the data was still on its way in the first ones.
        assert_eq!(rig.log[read + 1], Told::Writable(token));
    }
}

fn what_a_read_has_closed_is_not_written(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        peer.write_all(b"x").unwrap();
        rig.until_with(
            |rig| {
                // Not before, so that both are reported together.
                rig.ledger().set_wants(token, true, true).unwrap();
                let told = rig.turn_with(None, |ledger, told| {
                    if told == Told::Readable(token) {
                        ledger.abort(token).unwrap();
                    }
                    true
                });
                if told.contains(&Told::Readable(token)) {
                    assert_eq!(told, [Told::Readable(token), Told::Closed(token)]);
                }
            },
            |rig| !rig.ends.is_empty(),
        );
    }
}

fn closings_come_after_everything_else_and_once_each(backend: Backend, trigger: Trigger) {
    const COUNT: usize = 64;
    let mut rig = Rig::new(backend, trigger);
    let (bystander, mut other) = rig.pair(Family::Unix);
    let pairs: Vec<_> = (0..COUNT).map(|_| rig.pair(Family::Unix)).collect();
    other.write_all(b"x").unwrap();
    let due = rig.ledger().set_loop_timer(Duration::ZERO);
    for (token, _) in &pairs {
        rig.ledger().abort(*token).unwrap();
    }
    let told = rig.turn(None);
    let mut expected = vec![Told::Readable(bystander), Told::Expired(tripoll::Token::NONE, due)];
    expected.extend(pairs.iter().map(|(token, _)| Told::Closed(*token)));
    assert_eq!(told, expected);
    rig.assert_asleep();
    assert_eq!(rig.ends.len(), COUNT);
    assert_eq!(rig.ledger().len(), 1);
}

fn events_beyond_the_capacity_come_with_the_next_turns(backend: Backend, trigger: Trigger) {
    const COUNT: usize = 100;
    let mut rig = Rig::with(backend, Settings { trigger, events_per_turn: 1, ..Settings::default() });
    let mut pairs: Vec<_> = (0..COUNT).map(|_| rig.pair(Family::Unix)).collect();
    for (_, peer) in &mut pairs {
        peer.write_all(b"x").unwrap();
    }
    for _ in 0..COUNT {
        assert_eq!(rig.glance().len(), 1);
    }
    for (token, _) in pairs {
        assert_eq!(rig.read_of(token), b"x");
    }
}

fn dropping_a_loop_closes_everything_it_owns(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (idle, mut peer) = rig.pair(family);
        let (ready, mut other) = rig.pair(family);
        let waker = rig.reactor.waker();
        rig.ledger().set_timer(idle, SECOND).unwrap();
        rig.ledger().set_loop_timer(Duration::ZERO);
        other.write_all(b"x").unwrap();
        rig.reactor.turn(None).unwrap();
        assert!(rig.ledger().contains(ready));
        drop(rig);
        assert_eq!(peer.rest(), b"");
        // What was not read makes it a reset.
        let ended = other.read(&mut [0]);
        assert!(matches!(&ended, Ok(0)) || ended.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionReset));
        waker.wake().unwrap();
    }
}

fn a_trigger_that_the_backend_lacks_is_refused_from_the_start(backend: Backend) {
    for trigger in Trigger::ALL {
        let poller = AnyPoller::new(backend).unwrap();
        let has = poller.features().contains(match trigger {
            Trigger::Level => Features::LEVEL,
            Trigger::Edge => Features::EDGE,
            _ => Features::ONESHOT,
        });
        let result = Reactor::with_settings(poller, Settings { trigger, ..Settings::default() });
        match result {
            Ok(_) => assert!(has),
            Err(e) => {
                assert!(!has, "{e}");
                assert_eq!(Refusal::of(&e), Some(&Refusal::Trigger { backend: backend.name(), trigger }));
            }
        }
    }
}

fn settings_that_make_no_sense_are_refused_by_name(backend: Backend) {
    let wrong = [
        ("events_per_turn", Settings { events_per_turn: 0, ..Settings::default() }),
        ("read_bytes", Settings { read_bytes: 0, ..Settings::default() }),
        ("queue marks", Settings { queue_low: 2, queue_high: 1, ..Settings::default() }),
    ];
    for (name, settings) in wrong {
        let error = Reactor::with_settings(AnyPoller::new(backend).unwrap(), settings).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(name), "{error}");
    }
}

//! The marks of a queue, and those who wait for them: producers that are told, pulled or held.

use crate::kit::{Family, MILLISECOND, Peer, Rig, Told, noise};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::io::{Read, Write};
use std::thread;
use tripoll::reactor::{Sent, SlowPolicy};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    above_the_high_mark_is_above_and_not_at_it,
    a_queue_that_has_fallen_to_its_low_mark_is_told_once,
    a_queue_that_is_told_as_drained_has_lost_its_interest_in_writing,
    a_queue_that_was_never_above_its_high_mark_is_not_told,
    a_producer_is_asked_while_its_queue_is_empty,
    a_producer_that_has_no_room_is_not_asked,
    what_is_queued_goes_before_what_is_pulled,
    a_held_producer_is_not_read_from_until_its_receiver_has_drained,
    a_held_producer_goes_on_when_its_receiver_ends,
);

fn marks(trigger: Trigger) -> Settings {
    Settings { trigger, queue_low: 1000, queue_high: 10_000, queue_max: 8 << 20, ..Settings::default() }
}

/// Sends until the kernel takes no more and so much is queued.
fn fill(rig: &mut Rig, token: Token, wanted: usize) {
    let stuffing = noise(4096);
    // Less than a page that finds no room: what follows stays in the queue.
    rig.until_with(
        |rig| {
            rig.ledger().send(token, &stuffing).unwrap();
            rig.glance();
        },
        |rig| rig.ledger().queued(token).unwrap() > 0,
    );
    let queued = rig.ledger().queued(token).unwrap();
    rig.ledger().send(token, vec![1; wanted - queued]).unwrap();
    assert_eq!(rig.ledger().queued(token), Ok(wanted));
}

fn above_the_high_mark_is_above_and_not_at_it(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, marks(trigger));
    let (token, _peer) = rig.pair(Family::Unix);
    fill(&mut rig, token, 9_999);
    assert_eq!(rig.ledger().send(token, "x"), Ok(Sent::Queued));
    assert_eq!(rig.ledger().send(token, "x"), Ok(Sent::AboveHigh));
    assert_eq!(rig.ledger().send(token, "x"), Ok(Sent::AboveHigh));
    let everybody = rig.ledger().broadcast([token, Token::NONE], "x");
    assert_eq!((everybody.queued, everybody.above_high, everybody.refused), (1, 1, 1));
    assert_eq!(rig.ledger().queued(token), Ok(10_003));
    assert_eq!(rig.times(Told::Drained(token)), 0);
}

fn a_queue_that_has_fallen_to_its_low_mark_is_told_once(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, marks(trigger));
        let (token, peer) = rig.pair(family);
        for round in 1..=3 {
            for _ in 0..4 {
                rig.ledger().send(token, vec![7; 1 << 20]).unwrap();
            }
            rig.until(|rig| rig.stats().bytes_out > 0);
            let mut reader = peer.try_clone();
            let thread = thread::spawn(move || reader.expect(&vec![7; 4 << 20]));
            rig.until_with(
                |rig| {
                    rig.turn_with(Some(MILLISECOND), |ledger, told| {
                        if told == Told::Drained(token) {
                            assert!(ledger.queued(token).unwrap() <= 1000);
                        }
                        false
                    });
                },
                |rig| rig.times(Told::Drained(token)) == round,
            );
            thread.join().unwrap();
            rig.assert_asleep();
            assert_eq!(rig.times(Told::Drained(token)), round);
        }
        peer.shutdown_write();
    }
}

fn a_queue_that_is_told_as_drained_has_lost_its_interest_in_writing(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, marks(trigger));
    let (token, mut peer) = rig.pair(Family::Unix);
    fill(&mut rig, token, 20_000);
    rig.assert_asleep();
    peer.set_nonblocking();
    while peer.read(&mut [0; 65_536]).is_ok() {}
    assert_eq!(rig.turn(None), [Told::Drained(token)]);
    assert_eq!(rig.ledger().queued(token), Ok(0));
    let events = rig.stats().events;
    rig.assert_asleep();
    assert_eq!(rig.stats().events, events);
}

fn a_queue_that_was_never_above_its_high_mark_is_not_told(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, marks(trigger));
    let (token, mut peer) = rig.pair(Family::Unix);
    fill(&mut rig, token, 10_000);
    peer.set_nonblocking();
    rig.until_with(
        |rig| {
            rig.glance();
            while peer.read(&mut [0; 65_536]).is_ok() {}
        },
        |rig| rig.ledger().queued(token) == Ok(0),
    );
    rig.assert_asleep();
    assert_eq!(rig.log, []);
}

fn a_producer_is_asked_while_its_queue_is_empty(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, marks(trigger));
        let (token, mut peer) = rig.pair(family);
        let message = noise(8 * 100);
        let mut pieces = message.chunks(8);
        let expected = message.clone();
        let reader = thread::spawn(move || {
            peer.expect(&expected);
            peer
        });
        rig.ledger().set_wants(token, true, true).unwrap();
        rig.until_with(
            |rig| {
                rig.turn_with(None, |ledger, told| {
                    assert_eq!((told, ledger.queued(token)), (Told::Writable(token), Ok(0)));
                    match pieces.next() {
                        Some(piece) => _ = ledger.send(token, piece).unwrap(),
                        None => ledger.set_wants(token, true, false).unwrap(),
                    }
                    true
                });
            },
            |rig| rig.times(Told::Writable(token)) == 101,
        );
        drop(reader.join().unwrap());
        rig.assert_asleep();
    }
}

fn a_producer_that_has_no_room_is_not_asked(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, marks(trigger));
    let (token, mut peer) = rig.pair(Family::Unix);
    let piece = noise(50_000);
    rig.ledger().set_wants(token, true, true).unwrap();
    let produce = |rig: &mut Rig| {
        rig.turn_with(Some(MILLISECOND), |ledger, _| {
            assert_eq!(ledger.queued(token), Ok(0));
            ledger.send(token, &piece).unwrap();
            true
        })
    };
    while !produce(&mut rig).is_empty() {}
    for _ in 0..20 {
        assert_eq!(produce(&mut rig), []);
    }
    // One who makes room is given more, and all of it is in order.
    let mut received = Vec::new();
    peer.set_nonblocking();
    rig.until_with(
        |rig| {
            produce(rig);
            let mut buf = [0; 65_536];
            while let Ok(read @ 1..) = peer.read(&mut buf) {
                received.extend_from_slice(&buf[..read]);
            }
        },
        |rig| rig.stats().bytes_out > 4_000_000,
    );
    assert!(received.chunks(piece.len()).all(|chunk| *chunk == piece[..chunk.len()]));
}

fn what_is_queued_goes_before_what_is_pulled(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, marks(trigger));
    let (token, mut peer) = rig.pair(Family::Tcp);
    rig.ledger().set_wants(token, true, true).unwrap();
    rig.ledger().send(token, "queued ").unwrap();
    rig.until_with(
        |rig| {
            rig.turn_with(None, |ledger, told| {
                assert_eq!(told, Told::Writable(token));
                ledger.send(token, "pulled").unwrap();
                ledger.set_wants(token, true, false).unwrap();
                true
            });
        },
        |rig| rig.stats().bytes_out == 13,
    );
    peer.expect(b"queued pulled");
}

/// A turn of a relay from the first to the second.
fn relay(rig: &mut Rig, from: Token, to: Token) -> Vec<Told> {
    rig.turn_with(Some(MILLISECOND), |ledger, told| {
        if told == Told::Readable(from) {
            let mut buf = [0; 4096];
            while let Ok(read @ 1..) = ledger.read(from, &mut buf) {
                ledger.send(to, &buf[..read]).unwrap();
            }
        }
        true
    })
}

/// A relay of whose ends one sends for ever and the other does not read, and that has come to a halt for this.
fn stuck_relay(backend: Backend, trigger: Trigger, family: Family) -> (Rig, [(Token, Peer); 2]) {
    let settings = Settings { slow_policy: SlowPolicy::PauseProducer, ..marks(trigger) };
    let mut rig = Rig::with(backend, settings);
    let (mut from, to) = (rig.pair(family), rig.pair(family));
    sys::shrink_buffers(&to.1);
    sys::shrink_buffers(rig.ledger().descriptor(to.0).unwrap());
    from.1.set_nonblocking();
    rig.until_with(
        |rig| {
            while from.1.write(&[7; 4096]).is_ok() {}
            relay(rig, from.0, to.0);
            assert!(rig.ledger().queued(to.0).unwrap() <= 10_000 + 64 * 1024, "read on although it was held");
        },
        |rig| rig.ledger().queued(to.0).unwrap() > 10_000 && relay(rig, from.0, to.0).is_empty(),
    );
    (rig, [from, to])
}

fn a_held_producer_is_not_read_from_until_its_receiver_has_drained(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let (mut rig, [(from, mut producer), (to, mut consumer)]) = stuck_relay(backend, trigger, family);
        let (read, log) = (rig.stats().bytes_in, rig.log.len());
        consumer.set_nonblocking();
        rig.until_with(
            |rig| {
                while consumer.read(&mut [0; 65_536]).is_ok() {}
                // As much as there is room for.
                let _ = producer.write(&[7; 4096]);
                relay(rig, from, to);
            },
            |rig| rig.stats().bytes_in > read,
        );
        // It went on when it was told so, and not before.
        let after = &rig.log[log..];
        let drained = after.iter().position(|told| *told == Told::Drained(to)).unwrap();
        assert!(!after[..drained].contains(&Told::Readable(from)), "{after:?}");
        assert!(rig.ends.is_empty());
    }
}

fn a_held_producer_goes_on_when_its_receiver_ends(backend: Backend, trigger: Trigger) {
    let (mut rig, [(from, _producer), (to, consumer)]) = stuck_relay(backend, trigger, Family::Unix);
    rig.assert_asleep();
    assert_eq!(rig.read_of(from), b"");
    rig.ledger().abort(to).unwrap();
    drop(consumer);
    rig.until(|rig| !rig.read_of(from).is_empty());
    assert!(rig.ledger().contains(from));
}

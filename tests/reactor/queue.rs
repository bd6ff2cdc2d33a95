//! What is sent: in order, complete, and by as few calls as possible.

use crate::kit::{Family, MILLISECOND, Rig, Told, noise};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::io::{Read, Write};
use std::sync::Arc;
use std::thread;
use tripoll::reactor::{Sent, Stats};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    what_is_sent_in_one_turn_leaves_in_order_by_one_call,
    the_answer_of_a_callback_leaves_when_it_returns,
    what_finds_room_is_never_waited_for,
    sending_nothing_does_nothing,
    what_finds_no_room_is_queued_to_the_byte_and_not_tried_again,
    the_last_byte_takes_the_interest_in_writing_with_it,
    every_accepted_byte_is_written_or_counted_as_lost,
    much_in_small_pieces_arrives_both_ways,
    pieces_of_every_kind_arrive_as_their_concatenation,
    a_shared_message_is_freed_after_its_last_byte,
    one_who_does_not_read_does_not_hold_up_the_others,
);

fn roomy(trigger: Trigger) -> Settings {
    Settings { trigger, queue_max: 32 << 20, ..Settings::default() }
}

fn difference(after: Stats, before: Stats) -> (u64, u64) {
    (after.writes - before.writes, after.poller_calls - before.poller_calls)
}

fn what_is_sent_in_one_turn_leaves_in_order_by_one_call(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        rig.glance();
        let before = rig.stats();
        for word in ["one ", "two ", "three ", "four"] {
            assert_eq!(rig.ledger().send(token, word), Ok(Sent::Queued));
        }
        assert_eq!((rig.stats().writes, rig.ledger().queued(token)), (before.writes, Ok(18)));
        rig.glance();
        peer.expect(b"one two three four");
        // One write and one wait: nothing was said to the poller.
        assert_eq!(difference(rig.stats(), before), (1, 1));
        assert_eq!(rig.ledger().queued(token), Ok(0));
        assert_eq!(rig.log, []);
    }
}

fn the_answer_of_a_callback_leaves_when_it_returns(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        for size in [10, 6_000, 40_000] {
            let mut rig = Rig::new(backend, trigger);
            let (token, mut peer) = rig.pair(family);
            let answer = noise(size);
            peer.write_all(b"x").unwrap();
            rig.reactor.turn(None).unwrap();
            assert_eq!(rig.pop(), Some(Told::Readable(token)));
            rig.read_all(token);
            for half in answer.chunks(size / 2) {
                rig.ledger().send(token, half).unwrap();
            }
            assert_eq!(rig.pop(), None);
            // No further turn is needed.
            peer.expect(&answer);
            assert!(rig.stats().writes <= 2, "{}", rig.stats().writes);
            rig.assert_asleep();
        }
    }
}

fn what_finds_room_is_never_waited_for(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, mut peer) = rig.pair(Family::Unix);
    rig.glance();
    let (before, events) = (rig.stats(), rig.stats().events);
    for _ in 0..100 {
        rig.ledger().send(token, "x").unwrap();
        rig.glance();
        peer.expect(b"x");
    }
    assert_eq!(difference(rig.stats(), before), (100, 100));
    assert_eq!(rig.stats().events, events);
}

fn sending_nothing_does_nothing(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, peer) = rig.pair(Family::Tcp);
    for _ in 0..3 {
        assert_eq!(rig.ledger().send(token, ""), Ok(Sent::Queued));
        assert_eq!(rig.ledger().send(token, Vec::new()), Ok(Sent::Queued));
        assert_eq!(rig.ledger().queued(token), Ok(0));
        rig.glance();
    }
    assert_eq!(rig.stats().writes, 0);
    rig.assert_asleep();
    drop(peer);
}

fn what_finds_no_room_is_queued_to_the_byte_and_not_tried_again(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, roomy(trigger));
    let (token, mut peer) = rig.pair(Family::Unix);
    let message = noise(10 << 20);
    rig.ledger().send(token, &message).unwrap();
    rig.assert_asleep();
    let stuck = rig.stats();
    let queued = message.len() - usize::try_from(stuck.bytes_out).unwrap();
    assert!(stuck.bytes_out > 0 && queued > 0);
    assert_eq!(rig.ledger().queued(token), Ok(queued));
    // What comes now goes to the end of the queue, without asking the kernel.
    rig.ledger().send(token, "!").unwrap();
    assert_eq!(rig.ledger().queued(token), Ok(queued + 1));
    rig.glance();
    assert_eq!(rig.stats().writes, stuck.writes);
    let reader = thread::spawn(move || {
        peer.expect(&message);
        peer.expect(b"!");
        peer
    });
    rig.until(|rig| rig.ledger().queued(token) == Ok(0));
    drop(reader.join().unwrap());
    assert_eq!(rig.stats().queued, 0);
    rig.assert_asleep();
}

fn the_last_byte_takes_the_interest_in_writing_with_it(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, roomy(trigger));
        let (token, mut peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        peer.set_nonblocking();
        for _ in 0..3 {
            let message = noise(400_000);
            rig.ledger().send(token, &message).unwrap();
            // A bit now, a bit then.
            let (mut received, mut buf) = (Vec::new(), [0; 5000]);
            rig.until_with(
                |rig| {
                    rig.turn(Some(MILLISECOND));
                    let read = peer.read(&mut buf).unwrap_or(0);
                    received.extend_from_slice(&buf[..read]);
                },
                |rig| rig.ledger().queued(token) == Ok(0),
            );
            rig.assert_asleep();
            rig.until(|_| {
                let read = peer.read(&mut buf).unwrap_or(0);
                received.extend_from_slice(&buf[..read]);
                received.len() == message.len()
            });
            assert!(received == message);
        }
    }
}

fn every_accepted_byte_is_written_or_counted_as_lost(backend: Backend, trigger: Trigger) {
    const COUNT: u64 = 10_000;
    let mut rig = Rig::with(backend, roomy(trigger));
    let (token, mut peer) = rig.pair(Family::Unix);
    let message = noise(1000);
    for number in 0..COUNT {
        rig.ledger().send(token, &message).unwrap();
        if number % 1000 == 0 {
            rig.glance();
        }
    }
    rig.ledger().abort(token).unwrap();
    rig.end_of(token);
    let stats = rig.stats();
    assert!(stats.bytes_out > 0 && stats.bytes_lost > 0);
    assert_eq!(stats.bytes_out + stats.bytes_lost, COUNT * 1000);
    assert_eq!(stats.queued, 0);
    assert_eq!(peer.rest().len() as u64, stats.bytes_out);
}

fn much_in_small_pieces_arrives_both_ways(backend: Backend, trigger: Trigger) {
    const PIECES: usize = 16 << 10;
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, roomy(trigger));
        let (token, mut peer) = rig.pair(family);
        let message = Arc::new(noise(PIECES << 10));
        let mut other = peer.try_clone();
        let out = Arc::clone(&message);
        let writer = thread::spawn(move || out.chunks(1 << 10).for_each(|piece| peer.write_all(piece).unwrap()));
        let expected = Arc::clone(&message);
        let reader = thread::spawn(move || {
            other.expect(&expected);
            other
        });
        for pieces in message.chunks(1 << 10).collect::<Vec<_>>().chunks(64) {
            for piece in pieces {
                rig.ledger().send(token, *piece).unwrap();
            }
            rig.glance();
        }
        rig.until(|rig| rig.ledger().queued(token) == Ok(0) && rig.read_of(token).len() == message.len());
        assert!(rig.read_of(token) == &message[..]);
        writer.join().unwrap();
        drop(reader.join().unwrap());
    }
}

fn pieces_of_every_kind_arrive_as_their_concatenation(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        let message = noise(60_000);
        let sizes = [1, 511, 512, 513, 4095, 4096, 4097, 16_384, 20_000];
        let (mut start, mut count) = (0, 0);
        for size in sizes.into_iter().cycle() {
            let piece = &message[start..message.len().min(start + size)];
            if piece.is_empty() {
                break;
            }
            let sent = match count % 3 {
                0 => rig.ledger().send(token, piece),
                1 => rig.ledger().send(token, piece.to_vec()),
                _ => rig.ledger().send(token, Arc::<[u8]>::from(piece)),
            };
            assert!(sent.is_ok());
            (start, count) = (start + piece.len(), count + 1);
        }
        rig.glance();
        peer.expect(&message);
        assert_eq!(rig.stats().writes, 1, "{count} pieces are gathered");
    }
}

fn a_shared_message_is_freed_after_its_last_byte(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, roomy(trigger));
    let message: Arc<[u8]> = noise(4 << 20).into();
    let (reads, mut its_peer) = rig.pair(Family::Unix);
    let (does_not, _other) = rig.pair(Family::Unix);
    let sent = rig.ledger().broadcast([reads, does_not], &message);
    assert_eq!((sent.queued, sent.refused), (2, 0));
    assert_eq!(Arc::strong_count(&message), 3);
    let expected = Arc::clone(&message);
    let reader = thread::spawn(move || {
        its_peer.expect(&expected);
        its_peer
    });
    rig.until(|rig| rig.ledger().queued(reads) == Ok(0));
    drop(reader.join().unwrap());
    assert_eq!(Arc::strong_count(&message), 2);
    rig.ledger().abort(does_not).unwrap();
    rig.end_of(does_not);
    assert_eq!(Arc::strong_count(&message), 1);
}

fn one_who_does_not_read_does_not_hold_up_the_others(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, roomy(trigger));
        let (stuck, _silent) = rig.pair(family);
        let (token, mut peer) = rig.pair(family);
        rig.ledger().send(stuck, vec![7; 20 << 20]).unwrap();
        for _ in 0..100 {
            peer.write_all(b"ping").unwrap();
            rig.until(|rig| rig.read_of(token) == b"ping");
            rig.read.clear();
            rig.ledger().send(token, "pong").unwrap();
            rig.glance();
            peer.expect(b"pong");
        }
        rig.until_asleep();
        assert!(rig.ledger().queued(stuck).unwrap() > 0);
    }
}

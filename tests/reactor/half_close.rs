//! One direction ends, the other goes on.

use crate::kit::{Family, MILLISECOND, Rig, SECOND, Told, noise};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::io::{self, Read, Write};
use std::thread;
use tripoll::reactor::{Reason, SendError};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    a_peer_that_has_said_everything_still_gets_its_answer,
    an_answer_that_takes_its_time_still_arrives,
    everything_is_read_before_the_end_is_told,
    this_side_can_end_first_and_go_on_reading,
    what_is_queued_goes_before_the_end_of_this_side,
    whoever_ends_first_there_is_one_end,
    a_peer_that_has_ended_costs_nothing_while_the_program_thinks,
);

fn settings(trigger: Trigger) -> Settings {
    Settings { trigger, queue_max: 4 << 20, ..Settings::default() }
}

fn a_peer_that_has_said_everything_still_gets_its_answer(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, settings(trigger));
        let (token, mut peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        peer.write_all(b"question").unwrap();
        peer.shutdown_write();
        rig.until_told(Told::Eof(token));
        assert_eq!(rig.read_of(token), b"question");
        let answer = noise(1 << 20);
        rig.ledger().send(token, &answer).unwrap();
        rig.ledger().finish(token).unwrap();
        let reader = thread::spawn(move || peer.rest());
        assert!(matches!(rig.end_of(token), Reason::Peer));
        assert!(reader.join().unwrap() == answer);
        rig.assert_asleep();
    }
}

fn an_answer_that_takes_its_time_still_arrives(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let (mut rig, hand) = Rig::by_hand(backend, settings(trigger));
        let (token, mut peer) = rig.pair(family);
        peer.write_all(b"question").unwrap();
        peer.shutdown_write();
        rig.until_told(Told::Eof(token));
        let timer = rig.ledger().set_timer(token, 60 * SECOND).unwrap();
        rig.assert_asleep();
        hand.advance(60 * SECOND);
        rig.until_told(Told::Expired(token, timer));
        rig.ledger().send(token, "answer").unwrap();
        rig.ledger().finish(token).unwrap();
        assert!(matches!(rig.end_of(token), Reason::Peer));
        assert_eq!(peer.rest(), b"answer");
    }
}

fn everything_is_read_before_the_end_is_told(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, Settings { read_bytes: 1000, ..settings(trigger) });
        let (token, mut peer) = rig.pair(family);
        let message = noise(10_500);
        peer.write_all(&message).unwrap();
        drop(peer);
        rig.until_told(Told::Eof(token));
        assert_eq!(rig.read_of(token), message);
        let last = rig.log.iter().rposition(|told| *told == Told::Readable(token)).unwrap();
        assert_eq!(rig.log[last + 1..], [Told::Eof(token)]);
    }
}

fn this_side_can_end_first_and_go_on_reading(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, settings(trigger));
        let (token, mut peer) = rig.pair(family);
        rig.ledger().shutdown_write(token).unwrap();
        rig.assert_asleep();
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        assert_eq!(rig.ledger().send(token, "x"), Err(SendError::Gone));
        let message = noise(100_000);
        let writer = thread::spawn({
            let message = message.clone();
            move || peer.write_all(&message).unwrap()
        });
        rig.until_told(Told::Eof(token));
        writer.join().unwrap();
        assert!(rig.read_of(token) == message);
        rig.ledger().finish(token).unwrap();
        assert!(matches!(rig.end_of(token), Reason::Peer));
        rig.assert_asleep();
    }
}

fn what_is_queued_goes_before_the_end_of_this_side(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, settings(trigger));
        let (token, mut peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        let message = noise(1 << 20);
        rig.ledger().send(token, &message).unwrap();
        rig.ledger().shutdown_write(token).unwrap();
        rig.ledger().shutdown_write(token).unwrap();
        let reader = thread::spawn(move || (peer.rest(), peer));
        rig.until(|rig| rig.stats().queued == 0);
        rig.until_with(|rig| _ = rig.turn(Some(10 * MILLISECOND)), |_| reader.is_finished());
        let (read, mut peer) = reader.join().unwrap();
        assert!(read == message);
        // The other direction is as open as before.
        peer.write_all(b"thanks").unwrap();
        rig.until(|rig| rig.read_of(token) == b"thanks");
        assert!(rig.ends.is_empty());
    }
}

fn whoever_ends_first_there_is_one_end(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        for order in 0..4 {
            let mut rig = Rig::with(backend, settings(trigger));
            let (token, peer) = rig.pair(family);
            let ours = |rig: &mut Rig, token: Token| {
                match order % 2 {
                    0 => rig.ledger().finish(token).unwrap(),
                    _ => rig.ledger().shutdown_write(token).unwrap(),
                }
                rig.glance();
            };
            if order < 2 {
                ours(&mut rig, token);
                peer.shutdown_write();
            } else {
                peer.shutdown_write();
                rig.until_told(Told::Eof(token));
                ours(&mut rig, token);
            }
            rig.until(|rig| !rig.ends.is_empty() || rig.log.contains(&Told::Eof(token)));
            if rig.ledger().contains(token) {
                rig.ledger().finish(token).unwrap();
            }
            let peer_was_first = !matches!(rig.end_of(token), Reason::Local);
            assert_eq!(peer_was_first, order != 0, "{order}");
            rig.assert_asleep();
            assert_eq!(rig.times(Told::Closed(token)), 1);
        }
    }
}

fn a_peer_that_has_ended_costs_nothing_while_the_program_thinks(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, settings(trigger));
        let (half, its_peer) = rig.pair(family);
        let (whole, gone) = rig.pair(family);
        its_peer.shutdown_write();
        drop(gone);
        rig.until(|rig| rig.times(Told::Eof(half)) + rig.times(Told::Eof(whole)) == 2);
        rig.assert_asleep();
        // Nor does it when there is something to be written that finds no room.
        sys::shrink_buffers(rig.ledger().descriptor(half).unwrap());
        rig.ledger().send(half, vec![1; 4 << 20]).unwrap();
        rig.until_asleep();
        drop(its_peer);
        let Reason::Failed(e) = rig.end_of(half) else { panic!("{:?}", rig.ends) };
        assert!(matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset), "{e}");
    }
}

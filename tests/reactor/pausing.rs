//! Sources that are not to be told of for a while.

use crate::kit::{Family, Rig, SECOND, Told, noise};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::io::Write;
use std::os::unix::net::UnixStream;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    what_a_paused_source_gets_is_told_when_it_goes_on,
    one_that_is_paused_in_a_batch_is_left_out_of_it,
    one_that_is_closed_in_a_batch_is_left_out_of_it,
    one_that_pauses_itself_is_not_told_again,
    a_paused_source_writes_what_it_is_sent,
    pausing_and_going_on_in_one_turn_costs_no_system_call,
    wanting_to_read_and_wanting_to_write_are_apart,
    a_paused_connection_whose_peer_leaves_wakes_nobody,
    a_duplicate_is_a_source_of_its_own,
    both_a_timer_and_data_are_told_and_either_can_be_taken_back,
);

fn what_a_paused_source_gets_is_told_when_it_goes_on(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        rig.glance();
        for pass in 1..=3 {
            rig.ledger().pause(token).unwrap();
            peer.write_all(b"x").unwrap();
            rig.assert_asleep();
            rig.ledger().resume(token).unwrap();
            rig.until(|rig| rig.read_of(token).len() == pass);
            assert_eq!(rig.times(Told::Readable(token)), pass);
        }
    }
}

fn one_that_is_paused_in_a_batch_is_left_out_of_it(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut pairs = [rig.pair(Family::Unix), rig.pair(Family::Unix)];
    pairs.iter_mut().for_each(|(_, peer)| peer.write_all(b"x").unwrap());
    let tokens = [pairs[0].0, pairs[1].0];
    rig.reactor.turn(None).unwrap();
    let Some(Told::Readable(first)) = rig.pop() else { panic!("{:?}", rig.log) };
    let second = tokens.into_iter().find(|token| *token != first).unwrap();
    rig.ledger().pause(second).unwrap();
    rig.read_all(first);
    assert_eq!(rig.pop(), None);
    rig.assert_asleep();
    rig.ledger().resume(second).unwrap();
    assert_eq!(rig.turn(None), [Told::Readable(second)]);
}

fn one_that_is_closed_in_a_batch_is_left_out_of_it(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut pairs = [rig.pair(Family::Unix), rig.pair(Family::Unix)];
    pairs.iter_mut().for_each(|(_, peer)| peer.write_all(b"x").unwrap());
    let tokens = [pairs[0].0, pairs[1].0];
    rig.reactor.turn(None).unwrap();
    let Some(Told::Readable(first)) = rig.pop() else { panic!("{:?}", rig.log) };
    let second = tokens.into_iter().find(|token| *token != first).unwrap();
    rig.ledger().abort(second).unwrap();
    // Whoever comes now does not move in where it lived, and so gets nothing that was meant for it.
    let (newcomer, _its_peer) = rig.pair(Family::Unix);
    assert!(newcomer.index() != second.index());
    rig.read_all(first);
    assert_eq!(rig.pop(), Some(Told::Closed(second)));
    assert_eq!(rig.pop(), None);
    rig.assert_asleep();
    assert_eq!(rig.read_of(newcomer), b"");
}

fn one_that_pauses_itself_is_not_told_again(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        peer.write_all(b"x").unwrap();
        // The handler makes its own source readable again, and does not read.
        let told = rig.turn_with(None, |ledger, _| {
            peer.write_all(b"y").unwrap();
            ledger.pause(token).unwrap();
            true
        });
        assert_eq!(told, [Told::Readable(token)]);
        rig.assert_asleep();
        rig.ledger().resume(token).unwrap();
        rig.until(|rig| rig.read_of(token) == b"xy");
    }
}

fn a_paused_source_writes_what_it_is_sent(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        peer.write_all(b"unheard").unwrap();
        rig.ledger().pause(token).unwrap();
        let message = noise(500_000);
        rig.ledger().send(token, &message).unwrap();
        let reader = std::thread::spawn(move || {
            peer.expect(&message);
            peer
        });
        rig.until(|rig| rig.stats().queued == 0);
        drop(reader.join().unwrap());
        assert_eq!((rig.read_of(token), rig.times(Told::Readable(token))), (&b""[..], 0));
    }
}

fn pausing_and_going_on_in_one_turn_costs_no_system_call(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, _peer) = rig.pair(Family::Tcp);
    rig.glance();
    let before = rig.stats().poller_calls;
    for _ in 0..100 {
        rig.ledger().pause(token).unwrap();
        rig.ledger().set_wants(token, false, true).unwrap();
        rig.ledger().set_wants(token, true, false).unwrap();
        rig.ledger().resume(token).unwrap();
    }
    rig.glance();
    assert_eq!(rig.stats().poller_calls, before + 1);
}

fn wanting_to_read_and_wanting_to_write_are_apart(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        for (round, (read, write)) in
            [(true, false), (false, true), (true, true), (false, false)].into_iter().enumerate()
        {
            rig.log.clear();
            rig.ledger().set_wants(token, read, write).unwrap();
            peer.write_all(b"x").unwrap();
            rig.until(|rig| !read || rig.read_of(token).len() == round + 1);
            rig.until(|rig| !write || rig.log.contains(&Told::Writable(token)));
            rig.ledger().set_wants(token, false, false).unwrap();
            rig.assert_asleep();
            assert_eq!(rig.log.contains(&Told::Readable(token)), read);
            assert_eq!(rig.log.contains(&Told::Writable(token)), write);
        }
        rig.ledger().set_wants(token, true, false).unwrap();
        rig.until(|rig| rig.read_of(token) == b"xxxx");
    }
}

fn a_paused_connection_whose_peer_leaves_wakes_nobody(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, Settings { trigger, ..Settings::default() });
        let (token, mut peer) = rig.pair(family);
        rig.glance();
        rig.ledger().pause(token).unwrap();
        peer.write_all(b"last words").unwrap();
        drop(peer);
        rig.assert_asleep();
        assert_eq!(rig.log, []);
        rig.ledger().resume(token).unwrap();
        rig.until_told(Told::Eof(token));
        assert_eq!(rig.read_of(token), b"last words");
    }
}

fn a_duplicate_is_a_source_of_its_own(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let second = rig.ledger().adopt(ours.try_clone().unwrap()).unwrap();
    let first = rig.ledger().adopt(ours).unwrap();
    theirs.write_all(b"x").unwrap();
    let mut told = rig.turn_with(None, |_, _| true);
    told.sort_by_key(|told| format!("{told:?}"));
    let mut expected = [Told::Readable(first), Told::Readable(second)];
    expected.sort_by_key(|told| format!("{told:?}"));
    assert_eq!(told, expected);
    // The end of one does not take the other out of the poller.
    rig.ledger().finish(first).unwrap();
    rig.ledger().abort(first).unwrap();
    rig.until_told(Told::Closed(first));
    theirs.write_all(b"y").unwrap();
    rig.until(|rig| rig.read_of(second) == b"xy");
    rig.assert_asleep();
}

fn both_a_timer_and_data_are_told_and_either_can_be_taken_back(backend: Backend, trigger: Trigger) {
    let (mut rig, hand) = Rig::by_hand(backend, Settings { trigger, ..Settings::default() });
    let (token, mut peer) = rig.pair(Family::Unix);
    let timer = rig.ledger().set_timer(token, SECOND).unwrap();
    rig.glance();
    hand.advance(SECOND);
    peer.write_all(b"x").unwrap();
    assert_eq!(rig.glance(), [Told::Readable(token), Told::Expired(token, timer)]);
    let timer = rig.ledger().set_timer(token, SECOND).unwrap();
    assert!(rig.ledger().cancel_timer(timer));
    hand.advance(2 * SECOND);
    peer.write_all(b"y").unwrap();
    assert_eq!(rig.glance(), [Told::Readable(token)]);
}

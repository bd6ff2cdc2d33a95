//! The ways out: with everything said, at once, and too late.

use crate::kit::{Family, Rig, SECOND, Told, noise, stuff, tcp_pair};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::io::{self, Read, Write};
use std::time::Duration;
use tripoll::reactor::{Gone, Reason, SendError};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    finishing_sends_what_is_queued_and_then_the_end,
    what_arrives_while_finishing_is_read_by_nobody,
    a_finished_connection_waits_for_the_peers_end_but_not_for_ever,
    a_peer_that_never_reads_is_cut_at_the_deadline,
    aborting_drops_the_queue_and_resets,
    what_has_ended_answers_that_it_is_gone,
    calling_for_the_end_twice_ends_once,
    a_reset_is_told_with_its_error_and_once,
    a_reset_while_finishing_lets_the_loop_sleep,
    an_end_without_anything_said_is_told_once,
    a_source_that_ends_itself_in_its_own_event_hears_nothing_more,
);

fn finishing_sends_what_is_queued_and_then_the_end(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        let message = noise(900_000);
        rig.ledger().send(token, &message).unwrap();
        rig.ledger().finish(token).unwrap();
        let reader = std::thread::spawn(move || peer.rest());
        assert!(matches!(rig.end_of(token), Reason::Local));
        assert!(reader.join().unwrap() == message);
        assert_eq!((rig.stats().bytes_lost, rig.stats().queued), (0, 0));
        rig.assert_asleep();
    }
}

fn what_arrives_while_finishing_is_read_by_nobody(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        peer.write_all(b"not interested").unwrap();
        rig.ledger().send(token, "goodbye").unwrap();
        rig.ledger().finish(token).unwrap();
        rig.glance();
        peer.write_all(b"any more").unwrap();
        peer.expect(b"goodbye");
        // The peer's last words are thrown away, so that they do not make the end a reset.
        rig.glance();
        assert_eq!(peer.rest(), b"");
        drop(peer);
        assert!(matches!(rig.end_of(token), Reason::Local));
        assert_eq!(rig.log, [Told::Closed(token)]);
        assert_eq!(rig.read_of(token), b"");
    }
}

fn a_finished_connection_waits_for_the_peers_end_but_not_for_ever(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let settings = Settings { trigger, close_timeout: 5 * SECOND, ..Settings::default() };
        let (mut rig, hand) = Rig::by_hand(backend, settings);
        let (token, mut peer) = rig.pair(family);
        rig.ledger().finish(token).unwrap();
        rig.assert_asleep();
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        // Talking does not put it off.
        hand.advance(5 * SECOND - Duration::from_nanos(1));
        peer.write_all(b"wait!").unwrap();
        assert_eq!(rig.glance(), []);
        hand.advance(Duration::from_nanos(1));
        assert_eq!(rig.glance(), [Told::Closed(token)]);
        assert!(matches!(rig.end_of(token), Reason::CloseTimeout));
        rig.assert_asleep();
    }
}

fn a_peer_that_never_reads_is_cut_at_the_deadline(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let settings = Settings { trigger, close_timeout: 5 * SECOND, queue_max: 1 << 24, ..Settings::default() };
        let (mut rig, hand) = Rig::by_hand(backend, settings);
        let (token, peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        sys::shrink_buffers(&peer);
        rig.ledger().send(token, vec![1; 1 << 24]).unwrap();
        rig.ledger().finish(token).unwrap();
        rig.until(|rig| rig.stats().bytes_out > 0);
        hand.advance(5 * SECOND - Duration::from_nanos(1));
        assert_eq!(rig.glance(), []);
        hand.advance(Duration::from_nanos(1));
        rig.until_told(Told::Closed(token));
        assert!(matches!(rig.end_of(token), Reason::CloseTimeout));
        let stats = rig.stats();
        assert_eq!(stats.bytes_out + stats.bytes_lost, 1 << 24);
        rig.assert_asleep();
    }
}

fn aborting_drops_the_queue_and_resets(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (ours, mut theirs) = tcp_pair();
    let token = rig.ledger().adopt(ours).unwrap();
    rig.ledger().send(token, "too late").unwrap();
    rig.ledger().abort(token).unwrap();
    assert_eq!(rig.glance(), [Told::Closed(token)]);
    assert!(matches!(rig.end_of(token), Reason::Aborted));
    assert_eq!((rig.stats().bytes_lost, rig.stats().bytes_out, rig.stats().writes), (8, 0, 0));
    assert_eq!(theirs.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    rig.assert_asleep();
}

fn what_has_ended_answers_that_it_is_gone(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, _peer) = rig.pair(Family::Unix);
    rig.ledger().abort(token).unwrap();
    for _ in 0..2 {
        let ledger = rig.ledger();
        assert!(!ledger.contains(token));
        assert_eq!(ledger.send(token, "x"), Err(SendError::Gone));
        assert_eq!(ledger.read(token, &mut [0]).unwrap_err().kind(), io::ErrorKind::NotConnected);
        assert_eq!(ledger.abort(token), Err(Gone));
        assert_eq!(ledger.finish(token), Err(Gone));
        assert_eq!((ledger.pause(token), ledger.resume(token)), (Err(Gone), Err(Gone)));
        assert_eq!(ledger.set_timer(token, SECOND), Err(Gone));
        assert_eq!(ledger.set_idle_timeout(token, None), Err(Gone));
        assert!(ledger.shutdown_write(token).is_err());
        rig.glance();
    }
    assert_eq!(rig.ends.len(), 1);
}

fn calling_for_the_end_twice_ends_once(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, peer) = rig.pair(Family::Tcp);
    rig.ledger().finish(token).unwrap();
    rig.ledger().finish(token).unwrap();
    rig.glance();
    rig.ledger().finish(token).unwrap();
    assert_eq!(rig.ledger().send(token, "x"), Err(SendError::Gone));
    rig.ledger().abort(token).unwrap();
    assert_eq!(rig.ledger().abort(token), Err(Gone));
    assert!(matches!(rig.end_of(token), Reason::Aborted));
    drop(peer);
    rig.assert_asleep();
    assert_eq!(rig.ends.len(), 1);
}

fn a_reset_is_told_with_its_error_and_once(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (ours, theirs) = tcp_pair();
    let token = rig.ledger().adopt(ours).unwrap();
    rig.glance();
    sys::reset(theirs);
    let reason = rig.end_of(token);
    assert!(matches!(reason, Reason::Failed(e) if e.kind() == io::ErrorKind::ConnectionReset), "{reason}");
    assert_eq!(rig.times(Told::Eof(token)), 0);
    rig.assert_asleep();
    assert_eq!(rig.ends.len(), 1);
}

fn a_reset_while_finishing_lets_the_loop_sleep(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (ours, theirs) = tcp_pair();
    let token = rig.ledger().adopt(ours).unwrap();
    rig.ledger().finish(token).unwrap();
    rig.assert_asleep();
    sys::reset(theirs);
    rig.end_of(token);
    rig.assert_asleep();
    assert_eq!(rig.log, [Told::Closed(token)]);
}

fn an_end_without_anything_said_is_told_once(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, peer) = rig.pair(family);
        rig.glance();
        drop(peer);
        rig.until_told(Told::Eof(token));
        // The program has not answered yet, and is not told again, whatever the kernel goes on reporting.
        rig.assert_asleep();
        assert_eq!(rig.times(Told::Eof(token)), 1);
        assert!(rig.ledger().contains(token));
        rig.ledger().finish(token).unwrap();
        assert!(matches!(rig.end_of(token), Reason::Peer));
        rig.assert_asleep();
    }
}

fn a_source_that_ends_itself_in_its_own_event_hears_nothing_more(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        rig.ledger().set_timer(token, Duration::ZERO).unwrap();
        rig.ledger().set_wants(token, true, true).unwrap();
        rig.ledger().pause(token).unwrap();
        stuff(&mut peer);
        drop(peer);
        rig.ledger().resume(token).unwrap();
        let told = rig.turn_with(None, |ledger, _| {
            // Refused when it is told of the end.
            let _ = ledger.abort(token);
            true
        });
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1], Told::Closed(token));
    }
}

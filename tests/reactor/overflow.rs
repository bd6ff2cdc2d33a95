//! Queues that nobody reads: what they cost at most, and what becomes of messages and connections then.

use crate::kit::{Family, Rig, noise};
use crate::support::every_backend_and_trigger;
use std::io::Write;
use tripoll::reactor::{Reason, SendError, Sent, SlowPolicy};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    one_who_never_reads_is_cut_at_the_cap_and_the_others_notice_nothing,
    a_message_that_does_not_fit_is_refused_whole,
    the_oldest_messages_give_way_to_new_ones,
    the_newest_message_gives_way,
    all_queues_together_have_a_cap_too,
    datagrams_beyond_the_cap_are_dropped,
    a_broadcast_to_a_full_queue_reaches_the_others,
);

const MAX: usize = 100_000;

fn capped(trigger: Trigger, slow_policy: SlowPolicy) -> Settings {
    let (queue_low, queue_high) = (1000, 10_000);
    Settings { trigger, slow_policy, queue_low, queue_high, queue_max: MAX, ..Settings::default() }
}

/// Sends messages, a thousand bytes each with a number in front, until one is not simply queued.
fn send_until_full(rig: &mut Rig, token: Token) -> (u32, Result<Sent, SendError>) {
    for number in 0..100_000 {
        match rig.ledger().send(token, message(number)) {
            Ok(Sent::Queued | Sent::AboveHigh) => {}
            other => return (number, other),
        }
        assert!(rig.ledger().queued(token).unwrap() <= MAX);
        rig.glance();
    }
    panic!("the queue is never full");
}

fn message(number: u32) -> Vec<u8> {
    let mut message = vec![0; 1000];
    message[..4].copy_from_slice(&number.to_be_bytes());
    message
}

fn numbers(received: &[u8]) -> Vec<u32> {
    assert_eq!(received.len() % 1000, 0);
    received.chunks(1000).map(|message| u32::from_be_bytes(message[..4].try_into().unwrap())).collect()
}

fn one_who_never_reads_is_cut_at_the_cap_and_the_others_notice_nothing(backend: Backend, trigger: Trigger) {
    for (family, policy) in [(Family::Tcp, SlowPolicy::Disconnect), (Family::Unix, SlowPolicy::PauseProducer)] {
        let mut rig = Rig::with(backend, capped(trigger, policy));
        let (slow, _silent) = rig.pair(family);
        let (other, mut peer) = rig.pair(family);
        let (accepted, result) = send_until_full(&mut rig, slow);
        assert!(matches!(result, Err(SendError::Full { queued, limit: MAX }) if queued + 1000 > MAX), "{result:?}");
        peer.write_all(b"still there?").unwrap();
        assert!(matches!(rig.end_of(slow), Reason::Overflow));
        assert_eq!(rig.stats().bytes_out + rig.stats().bytes_lost, u64::from(accepted) * 1000);
        assert!(rig.stats().queued_peak <= MAX);
        assert_eq!(rig.stats().queued, 0);
        rig.until(|rig| rig.read_of(other) == b"still there?");
        rig.ledger().send(other, "yes").unwrap();
        rig.glance();
        peer.expect(b"yes");
        rig.assert_asleep();
    }
}

fn a_message_that_does_not_fit_is_refused_whole(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, capped(trigger, SlowPolicy::Disconnect));
    let (token, mut peer) = rig.pair(Family::Unix);
    rig.ledger().send(token, "all of this").unwrap();
    let result = rig.ledger().send(token, vec![1; MAX]);
    assert_eq!(result, Err(SendError::Full { queued: 11, limit: MAX }));
    assert_eq!(rig.ledger().send(token, "x"), Err(SendError::Gone));
    assert!(matches!(rig.end_of(token), Reason::Overflow));
    // Nothing of the last message, and of the first what had been written.
    let received = peer.rest();
    assert!(b"all of this".starts_with(&received), "{received:?}");
}

fn the_oldest_messages_give_way_to_new_ones(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, capped(trigger, SlowPolicy::DropOldest));
    let (token, peer) = rig.pair(Family::Unix);
    const COUNT: u32 = 3000;
    for number in 0..COUNT {
        assert!(matches!(rig.ledger().send(token, message(number)), Ok(Sent::Queued | Sent::AboveHigh)));
        rig.glance();
    }
    assert!(rig.stats().dropped > 0 && rig.stats().queued_peak <= MAX);
    let received = numbers(&drain(&mut rig, token, peer));
    // Whole messages in order, the newest among them, and those missing are counted.
    assert!(received.is_sorted_by(|a, b| a < b));
    assert_eq!(received.last(), Some(&(COUNT - 1)));
    assert_eq!(received.len() as u64 + rig.stats().dropped, u64::from(COUNT));
}

fn the_newest_message_gives_way(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, capped(trigger, SlowPolicy::DropNewest));
    let (token, peer) = rig.pair(Family::Unix);
    let (first_dropped, result) = send_until_full(&mut rig, token);
    assert_eq!(result, Ok(Sent::Dropped));
    assert_eq!(rig.ledger().send(token, message(u32::MAX)), Ok(Sent::Dropped));
    assert_eq!(rig.stats().dropped, 2);
    assert_eq!(numbers(&drain(&mut rig, token, peer)), (0..first_dropped).collect::<Vec<_>>());
}

/// Finishes a source and reads everything that was still owed to its peer.
fn drain(rig: &mut Rig, token: Token, mut peer: crate::kit::Peer) -> Vec<u8> {
    rig.ledger().finish(token).unwrap();
    let reader = std::thread::spawn(move || peer.rest());
    assert!(matches!(rig.end_of(token), Reason::Local));
    reader.join().unwrap()
}

fn all_queues_together_have_a_cap_too(backend: Backend, trigger: Trigger) {
    let settings = Settings { queues_max: 2 * MAX, ..capped(trigger, SlowPolicy::DropNewest) };
    let mut rig = Rig::with(backend, settings);
    let pairs: Vec<_> = (0..4).map(|_| rig.pair(Family::Unix)).collect();
    let mut results = Vec::new();
    // Not a turn in between, so nothing is written.
    for (token, _) in &pairs {
        results.push(rig.ledger().send(*token, noise(MAX * 2 / 3)).unwrap());
    }
    assert_eq!(results, [Sent::AboveHigh, Sent::AboveHigh, Sent::AboveHigh, Sent::Dropped]);
    assert!(rig.stats().queued <= 2 * MAX);
    rig.ledger().set_slow_policy(pairs[3].0, SlowPolicy::Disconnect).unwrap();
    let full = rig.ledger().send(pairs[3].0, vec![1; 100]);
    assert!(matches!(full, Err(SendError::Full { limit, .. }) if limit == 2 * MAX), "{full:?}");
    rig.end_of(pairs[3].0);
    // What was queued is as good as before.
    for (token, mut peer) in pairs.into_iter().take(3) {
        let reader = std::thread::spawn(move || {
            peer.expect(&noise(MAX * 2 / 3));
            peer
        });
        rig.until(|rig| rig.ledger().queued(token) == Ok(0));
        drop(reader.join().unwrap());
    }
    assert_eq!(rig.stats().queued, 0);
}

fn datagrams_beyond_the_cap_are_dropped(backend: Backend, trigger: Trigger) {
    let settings = Settings { queue_max: 10_000, ..capped(trigger, SlowPolicy::Disconnect) };
    let mut rig = Rig::with(backend, settings);
    let (ours, _theirs) = std::os::unix::net::UnixDatagram::pair().unwrap();
    let token = rig.ledger().adopt(ours).unwrap();
    let mut dropped = 0;
    for _ in 0..10_000 {
        if rig.ledger().send_datagram(token, None, &[0; 100]).unwrap() == Sent::Dropped {
            dropped += 1;
        }
        assert!(rig.ledger().queued(token).unwrap() <= 10_000);
    }
    assert!(dropped > 0);
    assert_eq!(rig.stats().dropped, dropped);
    rig.assert_asleep();
    assert!(rig.ledger().contains(token));
}

fn a_broadcast_to_a_full_queue_reaches_the_others(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, capped(trigger, SlowPolicy::Disconnect));
    let (slow, _silent) = rig.pair(Family::Unix);
    let mut others = [rig.pair(Family::Unix), rig.pair(Family::Unix)];
    let room = MAX - 10;
    rig.ledger().send(slow, vec![1; room]).unwrap();
    let everybody = [others[0].0, slow, others[1].0];
    let result = rig.ledger().broadcast(everybody, "to all of you");
    assert_eq!((result.queued, result.refused, result.dropped), (2, 1, 0));
    assert!(matches!(rig.end_of(slow), Reason::Overflow));
    for (_, peer) in &mut others {
        peer.expect(b"to all of you");
    }
}

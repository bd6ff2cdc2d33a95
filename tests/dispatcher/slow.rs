//! Readers that do not read: what each costs, and that the others notice nothing.

use crate::probe::*;
use crate::support::{BOUND, every_backend_and_trigger};
use std::cell::Cell;
use std::io::Write;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Instant;
use tripoll::reactor::{Reason, SendError, SlowPolicy};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    a_reader_that_never_reads_costs_at_most_its_cap_and_the_others_get_everything,
    all_queues_together_have_a_cap_too,
    a_sender_is_not_read_while_his_receiver_is_slow,
    a_receiver_that_ends_lets_his_senders_go_on,
    a_message_that_is_too_long_is_refused_whole,
    a_busy_connection_does_not_starve_the_others,
    drop_policies_keep_the_connection_and_lose_whole_messages,
);

fn readers(event_loop: &mut Loop, count: usize) -> (Vec<Token>, Vec<TcpStream>) {
    (0..count)
        .map(|_| {
            let (ours, peer) = tcp_pair();
            (event_loop.adopt(ours, Probe::new("reader")).unwrap(), peer)
        })
        .unzip()
}

fn a_reader_that_never_reads_costs_at_most_its_cap_and_the_others_get_everything(backend: Backend, trigger: Trigger) {
    const LINE: usize = 20_000;
    let settings = Settings { queue_max: 300_000, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (tokens, peers) = readers(&mut event_loop, 4);
    let (ours, deaf) = unix_pair();
    let slow = event_loop.adopt(ours, Probe::new("slow")).unwrap();
    let everyone: Vec<_> = tokens.iter().copied().chain([slow]).collect();

    let mut got = vec![Vec::new(); 4];
    let mut sent = Vec::new();
    let deadline = Instant::now() + BOUND;
    let mut refused = 0;
    while event_loop.shared().ended("slow").is_none() {
        assert!(Instant::now() < deadline, "the slow one is never full");
        let line = vec![sent.len() as u8; LINE];
        refused += event_loop.enter(|scope, _| scope.broadcast(everyone.iter().copied(), &line)).refused;
        sent.extend_from_slice(&line);
        // The others keep up.
        while got.iter().any(|got| got.len() < sent.len()) {
            assert!(Instant::now() < deadline, "the others wait for the slow one");
            event_loop.turn(Some(std::time::Duration::from_millis(5))).unwrap();
            for (peer, got) in peers.iter().zip(&mut got) {
                read_available(peer, got);
            }
        }
    }
    assert!(got.iter().all(|got| *got == sent));
    assert_eq!(refused, 1);
    let [end] = &event_loop.shared().ends[..] else { panic!("{:?}", event_loop.shared().ends) };
    assert!(matches!(end.reason, Reason::Overflow));
    assert!(end.lost > 300_000 - LINE && end.lost <= 300_000, "{}", end.lost);
    let stats = event_loop.stats();
    assert_eq!(stats.bytes_lost, end.lost as u64);
    assert!(stats.queued_peak <= 300_000 + 4 * LINE, "{}", stats.queued_peak);
    assert_eq!(stats.queued, 0, "it is given back");
    drop(deaf);
}

fn all_queues_together_have_a_cap_too(backend: Backend, trigger: Trigger) {
    let settings = Settings { queues_max: 2_000_000, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (tokens, _deaf) = readers(&mut event_loop, 4);
    event_loop.enter(|scope, _| {
        for token in &tokens[..2] {
            scope.send_to(*token, vec![0; 900_000]).unwrap();
        }
        let refused = scope.send_to(tokens[2], vec![0; 900_000]).unwrap_err();
        assert_eq!(refused, SendError::Full { queued: 1_800_000, limit: 2_000_000 });
        // Who has room for less takes less.
        scope.send_to(tokens[3], vec![0; 100_000]).unwrap();
    });
    turn_until_ended(&mut event_loop, "reader");
    assert!(matches!(event_loop.shared().ends[0].reason, Reason::Overflow));
    assert_eq!(event_loop.shared().ends[0].lost, 0);
}

fn relay(name: &'static str, to: Token) -> Probe {
    Probe::new(name).on(On::Read, move |cx, world| {
        let data = cx.recv()?;
        world.data.entry(name).or_default().extend_from_slice(data);
        cx.send_to(to, data).map(drop).map_err(Into::into)
    })
}

/// Writes to a peer until it takes no more, making turns meanwhile; answers how much it took.
fn flood(event_loop: &mut Loop, mut peer: impl Write, limit: usize) -> usize {
    let mut written = 0;
    let mut idle = 0;
    while idle < 20 && written < limit {
        match peer.write(&[3; 50_000]) {
            Ok(count) => (written, idle) = (written + count, 0),
            Err(_) => idle += 1,
        }
        event_loop.turn(Some(std::time::Duration::from_millis(1))).unwrap();
    }
    written
}

fn a_sender_is_not_read_while_his_receiver_is_slow(backend: Backend, trigger: Trigger) {
    const LIMIT: usize = 64 << 20;
    let settings = Settings { slow_policy: SlowPolicy::PauseProducer, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (receiver, receivers_peer) = unix_pair();
    let to = event_loop.adopt(receiver, Probe::new("receiver")).unwrap();
    let (sender, senders_peer) = tcp_pair();
    event_loop.adopt(sender, relay("sender", to)).unwrap();
    let written = flood(&mut event_loop, &senders_peer, LIMIT);
    assert!(written < LIMIT, "the sender feels it");
    assert!(event_loop.stats().queued <= 2 * 64 * 1024, "{}", event_loop.stats().queued);
    assert!(event_loop.shared().ends.is_empty());
    // And all of it arrives once the receiver reads.
    assert_eq!(turn_until_peer_has(&mut event_loop, &receivers_peer, written).len(), written);
}

fn a_receiver_that_ends_lets_his_senders_go_on(backend: Backend, trigger: Trigger) {
    let settings = Settings { slow_policy: SlowPolicy::PauseProducer, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (receiver, deaf) = unix_pair();
    let to = event_loop.adopt(receiver, Probe::new("receiver")).unwrap();
    let (sender, mut senders_peer) = tcp_pair();
    let probe = Probe::new("sender").on(On::Read, move |cx, world| {
        keep("sender", cx, world)?;
        // Gone in the end, which concerns the sender no further.
        let _ = cx.send_to(to, vec![0; 600_000]);
        Ok(())
    });
    event_loop.adopt(sender, probe).unwrap();
    senders_peer.write_all(b"first").unwrap();
    turn_until(&mut event_loop, "it is read", |world| world.received("sender") == b"first");
    senders_peer.write_all(b" second").unwrap();
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().received("sender"), b"first", "he is held back");
    drop(deaf);
    event_loop.enter(|scope, _| scope.abort_peer(to)).unwrap();
    turn_until(&mut event_loop, "he goes on", |world| world.received("sender") == b"first second");
}

fn a_message_that_is_too_long_is_refused_whole(backend: Backend, trigger: Trigger) {
    let settings = Settings { queue_high: 1000, queue_low: 0, queue_max: 10_000, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (tokens, peers) = readers(&mut event_loop, 2);
    event_loop.enter(|scope, _| {
        scope.set_slow_policy_of(tokens[0], SlowPolicy::DropNewest).unwrap();
        assert_eq!(scope.send_to(tokens[0], vec![1; 10_001]).unwrap(), tripoll::reactor::Sent::Dropped);
        scope.send_to(tokens[0], "short").unwrap();
        let refused = scope.send_to(tokens[1], vec![1; 10_001]).unwrap_err();
        assert_eq!(refused, SendError::Full { queued: 0, limit: 10_000 });
        assert_eq!(scope.send_to(tokens[1], "short"), Err(SendError::Gone));
    });
    assert_eq!(turn_until_peer_has(&mut event_loop, &peers[0], 5), b"short");
    turn_until_ended(&mut event_loop, "reader");
    assert_eq!(event_loop.stats().dropped, 1);
}

fn a_busy_connection_does_not_starve_the_others(backend: Backend, trigger: Trigger) {
    let settings = Settings { read_bytes: 1024, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (busy, mut busy_peer) = tcp_pair();
    event_loop.adopt(busy, Probe::new("busy")).unwrap();
    let (calm, mut calm_peer) = tcp_pair();
    event_loop.adopt(calm, Probe::echo("calm")).unwrap();
    busy_peer.write_all(&vec![1; 100_000]).unwrap();
    turn_until_logged(&mut event_loop, "busy read");
    calm_peer.write_all(b"me too").unwrap();
    turn_until_logged(&mut event_loop, "calm read");
    let read = event_loop.shared().received("busy").len();
    assert!(read < 100_000, "{read}: it was read to its end first");
    assert_eq!(turn_until_peer_has(&mut event_loop, &calm_peer, 6), b"me too");
    turn_until(&mut event_loop, "the rest", |world| world.received("busy").len() == 100_000);
}

fn drop_policies_keep_the_connection_and_lose_whole_messages(backend: Backend, trigger: Trigger) {
    const LINE: usize = 1000;
    for policy in [SlowPolicy::DropNewest, SlowPolicy::DropOldest] {
        let settings = Settings { queue_max: 100_000, slow_policy: policy, ..with_trigger(trigger) };
        let mut event_loop = probes_with(backend, settings);
        let (ours, peer) = unix_pair();
        let token = event_loop.adopt(ours, Probe::new("a")).unwrap();
        let lines = Rc::new(Cell::new(0_u32));
        while event_loop.stats().dropped < 50 {
            let number = lines.get();
            lines.set(number + 1);
            event_loop.enter(|scope, _| scope.send_to(token, number.to_be_bytes().repeat(LINE / 4))).unwrap();
            if number % 7 == 0 {
                event_loop.turn(Some(std::time::Duration::ZERO)).unwrap();
            }
        }
        event_loop.enter(|scope, _| scope.finish_peer(token)).unwrap();
        let got = turn_until_peer_ends(&mut event_loop, &peer);
        let expected = (u64::from(lines.get()) - event_loop.stats().dropped) as usize;
        assert_eq!(got.len(), expected * LINE, "{policy:?}");
        let mut numbers = Vec::new();
        for line in got.chunks(LINE) {
            assert!(line.chunks(4).all(|number| number == &line[..4]), "a line in pieces");
            numbers.push(u32::from_be_bytes([line[0], line[1], line[2], line[3]]));
        }
        assert!(numbers.is_sorted());
        let has_last = numbers.last() == Some(&(lines.get() - 1));
        assert_eq!(has_last, policy == SlowPolicy::DropOldest, "{policy:?}: {:?} of {}", numbers.last(), lines.get());
    }
}

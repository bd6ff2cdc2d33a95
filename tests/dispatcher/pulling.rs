//! Handlers that are asked for what to write, handlers that read a little at a time, and queues that fall to their low
//! mark.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;
use tripoll::dispatcher::Outcome;
use tripoll::reactor::Sent;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    who_has_something_to_write_is_asked_until_he_has_not,
    queued_bytes_go_first,
    a_producer_is_not_asked_while_his_reader_is_slow,
    an_idle_connection_costs_no_turns,
    who_reads_a_little_at_a_time_gets_everything,
    reading_again_when_nothing_is_left_does_no_harm,
    a_queue_that_was_above_its_high_mark_is_told_when_it_drains,
    a_reply_comes_before_the_next_piece_is_asked_for,
);

/// Writes pieces of a size, so many of them, one whenever it is asked.
fn producer(pieces: usize, size: usize) -> Probe {
    let probe = Probe::new("a");
    probe.writes.set(true);
    let wants = Rc::clone(&probe.writes);
    let mut left = pieces;
    probe.on(On::Write, move |cx, world| {
        assert_eq!(cx.queued(), 0, "asked although something is queued");
        world.count += 1;
        left -= 1;
        cx.send(vec![left as u8; size])?;
        if left == 0 {
            wants.set(false);
            cx.finish();
        }
        Ok(())
    })
}

fn who_has_something_to_write_is_asked_until_he_has_not(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    event_loop.adopt(ours, producer(100, 8)).unwrap();
    let got = turn_until_peer_ends(&mut event_loop, &peer);
    let expected: Vec<u8> = (0..100).rev().flat_map(|left| [left; 8]).collect();
    assert_eq!(got, expected);
    assert_eq!(event_loop.shared().count, 100);
}

fn queued_bytes_go_first(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    let probe = producer(3, 4).on(On::Open, |cx, _| cx.send(vec![9; 900_000]).map(drop).map_err(Into::into));
    event_loop.adopt(ours, probe).unwrap();
    let got = turn_until_peer_ends(&mut event_loop, &peer);
    assert!(got[..900_000].iter().all(|byte| *byte == 9));
    assert_eq!(got[900_000..], [2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0]);
}

fn a_producer_is_not_asked_while_his_reader_is_slow(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    event_loop.adopt(ours, producer(200, 100_000)).unwrap();
    // The kernel's buffers take a few megabytes.
    turn_until(&mut event_loop, "a first piece", |world| world.count > 0);
    loop {
        let before = event_loop.shared().count;
        idle_turns(&mut event_loop);
        if event_loop.shared().count == before {
            break;
        }
    }
    assert!(event_loop.shared().count < 200, "no reader is that slow");
    let turns = event_loop.stats().turns;
    let events = event_loop.stats().events;
    idle_turns(&mut event_loop);
    assert_eq!((event_loop.stats().turns, event_loop.stats().events), (turns + 6, events), "it waits for room");
    assert!(event_loop.stats().queued <= 100_000);
    assert_eq!(turn_until_peer_ends(&mut event_loop, &peer).len(), 200 * 100_000);
}

fn an_idle_connection_costs_no_turns(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    event_loop.adopt(ours, Probe::echo("a")).unwrap();
    peer.write_all(b"hello").unwrap();
    turn_until_peer_has(&mut event_loop, &peer, 5);
    idle_turns(&mut event_loop);
    // The first of these waits to its end, unless something wakes it that should not.
    for _ in 0..3 {
        let (events, began) = (event_loop.stats().events, std::time::Instant::now());
        event_loop.turn(Some(std::time::Duration::from_millis(50))).unwrap();
        assert_eq!(event_loop.stats().events, events);
        assert!(began.elapsed() >= std::time::Duration::from_millis(50));
    }
}

fn who_reads_a_little_at_a_time_gets_everything(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Read, |cx, world| {
        let mut buf = [0; 1024];
        let read = cx.read(&mut buf)?;
        assert!(read <= 1024);
        world.count += 1;
        cx.send(&buf[..read]).map(drop).map_err(Into::into)
    });
    event_loop.adopt(ours, probe).unwrap();
    let message: Vec<u8> = (0..65_536_u32).map(|i| (i / 11) as u8).collect();
    peer.write_all(&message).unwrap();
    assert!(turn_until_peer_has(&mut event_loop, &peer, message.len()) == message);
    assert!(event_loop.shared().count >= 64);
    // Nothing more to read: what is left of the readiness is forgotten in a turn or two.
    idle_turns(&mut event_loop);
    let events = event_loop.stats().events;
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.stats().events, events);
}

fn reading_again_when_nothing_is_left_does_no_harm(backend: Backend, trigger: Trigger) {
    let settings = Settings { read_bytes: 1000, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Read, |cx, world| {
        let mut taken = 0;
        loop {
            let data = cx.recv()?;
            if data.is_empty() {
                break;
            }
            taken += data.len();
            world.data.entry("a").or_default().extend_from_slice(data);
        }
        assert!(taken <= 1000, "{taken} is more than a turn's share");
        assert!(cx.recv()?.is_empty());
        Ok(())
    });
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(&[4; 10_000]).unwrap();
    drop(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().received("a"), [4; 10_000]);
    assert_eq!(event_loop.shared().log, ["a open", "a read", "a eof", "a close: closed by the peer"]);
}

fn a_queue_that_was_above_its_high_mark_is_told_when_it_drains(backend: Backend, trigger: Trigger) {
    let settings = Settings { queue_high: 50_000, queue_low: 10_000, queue_max: 20_000_000, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (ours, peer) = tcp_pair();
    let sent = Rc::new(Cell::new(0));
    let total = Rc::clone(&sent);
    let probe = Probe::new("a")
        .on(On::Open, move |cx, _| {
            // Below the mark there is nothing to tell.
            assert_eq!(cx.send(vec![0; 1000])?, Sent::Queued);
            while cx.queued() <= 1_000_000 {
                let answer = cx.send(vec![1; 100_000])?;
                assert_eq!(answer == Sent::AboveHigh, cx.queued() > 50_000);
            }
            total.set(cx.queued());
            Ok(())
        })
        .on(On::Drain, |cx, world| {
            assert!(cx.queued() <= 10_000, "{}", cx.queued());
            world.count += 1;
            Ok(())
        });
    event_loop.adopt(ours, probe).unwrap();
    assert_eq!(event_loop.shared().count, 0, "told by the loop, not by `send`");
    turn_until_peer_has(&mut event_loop, &peer, sent.get());
    turn_until(&mut event_loop, "it is told", |world| world.count == 1);
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().count, 1, "once for each time above the mark");
}

fn a_reply_comes_before_the_next_piece_is_asked_for(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = std::os::unix::net::UnixStream::pair().unwrap();
    peer.set_nonblocking(true).unwrap();
    peer.write_all(b"question").unwrap();
    let probe = producer(1, 4).on(On::Read, |cx, _| {
        cx.recv()?;
        cx.send("answer").map(drop).map_err(Into::into)
    });
    event_loop.adopt(ours, probe).unwrap();
    assert_eq!(turn_until_peer_ends(&mut event_loop, &peer), b"answer\0\0\0\0");
}

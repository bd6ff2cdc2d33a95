//! A small exchange, whole: from the listener to the last close.

use crate::kit::*;
use crate::support::every_backend_and_trigger;
use crate::trace::{Event, LOOP};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Clock, Hand, Listener, Missed, Reactor, Recorder, Stream};
use tripoll::{Backend, Context, Dispatcher, EventLoop, Trigger};

every_backend_and_trigger!(
    an_exchange_is_taken_down_from_the_listener_to_the_close,
    what_is_queued_is_seen_to_wait_and_to_drain,
    a_loop_that_lives_by_a_hand_is_recorded_by_that_time,
    a_connection_is_seen_to_wait_for_the_callback_of_another,
    other_callbacks_have_their_names,
);

fn an_exchange_is_taken_down_from_the_listener_to_the_close(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let mut event_loop = echo_loop(backend, trigger);
    assert!(event_loop.record(Recorder::new(memory.clone())).is_none());
    let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_address().unwrap().as_inet().unwrap();
    let door = event_loop.adopt(listener, Echo).unwrap();
    let mut peer = TcpStream::connect(address).unwrap();
    peer.write_all(b"hello").unwrap();
    until(&mut event_loop, |event_loop| event_loop.stats().bytes_out == 5);
    let mut answer = [0; 5];
    peer.read_exact(&mut answer).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    until(&mut event_loop, |event_loop| event_loop.stats().closed == 1);
    let stats = *event_loop.stats();
    assert!(finish(&mut event_loop) > 10);

    let trace = memory.trace();
    trace.agrees_with(&stats);
    let accepted = trace.events.iter().find(|event| event.name == "opened" && event.args["kind"] == "tcp").unwrap();
    assert!(accepted.number("fd") > 2);
    let whose = accepted.token().to_owned();
    let life = |category: &str| -> Vec<&str> {
        let own = |event: &&Event| event.token() == whose && event.lane != LOOP && event.category == category;
        let mut names: Vec<&str> = trace.events.iter().filter(own).map(|event| event.name.as_str()).collect();
        // Read to the end, once or twice.
        names.dedup();
        names
    };
    assert_eq!(life("callback"), ["open", "read", "eof", "close"]);
    assert_eq!(life("source"), ["opened", "closed"]);
    assert_eq!(life("write"), ["send answer"]);
    assert_eq!(life("read").first(), Some(&"recv"));
    assert_eq!(life("event").first(), Some(&"readable"));
    assert_eq!(life("interest").first(), Some(&"interest"));
    assert_eq!(life("interest").last(), Some(&"no interest"), "it is removed in the end");
    let read = trace.events.iter().find(|event| event.is("i", "read") && event.token() == whose).unwrap();
    assert_eq!((read.number("asked"), read.number("done")), (65_536, 5));
    let closed = trace.events.iter().find(|event| event.name == "closed" && event.token() == whose).unwrap();
    assert_eq!((closed.args["reason"].as_str(), closed.number("lost")), (Some("peer"), 0));
    let door: Vec<&str> = trace.of(door).filter(|event| event.phase == "i").map(|event| event.name.as_str()).collect();
    assert_eq!(door[..3], ["opened", "interest", "readable"]);
}

fn what_is_queued_is_seen_to_wait_and_to_drain(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let mut event_loop = echo_loop(backend, trigger);
    event_loop.record(Recorder::new(memory.clone()));
    let (token, mut peer) = client(&mut event_loop);
    let large = vec![7; 900_000];
    event_loop.enter(|scope, ()| scope.send_to(token, &large)).unwrap();
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    let left = event_loop.stats().queued;
    assert!(left > 0, "the kernel has taken all of it");
    let mut got = 0;
    until(&mut event_loop, |_| {
        let mut buf = vec![0; 65_536];
        while let Ok(read @ 1..) = peer.read(&mut buf) {
            got += read;
        }
        got == large.len()
    });
    let stats = *event_loop.stats();
    finish(&mut event_loop);

    let trace = memory.trace();
    trace.agrees_with(&stats);
    let queue: Vec<&str> = trace.of(token).filter(|event| event.category == "event").map(|e| e.name.as_str()).collect();
    assert!(queue.contains(&"writable"), "{queue:?}");
    let phases: Vec<&str> =
        trace.events.iter().filter(|event| event.category == "queue").map(|event| event.phase.as_str()).collect();
    assert_eq!(phases, ["b", "e"], "it was queued once, and drained once");
    let mut bytes = trace.events.iter().filter(|event| event.name == "queued bytes").map(|event| event.number("bytes"));
    assert!(bytes.any(|bytes| bytes == left as u64));
}

fn a_loop_that_lives_by_a_hand_is_recorded_by_that_time(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let (mut event_loop, hand) = by_hand(backend, trigger);
    event_loop.record(Recorder::new(memory.clone()));
    hand.advance(Duration::from_millis(3));
    let (token, mut peer) = client(&mut event_loop);
    exchange(&mut event_loop, &mut peer, b"one");
    hand.advance(Duration::from_millis(39));
    exchange(&mut event_loop, &mut peer, b"two");
    let stats = *event_loop.stats();
    finish(&mut event_loop);

    let trace = memory.trace();
    trace.agrees_with(&stats);
    let mut calls: Vec<u64> = trace.of(token).filter(|event| event.phase == "B").map(|event| event.at).collect();
    calls.dedup();
    assert_eq!(calls, [3_000_000, 42_000_000], "opened and read, and read once more");
}

fn a_connection_is_seen_to_wait_for_the_callback_of_another(backend: Backend, trigger: Trigger) {
    const LONG: Duration = Duration::from_millis(30);
    /// Takes its time.
    struct Slow;

    impl Dispatcher for Slow {
        type Shared = Hand;
        type Spawn = Self;

        fn handle_read(&mut self, cx: &mut Context<'_, Self>, hand: &mut Hand) -> io::Result<()> {
            cx.recv()?;
            hand.advance(LONG);
            Ok(())
        }
    }

    let memory = Memory::default();
    let (clock, hand) = Clock::by_hand();
    let reactor = Reactor::with_clock(AnyPoller::new(backend).unwrap(), settings(trigger), clock).unwrap();
    let mut event_loop = EventLoop::on(reactor, hand);
    let mut peers = Vec::new();
    for _ in 0..2 {
        let (ours, theirs) = UnixStream::pair().unwrap();
        peers.push((event_loop.adopt(Stream::from(ours), Slow).unwrap(), theirs));
    }
    event_loop.record(Recorder::new(memory.clone()));
    for (_, peer) in &mut peers {
        peer.write_all(b"x").unwrap();
    }
    event_loop.turn(None).unwrap();
    finished(event_loop.stop_recording().unwrap());

    let trace = memory.trace();
    let reported = |token| trace.of(token).find(|event| event.is("i", "event")).unwrap().at;
    let called = |token| trace.of(token).find(|event| event.is("B", "callback")).unwrap().at;
    let mut order = [peers[0].0, peers[1].0];
    order.sort_by_key(|token| called(*token));
    assert_eq!(reported(order[0]), reported(order[1]), "both were ready at once");
    let waited = Duration::from_nanos(called(order[1]) - reported(order[1]));
    assert_eq!(waited, LONG, "one waited for the other");
    let blocker = trace.slices.iter().find(|slice| slice.name == format!("read {}", order[0])).unwrap();
    assert!(blocker.lane == LOOP && blocker.to <= called(order[1]), "and the loop's lane says for whom");
    assert_eq!(Duration::from_nanos(blocker.to - blocker.from), LONG);
}

fn other_callbacks_have_their_names(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let (mut event_loop, hand) = by_hand(backend, trigger);
    event_loop.record(Recorder::new(memory.clone()));
    let (token, _peer) = client(&mut event_loop);
    let remote = event_loop.remote();
    remote.post(|_, ()| {}).unwrap();
    event_loop.enter(|scope, ()| scope.every(Duration::from_millis(1), Missed::Skip, |_, ()| {}));
    event_loop.with(token, |_, cx, ()| cx.set_timer(Duration::from_millis(1))).unwrap().unwrap();
    hand.advance(Duration::from_millis(1));
    event_loop.turn(None).unwrap();
    event_loop.turn(None).unwrap();
    event_loop.enter(|scope, ()| scope.shutdown(Duration::ZERO));
    let _ = event_loop.run().unwrap();
    let stats = *event_loop.stats();
    finish(&mut event_loop);

    let trace = memory.trace();
    trace.agrees_with(&stats);
    for name in ["open", "woken", "with", "timeout", "shutdown", "close"] {
        assert!(trace.callbacks(name) > 0, "{name} is missing");
    }
    let own: Vec<&str> = trace.of(token).filter(|event| event.phase == "B").map(|event| event.name.as_str()).collect();
    assert_eq!(own, ["open", "with", "timeout", "shutdown", "close"]);
    assert!(trace.slices.iter().any(|slice| slice.name == "timeout loop"), "a timer that is nobody's");
}

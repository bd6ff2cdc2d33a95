//! The ways out: what the handler is told, what the peer gets, and that neither takes for ever.

use crate::kernel;
use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::dispatcher::Outcome;
use tripoll::reactor::{Address, Listener, Reason};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    finish_sends_what_is_queued_and_then_the_end,
    finish_reads_nothing_more_for_the_handler,
    finish_waits_no_longer_than_the_close_timeout,
    abort_resets_and_says_what_is_lost,
    the_end_of_the_peer_is_a_close_and_no_error,
    what_was_sent_before_the_end_is_read_before_the_close,
    a_reset_is_told_once_and_with_its_error,
    writing_to_a_peer_that_is_gone_is_a_close_and_no_error,
    a_reset_while_finishing_ends_it_at_once,
    a_refused_connection_says_so_and_was_never_connected,
    a_connection_that_is_not_answered_ends_with_the_connect_timeout,
    a_unix_socket_whose_backlog_is_full_says_so_at_once,
    an_idle_connection_ends_and_traffic_puts_it_off,
);

fn finish_sends_what_is_queued_and_then_the_end(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    // More than the kernel takes at once, in pieces of all sizes.
    let message: Vec<u8> = (0..900_000_u32).map(|i| (i / 3) as u8).collect();
    let sent = message.clone();
    event_loop
        .adopt(
            ours,
            Probe::new("a").on(On::Open, move |cx, _| {
                for piece in [&sent[..10], &sent[10..5000], &sent[5000..]] {
                    cx.send(piece)?;
                }
                cx.finish();
                assert!(cx.send("too late").is_err());
                Ok(())
            }),
        )
        .unwrap();
    let got = turn_until_peer_ends(&mut event_loop, &peer);
    assert!(got == message, "{} of {} bytes", got.len(), message.len());
    assert!(event_loop.shared().ends.is_empty(), "it waits for the peer's end");
    drop(peer);
    turn_until_logged(&mut event_loop, "a close: closed");
    assert_eq!(event_loop.shared().ended("a").unwrap().lost, 0);
}

fn finish_reads_nothing_more_for_the_handler(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Read, |cx, _| {
        assert_eq!(cx.recv()?, b"quit");
        cx.send("bye")?;
        cx.finish();
        Ok(())
    });
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"quit").unwrap();
    assert_eq!(turn_until_peer_ends(&mut event_loop, &peer), b"bye");
    // The peer has not heard of it yet and goes on. That shall not turn the farewell into a reset.
    peer.write_all(&[0; 100_000]).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    turn_until_ended(&mut event_loop, "a");
    assert_eq!(event_loop.shared().log, ["a open", "a read", "a close: closed"]);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
}

fn finish_waits_no_longer_than_the_close_timeout(backend: Backend, trigger: Trigger) {
    let settings = Settings { close_timeout: Duration::from_secs(5), ..with_trigger(trigger) };
    let (mut event_loop, hand) = probes_by_hand(backend, settings);
    let (polite, peer) = tcp_pair();
    let (stuck, _deaf) = tcp_pair();
    event_loop
        .adopt(
            polite,
            Probe::new("polite").on(On::Open, |cx, _| {
                cx.finish();
                Ok(())
            }),
        )
        .unwrap();
    let probe = Probe::new("stuck").on(On::Open, |cx, _| {
        cx.send(vec![0; 1 << 20])?;
        cx.send_urgent(1)?;
        cx.finish();
        Ok(())
    });
    kernel::shrink_send_buffer(&stuck);
    event_loop.adopt(stuck, probe).unwrap();
    turn_until_peer_ends(&mut event_loop, &peer);
    idle_turns(&mut event_loop);
    hand.advance(Duration::from_secs(4));
    idle_turns(&mut event_loop);
    assert!(event_loop.shared().ends.is_empty(), "the time is not up");
    hand.advance(Duration::from_secs(1));
    turn_until_ended(&mut event_loop, "polite");
    turn_until_ended(&mut event_loop, "stuck");
    let ends = &event_loop.shared().ends;
    assert!(ends.iter().all(|end| matches!(end.reason, Reason::CloseTimeout)), "{ends:?}");
    assert!(event_loop.shared().ended("stuck").unwrap().lost > 0);
    assert_eq!(event_loop.shared().ended("polite").unwrap().lost, 0);
}

fn abort_resets_and_says_what_is_lost(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Open, |cx, _| {
        cx.send("accepted, but not sent")?;
        cx.abort();
        cx.abort();
        Ok(())
    });
    event_loop.adopt(ours, probe).unwrap();
    turn_until_logged(&mut event_loop, "a close: aborted");
    assert_eq!(event_loop.shared().ended("a").unwrap().lost, 22);
    assert_eq!(event_loop.stats().bytes_lost, 22);
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

fn the_end_of_the_peer_is_a_close_and_no_error(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    event_loop.adopt(ours, Probe::new("a")).unwrap();
    turn_until_logged(&mut event_loop, "a open");
    drop(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    // `handle_read` may come once with nothing to read: the end is found by reading.
    let log: Vec<_> = event_loop.shared().log.iter().filter(|line| *line != "a read").collect();
    assert_eq!(log, ["a open", "a eof", "a close: closed by the peer"]);
}

fn what_was_sent_before_the_end_is_read_before_the_close(backend: Backend, trigger: Trigger) {
    for unix in [false, true] {
        let mut event_loop = probes(backend, trigger);
        if unix {
            let (ours, mut peer) = UnixStream::pair().unwrap();
            peer.write_all(b"last words").unwrap();
            drop(peer);
            event_loop.adopt(ours, Probe::new("a")).unwrap();
        } else {
            let (ours, mut peer) = tcp_pair();
            peer.write_all(b"last words").unwrap();
            drop(peer);
            event_loop.adopt(ours, Probe::new("a")).unwrap();
        }
        assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
        assert_eq!(event_loop.shared().received("a"), b"last words");
        assert_eq!(event_loop.shared().log, ["a open", "a read", "a eof", "a close: closed by the peer"]);
    }
}

fn a_reset_is_told_once_and_with_its_error(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    event_loop.adopt(ours, Probe::new("a")).unwrap();
    turn_until_logged(&mut event_loop, "a open");
    kernel::reset(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    let world = event_loop.shared();
    let [end] = &world.ends[..] else { panic!("{:?}", world.ends) };
    assert!(matches!(&end.reason, Reason::Failed(e) if e.kind() == ErrorKind::ConnectionReset), "{end:?}");
    assert!(!world.log.iter().any(|line| line.contains("error:")), "{:?}", world.log);
}

fn writing_to_a_peer_that_is_gone_is_a_close_and_no_error(backend: Backend, trigger: Trigger) {
    // A small message is gathered, a large one is written at once.
    for size in [10, 100_000] {
        let mut event_loop = probes(backend, trigger);
        let (ours, peer) = UnixStream::pair().unwrap();
        let probe = Probe::new("a").on(On::Timeout, move |cx, _| {
            let message = vec![1; size];
            cx.send(&message)?;
            Ok(())
        });
        probe.reads.set(false);
        let token = event_loop.adopt(ours, probe).unwrap();
        turn_until_logged(&mut event_loop, "a open");
        drop(peer);
        event_loop.with(token, |_, cx, _| cx.set_timer(Duration::ZERO)).unwrap().unwrap();
        assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
        let world = event_loop.shared();
        let [end] = &world.ends[..] else { panic!("{:?}", world.ends) };
        assert!(matches!(&end.reason, Reason::Failed(e) if e.kind() == ErrorKind::BrokenPipe), "{end:?}");
        assert!(!world.log.iter().any(|line| line.contains("error:")), "{:?}", world.log);
    }
}

fn a_reset_while_finishing_ends_it_at_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    event_loop
        .adopt(
            ours,
            Probe::new("a").on(On::Open, |cx, _| {
                cx.finish();
                Ok(())
            }),
        )
        .unwrap();
    turn_until_peer_ends(&mut event_loop, &peer);
    let turns = event_loop.stats().turns;
    kernel::reset(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert!(event_loop.stats().turns - turns <= 3);
    assert_eq!(event_loop.shared().ends.len(), 1);
}

fn a_refused_connection_says_so_and_was_never_connected(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap().into();
    drop(nobody);
    let client = Probe::new("a").on(On::Open, |cx, _| cx.send("request").map(drop).map_err(Into::into));
    event_loop.connect(&address, client).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    let world = event_loop.shared();
    let [end] = &world.ends[..] else { panic!("{:?}", world.ends) };
    assert!(matches!(&end.reason, Reason::Failed(e) if e.kind() == ErrorKind::ConnectionRefused), "{end:?}");
    assert_eq!(end.lost, 7);
    assert_eq!(world.log.len(), 2, "{:?}", world.log);
}

/// A listener that has no room for one more, and those who fill it.
fn full_listener() -> (Listener, Address, Vec<TcpStream>) {
    let listener = Listener::bind_with_backlog(&"tcp://127.0.0.1:0".parse().unwrap(), 0).unwrap();
    let address = listener.local_address().unwrap();
    let socket = address.as_inet().unwrap();
    let mut waiting = Vec::new();
    // A request that is not answered is repeated after a second.
    while let Ok(client) = TcpStream::connect_timeout(&socket, Duration::from_millis(500)) {
        waiting.push(client);
        assert!(waiting.len() < 10, "a backlog of nothing is full before that");
    }
    (listener, address, waiting)
}

fn a_connection_that_is_not_answered_ends_with_the_connect_timeout(backend: Backend, trigger: Trigger) {
    let (_listener, address, _waiting) = full_listener();
    let settings = Settings { connect_timeout: Duration::from_secs(30), ..with_trigger(trigger) };
    let (mut event_loop, hand) = probes_by_hand(backend, settings);
    event_loop.connect(&address, Probe::new("a")).unwrap();
    hand.advance(Duration::from_secs(29));
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().log, ["a open"]);
    hand.advance(Duration::from_secs(1));
    turn_until_ended(&mut event_loop, "a");
    assert_eq!(event_loop.shared().log, ["a open", "a close: not connected in time"]);
}

fn a_unix_socket_whose_backlog_is_full_says_so_at_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let path = fresh_path();
    let _listener = Listener::bind_with_backlog(&tripoll::Endpoint::Unix(path.clone()), 0).unwrap();
    let address = Address::unix(&path).unwrap();
    let refused = (0..10).find_map(|_| event_loop.connect(&address, Probe::new("a")).err());
    assert_eq!(refused.expect("a backlog of nothing is full before that").kind(), ErrorKind::WouldBlock);
}

fn an_idle_connection_ends_and_traffic_puts_it_off(backend: Backend, trigger: Trigger) {
    let settings = Settings { idle_timeout: Some(Duration::from_secs(3)), ..with_trigger(trigger) };
    let (mut event_loop, hand) = probes_by_hand(backend, settings);
    let (ours, mut peer) = tcp_pair();
    let (other, _silent) = tcp_pair();
    event_loop.adopt(ours, Probe::new("busy")).unwrap();
    event_loop.adopt(other, Probe::new("idle")).unwrap();
    turn_until_logged(&mut event_loop, "idle open");
    hand.advance(Duration::from_millis(1500));
    peer.write_all(b"x").unwrap();
    turn_until_logged(&mut event_loop, "busy read");
    hand.advance(Duration::from_millis(1500));
    turn_until_logged(&mut event_loop, "idle close: idle for too long");
    hand.advance(Duration::from_millis(1499));
    idle_turns(&mut event_loop);
    assert!(event_loop.shared().ended("busy").is_none());
    hand.advance(Duration::from_millis(1));
    turn_until_logged(&mut event_loop, "busy close: idle for too long");
}

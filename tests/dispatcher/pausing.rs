//! Handlers that do not want to read for a while: nothing is lost, nobody spins.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    a_paused_connection_reads_nothing_and_loses_nothing,
    pausing_and_resuming_twice_is_the_same_as_once,
    the_end_of_a_paused_connection_is_told_when_it_goes_on,
    who_is_paused_in_a_batch_stays_silent_in_it,
    who_answers_that_he_is_not_readable_is_not_read,
    a_changed_answer_counts_from_a_refresh_on,
    a_listener_can_pause_and_goes_on_with_those_who_wait,
    a_listener_that_pauses_takes_in_no_one_more,
    a_paused_connection_can_still_be_written_to,
);

fn a_paused_connection_reads_nothing_and_loses_nothing(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Read, |cx, world| {
        keep("a", cx, world)?;
        cx.pause();
        Ok(())
    });
    let token = event_loop.adopt(ours, probe).unwrap();
    let mut sent = Vec::new();
    for round in 0..5_u8 {
        let word = [round; 100];
        peer.write_all(&word).unwrap();
        sent.extend_from_slice(&word);
        turn_until(&mut event_loop, "one more round", |world| world.received("a").len() == sent.len());
        peer.write_all(b"meanwhile").unwrap();
        sent.extend_from_slice(b"meanwhile");
        idle_turns(&mut event_loop);
        let events = event_loop.stats().events;
        idle_turns(&mut event_loop);
        assert_eq!(event_loop.stats().events, events, "nobody wants to know");
        assert_eq!(event_loop.shared().received("a").len(), sent.len() - 9);
        event_loop.enter(|scope, _| scope.resume_peer(token)).unwrap();
        turn_until(&mut event_loop, "the rest", |world| world.received("a").len() == sent.len());
        event_loop.enter(|scope, _| scope.resume_peer(token)).unwrap();
    }
    assert_eq!(event_loop.shared().received("a"), sent);
}

fn pausing_and_resuming_twice_is_the_same_as_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let token = event_loop.adopt(ours, Probe::new("a")).unwrap();
    event_loop.with(token, |_, cx, _| {
        cx.pause();
        cx.pause();
    });
    peer.write_all(b"x").unwrap();
    idle_turns(&mut event_loop);
    assert!(!event_loop.shared().has("a read"));
    event_loop.with(token, |_, cx, _| {
        cx.resume();
        cx.resume();
    });
    turn_until_logged(&mut event_loop, "a read");
}

fn the_end_of_a_paused_connection_is_told_when_it_goes_on(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let token = event_loop
        .adopt(
            ours,
            Probe::new("a").on(On::Open, |cx, _| {
                cx.pause();
                Ok(())
            }),
        )
        .unwrap();
    turn_until_logged(&mut event_loop, "a open");
    peer.write_all(b"last words").unwrap();
    drop(peer);
    idle_turns(&mut event_loop);
    let (events, turns) = (event_loop.stats().events, event_loop.stats().turns);
    idle_turns(&mut event_loop);
    // Edges are told once, whether or not anybody wants to know.
    assert_eq!(event_loop.stats().events, events);
    assert_eq!(event_loop.stats().turns, turns + 6);
    assert_eq!(event_loop.shared().log, ["a open"]);
    event_loop.enter(|scope, _| scope.resume_peer(token)).unwrap();
    turn_until_ended(&mut event_loop, "a");
    assert_eq!(event_loop.shared().log, ["a open", "a read", "a eof", "a close: closed by the peer"]);
    assert_eq!(event_loop.shared().received("a"), b"last words");
}

/// Two who are ready in the same batch: whoever is first does something to the other.
pub(crate) fn rivals(event_loop: &mut Loop, act: fn(&mut Cx<'_>, tripoll::Token)) -> [UnixStream; 2] {
    ["left", "right"].map(|name| {
        let other = if name == "left" { "right" } else { "left" };
        let (ours, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"ready").unwrap();
        let probe = Probe::new(name).on(On::Read, move |cx, world| {
            // Who reads to the end of what there is may be called once more, for nothing.
            if cx.recv()?.is_empty() {
                return Ok(());
            }
            world.count += 1;
            if world.count == 1 {
                act(cx, world.tokens[other]);
            }
            Ok(())
        });
        event_loop.adopt(ours, probe).unwrap();
        peer
    })
}

fn who_is_paused_in_a_batch_stays_silent_in_it(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let _peers = rivals(&mut event_loop, |cx, other| cx.pause_peer(other).unwrap());
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().count, 1, "{:?}", event_loop.shared().log);
    let tokens: Vec<_> = event_loop.shared().tokens.values().copied().collect();
    for token in tokens {
        event_loop.enter(|scope, _| scope.resume_peer(token)).unwrap();
    }
    turn_until(&mut event_loop, "both were read", |world| world.count == 2);
}

fn who_answers_that_he_is_not_readable_is_not_read(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a");
    let reads = Rc::clone(&probe.reads);
    reads.set(false);
    let answer = Rc::clone(&reads);
    // The answer is asked for after each callback, so this one changes it in time.
    let probe = probe.on(On::Timeout, move |_, _| {
        answer.set(true);
        Ok(())
    });
    let token = event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"x").unwrap();
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().log, ["a open"]);
    event_loop.with(token, |_, cx, _| cx.set_timer(std::time::Duration::ZERO)).unwrap().unwrap();
    turn_until_logged(&mut event_loop, "a read");
}

fn a_changed_answer_counts_from_a_refresh_on(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a");
    let reads = Rc::clone(&probe.reads);
    reads.set(false);
    let token = event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"x").unwrap();
    idle_turns(&mut event_loop);
    reads.set(true);
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().log, ["a open"], "nobody was asked");
    event_loop.enter(|scope, _| scope.refresh(token));
    turn_until_logged(&mut event_loop, "a read");

    reads.set(false);
    event_loop.enter(|scope, _| scope.refresh(token));
    event_loop.shared_mut().log.clear();
    peer.write_all(b"y").unwrap();
    idle_turns(&mut event_loop);
    assert!(event_loop.shared().log.is_empty());
}

fn a_listener_can_pause_and_goes_on_with_those_who_wait(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let token = event_loop
        .adopt(
            listener,
            Probe::new("listener").on(On::Open, |cx, _| {
                cx.pause();
                Ok(())
            }),
        )
        .unwrap();
    let _waiting = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
    idle_turns(&mut event_loop);
    let events = event_loop.stats().events;
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.stats().events, events);
    assert_eq!(event_loop.shared().log, ["listener open"]);
    event_loop.enter(|scope, _| scope.resume_peer(token)).unwrap();
    turn_until(&mut event_loop, "both", |world| world.log.len() == 3);
}

fn a_listener_that_pauses_takes_in_no_one_more(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _waiting: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
    let token = event_loop
        .adopt(
            listener,
            Probe::new("listener").on(On::Accept, |cx, _| {
                cx.pause();
                Ok(())
            }),
        )
        .unwrap();
    for taken in 1..=3 {
        turn_until(&mut event_loop, "one more", |world| world.log.len() == 1 + taken);
        idle_turns(&mut event_loop);
        assert_eq!(event_loop.shared().log.len(), 1 + taken, "{:?}", event_loop.shared().log);
        event_loop.enter(|scope, _| scope.resume_peer(token)).unwrap();
    }
}

fn a_paused_connection_can_still_be_written_to(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Open, |cx, _| {
        cx.pause();
        cx.send(vec![5; 900_000]).map(drop).map_err(Into::into)
    });
    event_loop.adopt(ours, probe).unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &peer, 900_000).len(), 900_000);
}

//! The ends of handlers: in which order, how often, and what nobody hears of any more.

use crate::pausing::rivals;
use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;
use tripoll::dispatcher::Outcome;
use tripoll::reactor::Gone;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    who_is_ended_in_a_batch_hears_nothing_more_in_it,
    who_finishes_another_silences_it_as_well,
    a_descriptor_is_not_used_again_within_a_batch,
    a_token_that_has_ended_never_reaches_its_successor,
    closes_come_after_all_else_of_a_turn,
    timers_end_with_their_owner,
    nothing_but_the_close_is_told_after_finish,
    a_listener_that_finishes_takes_in_no_one_more,
    who_closes_can_speak_to_others_but_not_to_his_peer,
    who_closes_may_end_all_others,
    sixty_four_ended_at_once_are_told_sixty_four_times,
    the_handler_is_dropped_after_its_close,
    closing_everything_tells_everyone,
);

fn only_one_was_read(event_loop: &mut Loop, how: &str) {
    idle_turns(event_loop);
    let world = event_loop.shared();
    assert_eq!(world.count, 1, "{:?}", world.log);
    let silent = if world.has("left read") { "right" } else { "left" };
    let heard: Vec<_> = world.log.iter().filter(|line| line.starts_with(silent)).collect();
    assert!(!world.has(&format!("{silent} read")), "{:?}", world.log);
    assert_eq!(heard, [&format!("{silent} open"), &format!("{silent} close: {how}")]);
}

fn who_is_ended_in_a_batch_hears_nothing_more_in_it(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let _peers = rivals(&mut event_loop, |cx, other| cx.abort_peer(other).unwrap());
    only_one_was_read(&mut event_loop, "aborted");
}

fn who_finishes_another_silences_it_as_well(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let peers = rivals(&mut event_loop, |cx, other| cx.finish_peer(other).unwrap());
    // The one who goes on is not to end as well.
    let ends = peers.map(|peer| peer.shutdown(std::net::Shutdown::Write));
    assert!(ends.iter().all(Result::is_ok));
    idle_turns(&mut event_loop);
    let world = event_loop.shared();
    assert_eq!(world.count, 1, "{:?}", world.log);
}

fn a_descriptor_is_not_used_again_within_a_batch(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let before = Rc::new(std::cell::Cell::new([-1, -1]));
    let taken = Rc::clone(&before);
    let peers = ["left", "right"].map(|name| {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"ready").unwrap();
        let mut numbers = before.get();
        numbers[usize::from(name == "right")] = ours.as_raw_fd();
        before.set(numbers);
        let taken = Rc::clone(&taken);
        let probe = Probe::new(name).on(On::Read, move |cx, world| {
            world.count += 1;
            let tokens: Vec<_> = world.tokens.values().copied().collect();
            for token in tokens {
                cx.abort_peer(token)?;
            }
            // Sockets made now must not get the numbers of those whose events may still be in the batch.
            for successor in ["third", "fourth"] {
                let (ours, peer) = UnixStream::pair()?;
                assert!(!taken.get().contains(&ours.as_raw_fd()));
                let token = cx.adopt(ours, Probe::new(successor))?;
                assert!(!world.tokens.values().any(|other| other.index() == token.index()));
                cx.adopt(peer, Probe::new("peer"))?;
            }
            Ok(())
        });
        event_loop.adopt(ours, probe).unwrap();
        peer
    });
    idle_turns(&mut event_loop);
    let world = event_loop.shared();
    assert_eq!(world.count, 1);
    assert_eq!(world.ends.len(), 2);
    for successor in ["third", "fourth"] {
        let heard: Vec<_> = world.log.iter().filter(|line| line.starts_with(successor)).collect();
        assert_eq!(heard, [&format!("{successor} open")]);
    }
    drop(peers);
}

fn a_token_that_has_ended_never_reaches_its_successor(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    let old = event_loop.adopt(ours, Probe::new("old")).unwrap();
    event_loop.enter(|scope, _| scope.abort_peer(old)).unwrap();
    event_loop.run().unwrap();
    let (ours, _peer) = UnixStream::pair().unwrap();
    let new = event_loop.adopt(ours, Probe::new("new")).unwrap();
    assert_eq!(old.index(), new.index(), "the place is taken again");
    event_loop.enter(|scope, _| {
        assert!(!scope.contains(old) && scope.contains(new));
        assert!(scope.send_to(old, "lost").is_err());
        assert_eq!(scope.queued_for(old), Err(Gone));
        assert_eq!(scope.finish_peer(old), Err(Gone));
        assert_eq!(scope.abort_peer(old), Err(Gone));
        assert_eq!(scope.pause_peer(old), Err(Gone));
        assert_eq!(scope.resume_peer(old), Err(Gone));
        assert_eq!(scope.set_slow_policy_of(old, tripoll::reactor::SlowPolicy::DropNewest), Err(Gone));
        assert!(scope.descriptor(old).is_err());
        scope.refresh(old);
        assert_eq!(scope.broadcast([old, new], "x").refused, 1);
    });
    assert_eq!(event_loop.shared().log, ["old open", "old close: aborted", "new open"]);
}

fn closes_come_after_all_else_of_a_turn(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let peers = ["a", "b", "c"].map(|name| {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"x").unwrap();
        let probe = Probe::new(name).on(On::Read, |cx, _| {
            cx.abort();
            Ok(())
        });
        event_loop.adopt(ours, probe).unwrap();
        peer
    });
    event_loop.enter(|scope, _| scope.call_soon(|_, world| world.note("a", "call")));
    event_loop.run().unwrap();
    let kinds: Vec<_> = event_loop.shared().log[3..].iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["read", "read", "read", "call", "close:", "close:", "close:"]);
    drop(peers);
}

fn timers_end_with_their_owner(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let (ours, _peer) = UnixStream::pair().unwrap();
    let probe = Probe::new("a").on(On::Open, |cx, _| {
        cx.set_timer(Duration::from_secs(1))?;
        cx.set_interval(Duration::from_secs(1), tripoll::reactor::Missed::Burst)?;
        cx.set_idle_timeout(Some(Duration::from_secs(1)));
        Ok(())
    });
    let token = event_loop.adopt(ours, probe).unwrap();
    event_loop.enter(|scope, _| scope.abort_peer(token)).unwrap();
    hand.advance(Duration::from_secs(5));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle, "no timer is left to wait for");
    assert_eq!(event_loop.shared().log, ["a open", "a close: aborted"]);
}

fn nothing_but_the_close_is_told_after_finish(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Open, |cx, _| {
        cx.set_timer(Duration::from_secs(1))?;
        cx.set_interval(Duration::from_secs(1), tripoll::reactor::Missed::Burst)?;
        cx.want_urgent(true);
        cx.finish();
        Ok(())
    });
    probe.writes.set(true);
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"x").unwrap();
    crate::kernel::send_urgent(&peer, b'!');
    hand.advance(Duration::from_secs(3));
    turn_until_peer_ends(&mut event_loop, &peer);
    idle_turns(&mut event_loop);
    event_loop.enter(|scope, _| scope.shutdown(Duration::from_secs(60)));
    idle_turns(&mut event_loop);
    drop(peer);
    turn_until_ended(&mut event_loop, "a");
    assert_eq!(event_loop.shared().log, ["a open", "a close: closed"]);
}

fn a_listener_that_finishes_takes_in_no_one_more(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _waiting: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
    event_loop
        .adopt(
            listener,
            Probe::new("listener").on(On::Accept, |cx, _| {
                cx.finish();
                Ok(())
            }),
        )
        .unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().log, ["listener open", "listener accept", "listener close: closed"]);
}

fn who_closes_can_speak_to_others_but_not_to_his_peer(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    let (other, others_peer) = UnixStream::pair().unwrap();
    others_peer.set_nonblocking(true).unwrap();
    let neighbour = event_loop.adopt(other, Probe::new("neighbour")).unwrap();
    let probe = Probe::new("a").on(On::Close, move |cx, _| {
        let own = cx.token();
        assert!(!cx.contains(own));
        assert!(cx.send("too late").is_err() && cx.send_to(own, "too late").is_err());
        assert!(cx.recv().is_err() && cx.read(&mut [0]).is_err());
        assert!(cx.set_timer(Duration::ZERO).is_err());
        assert!(cx.shutdown_write().is_err());
        cx.finish();
        cx.abort();
        cx.fail(std::io::Error::other("too late"));
        cx.send_to(neighbour, "he is gone").map(drop).map_err(Into::into)
    });
    let token = event_loop.adopt(ours, probe).unwrap();
    event_loop.enter(|scope, _| scope.abort_peer(token)).unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &others_peer, 10), b"he is gone");
    assert_eq!(event_loop.shared().ends.len(), 1);
}

fn who_closes_may_end_all_others(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let peers: Vec<_> = ["a", "b", "c", "d"]
        .into_iter()
        .map(|name| {
            let (ours, peer) = UnixStream::pair().unwrap();
            let probe = Probe::new(name).on(On::Close, |cx, world| {
                for token in world.tokens.values() {
                    // Whoever has ended already says so.
                    let _ = cx.abort_peer(*token);
                }
                Ok(())
            });
            event_loop.adopt(ours, probe).unwrap();
            peer
        })
        .collect();
    drop(peers.into_iter().nth(2));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    let ended: BTreeSet<_> = event_loop.shared().ends.iter().map(|end| end.name).collect();
    assert_eq!((ended.len(), event_loop.shared().ends.len()), (4, 4));
}

fn sixty_four_ended_at_once_are_told_sixty_four_times(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let mut peers = Vec::new();
    let mut tokens = Vec::new();
    for _ in 0..64 {
        let (ours, peer) = UnixStream::pair().unwrap();
        tokens.push(event_loop.adopt(ours, Probe::new("one of many")).unwrap());
        peers.push(peer);
    }
    event_loop.enter(|scope, _| tokens.iter().for_each(|token| scope.abort_peer(*token).unwrap()));
    assert_eq!(event_loop.shared().ends.len(), 0, "told by the loop, not by `abort`");
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    assert_eq!(event_loop.shared().ends.len(), 64);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().ends.len(), 64);
}

fn the_handler_is_dropped_after_its_close(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    let witness = Rc::new(());
    let held = Rc::clone(&witness);
    let token = event_loop
        .adopt(
            ours,
            Probe::new("a").on(On::Close, move |_, world| {
                world.count = Rc::strong_count(&held);
                Ok(())
            }),
        )
        .unwrap();
    event_loop.enter(|scope, _| scope.abort_peer(token)).unwrap();
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    assert_eq!(event_loop.shared().count, 2, "alive in its close");
    assert_eq!(Rc::strong_count(&witness), 1, "and not after it");
}

fn closing_everything_tells_everyone(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    event_loop.adopt(listener, Probe::new("listener")).unwrap();
    let peers = ["a", "b", "c"].map(|name| {
        let (ours, peer) = UnixStream::pair().unwrap();
        let probe = Probe::new(name).on(On::Close, move |cx, _| match name {
            // One does not keep the others from theirs, and a late child does not escape.
            "a" => panic!("in its close"),
            "b" => cx.adopt(UnixStream::pair()?.0, Probe::new("late child")).map(drop),
            _ => Ok(()),
        });
        event_loop.adopt(ours, probe).unwrap();
        peer
    });
    event_loop.close_all().unwrap();
    let mut ended: Vec<_> = event_loop.shared().ends.iter().map(|end| (end.name, end.reason.to_string())).collect();
    ended.sort();
    let cut = "cut off by the shutdown".to_owned();
    assert_eq!(ended, ["a", "b", "c", "late child", "listener"].map(|name| (name, cut.clone())));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    drop(peers);
}

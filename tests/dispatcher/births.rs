//! Handlers that move in: from outside, from callbacks, from timers and posts.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::dispatcher::Outcome;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    a_token_is_valid_at_once_and_its_handler_moves_in_after_the_callback,
    handlers_move_in_in_the_order_of_their_birth,
    a_newborn_may_bear_another,
    who_was_ended_before_he_moved_in_is_told_so_and_nothing_else,
    a_handler_may_connect_from_a_callback,
    from_outside_one_handler_or_the_whole_loop_can_be_reached,
    whoever_is_not_there_cannot_be_reached,
    a_handler_can_be_adopted_by_whatever_runs_in_the_loop,
    a_client_that_fails_may_try_again_from_its_own_close,
);

fn a_token_is_valid_at_once_and_its_handler_moves_in_after_the_callback(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let (child, childs_peer) = UnixStream::pair().unwrap();
    childs_peer.set_nonblocking(true).unwrap();
    let mut child = Some(child);
    let parent = Probe::new("parent").on(On::Read, move |cx, world| {
        cx.recv()?;
        let Some(child) = child.take() else { return Ok(()) };
        let token = cx.adopt(child, Probe::new("child"))?;
        assert!(cx.contains(token) && token != cx.token());
        cx.send_to(token, "welcome")?;
        assert_eq!(cx.queued_for(token).unwrap(), 7);
        cx.ledger().set_timer(token, Duration::ZERO)?;
        assert!(!world.has("child open"), "callbacks do not nest");
        world.note("parent", "read to its end");
        Ok(())
    });
    event_loop.adopt(ours, parent).unwrap();
    peer.write_all(b"x").unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &childs_peer, 7), b"welcome");
    turn_until_logged(&mut event_loop, "child timeout");
    assert_eq!(
        event_loop.shared().log[..5],
        ["parent open", "parent read", "parent read to its end", "child open", "child timeout"]
    );
}

fn handlers_move_in_in_the_order_of_their_birth(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let peers = event_loop.enter(|scope, _| {
        ["one", "two", "three"].map(|name| {
            let (ours, peer) = UnixStream::pair().unwrap();
            scope.adopt(ours, Probe::new(name)).unwrap();
            peer
        })
    });
    assert_eq!(event_loop.shared().log, ["one open", "two open", "three open"]);
    drop(peers);
}

/// A probe that adopts another one when it moves in, and so on.
fn ancestor(generations: usize) -> Probe {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    Probe::new(NAMES[NAMES.len() - 1 - generations]).on(On::Open, move |cx, world| {
        world.count += 1;
        if generations > 0 {
            let (ours, _) = UnixStream::pair()?;
            cx.adopt(ours, ancestor(generations - 1))?;
        }
        Ok(())
    })
}

fn a_newborn_may_bear_another(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    event_loop.adopt(ours, ancestor(3)).unwrap();
    assert_eq!(event_loop.shared().log, ["a open", "b open", "c open", "d open"]);
}

fn who_was_ended_before_he_moved_in_is_told_so_and_nothing_else(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    peer.write_all(b"nobody will read this").unwrap();
    let token = event_loop.enter(|scope, _| {
        let token = scope.adopt(ours, Probe::new("a")).unwrap();
        scope.abort_peer(token).unwrap();
        token
    });
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().log, ["a close: aborted"]);
    assert!(!event_loop.enter(|scope, _| scope.contains(token)));
}

fn a_handler_may_connect_from_a_callback(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().into();
    event_loop.adopt(listener, Probe::listener("listener", || Probe::echo("server"))).unwrap();
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let parent = Probe::new("parent").on(On::Read, move |cx, _| {
        cx.recv()?;
        let token = cx.connect(&address, Probe::new("client"))?;
        // Queued until the connection is there.
        cx.send_to(token, "hello")?;
        Ok(())
    });
    event_loop.adopt(ours, parent).unwrap();
    peer.write_all(b"x").unwrap();
    turn_until(&mut event_loop, "an answer", |world| world.received("client") == b"hello");
}

fn from_outside_one_handler_or_the_whole_loop_can_be_reached(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = UnixStream::pair().unwrap();
    peer.set_nonblocking(true).unwrap();
    let token = event_loop.adopt(ours, Probe::new("a")).unwrap();
    let seen = event_loop.with(token, |handler, cx, world| {
        assert_eq!(cx.token(), token);
        handler.writes.set(true);
        world.count = 7;
        cx.send("from outside").unwrap()
    });
    assert_eq!(seen, Some(tripoll::reactor::Sent::Queued));
    assert_eq!(event_loop.enter(|_, world| world.count), 7);
    assert_eq!(turn_until_peer_has(&mut event_loop, &peer, 12), b"from outside");
    // What it wants was asked for as after any callback.
    turn_until_logged(&mut event_loop, "a write");
}

fn whoever_is_not_there_cannot_be_reached(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    let token = event_loop.adopt(ours, Probe::new("a")).unwrap();
    event_loop.enter(|scope, _| scope.abort_peer(token)).unwrap();
    assert_eq!(event_loop.with(token, |_, _, _| ()), None, "it has ended");
    event_loop.run().unwrap();
    assert_eq!(event_loop.with(token, |_, _, _| ()), None, "it is gone");
    assert_eq!(event_loop.with(tripoll::Token::NONE, |_, _, _| ()), None);
}

fn a_handler_can_be_adopted_by_whatever_runs_in_the_loop(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let remote = event_loop.remote();
    let ends = [(); 3].map(|()| UnixStream::pair().unwrap());
    let [(posted, _a), (called, _b), (repeated, _c)] = ends;
    remote.post(move |scope, _| assert!(scope.adopt(posted, Probe::new("posted")).is_ok())).unwrap();
    event_loop.enter(|scope, _| {
        scope.call_soon(move |scope, _| assert!(scope.adopt(called, Probe::new("called")).is_ok()));
        let mut repeated = Some(repeated);
        scope.every(Duration::from_millis(1), tripoll::reactor::Missed::Skip, move |scope, _| {
            if let Some(stream) = repeated.take() {
                scope.adopt(stream, Probe::new("repeated")).unwrap();
            }
        });
    });
    for name in ["posted", "called", "repeated"] {
        turn_until_logged(&mut event_loop, &format!("{name} open"));
    }
}

fn persistent(address: tripoll::reactor::Address, tries: usize) -> Probe {
    Probe::new("client").on(On::Close, move |cx, world| {
        world.count += 1;
        if tries > 1 {
            cx.connect(&address, persistent(address.clone(), tries - 1))?;
        }
        Ok(())
    })
}

fn a_client_that_fails_may_try_again_from_its_own_close(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tripoll::reactor::Address::from(nobody.local_addr().unwrap());
    drop(nobody);
    event_loop.connect(&address, persistent(address.clone(), 3)).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().count, 3);
    assert_eq!(event_loop.shared().ends.len(), 3);
}

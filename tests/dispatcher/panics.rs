//! Handlers that panic: their connection ends and says why, and nobody else notices.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;
use tripoll::dispatcher::Outcome;
use tripoll::reactor::{Missed, PanicPolicy, Reason};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    a_panic_closes_its_connection_and_no_other,
    bytes_that_were_accepted_before_a_panic_are_sent_or_reported,
    a_panic_in_the_close_is_survived,
    a_panic_in_handle_error_is_survived,
    a_panic_while_asked_what_it_wants_is_survived,
    a_panic_while_dropped_is_survived,
    calls_and_posts_may_panic,
    a_listener_that_panics_loses_the_newcomer_and_stays,
    under_propagate_the_panic_leaves_the_loop,
);

fn a_panic_closes_its_connection_and_no_other(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let (other, mut others_peer) = UnixStream::pair().unwrap();
    others_peer.set_nonblocking(true).unwrap();
    event_loop.adopt(ours, Probe::new("bad").on(On::Read, |_, _| panic!("in handle_read"))).unwrap();
    event_loop.adopt(other, Probe::echo("good")).unwrap();
    // Both in the same batch.
    peer.write_all(b"x").unwrap();
    others_peer.write_all(b"hello").unwrap();
    turn_until_ended(&mut event_loop, "bad");
    assert_eq!(turn_until_peer_has(&mut event_loop, &others_peer, 5), b"hello");
    let world = event_loop.shared();
    assert!(matches!(world.ended("bad").unwrap().reason, Reason::Panicked));
    let log: Vec<_> = world.log.iter().filter(|line| line.starts_with("bad")).collect();
    assert_eq!(log, ["bad open", "bad read", "bad close: its handler panicked"]);
    assert_eq!(event_loop.stats().panics, 1);
    others_peer.write_all(b"again").unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &others_peer, 5), b"again");
}

fn bytes_that_were_accepted_before_a_panic_are_sent_or_reported(backend: Backend, trigger: Trigger) {
    // Gathered; written at once; more than the kernel takes.
    for size in [10, 10_000, 900_000] {
        let mut event_loop = probes(backend, trigger);
        let (ours, mut peer) = UnixStream::pair().unwrap();
        peer.set_nonblocking(true).unwrap();
        let probe = Probe::new("a").on(On::Open, move |cx, _| {
            let message = vec![6; size];
            cx.send(&message)?;
            panic!("after sending")
        });
        event_loop.adopt(ours, probe).unwrap();
        turn_until_ended(&mut event_loop, "a");
        let lost = event_loop.shared().ended("a").unwrap().lost;
        let mut got = Vec::new();
        let ended = read_available(&mut peer, &mut got);
        assert!(ended, "the peer is told");
        assert_eq!(got.len() + lost, size);
        assert_eq!(event_loop.stats().bytes_lost, lost as u64);
    }
}

fn a_panic_in_the_close_is_survived(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = UnixStream::pair().unwrap();
    let (other, mut others_peer) = UnixStream::pair().unwrap();
    others_peer.set_nonblocking(true).unwrap();
    let witness = Rc::new(());
    let held = Rc::clone(&witness);
    let probe = Probe::new("bad").on(On::Close, move |_, _| {
        let _held = &held;
        panic!("in handle_close")
    });
    event_loop.adopt(ours, probe).unwrap();
    event_loop.adopt(other, Probe::echo("good")).unwrap();
    drop(peer);
    turn_until_ended(&mut event_loop, "bad");
    others_peer.write_all(b"hello").unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &others_peer, 5), b"hello");
    assert_eq!(event_loop.shared().ends.len(), 1, "told once all the same");
    assert_eq!(Rc::strong_count(&witness), 1, "the handler is dropped all the same");
    assert_eq!(event_loop.stats().panics, 1);
}

fn a_panic_in_handle_error_is_survived(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    let probe = Probe::new("a")
        .on(On::Open, |_, _| Err(std::io::Error::other("first this")))
        .on(On::Error, |_, _| panic!("then that"));
    event_loop.adopt(ours, probe).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().log, ["a open", "a error: first this", "a close: its handler panicked"]);
}

/// A probe that panics when it is asked whether it is readable, once a flag is set.
mod fussy {
    use std::cell::Cell;
    use std::rc::Rc;
    use tripoll::dispatcher::{Context, Dispatcher};
    use tripoll::reactor::Reason;

    pub(super) struct Fussy(pub(super) Rc<Cell<bool>>);

    impl Dispatcher for Fussy {
        type Shared = Vec<String>;
        type Spawn = Self;

        fn readable(&self) -> bool {
            assert!(!self.0.get(), "in readable");
            true
        }

        fn handle_close(&mut self, reason: Reason, _: &mut Context<'_, Self>, log: &mut Vec<String>) {
            self.0.set(false);
            log.push(reason.to_string());
        }
    }

    pub(super) struct Explosive;

    impl Dispatcher for Explosive {
        type Shared = ();
        type Spawn = Self;
    }

    impl Drop for Explosive {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "in drop");
        }
    }
}

fn a_panic_while_asked_what_it_wants_is_survived(backend: Backend, trigger: Trigger) {
    use tripoll::dispatcher::EventLoop;
    use tripoll::poller::AnyPoller;
    use tripoll::reactor::Reactor;
    for after_callback in [true, false] {
        let reactor = Reactor::with_settings(AnyPoller::new(backend).unwrap(), with_trigger(trigger)).unwrap();
        let mut event_loop = EventLoop::on(reactor, Vec::new());
        let fussy = Rc::new(std::cell::Cell::new(false));
        let (ours, _peer) = UnixStream::pair().unwrap();
        let token = event_loop.adopt(ours, fussy::Fussy(Rc::clone(&fussy))).unwrap();
        fussy.set(true);
        if after_callback {
            event_loop.with(token, |_, _, _| ());
        } else {
            event_loop.enter(|scope, _| scope.refresh(token));
        }
        assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
        assert_eq!(event_loop.shared(), &["its handler panicked"]);
        assert_eq!(event_loop.stats().panics, 1);
    }
}

fn a_panic_while_dropped_is_survived(backend: Backend, trigger: Trigger) {
    use tripoll::dispatcher::EventLoop;
    use tripoll::poller::AnyPoller;
    use tripoll::reactor::Reactor;
    let reactor = Reactor::with_settings(AnyPoller::new(backend).unwrap(), with_trigger(trigger)).unwrap();
    let mut event_loop = EventLoop::on(reactor, ());
    let (ours, peer) = UnixStream::pair().unwrap();
    event_loop.adopt(ours, fussy::Explosive).unwrap();
    drop(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.stats().panics, 1);
}

fn calls_and_posts_may_panic(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let remote = event_loop.remote();
    remote.post(|_, _| panic!("in a post")).unwrap();
    remote.post(|_, world| world.note("second", "post")).unwrap();
    event_loop.enter(|scope, _| {
        scope.call_soon(|_, _| panic!("in a call"));
        scope.call_soon(|_, world| world.note("second", "call"));
        let mut beats = 0;
        scope.every(Duration::from_millis(1), Missed::Skip, move |scope, world| {
            beats += 1;
            world.note("beat", &beats.to_string());
            assert!(beats != 1, "in a repeated call");
            scope.stop();
        });
    });
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    let world = event_loop.shared();
    for line in ["second post", "second call", "beat 1", "beat 2"] {
        assert!(world.has(line), "{line}: {:?}", world.log);
    }
    assert_eq!(event_loop.stats().panics, 3);
}

fn a_listener_that_panics_loses_the_newcomer_and_stays(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut accepted = 0;
    let panics_at_first = Probe::new("server").on(On::Accept, move |cx, world| {
        accepted += 1;
        let (stream, _) = world.accepted.take().expect("accept brings a stream");
        assert!(accepted > 1, "in handle_accept");
        cx.adopt(stream, Probe::echo("child"))?;
        Ok(())
    });
    event_loop.adopt(listener, panics_at_first).unwrap();
    let lost = TcpStream::connect(address).unwrap();
    lost.set_nonblocking(true).unwrap();
    turn_until_peer_ends(&mut event_loop, &lost);
    assert_eq!(event_loop.stats().panics, 1);
    let mut client = TcpStream::connect(address).unwrap();
    client.set_nonblocking(true).unwrap();
    client.write_all(b"hello").unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &client, 5), b"hello");
}

fn under_propagate_the_panic_leaves_the_loop(backend: Backend, trigger: Trigger) {
    let settings = Settings { panic_policy: PanicPolicy::Propagate, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    event_loop.adopt(ours, Probe::new("a").on(On::Read, |_, _| panic!("for the test to see"))).unwrap();
    peer.write_all(b"x").unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| event_loop.run())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"for the test to see"));
}

//! The laws of a turn: its order, its limits, and whose an error is. That callbacks never nest is watched by the probes
//! themselves, in every test; what becomes of those who end is in `burials`.

use crate::probe::*;
use crate::support::{BOUND, every_backend_and_trigger};
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;
use tripoll::dispatcher::EventLoop;
use tripoll::poller::{AnyPoller, Events, Features, Poller};
use tripoll::reactor::Reactor;
use tripoll::{Backend, Interest, Settings, Token, Trigger};

every_backend_and_trigger!(
    a_turn_tells_events_then_timers_then_closings,
    each_source_reads_once_a_turn,
    no_source_writes_more_than_its_share_in_a_turn,
    one_reading_of_the_clock_serves_a_turn,
    what_is_sent_to_one_connection_in_a_turn_takes_one_call,
    a_wish_that_is_revoked_costs_no_call,
    an_error_of_the_poller_ends_the_turn_and_is_returned,
    each_of_many_is_served_although_few_events_fit,
);

const MS: Duration = Duration::from_millis(1);

fn a_turn_tells_events_then_timers_then_closings(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let (ours, mut peer) = unix_pair();
    let (other, _others_peer) = unix_pair();
    let victim = event_loop.adopt(other, Probe::new("victim")).unwrap();
    let probe = Probe::new("a").on(On::Read, move |cx, _| {
        cx.recv()?;
        let _ = cx.abort_peer(victim);
        Ok(())
    });
    let token = event_loop.adopt(ours, probe).unwrap();
    event_loop.with(token, |_, cx, _| cx.set_timer(MS).unwrap());
    event_loop.enter(|scope, _| {
        scope.call_later(MS, |scope, world| {
            world.note("call", "runs");
            // Those that are set while others run have their turn in the next.
            scope.call_soon(|_, world| world.note("next", "turn"));
        })
    });
    hand.advance(MS);
    peer.write_all(b"x").unwrap();
    event_loop.turn(Some(BOUND)).unwrap();
    assert_eq!(
        event_loop.shared().log[2..],
        ["a read", "a timeout", "call runs", "victim close: aborted"].map(String::from)
    );
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    assert!(event_loop.shared().has("next turn"));
}

fn each_source_reads_once_a_turn(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let peers: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|name| {
            let (ours, mut peer) = unix_pair();
            peer.write_all(&[1; 100]).unwrap();
            let probe = Probe::new(name).on(On::Read, move |cx, world| {
                let mut buf = [0; 10];
                let read = cx.read(&mut buf)?;
                world.data.entry(name).or_default().extend_from_slice(&buf[..read]);
                Ok(())
            });
            event_loop.adopt(ours, probe).unwrap();
            peer
        })
        .collect();
    for turn in 1..=10 {
        event_loop.turn(Some(BOUND)).unwrap();
        for name in ["a", "b", "c"] {
            assert_eq!(event_loop.shared().received(name).len(), 10 * turn);
        }
    }
    drop(peers);
}

fn no_source_writes_more_than_its_share_in_a_turn(backend: Backend, trigger: Trigger) {
    let settings = Settings { write_bytes: 1000, queue_high: 1000, queue_low: 1000, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (ours, mut peer) = unix_pair();
    let token = event_loop.adopt(ours, Probe::new("a")).unwrap();
    event_loop.enter(|scope, _| scope.send_to(token, vec![5; 10_000])).unwrap();
    let mut got = Vec::new();
    let mut turns = 0;
    while got.len() < 10_000 {
        let before = got.len();
        event_loop.turn(Some(Duration::ZERO)).unwrap();
        read_available(&mut peer, &mut got);
        // Once before the wait, and once for the event that it brings.
        assert!(got.len() - before <= 2000, "{} bytes in a turn", got.len() - before);
        turns += 1;
    }
    assert!(turns >= 5);
}

fn one_reading_of_the_clock_serves_a_turn(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let (ours, mut peer) = unix_pair();
    let probe = Probe::new("a").on(On::Read, move |cx, world| {
        cx.recv()?;
        let now = cx.now();
        hand.advance(5 * MS);
        assert_eq!(cx.now(), now);
        world.count += 1;
        Ok(())
    });
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"x").unwrap();
    let before = event_loop.enter(|scope, _| scope.now());
    turn_until(&mut event_loop, "it is read", |world| world.count > 0);
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    assert!(event_loop.enter(|scope, _| scope.now()) >= before + 5 * MS);
    assert_eq!(event_loop.stats().panics, 0);
}

fn what_is_sent_to_one_connection_in_a_turn_takes_one_call(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (receiver, receivers_peer) = unix_pair();
    let to = event_loop.adopt(receiver, Probe::new("receiver")).unwrap();
    let peers = ["a", "b", "c"].map(|name| {
        let (ours, mut peer) = unix_pair();
        peer.write_all(b"x").unwrap();
        let probe = Probe::new(name).on(On::Read, move |cx, _| {
            if cx.recv()?.is_empty() {
                return Ok(());
            }
            for _ in 0..10 {
                cx.send_to(to, "ten bytes.")?;
                cx.send("to myself.")?;
            }
            Ok(())
        });
        event_loop.adopt(ours, probe).unwrap();
        peer
    });
    let writes = event_loop.stats().writes;
    turn_until_peer_has(&mut event_loop, &receivers_peer, 300);
    for peer in &peers {
        turn_until_peer_has(&mut event_loop, peer, 100);
    }
    assert_eq!(event_loop.stats().writes - writes, 4, "one for each of four connections");
}

fn a_wish_that_is_revoked_costs_no_call(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = unix_pair();
    let token = event_loop.adopt(ours, Probe::new("a")).unwrap();
    idle_turns(&mut event_loop);
    let turn_costs = |event_loop: &mut Loop| {
        let before = event_loop.stats().poller_calls;
        event_loop.turn(Some(Duration::ZERO)).unwrap();
        event_loop.stats().poller_calls - before
    };
    let plain = turn_costs(&mut event_loop);
    event_loop.enter(|scope, _| {
        for _ in 0..10 {
            scope.pause_peer(token).unwrap();
            scope.resume_peer(token).unwrap();
        }
    });
    assert_eq!(turn_costs(&mut event_loop), plain);
}

/// A poller whose wait fails when it is told to.
struct Failing {
    poller: AnyPoller,
    fails: Rc<std::cell::Cell<bool>>,
}

impl Poller for Failing {
    fn name(&self) -> &'static str {
        self.poller.name()
    }

    fn features(&self) -> Features {
        self.poller.features()
    }

    fn descriptor_bound(&self) -> Option<RawFd> {
        self.poller.descriptor_bound()
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.poller.add(fd, token, interest, trigger)
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.poller.modify(fd, token, interest, trigger)
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.poller.remove(fd)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        if self.fails.take() {
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        }
        self.poller.wait(events, timeout)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.poller.clear()
    }

    fn system_calls(&self) -> u64 {
        self.poller.system_calls()
    }
}

fn an_error_of_the_poller_ends_the_turn_and_is_returned(backend: Backend, trigger: Trigger) {
    let fails = Rc::new(std::cell::Cell::new(false));
    let poller = Failing { poller: AnyPoller::new(backend).unwrap(), fails: Rc::clone(&fails) };
    let reactor = Reactor::with_settings(poller, with_trigger(trigger)).unwrap();
    let mut event_loop = EventLoop::on(reactor, World::default());
    let (ours, mut peer) = unix_pair();
    event_loop.adopt(ours, Probe::new("a")).unwrap();
    peer.write_all(b"x").unwrap();
    fails.set(true);
    assert_eq!(event_loop.run().unwrap_err().raw_os_error(), Some(libc::ENOMEM));
    assert_eq!(event_loop.shared().log, ["a open"], "it is nobody's fault but the loop's");
    drop(peer);
    event_loop.run().unwrap();
    assert_eq!(event_loop.shared().received("a"), b"x");
}

fn each_of_many_is_served_although_few_events_fit(backend: Backend, trigger: Trigger) {
    let settings = Settings { events_per_turn: 1, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let peers: Vec<_> = (0..20)
        .map(|_| {
            let (ours, mut peer) = unix_pair();
            peer.write_all(b"x").unwrap();
            event_loop.adopt(ours, Probe::echo("one of many")).unwrap();
            peer
        })
        .collect();
    for peer in &peers {
        assert_eq!(turn_until_peer_has(&mut event_loop, peer, 1), b"x");
    }
}

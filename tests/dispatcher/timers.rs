//! Timers of handlers and calls of the loop.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::cell::Cell;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Outcome, Scope};
use tripoll::reactor::{Missed, TimerId};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    a_call_is_never_early,
    a_deadline_counts_from_when_it_was_set,
    calls_run_in_the_order_of_their_times,
    a_chain_of_calls_does_not_keep_the_loop_from_its_connections,
    a_timer_that_is_cancelled_in_the_same_turn_is_silent,
    a_name_that_has_fired_or_was_cancelled_names_nothing,
    a_repeated_call_may_end_itself,
    a_repeated_call_keeps_the_beat,
    a_timer_can_be_put_off,
    a_point_in_time_that_has_passed_is_now,
    a_slow_callback_is_named,
);

const MS: Duration = Duration::from_millis(1);

/// Keeps this thread busy.
fn work(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn a_call_is_never_early(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    for wait in [Duration::ZERO, Duration::from_micros(300), 3 * MS, 17 * MS] {
        let began = Instant::now();
        let turns = event_loop.stats().turns;
        event_loop.enter(|scope, _| scope.call_later(wait, move |_, _| assert!(began.elapsed() >= wait)));
        assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
        assert_eq!(event_loop.stats().panics, 0, "{wait:?}");
        assert!(event_loop.stats().turns - turns <= 3, "waited for in one piece");
    }
}

fn a_deadline_counts_from_when_it_was_set(backend: Backend, trigger: Trigger) {
    let settings = Settings { idle_timeout: Some(50 * MS), ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    // The program is busy with something else for a while.
    work(60 * MS);
    let began = Instant::now();
    event_loop.enter(|scope, _| scope.call_later(50 * MS, move |_, _| assert!(began.elapsed() >= 50 * MS, "a call")));
    let (ours, _peer) = unix_pair();
    let probe = Probe::new("a")
        .on(On::Open, |cx, _| {
            cx.set_timer(30 * MS)?;
            // And so is the handler, before it sets one that others see.
            work(20 * MS);
            let set = Instant::now();
            cx.call_later(10 * MS, move |_, _| assert!(set.elapsed() >= 10 * MS, "a call after a slow callback"));
            Ok(())
        })
        .on(On::Timeout, move |_, _| {
            assert!(began.elapsed() >= 30 * MS, "a timer");
            Ok(())
        })
        .on(On::Close, move |_, _| {
            assert!(began.elapsed() >= 50 * MS, "an idle timeout");
            Ok(())
        });
    event_loop.adopt(ours, probe).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.stats().panics, 0);
    assert!(event_loop.shared().has("a timeout") && event_loop.shared().has("a close: idle for too long"));
}

fn calls_run_in_the_order_of_their_times(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    event_loop.enter(|scope, _| {
        for (name, wait) in [("c", 30), ("a", 10), ("b1", 20), ("b2", 20), ("now", 0)] {
            scope.call_later(wait * MS, move |_, world| world.note(name, "called"));
        }
    });
    hand.advance(100 * MS);
    event_loop.run().unwrap();
    assert_eq!(event_loop.shared().log, ["now", "a", "b1", "b2", "c"].map(|name| format!("{name} called")));
}

fn call_again(scope: &mut Scope<'_, Probe>, stop: Rc<Cell<bool>>) {
    scope.call_soon(move |scope, world| {
        world.count += 1;
        if !stop.get() {
            call_again(scope, stop);
        }
    });
}

fn a_chain_of_calls_does_not_keep_the_loop_from_its_connections(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = unix_pair();
    event_loop.adopt(ours, Probe::echo("a")).unwrap();
    let stop = Rc::new(Cell::new(false));
    event_loop.enter(|scope, _| call_again(scope, Rc::clone(&stop)));
    let mut calls = 0;
    for round in 0..100 {
        peer.write_all(&[round]).unwrap();
        let turns = event_loop.stats().turns;
        assert_eq!(turn_until_peer_has(&mut event_loop, &peer, 1), [round]);
        let turns = event_loop.stats().turns - turns;
        // One link of the chain a turn, and the answer in the first or second of them.
        assert!(event_loop.shared().count - calls <= turns as usize);
        assert!(turns <= 3, "{turns} turns for an answer");
        calls = event_loop.shared().count;
    }
    assert!(calls > 0);
    stop.set(true);
    drop(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
}

fn a_timer_that_is_cancelled_in_the_same_turn_is_silent(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let ids = Rc::new(Cell::new(None::<(TimerId, TimerId)>));
    let (ours, _peer) = unix_pair();
    let seen = Rc::clone(&ids);
    // Whichever fires first cancels both; the other was due at the same instant.
    let probe = Probe::new("a").on(On::Timeout, move |cx, _| {
        let (first, second) = seen.get().expect("both are set");
        let cancelled = [cx.cancel(first), cx.cancel(second)];
        assert_eq!(cancelled.iter().filter(|cancelled| **cancelled).count(), 1, "one has fired, the other has not");
        Ok(())
    });
    let token = event_loop.adopt(ours, probe).unwrap();
    let set = event_loop.with(token, |_, cx, _| (cx.set_timer(MS).unwrap(), cx.set_timer(MS).unwrap()));
    ids.set(set);
    let call = event_loop.enter(|scope, _| {
        let victim = scope.call_later(2 * MS, |_, world| world.note("victim", "called"));
        scope.call_later(MS, move |scope, _| assert!(scope.cancel(victim) && !scope.cancel(victim)));
        victim
    });
    hand.advance(5 * MS);
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().log, ["a open", "a timeout"]);
    assert_eq!(event_loop.stats().panics, 0);
    assert!(!event_loop.enter(|scope, _| scope.cancel(call)));
}

fn a_name_that_has_fired_or_was_cancelled_names_nothing(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let witness = Rc::new(());
    let held = Rc::clone(&witness);
    let fired = event_loop.enter(|scope, _| scope.call_soon(|_, _| ()));
    event_loop.run().unwrap();
    let cancelled = event_loop.enter(|scope, _| scope.call_later(MS, move |_, _| drop(held)));
    assert!(event_loop.enter(|scope, _| scope.cancel(cancelled)));
    assert_eq!(Rc::strong_count(&witness), 1, "what it held is given back");
    event_loop.enter(|scope, _| {
        let alive = scope.call_later(MS, |_, world| world.count += 1);
        for gone in [fired, cancelled] {
            assert!(!scope.cancel(gone) && !scope.reset_timer(gone, Duration::ZERO));
            assert_eq!(scope.timer_left(gone), None);
        }
        assert_eq!(scope.timer_left(alive), Some(MS));
    });
    hand.advance(MS);
    event_loop.run().unwrap();
    assert_eq!(event_loop.shared().count, 1);
}

fn a_repeated_call_may_end_itself(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let own = Rc::new(Cell::new(None));
    let id = Rc::clone(&own);
    let set = event_loop.enter(|scope, _| {
        scope.every(MS, Missed::Burst, move |scope, world| {
            world.count += 1;
            if world.count == 4 {
                assert!(scope.cancel(id.get().expect("it is set")));
                // What is set now may get its place.
                scope.call_soon(|_, world| world.note("successor", "called"));
            }
        })
    });
    own.set(Some(set));
    hand.advance(100 * MS);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().count, 4);
    assert!(event_loop.shared().has("successor called"));
}

fn a_repeated_call_keeps_the_beat(backend: Backend, trigger: Trigger) {
    for (missed, after_the_stall) in [(Missed::Skip, 1), (Missed::Burst, 10), (Missed::Delay, 1)] {
        let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
        let late = hand.clone();
        event_loop.enter(|scope, _| {
            scope.every(100 * MS, missed, move |_, world| {
                world.count += 1;
                // Each call takes its time, which is not to add up.
                late.advance(30 * MS);
            })
        });
        for tick in 1..=100_usize {
            hand.advance(if tick == 1 || missed == Missed::Delay { 100 * MS } else { 70 * MS });
            event_loop.turn(None).unwrap();
            assert_eq!(event_loop.shared().count, tick, "{missed:?}");
        }
        // Asleep for ten periods, of which 30 ms have gone by already.
        event_loop.shared_mut().count = 0;
        hand.advance(if missed == Missed::Delay { 1000 * MS } else { 970 * MS });
        for _ in 0..after_the_stall {
            event_loop.turn(None).unwrap();
        }
        assert_eq!(event_loop.shared().count, after_the_stall, "{missed:?}");
    }
}

fn a_timer_can_be_put_off(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let (ours, _peer) = unix_pair();
    let token = event_loop.adopt(ours, Probe::new("a")).unwrap();
    let timer = event_loop.with(token, |_, cx, _| cx.set_timer(10 * MS).unwrap()).unwrap();
    for _ in 0..5 {
        hand.advance(9 * MS);
        idle_turns(&mut event_loop);
        assert!(event_loop.enter(|scope, _| scope.reset_timer(timer, 10 * MS)));
    }
    assert!(!event_loop.shared().has("a timeout"));
    hand.advance(10 * MS);
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().log, ["a open", "a timeout"]);
    assert!(!event_loop.enter(|scope, _| scope.reset_timer(timer, MS)));
}

fn a_point_in_time_that_has_passed_is_now(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    event_loop.enter(|scope, _| {
        let now = scope.now();
        scope.call_at(now + 5 * MS, |_, world| world.note("later", "called"));
        scope.call_at(now.checked_sub(MS).unwrap_or(now), |_, world| world.note("past", "called"));
    });
    event_loop.run().unwrap();
    assert_eq!(event_loop.shared().log, ["past called", "later called"]);
}

fn a_slow_callback_is_named(backend: Backend, trigger: Trigger) {
    let settings = Settings { slow_turn: 20 * MS, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (quick, mut quick_peer) = unix_pair();
    let (slow, mut slow_peer) = unix_pair();
    event_loop.adopt(quick, Probe::new("quick")).unwrap();
    let culprit = event_loop
        .adopt(
            slow,
            Probe::new("slow").on(On::Read, |cx, world| {
                keep("slow", cx, world)?;
                work(25 * MS);
                Ok(())
            }),
        )
        .unwrap();
    let round = [1];
    for total in 1..=3 {
        quick_peer.write_all(&round).unwrap();
        slow_peer.write_all(&round).unwrap();
        turn_until(&mut event_loop, "both have read", |world| {
            world.received("quick").len() == total && world.received("slow").len() == total
        });
    }
    let (token, took) = event_loop.stats().longest_callback.expect("a slow turn has callbacks timed");
    assert_eq!(token, culprit);
    assert!(took >= 25 * MS);
}

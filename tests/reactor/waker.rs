//! Ending a wait from elsewhere.

use crate::kit::{MILLISECOND, Rig, Told};
use crate::pollers::Meddler;
use crate::support::{every_backend, every_backend_and_trigger};
use crate::sys;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use tripoll::poller::Poller;
use tripoll::reactor::Waker;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    a_wake_before_the_wait_ends_it_at_once_time_after_time,
    a_wake_from_another_thread_ends_a_wait_in_progress,
    many_wakes_are_told_once,
    no_wake_is_lost_between_the_last_look_and_the_sleep,
    no_wake_is_lost_however_threads_meet,
    a_loop_sleeps_after_it_was_woken_and_when_nobody_can_wake_it_any_more,
);

mod any_trigger {
    use super::*;

    every_backend!(a_wake_costs_the_loop_no_read_of_a_source, the_bell_is_the_loops_own);
}

fn a_wake_before_the_wait_ends_it_at_once_time_after_time(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let waker = rig.reactor.waker();
    for turn in 1..=10 {
        waker.wake().unwrap();
        assert_eq!(rig.turn(None), [Told::Woken]);
        assert_eq!(rig.stats().turns, turn);
    }
    assert_eq!(rig.glance(), []);
}

fn a_wake_from_another_thread_ends_a_wait_in_progress(backend: Backend, trigger: Trigger) {
    let (begins, begun) = mpsc::channel();
    let poller = Meddler::new(backend, move |inner, events, timeout| {
        begins.send(()).unwrap();
        inner.wait(events, timeout)
    });
    let mut rig = Rig::on(poller, Settings { trigger, ..Settings::default() });
    let waker = rig.reactor.waker();
    let thread = thread::spawn(move || {
        begun.recv().unwrap();
        waker.wake().unwrap();
        begun
    });
    assert_eq!(rig.turn(None), [Told::Woken]);
    drop(thread.join().unwrap());
}

fn many_wakes_are_told_once(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    for waker in vec![rig.reactor.waker(); 100] {
        waker.wake().unwrap();
    }
    assert_eq!(rig.turn(None), [Told::Woken]);
    rig.assert_asleep();
}

/// The worst moment to be woken: the loop has found nothing to do and is about to sleep, for ever as far as it knows.
fn no_wake_is_lost_between_the_last_look_and_the_sleep(backend: Backend, trigger: Trigger) {
    let bell = Arc::new(OnceLock::<Waker>::new());
    let heard = Arc::clone(&bell);
    let poller = Meddler::new(backend, move |inner, events, timeout| {
        assert_eq!(timeout, None);
        heard.get().unwrap().wake()?;
        inner.wait(events, timeout)
    });
    let mut rig = Rig::on(poller, Settings { trigger, ..Settings::default() });
    bell.set(rig.reactor.waker()).unwrap();
    for _ in 0..100 {
        assert_eq!(rig.turn(None), [Told::Woken]);
    }
}

fn no_wake_is_lost_however_threads_meet(backend: Backend, trigger: Trigger) {
    const THREADS: u64 = 8;
    const EACH: u64 = 5000;
    let mut rig = Rig::new(backend, trigger);
    let count = Arc::new(AtomicU64::new(0));
    let start = Arc::new(Barrier::new(THREADS as usize));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (waker, count, start) = (rig.reactor.waker(), Arc::clone(&count), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                for _ in 0..EACH {
                    count.fetch_add(1, Ordering::Relaxed);
                    waker.wake().unwrap();
                }
            })
        })
        .collect();
    // Whoever counts wakes afterwards, so the loop that has heard the last wake has seen the last count.
    while count.load(Ordering::Relaxed) < THREADS * EACH {
        assert_eq!(rig.turn(None), [Told::Woken]);
    }
    for thread in threads {
        thread.join().unwrap();
    }
    rig.assert_asleep();
}

fn a_loop_sleeps_after_it_was_woken_and_when_nobody_can_wake_it_any_more(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let waker = rig.reactor.waker();
    let other = waker.clone();
    waker.wake().unwrap();
    drop((waker, other));
    assert_eq!(rig.turn(Some(100 * MILLISECOND)), [Told::Woken]);
    assert_eq!(rig.turn(Some(100 * MILLISECOND)), []);
    assert_eq!(rig.stats().turns, 2);
    rig.assert_asleep();
}

fn a_wake_costs_the_loop_no_read_of_a_source(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    rig.reactor.waker().wake().unwrap();
    rig.turn(None);
    assert_eq!((rig.stats().reads, rig.stats().stale_events), (0, 0));
}

fn the_bell_is_the_loops_own(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let waker = rig.reactor.waker();
    assert!(sys::closes_on_exec(&waker) && sys::is_nonblocking(&waker));
    assert!(rig.ledger().is_empty());
    assert_eq!(rig.ledger().tokens().count(), 0);
}

//! Closures from other threads.

use crate::run::{Loop, MILLISECOND, event_loop};
use crate::support::{BOUND, every_backend, every_backend_and_trigger};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Outcome, PostError};
use tripoll::reactor::Descriptor;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    posts_run_in_the_loops_thread_in_order_and_once,
    posts_of_many_threads_run_once_each_and_then_the_loop_sleeps,
    a_stop_from_another_thread_ends_the_run,
    a_post_from_a_post_comes_after_the_timers_of_its_turn,
    more_posts_than_a_turn_runs_need_no_further_wake,
    what_another_thread_takes_away_lets_the_run_end,
    when_the_last_remote_goes_a_last_post_is_still_run,
);

mod any_trigger {
    use super::*;

    every_backend!(too_many_posts_are_refused_and_so_are_those_to_a_loop_that_is_gone);
}

fn looped(backend: Backend, trigger: Trigger) -> Loop {
    event_loop(backend, Settings { trigger, ..Settings::default() })
}

fn posts_run_in_the_loops_thread_in_order_and_once(backend: Backend, trigger: Trigger) {
    const COUNT: usize = 5000;
    let mut event_loop = looped(backend, trigger);
    let remote = event_loop.remote();
    let here = thread::current().id();
    thread::spawn(move || {
        for number in 0..COUNT {
            let post = remote.post(move |_, log| {
                assert_eq!(thread::current().id(), here);
                log.calls.push(number);
            });
            post.unwrap();
        }
    })
    .join()
    .unwrap();
    assert_eq!(event_loop.shared().calls, [], "not before the loop runs");
    // The remote is gone, so when all is done there is nothing left to do.
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert!(event_loop.shared().calls.iter().copied().eq(0..COUNT));
    assert_eq!((event_loop.stats().posts, event_loop.stats().panics), (COUNT as u64, 0));
}

fn posts_of_many_threads_run_once_each_and_then_the_loop_sleeps(backend: Backend, trigger: Trigger) {
    const THREADS: usize = 8;
    const EACH: usize = 10_000;
    let mut event_loop = looped(backend, trigger);
    let keeper = event_loop.remote();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let remote = event_loop.remote();
            thread::spawn(move || {
                for number in 0..EACH {
                    remote.post(move |_, log| log.calls.push(thread * EACH + number)).unwrap();
                }
            })
        })
        .collect();
    while event_loop.shared().calls.len() < THREADS * EACH {
        event_loop.turn(None).unwrap();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut calls = event_loop.shared().calls.clone();
    // Those of each thread in their order.
    for thread in 0..THREADS {
        let of_thread = calls.iter().copied().filter(|call| call / EACH == thread);
        assert!(of_thread.eq(thread * EACH..(thread + 1) * EACH));
    }
    calls.sort_unstable();
    assert!(calls.into_iter().eq(0..THREADS * EACH));
    // A last wake may be left of the threads' goodbyes.
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    let events = event_loop.stats().events;
    event_loop.turn(Some(20 * MILLISECOND)).unwrap();
    assert_eq!(event_loop.stats().events, events);
    drop(keeper);
}

fn a_stop_from_another_thread_ends_the_run(backend: Backend, trigger: Trigger) {
    let mut event_loop = looped(backend, trigger);
    let remote = event_loop.remote();
    let (runs, running) = mpsc::channel();
    remote.post(move |_, _| runs.send(()).unwrap()).unwrap();
    let thread = thread::spawn(move || {
        running.recv().unwrap();
        // A wake alone ends nothing.
        remote.wake().unwrap();
        remote.stop().unwrap();
        remote
    });
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    drop(thread.join().unwrap());
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
}

fn a_post_from_a_post_comes_after_the_timers_of_its_turn(backend: Backend, trigger: Trigger) {
    let mut event_loop = looped(backend, trigger);
    let remote = event_loop.remote();
    let again = remote.clone();
    remote
        .post(move |scope, log| {
            log.calls.push(1);
            scope.call_soon(|_, log| log.calls.push(2));
            again.post(|_, log| log.calls.push(3)).unwrap();
        })
        .unwrap();
    event_loop.turn(None).unwrap();
    assert_eq!(event_loop.shared().calls, [1, 2]);
    event_loop.turn(None).unwrap();
    assert_eq!(event_loop.shared().calls, [1, 2, 3]);
}

fn more_posts_than_a_turn_runs_need_no_further_wake(backend: Backend, trigger: Trigger) {
    let mut event_loop = event_loop(backend, Settings { trigger, posts_per_turn: 1024, ..Settings::default() });
    let remote = event_loop.remote();
    for number in 0..1025 {
        remote.post(move |_, log| log.calls.push(number)).unwrap();
    }
    event_loop.turn(None).unwrap();
    assert_eq!(event_loop.shared().calls.len(), 1024);
    event_loop.turn(None).unwrap();
    assert_eq!(event_loop.shared().calls.len(), 1025);
    assert_eq!(event_loop.stats().turns, 2);
}

fn what_another_thread_takes_away_lets_the_run_end(backend: Backend, trigger: Trigger) {
    for timer in [true, false] {
        let mut event_loop = looped(backend, trigger);
        let began = Instant::now();
        let (runs, running) = mpsc::channel();
        let (_ours, theirs) = UnixStream::pair().unwrap();
        let (source, timer) = event_loop.enter(|scope, _| {
            scope.call_soon(move |_, _| runs.send(()).unwrap());
            let source = (!timer).then(|| scope.ledger().adopt(Descriptor::new(theirs)).unwrap());
            (source, timer.then(|| scope.call_later(10 * BOUND, |_, log| log.calls.push(1))))
        });
        let remote = event_loop.remote();
        let thread = thread::spawn(move || {
            running.recv().unwrap();
            let post = remote.post(move |scope, _| {
                assert!(timer.is_none_or(|timer| scope.cancel(timer)));
                source.into_iter().for_each(|source| scope.abort_peer(source).unwrap());
            });
            post.unwrap();
        });
        assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
        thread.join().unwrap();
        assert!(began.elapsed() < BOUND);
        assert_eq!(event_loop.shared().calls, []);
    }
}

fn when_the_last_remote_goes_a_last_post_is_still_run(backend: Backend, trigger: Trigger) {
    let mut event_loop = looped(backend, trigger);
    let (first, second) = (event_loop.remote(), event_loop.remote());
    drop(first);
    second.post(|_, log| log.calls.push(1)).unwrap();
    drop(second);
    event_loop.turn(None).unwrap();
    assert_eq!(event_loop.shared().calls, [1]);
    let turns = event_loop.stats().turns;
    event_loop.turn(Some(100 * MILLISECOND)).unwrap();
    assert_eq!((event_loop.stats().turns, event_loop.stats().events), (turns + 1, 1));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
}

fn too_many_posts_are_refused_and_so_are_those_to_a_loop_that_is_gone(backend: Backend) {
    let mut event_loop = event_loop(backend, Settings { posts_max: 3, ..Settings::default() });
    let remote = event_loop.remote();
    for number in 0..3 {
        remote.post(move |_, log| log.calls.push(number)).unwrap();
    }
    assert_eq!(remote.post(|_, log| log.calls.push(9)), Err(PostError::Full { max: 3 }));
    event_loop.turn(None).unwrap();
    assert_eq!(event_loop.shared().calls, [0, 1, 2]);
    remote.post(|_, log| log.calls.push(3)).unwrap();
    drop(event_loop);
    assert_eq!(remote.post(|_, _| ()), Err(PostError::Closed));
}

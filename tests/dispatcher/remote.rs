//! The loop as other threads see it: posts, wakes and stops, and what must not leave the loop's thread.

use crate::probe::*;
use crate::support::{BOUND, every_backend_and_trigger};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;
use tripoll::dispatcher::{Boxed, Context, EventLoop, Outcome, PostError, Remote, Scope};
use tripoll::reactor::SlowPolicy;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    posts_of_many_threads_run_once_each_and_in_their_order,
    nothing_runs_before_the_loop_does,
    posts_run_in_the_thread_of_the_loop,
    a_post_that_posts_does_not_keep_the_loop_in_one_turn,
    no_more_posts_run_in_a_turn_than_are_allowed,
    posts_beyond_the_limit_are_refused,
    a_loop_that_is_gone_says_so,
    a_post_that_is_dropped_with_the_loop_may_post,
    a_wake_ends_a_wait_and_many_at_once_are_one,
    a_stop_from_another_thread_ends_the_run,
    a_stop_counts_although_its_sender_has_gone,
    a_loop_waits_for_its_remotes,
    a_post_to_a_slow_receiver_does_not_make_the_loop_deaf,
);

/// Ambiguous, and so an error of the compiler, for a type that may be sent to another thread.
trait StaysHere<Marker> {
    fn assert() {}
}

struct MayLeave;

impl<T: ?Sized> StaysHere<()> for T {}
impl<T: ?Sized + Send> StaysHere<MayLeave> for T {}

#[test]
fn only_the_remote_may_be_sent_to_other_threads() {
    <EventLoop<Boxed<()>> as StaysHere<_>>::assert();
    <EventLoop<Probe> as StaysHere<_>>::assert();
    <Context<'static, Boxed<()>> as StaysHere<_>>::assert();
    <Scope<'static, Boxed<()>> as StaysHere<_>>::assert();
    fn travels<T: Clone + Send + Sync + 'static>() {}
    travels::<Remote<Boxed<()>>>();
    // Also when the handlers may not.
    travels::<Remote<Probe>>();
}

fn posts_of_many_threads_run_once_each_and_in_their_order(backend: Backend, trigger: Trigger) {
    const THREADS: usize = 8;
    const POSTS: usize = 5000;
    let mut event_loop = probes(backend, trigger);
    let remote = event_loop.remote();
    let next = Arc::new([const { AtomicUsize::new(0) }; THREADS]);
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (remote, next) = (remote.clone(), Arc::clone(&next));
            thread::spawn(move || {
                for number in 0..POSTS {
                    let next = Arc::clone(&next);
                    let post = move |_: &mut Scope<'_, Probe>, world: &mut World| {
                        assert_eq!(next[thread].fetch_add(1, Ordering::Relaxed), number);
                        world.count += 1;
                    };
                    remote.post(post).unwrap();
                }
            })
        })
        .collect();
    drop(remote);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle, "ended by the last remote");
    assert_eq!(event_loop.shared().count, THREADS * POSTS);
    assert_eq!((event_loop.stats().posts, event_loop.stats().panics), ((THREADS * POSTS) as u64, 0));
    for thread in threads {
        thread.join().unwrap();
    }
    // And it sleeps again.
    let events = event_loop.stats().events;
    event_loop.turn(Some(Duration::from_millis(20))).unwrap();
    event_loop.turn(Some(Duration::from_millis(20))).unwrap();
    assert!(event_loop.stats().events - events <= 1);
}

fn nothing_runs_before_the_loop_does(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    event_loop.remote().post(|_, world| world.count += 1).unwrap();
    assert_eq!(event_loop.shared().count, 0);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle, "a post is something to do, whoever posted it");
    assert_eq!(event_loop.shared().count, 1);
}

fn posts_run_in_the_thread_of_the_loop(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let here = thread::current().id();
    let remote = event_loop.remote();
    let poster = thread::spawn(move || remote.post(move |_, _| assert_eq!(thread::current().id(), here)));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    poster.join().unwrap().unwrap();
    assert_eq!((event_loop.stats().posts, event_loop.stats().panics), (1, 0));
}

fn post_again(remote: &Remote<Probe>, left: usize) {
    let again = remote.clone();
    remote
        .post(move |scope, world| {
            world.log.push(format!("post {left}"));
            scope.call_soon(move |_, world| world.log.push(format!("call {left}")));
            if left > 0 {
                post_again(&again, left - 1);
            }
        })
        .unwrap();
}

fn a_post_that_posts_does_not_keep_the_loop_in_one_turn(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    post_again(&event_loop.remote(), 2);
    event_loop.run().unwrap();
    assert_eq!(event_loop.shared().log, ["post 2", "call 2", "post 1", "call 1", "post 0", "call 0"]);
}

fn no_more_posts_run_in_a_turn_than_are_allowed(backend: Backend, trigger: Trigger) {
    let settings = Settings { posts_per_turn: 10, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let remote = event_loop.remote();
    for _ in 0..25 {
        remote.post(|_, world| world.count += 1).unwrap();
    }
    let mut after_each = Vec::new();
    while event_loop.shared().count < 25 {
        event_loop.turn(Some(BOUND)).unwrap();
        after_each.push(event_loop.shared().count);
    }
    assert_eq!(after_each, [10, 20, 25], "the rest needs no further wake");
}

fn posts_beyond_the_limit_are_refused(backend: Backend, trigger: Trigger) {
    let settings = Settings { posts_max: 3, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let remote = event_loop.remote();
    for _ in 0..3 {
        remote.post(|_, world| world.count += 1).unwrap();
    }
    let refused = remote.post(|_, _| panic!("refused")).unwrap_err();
    assert_eq!(refused, PostError::Full { max: 3 });
    assert!(refused.to_string().contains('3'));
    event_loop.turn(Some(BOUND)).unwrap();
    assert_eq!(event_loop.shared().count, 3);
    remote.post(|_, world| world.count += 1).unwrap();
}

fn a_loop_that_is_gone_says_so(backend: Backend, trigger: Trigger) {
    let event_loop = probes(backend, trigger);
    let remote = event_loop.remote();
    let witness = Arc::new(());
    let held = Arc::clone(&witness);
    remote.post(move |_, _| drop(held)).unwrap();
    drop(event_loop);
    assert_eq!(Arc::strong_count(&witness), 1, "what it did not run is dropped");
    assert_eq!(remote.post(|_, _| ()), Err(PostError::Closed));
    // Nobody is there to be woken or stopped, which is no reason to fail.
    remote.wake().unwrap();
    remote.clone().stop().unwrap();
}

/// Posts when it is dropped, as a guard that reports its end would.
struct Guard(Remote<Probe>, mpsc::Sender<Result<(), PostError>>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.1.send(self.0.post(|_, _| ()));
    }
}

fn a_post_that_is_dropped_with_the_loop_may_post(backend: Backend, trigger: Trigger) {
    let event_loop = probes(backend, trigger);
    let remote = event_loop.remote();
    let (sender, results) = mpsc::channel();
    let guard = Guard(remote.clone(), sender);
    remote.post(move |_, _| drop(guard)).unwrap();
    drop(event_loop);
    assert_eq!(results.recv_timeout(BOUND).unwrap(), Err(PostError::Closed));
}

fn a_wake_ends_a_wait_and_many_at_once_are_one(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let remote = event_loop.remote();
    for round in 1..=10 {
        remote.wake().unwrap();
        event_loop.turn(None).unwrap();
        assert_eq!(event_loop.stats().turns, round);
    }
    for _ in 0..1000 {
        remote.wake().unwrap();
    }
    event_loop.turn(None).unwrap();
    let events = event_loop.stats().events;
    event_loop.turn(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(event_loop.stats().events, events);

    let waker = thread::spawn(move || remote.wake());
    event_loop.turn(None).unwrap();
    waker.join().unwrap().unwrap();
}

fn a_stop_from_another_thread_ends_the_run(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    event_loop.adopt(ours, Probe::new("a")).unwrap();
    for _ in 0..3 {
        let remote = event_loop.remote();
        let stopper = thread::spawn(move || remote.stop());
        assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
        stopper.join().unwrap().unwrap();
    }
}

fn a_stop_counts_although_its_sender_has_gone(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    event_loop.remote().stop().unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle, "it counts once");
}

fn a_loop_waits_for_its_remotes(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let remote = event_loop.remote();
    let worker = thread::spawn(move || {
        let second = remote.clone();
        drop(remote);
        second.post(|_, world| world.count += 1).unwrap();
        // A post and the end of its sender at once: neither is lost.
    });
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().count, 1);
    worker.join().unwrap();
}

fn a_post_to_a_slow_receiver_does_not_make_the_loop_deaf(backend: Backend, trigger: Trigger) {
    let settings = Settings { slow_policy: SlowPolicy::PauseProducer, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let (ours, _never_reads) = UnixStream::pair().unwrap();
    let slow = event_loop.adopt(ours, Probe::new("slow")).unwrap();
    let remote = event_loop.remote();
    // A producer that cannot be paused: it is not a connection.
    remote.post(move |scope, _| assert!(scope.send_to(slow, vec![1; 900_000]).is_ok())).unwrap();
    turn_until(&mut event_loop, "it is above its high mark", |_| true);
    idle_turns(&mut event_loop);
    assert!(event_loop.stats().queued > 64 * 1024);
    let poster = thread::spawn(move || {
        for _ in 0..3 {
            remote.post(|_, world| world.count += 1).unwrap();
        }
    });
    turn_until(&mut event_loop, "the posts run", |world| world.count == 3);
    poster.join().unwrap();
}

//! The loop running: when it returns, and what it does before.

use crate::support::{BOUND, every_backend, every_backend_and_trigger};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Context, Outcome, PostError, Scope};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Missed, Reactor, Reason};
use tripoll::{Backend, Dispatcher, EventLoop, Settings, Token, Trigger};

every_backend_and_trigger!(
    a_loop_with_nothing_to_do_returns_at_once,
    stop_in_a_callback_keeps_the_rest_of_the_turn_for_the_next_run,
    calls_that_set_each_other_leave_everybody_else_their_turn,
    closing_everything_tells_each_handler_once,
    a_shutdown_tells_each_handler_once,
    a_dropped_loop_drops_its_handlers_and_says_so_to_its_remotes,
);

mod any_trigger {
    use super::*;

    every_backend!(
        a_scheduled_stop_ends_the_run_whatever_else_is_pending,
        stop_before_run_makes_it_return_without_a_turn,
        a_deferred_call_runs_once_and_a_cancelled_one_never,
    );
}

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

/// Echoes, and takes down what happens.
pub(crate) struct Echo {
    stops: bool,
    panics_at_the_end: bool,
    /// To see how many handlers live.
    _alive: Arc<()>,
}

impl Echo {
    fn new() -> Self {
        Self { stops: false, panics_at_the_end: false, _alive: Arc::default() }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) reads: Vec<Token>,
    pub(crate) ends: Vec<(Token, String)>,
    pub(crate) calls: Vec<usize>,
}

impl Dispatcher for Echo {
    type Shared = Log;
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, log: &mut Log) -> io::Result<()> {
        let data = cx.recv()?;
        // After an edge one is called until there is nothing more.
        if !data.is_empty() {
            log.reads.push(cx.token());
            cx.send(data)?;
            if self.stops {
                cx.stop();
            }
        }
        Ok(())
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Context<'_, Self>, log: &mut Log) {
        log.ends.push((cx.token(), reason.to_string()));
        assert!(!self.panics_at_the_end, "as the test wants it");
    }
}

pub(crate) type Loop = EventLoop<Echo>;

pub(crate) fn event_loop(backend: Backend, settings: Settings) -> Loop {
    EventLoop::on(Reactor::with_settings(AnyPoller::new(backend).unwrap(), settings).unwrap(), Log::default())
}

fn with_trigger(trigger: Trigger) -> Settings {
    Settings { trigger, ..Settings::default() }
}

fn adopt(event_loop: &mut Loop, handler: Echo) -> (Token, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(BOUND)).unwrap();
    (event_loop.adopt(ours, handler).unwrap(), theirs)
}

fn a_loop_with_nothing_to_do_returns_at_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = event_loop(backend, with_trigger(trigger));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.stats().turns, 0);
    event_loop.enter(|scope, _| _ = scope.call_later(MILLISECOND, |_, log| log.calls.push(1)));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().calls, [1]);
    // A source that has ended is nothing to do either.
    let (_, peer) = adopt(&mut event_loop, Echo::new());
    drop(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().ends.len(), 1);
    // One who could still ask for something keeps it running.
    let remote = event_loop.remote();
    let thread = std::thread::spawn(move || remote.post(|_, log| log.calls.push(2)).unwrap());
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    thread.join().unwrap();
    assert_eq!(event_loop.shared().calls, [1, 2]);
}

fn a_scheduled_stop_ends_the_run_whatever_else_is_pending(backend: Backend) {
    let mut event_loop = event_loop(backend, Settings::default());
    let began = Instant::now();
    event_loop.enter(|scope, _| {
        scope.call_later(24 * 3600 * Duration::from_secs(1), |_, log| log.calls.push(0));
        scope.call_later(10 * BOUND, |scope, _| scope.stop());
        scope.call_later(30 * MILLISECOND, |scope, _| scope.stop());
    });
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    assert!(began.elapsed() >= 30 * MILLISECOND && began.elapsed() < BOUND);
    assert_eq!(event_loop.shared().calls, []);
}

fn stop_in_a_callback_keeps_the_rest_of_the_turn_for_the_next_run(backend: Backend, trigger: Trigger) {
    let mut event_loop = event_loop(backend, with_trigger(trigger));
    let mut pairs = [0; 2].map(|_| adopt(&mut event_loop, Echo { stops: true, ..Echo::new() }));
    for (_, peer) in &mut pairs {
        peer.write_all(b"x").unwrap();
    }
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    assert_eq!(event_loop.shared().reads.len(), 1);
    let turns = event_loop.stats().turns;
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    let mut reads = event_loop.shared().reads.clone();
    reads.sort();
    assert_eq!(reads, pairs.each_ref().map(|(token, _)| *token));
    assert_eq!(event_loop.stats().turns, turns, "the same turn");
    // Both answers are on their way although nobody runs the loop any more.
    for (_, peer) in &mut pairs {
        peer.read_exact(&mut [0]).unwrap();
    }
}

fn stop_before_run_makes_it_return_without_a_turn(backend: Backend) {
    let mut event_loop = event_loop(backend, Settings::default());
    event_loop.enter(|scope, _| _ = scope.call_soon(|_, log| log.calls.push(1)));
    event_loop.stop();
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    assert_eq!((event_loop.stats().turns, event_loop.shared().calls.len()), (0, 0));
    // It was for one run only.
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().calls, [1]);
}

fn a_deferred_call_runs_once_and_a_cancelled_one_never(backend: Backend) {
    let mut event_loop = event_loop(backend, Settings::default());
    event_loop.enter(|scope, _| {
        scope.call_soon(|_, log| log.calls.push(1));
        let cancelled = scope.call_soon(|_, log| log.calls.push(2));
        assert!(scope.cancel(cancelled));
        assert!(!scope.cancel(cancelled));
    });
    assert_eq!(event_loop.shared().calls, [], "not from within");
    event_loop.turn(None).unwrap();
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    assert_eq!(event_loop.shared().calls, [1]);
}

fn chain(scope: &mut Scope<'_, Echo>, log: &mut Log) {
    log.calls.push(0);
    scope.call_soon(chain);
}

fn calls_that_set_each_other_leave_everybody_else_their_turn(backend: Backend, trigger: Trigger) {
    let mut event_loop = event_loop(backend, with_trigger(trigger));
    let (token, mut peer) = adopt(&mut event_loop, Echo::new());
    let ticks = event_loop.enter(|scope, _| {
        scope.call_soon(chain);
        scope.every(Duration::from_nanos(1), Missed::Skip, |_, log| log.calls.push(1))
    });
    event_loop.turn(None).unwrap();
    for round in 1..=100 {
        event_loop.shared_mut().calls.clear();
        peer.write_all(b"x").unwrap();
        // Never asleep, since something is due at all times, and never held up by it either.
        event_loop.turn(None).unwrap();
        peer.read_exact(&mut [0]).unwrap();
        assert_eq!(event_loop.shared().reads.len(), round);
        let mut calls = event_loop.shared().calls.clone();
        calls.sort_unstable();
        assert_eq!(calls, [0, 1]);
    }
    assert!(event_loop.enter(|scope, _| scope.cancel(ticks) && scope.contains(token)));
}

/// A few handlers, one of which fails at its end.
fn crowd(event_loop: &mut Loop) -> Vec<(Token, UnixStream)> {
    let mut crowd: Vec<_> = (0..10).map(|_| adopt(event_loop, Echo::new())).collect();
    crowd.insert(5, adopt(event_loop, Echo { panics_at_the_end: true, ..Echo::new() }));
    crowd
}

fn assert_told_once(event_loop: &Loop, crowd: &[(Token, UnixStream)]) {
    let told: BTreeSet<_> = event_loop.shared().ends.iter().map(|(token, _)| *token).collect();
    assert_eq!(told, crowd.iter().map(|(token, _)| *token).collect());
    assert_eq!(event_loop.shared().ends.len(), crowd.len());
    assert_eq!(event_loop.stats().panics, 1);
}

fn closing_everything_tells_each_handler_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = event_loop(backend, with_trigger(trigger));
    let crowd = crowd(&mut event_loop);
    event_loop.close_all().unwrap();
    assert_told_once(&event_loop, &crowd);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    for (_, mut peer) in crowd {
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    }
}

fn a_shutdown_tells_each_handler_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = event_loop(backend, with_trigger(trigger));
    let mut crowd = crowd(&mut event_loop);
    // Some answer, the others have to be cut.
    let peers: Vec<_> = crowd.iter_mut().map(|(_, peer)| peer.try_clone().unwrap()).collect();
    drop(crowd.iter().take(3).map(|(_, peer)| peer.shutdown(std::net::Shutdown::Both)).collect::<Vec<_>>());
    event_loop.enter(|scope, _| scope.shutdown(50 * MILLISECOND));
    let Outcome::Shutdown(report) = event_loop.run().unwrap() else { panic!("no shutdown") };
    assert_eq!((report.drained, report.cut, report.bytes_lost), (3, 8, 0));
    assert!(report.took >= 50 * MILLISECOND);
    assert_told_once(&event_loop, &crowd);
    drop(peers);
}

fn a_dropped_loop_drops_its_handlers_and_says_so_to_its_remotes(backend: Backend, trigger: Trigger) {
    let mut event_loop = event_loop(backend, with_trigger(trigger));
    let alive = Arc::new(());
    let mut peers: Vec<_> =
        (0..5).map(|_| adopt(&mut event_loop, Echo { _alive: Arc::clone(&alive), ..Echo::new() }).1).collect();
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    let remote = event_loop.remote();
    let witness = Arc::clone(&alive);
    remote.post(move |_, _| drop(witness)).unwrap();
    event_loop.enter(|scope, _| _ = scope.call_later(BOUND, |_, _| ()));
    peers[0].write_all(b"never read").unwrap();
    drop(event_loop);
    // No callback was run, and nothing is left of anything.
    assert_eq!(Arc::strong_count(&alive), 1);
    assert_eq!(remote.post(|_, _| ()), Err(PostError::Closed));
    remote.wake().unwrap();
    assert_eq!(peers[1].read(&mut [0]).unwrap(), 0);
}

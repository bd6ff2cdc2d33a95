//! How long a wait lasts.

use crate::kit::{Bench, READ, WRITE, every_backend_with_oneshot, pair, tcp_pair, v4};
use crate::raw;
use crate::support::{BOUND, every_backend};
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tripoll::poller::{Features, Poller, Readiness};
use tripoll::{Backend, Trigger};

fn timed(bench: &mut Bench, timeout: Option<Duration>) -> Duration {
    let start = Instant::now();
    bench.wait(timeout);
    start.elapsed()
}

/// Promise 4. `P-zero-timeout`, its first half: nothing registered, or nothing ready.
fn a_zero_wait_does_not_block(backend: Backend) {
    let mut bench = Bench::level(backend);
    for _ in 0..10 {
        bench.silent();
    }
    let (ours, _theirs) = pair();
    bench.add(&ours, 1, READ);
    for _ in 0..10 {
        bench.silent();
    }
}

/// Promise 4. `P-zero-timeout`, its second half: it asks the kernel all the same.
fn a_zero_wait_reports_what_is_ready(backend: Backend) {
    let mut bench = Bench::level(backend);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = v4(listener.local_addr());
    let clients: Vec<_> = (0..3).map(|_| raw::connecting(address)).collect();
    for (name, client) in clients.iter().enumerate() {
        raw::settle(client, raw::OUT);
        bench.add(client, name as u32, WRITE);
    }
    assert_eq!(bench.names(), [0, 1, 2]);
}

/// Promise 4: not shorter, fractions included.
fn a_wait_lasts_as_long_as_it_is_told(backend: Backend) {
    let mut bench = Bench::level(backend);
    let (ours, _theirs) = pair();
    for nanoseconds in [0, 1, 300_000, 999_999, 1_000_000, 1_000_001, 2_500_000, 30_000_000] {
        let asked = Duration::from_nanos(nanoseconds);
        let waited = timed(&mut bench, Some(asked));
        assert!(waited >= asked, "waited {waited:?} instead of {asked:?}");
        bench.silent();
        // Once with nothing registered, and from then on with something that stays idle.
        if nanoseconds == 1 {
            bench.add(&ours, 1, READ);
        }
    }
}

/// Promise 4: a deadline less than a millisecond away is one wait away, and not thousands of zero waits.
fn one_wait_reaches_a_deadline(backend: Backend) {
    let mut bench = Bench::level(backend);
    let (ours, _theirs) = pair();
    bench.add(&ours, 1, READ);
    let deadline = Instant::now() + Duration::from_micros(300);
    bench.wait(Some(deadline.saturating_duration_since(Instant::now())));
    assert!(Instant::now() >= deadline);
}

/// Promise 4, and the feature that says how finely waits are timed.
fn fractions_are_waited_for_or_rounded_up_as_the_features_say(backend: Backend) {
    let mut bench = Bench::level(backend);
    let fine = bench.poller.features().contains(Features::NANOSECONDS);
    assert_eq!(fine, backend != Backend::Mio);
    let (asked, coarse) = (Duration::from_micros(50), Duration::from_millis(1));
    if fine {
        // A busy machine may be late many times, but not always.
        let start = Instant::now();
        while timed(&mut bench, Some(asked)) >= coarse {
            assert!(start.elapsed() < BOUND, "no wait of {asked:?} ever ended within {coarse:?}");
        }
    } else {
        // The clock of the kernel's timers ticks in whole milliseconds here, from the moment of the call.
        for _ in 0..10 {
            assert!(timed(&mut bench, Some(asked)) >= coarse, "it was not rounded up");
        }
    }
}

/// Waits with `timeout` while another thread holds back the one event; answers whether it was waited for.
fn waits_for_the_event(backend: Backend, timeout: Option<Duration>) {
    let mut bench = Bench::level(backend);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, READ);
    let pause = Duration::from_millis(100);
    let (go, gone) = mpsc::channel();
    let writer = thread::spawn(move || {
        gone.recv().unwrap();
        // The pause is what is tried, not what the outcome hangs on: the wait must outlast it, whatever it comes to.
        thread::sleep(pause);
        theirs.write_all(b"x").unwrap();
        theirs
    });
    let start = Instant::now();
    go.send(()).unwrap();
    bench.wait(timeout);
    assert_eq!(bench.seen(), [(1, Readiness::READABLE)], "{timeout:?}");
    assert!(start.elapsed() >= pause);
    writer.join().unwrap();
}

/// Promise 4. `P-infinite-blocks`.
fn without_a_timeout_a_wait_lasts_until_there_is_something_to_report(backend: Backend) {
    waits_for_the_event(backend, None);
}

/// Promise 4: 24.9 days are the first that do not fit into 32 bits of milliseconds, and the last ones into no clock.
fn a_huge_timeout_neither_wraps_nor_panics(backend: Backend) {
    let day = Duration::from_secs(86_400);
    for timeout in [25 * day, 50 * day, Duration::from_millis(u64::MAX), Duration::MAX] {
        waits_for_the_event(backend, Some(timeout));
    }
}

/// Promise 4: what is ready ends the wait, which would otherwise run into the bound of the test.
fn a_wait_ends_when_there_is_something_to_report(backend: Backend) {
    let mut bench = Bench::level(backend);
    let (ours, mut theirs) = tcp_pair();
    bench.add(&ours, 1, READ);
    theirs.write_all(b"x").unwrap();
    assert!(timed(&mut bench, Some(10 * BOUND)) < BOUND);
    assert_eq!(bench.seen(), [(1, Readiness::READABLE)]);
}

every_backend!(
    a_zero_wait_does_not_block,
    a_zero_wait_reports_what_is_ready,
    a_wait_lasts_as_long_as_it_is_told,
    one_wait_reaches_a_deadline,
    fractions_are_waited_for_or_rounded_up_as_the_features_say,
    without_a_timeout_a_wait_lasts_until_there_is_something_to_report,
    a_huge_timeout_neither_wraps_nor_panics,
    a_wait_ends_when_there_is_something_to_report,
);

mod oneshot_only {
    use super::*;
    use std::fs::File;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Promises 4 and 8: where one-shots are made by the backend's own table, the kernel may have news for a deaf one.
    fn what_a_deaf_oneshot_would_hear_does_not_cut_a_wait_short(backend: Backend, trigger: Trigger) {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        bench.add(&ours, 1, READ);
        theirs.write_all(b"x").unwrap();
        assert_eq!(bench.names(), [1]);
        theirs.write_all(b"y").unwrap();
        drop(theirs);
        let asked = Duration::from_millis(20);
        let waited = timed(&mut bench, Some(asked));
        assert_eq!(bench.seen(), []);
        assert!(waited >= asked, "waited {waited:?} instead of {asked:?}");
    }

    /// Promise 4: nor does it make a wait longer, however much of it there is.
    fn what_a_deaf_oneshot_would_hear_does_not_prolong_a_wait(backend: Backend, trigger: Trigger) {
        let mut bench = Bench::new(backend, trigger);
        let counter = File::from(raw::eventfd(1));
        bench.add(&counter, 1, READ);
        assert_eq!(bench.names(), [1]);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            // Each addition to a counter is an arrival, and there is room for more of them than anybody can make.
            scope.spawn(|| {
                let start = Instant::now();
                while !over.load(Ordering::Relaxed) && start.elapsed() < 2 * BOUND {
                    (&counter).write_all(&1_u64.to_ne_bytes()).unwrap();
                }
            });
            let waited = timed(&mut bench, Some(Duration::from_millis(50)));
            over.store(true, Ordering::Relaxed);
            assert_eq!(bench.seen(), []);
            assert!(waited < BOUND, "it took {waited:?}");
        });
    }

    every_backend_with_oneshot!(
        what_a_deaf_oneshot_would_hear_does_not_cut_a_wait_short,
        what_a_deaf_oneshot_would_hear_does_not_prolong_a_wait,
    );
}

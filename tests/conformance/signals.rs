//! Signals with a handler, while a thread waits.
//!
//! Decided here, where loops differ (`P-signal-during-wait`): the wait is not resumed inside the poller. It ends early,
//! without events and without an error, and whoever called it knows how much of the time is left.

use crate::kit::{Bench, READ, pair};
use crate::raw;
use crate::support::{BOUND, every_backend, every_backend_and_trigger};
use std::io::Write;
use std::time::{Duration, Instant};
use tripoll::poller::Readiness;
use tripoll::{Backend, Trigger};

/// Promise 4: with no timeout at all, nothing but the signal can end the wait.
fn a_signal_ends_a_wait_early_without_events_and_without_an_error(backend: Backend) {
    for timeout in [None, Some(10 * BOUND)] {
        raw::under_signals(move || {
            let mut bench = Bench::level(backend);
            let (ours, _theirs) = pair();
            bench.add(&ours, 1, READ);
            let start = Instant::now();
            bench.wait(timeout);
            assert_eq!(bench.seen(), []);
            assert!(start.elapsed() < BOUND);
        });
    }
}

/// Promise 4, seen from a loop that waits for the rest: a rain of signals makes its deadline no later and no earlier.
fn a_deadline_is_kept_under_a_rain_of_signals(backend: Backend) {
    raw::under_signals(move || {
        let mut bench = Bench::level(backend);
        let deadline = Instant::now() + Duration::from_millis(100);
        let mut left = deadline.saturating_duration_since(Instant::now());
        while !left.is_zero() {
            bench.wait(Some(left));
            assert_eq!(bench.seen(), []);
            left = deadline.saturating_duration_since(Instant::now());
        }
        assert!(deadline.elapsed() < BOUND);
    });
}

every_backend!(
    a_signal_ends_a_wait_early_without_events_and_without_an_error,
    a_deadline_is_kept_under_a_rain_of_signals,
);

mod with_data {
    use super::*;

    /// Promises 4 and 8: an interrupted wait has used up neither an edge nor a one-shot.
    fn signals_do_not_lose_and_do_not_double_what_is_to_be_reported(backend: Backend, trigger: Trigger) {
        raw::under_signals(move || {
            let mut bench = Bench::new(backend, trigger);
            for name in 0..100 {
                let (ours, mut theirs) = pair();
                bench.add(&ours, name, READ);
                bench.wait(Some(Duration::from_micros(10)));
                assert_eq!(bench.seen(), []);
                theirs.write_all(b"x").unwrap();
                assert_eq!(bench.next(), [(name, Readiness::READABLE)]);
                bench.wait(Some(Duration::ZERO));
                if trigger != Trigger::Level {
                    assert_eq!(bench.seen(), []);
                }
                bench.remove(&ours);
            }
        });
    }

    every_backend_and_trigger!(signals_do_not_lose_and_do_not_double_what_is_to_be_reported);
}

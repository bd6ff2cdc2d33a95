//! What each backend shows of each state, and that they agree.

use crate::kit::{Bench, READ, WRITE};
use crate::raw::{self, ERR, HUP, OUT};
use crate::states::{self, State};
use crate::support::{bounded, every_backend_and_trigger};
use std::fmt::Write;
use tripoll::poller::Readiness;
use tripoll::{Backend, Interest, Trigger};

/// What one wait shows of a state.
fn shown(state: &State, backend: Backend, trigger: Trigger, interest: Interest) -> Readiness {
    raw::settle_as(state.name, &state.watched, state.bits);
    let mut bench = Bench::new(backend, trigger);
    bench.add(&state.watched, 1, interest);
    match bench.now()[..] {
        [] => Readiness::NONE,
        [(1, readiness)] => readiness,
        ref other => panic!("{}: {other:?}", state.name),
    }
}

/// Promise 6, and the table in the documentation of `Readiness`.
fn every_state_shows_as_the_table_says(backend: Backend, trigger: Trigger) {
    let mut complaints = String::new();
    for state in states::all() {
        let expected = if backend == Backend::Select { state.select } else { state.others };
        let shown = shown(&state, backend, trigger, READ | WRITE | Interest::PRIORITY);
        if shown != expected {
            writeln!(complaints, "{}: {shown:?} instead of {expected:?}", state.name).unwrap();
        }
    }
    assert!(complaints.is_empty(), "{backend} under {trigger}:\n{complaints}");
}

every_backend_and_trigger!(every_state_shows_as_the_table_says);

/// Of what was asked for, readable and writable.
fn folded(readiness: Readiness, interest: Interest) -> (bool, bool) {
    let asked = |want, flag| interest.contains(want) && readiness.contains(flag);
    (asked(READ, Readiness::READABLE), asked(WRITE, Readiness::WRITABLE))
}

/// Promise 6: one who looks at readable and writable alone sees the same on every backend. The exception is what select
/// lacks the words for (`Features::CLOSE_KINDS`): a hang-up without room to write shows in its set for reading only.
#[test]
fn the_backends_agree_on_readable_and_writable() {
    bounded("agreement", || {
        for state in states::all() {
            let untold = state.bits & (HUP | OUT | ERR) == HUP;
            for interest in [READ, WRITE, READ | WRITE] {
                let told = |backend| folded(shown(&state, backend, Trigger::Level, interest), interest);
                let expected = told(Backend::Epoll);
                for backend in [Backend::Poll, Backend::Mio] {
                    assert_eq!(told(backend), expected, "{}, {interest:?}, {backend}", state.name);
                }
                let (readable, writable) = expected;
                assert_eq!(told(Backend::Select), (readable, writable && !untold), "{}, {interest:?}", state.name);
            }
        }
    });
}

/// Promise 6, for those who asked for one thing only: hang-up and errors come all the same. Select has no word for
/// them, so there they show if reading or writing was asked for, and nothing shows if urgent data was all.
fn hang_up_and_errors_are_reported_with_any_interest(backend: Backend, trigger: Trigger) {
    let ends = states::all().into_iter().filter(|state| state.bits & (HUP | ERR) != 0);
    for state in ends {
        for interest in [READ, WRITE, Interest::PRIORITY] {
            let untold = match interest {
                READ => false,
                WRITE => state.bits & (OUT | ERR) == 0,
                _ => true,
            };
            let shown = shown(&state, backend, trigger, interest);
            if backend == Backend::Select && untold {
                assert_eq!(shown, Readiness::NONE, "{}, {interest:?}", state.name);
                continue;
            }
            assert!(
                shown.intersects(Readiness::READABLE | Readiness::WRITABLE),
                "{}, {interest:?}: {shown:?}",
                state.name
            );
        }
    }
}

mod ends {
    use super::*;
    every_backend_and_trigger!(hang_up_and_errors_are_reported_with_any_interest);
}

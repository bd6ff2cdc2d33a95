//! What the test suites share: the product of backends and triggers, and bounds on everything that waits.

#![allow(dead_code, unused_macros, reason = "each suite uses its part")]

use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long anything may wait that is expected to happen. A machine that needs longer is not slow but stuck.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// Makes of each case, a `fn(Backend, Trigger)` of the calling module, a test of its own for every backend and every
/// trigger that the backend has: `epoll::edge::fires_once`. The pairs that are missing here are the ones that the
/// suite `conformance` shows to be refused.
macro_rules! every_backend_and_trigger {
    ($($case:ident),+ $(,)?) => {
        $crate::support::pairs! { [$($case)+] select Select level Level oneshot Oneshot }
        $crate::support::pairs! { [$($case)+] poll Poll level Level oneshot Oneshot }
        $crate::support::pairs! { [$($case)+] epoll Epoll level Level edge Edge oneshot Oneshot }
        $crate::support::pairs! { [$($case)+] mio Mio level Level edge Edge oneshot Oneshot }
    };
}

/// The tests of one backend.
macro_rules! pairs {
    ($cases:tt $backend:ident $Backend:ident $($trigger:ident $Trigger:ident)+) => {
        mod $backend {
            $($crate::support::pair! { $cases $Backend $trigger $Trigger })+
        }
    };
}

/// The tests of one backend with one trigger.
macro_rules! pair {
    ([$($case:ident)+] $Backend:ident $trigger:ident $Trigger:ident) => {
        mod $trigger {
            $(
                #[test]
                fn $case() {
                    $crate::support::bounded(concat!(stringify!($case), " did not end"), || {
                        super::super::$case(tripoll::Backend::$Backend, tripoll::Trigger::$Trigger);
                    });
                }
            )+
        }
    };
}

/// Makes of each case, a `fn(Backend)` of the calling module, a test of its own for every backend: `epoll::fires_once`.
macro_rules! every_backend {
    ($($case:ident),+ $(,)?) => {
        $crate::support::backends! { [$($case)+] select Select }
        $crate::support::backends! { [$($case)+] poll Poll }
        $crate::support::backends! { [$($case)+] epoll Epoll }
        $crate::support::backends! { [$($case)+] mio Mio }
    };
}

/// The tests of one backend, whatever the trigger.
macro_rules! backends {
    ([$($case:ident)+] $backend:ident $Backend:ident) => {
        mod $backend {
            $(
                #[test]
                fn $case() {
                    $crate::support::bounded(concat!(stringify!($case), " did not end"), || {
                        super::$case(tripoll::Backend::$Backend);
                    });
                }
            )+
        }
    };
}

#[allow(unused_imports, reason = "each suite uses its part")]
pub(crate) use {backends, every_backend, every_backend_and_trigger, pair, pairs};

/// Runs a test on its own thread and ends the process if it does not end in time: a test that waits for ever would
/// otherwise hold up all the others and say nothing.
pub(crate) fn bounded(complaint: &str, test: impl FnOnce()) {
    let (done, waiting) = mpsc::channel::<()>();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let complaint = complaint.to_owned();
    let watch = thread::spawn(move || {
        if waiting.recv_timeout(4 * BOUND) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{name}: {complaint} within {:?}", 4 * BOUND);
            process::abort();
        }
    });
    test();
    drop(done);
    watch.join().expect("the watch does not panic");
}

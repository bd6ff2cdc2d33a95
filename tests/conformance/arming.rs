//! Registering and modifying look at what is true already.

use crate::kit::{Bench, READ, WRITE, every_backend_with_edge, pair};
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::os::fd::AsFd;
use tripoll::poller::{Poller, Readiness};
use tripoll::{Backend, Token, Trigger};

/// Promise 7: no race between the arrival and the registration.
fn what_is_ready_when_it_is_registered_is_reported(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    bench.add(&ours, 1, READ);
    assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
    bench.repeated_only_under_level(1);

    let (ours, theirs) = pair();
    drop(theirs);
    bench.add(&ours, 2, READ);
    assert!(bench.next().iter().any(|(name, readiness)| *name == 2 && readiness.contains(Readiness::READABLE)));
}

/// Promise 7. `P-edge-modify-rereports`, and the same for the other triggers: `modify` with nothing new is the way to
/// ask again.
fn modifying_asks_again(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, READ | WRITE);
    assert_eq!(bench.now(), [(1, Readiness::WRITABLE)]);
    for _ in 0..3 {
        bench.repeated_only_under_level(1);
        bench.modify(&ours, 1, READ | WRITE);
        assert_eq!(bench.now(), [(1, Readiness::WRITABLE)]);
    }
    theirs.write_all(b"x").unwrap();
    for _ in 0..3 {
        bench.modify(&ours, 1, READ);
        assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
    }
}

/// Promise 7. `P-modify`: nothing of the old registration is left, neither its token nor its interest.
fn modifying_replaces_token_and_interest_together(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    bench.add(&ours, 1, READ);
    bench.modify(&ours, 1, READ);
    bench.modify(&ours, 2, WRITE);
    assert_eq!(bench.now(), [(2, Readiness::WRITABLE)]);
    theirs.write_all(b"y").unwrap();
    bench.modify(&ours, 3, WRITE);
    assert_eq!(bench.now(), [(3, Readiness::WRITABLE)]);
    bench.modify(&ours, 4, READ);
    assert_eq!(bench.now(), [(4, Readiness::READABLE)]);
}

/// Promise 7: an event that is due is reported with the token of now.
fn a_pending_event_comes_with_the_new_token(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, READ);
    theirs.write_all(b"x").unwrap();
    bench.modify(&ours, 2, READ);
    assert_eq!(bench.now(), [(2, Readiness::READABLE)]);
}

/// Promises 7 and 8. The second half of `P-level-repeats`: from each trigger to each that the backend has.
fn modifying_replaces_the_trigger(backend: Backend, trigger: Trigger) {
    let edge = !matches!(backend, Backend::Select | Backend::Poll);
    for from in Trigger::ALL.into_iter().filter(|from| edge || *from != Trigger::Edge) {
        let mut bench = Bench::new(backend, from);
        let (ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        bench.add(&ours, 1, READ);
        for reported_before in [false, true] {
            bench.trigger = from;
            bench.modify(&ours, 1, READ);
            if reported_before {
                assert_eq!(bench.names(), [1]);
            }
            bench.trigger = trigger;
            bench.modify(&ours, 2, READ);
            assert_eq!(bench.names(), [2], "from {from} to {trigger}");
            bench.repeated_only_under_level(2);
            theirs.write_all(b"y").unwrap();
            match trigger {
                Trigger::Oneshot => bench.silent(),
                _ => assert_eq!(bench.names(), [2]),
            }
            bench.repeated_only_under_level(2);
        }
    }
}

every_backend_and_trigger!(
    what_is_ready_when_it_is_registered_is_reported,
    modifying_asks_again,
    modifying_replaces_token_and_interest_together,
    a_pending_event_comes_with_the_new_token,
    modifying_replaces_the_trigger,
);

mod edge_only {
    use super::*;

    /// Promises 7 and 8. `P-edge-survives-narrowing`.
    fn dropping_one_interest_leaves_the_other_on_edge(backend: Backend, trigger: Trigger) {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        bench.add(&ours, 1, READ | WRITE);
        assert_eq!(bench.now(), [(1, Readiness::READABLE | Readiness::WRITABLE)]);
        bench.poller.modify(ours.as_fd(), Token::new(1, 0), WRITE, trigger).unwrap();
        assert_eq!(bench.now(), [(1, Readiness::WRITABLE)]);
        bench.silent();
        theirs.write_all(b"y").unwrap();
        bench.silent();
        drop(theirs);
        assert!(bench.next_of(1).contains(Readiness::WRITABLE));
        bench.silent();
    }

    every_backend_with_edge!(dropping_one_interest_leaves_the_other_on_edge);
}

//! No interest, no events: a parked registration is deaf and keeps its place.

use crate::kit::{Bench, READ, WRITE, pair};
use crate::raw;
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::time::{Duration, Instant};
use tripoll::{Backend, Interest, Trigger};

/// Promise 3, with each of the things that epoll and poll report without being asked: data, hang-up, error.
fn a_parked_registration_hears_neither_data_nor_hang_up_nor_errors(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (reading, mut writer) = pair();
    let (hung_up, peer) = pair();
    let (reader, broken) = raw::pipe();
    bench.add(&reading, 1, Interest::NONE);
    bench.add(&hung_up, 2, Interest::NONE);
    bench.add(&broken, 3, Interest::NONE);
    writer.write_all(b"x").unwrap();
    drop((peer, reader));
    raw::settle(&hung_up, raw::IN | raw::OUT | raw::HUP | raw::RDHUP);
    raw::settle(&broken, raw::OUT | raw::ERR);
    bench.silent();

    let start = Instant::now();
    bench.wait(Some(Duration::from_millis(20)));
    assert!(start.elapsed() >= Duration::from_millis(20), "what is parked cut the wait short");
    assert_eq!(bench.seen(), []);
}

/// Promises 3 and 7: what happened while it was parked is true when it is no longer.
fn a_registration_that_is_unparked_reports_what_happened_meanwhile(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, Interest::NONE);
    theirs.write_all(b"x").unwrap();
    bench.silent();
    bench.modify(&ours, 2, READ);
    assert_eq!(bench.names(), [2]);
    bench.repeated_only_under_level(2);

    bench.modify(&ours, 3, Interest::NONE);
    drop(theirs);
    bench.silent();
    bench.modify(&ours, 4, Interest::NONE);
    bench.silent();
    bench.modify(&ours, 5, WRITE);
    assert_eq!(bench.next().iter().map(|(name, _)| *name).collect::<Vec<_>>(), [5]);
}

/// Promise 3 for what is parked between its arrival and the wait: the pending report is dropped.
fn parking_drops_what_is_pending(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, READ);
    theirs.write_all(b"x").unwrap();
    bench.modify(&ours, 1, Interest::NONE);
    bench.silent();
    bench.remove(&ours);
}

every_backend_and_trigger!(
    a_parked_registration_hears_neither_data_nor_hang_up_nor_errors,
    a_registration_that_is_unparked_reports_what_happened_meanwhile,
    parking_drops_what_is_pending,
);

//! What fits into the list of events, and what happens to the rest.

use crate::kit::{Bench, READ, WRITE, alone, pair};
use crate::support::{every_backend, every_backend_and_trigger};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use tripoll::poller::{Event, Events, Poller, Readiness, Refusal};
use tripoll::reactor::limits;
use tripoll::{Backend, Token, Trigger};

/// Promise 5. `P-events-buffer-reuse`, decided: cleared, not appended to.
fn a_wait_clears_the_list_first(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let stale = Event::new(Token::new(9, 9), Readiness::READABLE);
    bench.events.push(stale);
    bench.silent();
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    bench.add(&ours, 1, READ);
    for _ in 0..4 {
        bench.events.push(stale);
        bench.modify(&ours, 1, READ);
        assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
        assert_eq!((bench.events.len(), bench.events.is_empty()), (1, false));
    }
}

/// Promise 5. `P-read-write-same-wait`, decided: in one event.
fn readable_and_writable_come_in_one_event(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    bench.add(&ours, 1, READ | WRITE);
    assert_eq!(bench.now(), [(1, Readiness::READABLE | Readiness::WRITABLE)]);
}

/// `P-basic`: a reader with nothing to read is not reported beside a writer with room.
fn only_what_is_ready_is_reported(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (reader, mut writer) = pair();
    bench.add(&reader, 1, READ);
    bench.add(&writer, 2, WRITE);
    assert_eq!(bench.now(), [(2, Readiness::WRITABLE)]);
    bench.remove(&writer);
    writer.write_all(b"x").unwrap();
    assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
}

/// Promise 5: with less room than there are ready descriptors, nobody is served twice before all are served once.
fn what_does_not_fit_comes_with_the_next_waits(backend: Backend, trigger: Trigger) {
    for (capacity, waits) in [(1, 60), (7, 9), (59, 2), (60, 1)] {
        let mut bench = Bench::new(backend, trigger);
        bench.events = Events::with_capacity(capacity);
        let pairs: Vec<(UnixStream, UnixStream)> = (0..60).map(|_| pair()).collect();
        for (name, (ours, theirs)) in (0..).zip(&pairs) {
            (&*theirs).write_all(b"x").unwrap();
            bench.add(ours, name, READ);
        }
        let mut served: BTreeMap<u32, usize> = BTreeMap::new();
        for _ in 0..waits {
            assert!(bench.now().len() <= capacity);
            for (name, _) in bench.seen() {
                *served.entry(name).or_default() += 1;
            }
        }
        assert_eq!(served.len(), 60, "passed over within {waits} waits of {capacity}");
        if trigger != Trigger::Level {
            assert!(served.values().all(|times| *times == 1));
            bench.silent();
        }
    }
}

/// Promise 5, for as long as one likes: level goes round and round.
fn with_room_for_one_all_get_the_same_share(backend: Backend) {
    let mut bench = Bench::level(backend);
    bench.events = Events::with_capacity(1);
    let pairs: Vec<_> = (0..10).map(|_| pair()).collect();
    for (name, (ours, _)) in (0..).zip(&pairs) {
        bench.add(ours, name, WRITE);
    }
    let mut shares = [0; 10];
    for _ in 0..100 {
        let [(name, _)] = bench.now()[..] else { panic!("one is always ready") };
        shares[name as usize] += 1;
    }
    assert_eq!(shares, [10; 10]);
}

/// `P-twelve-pairs`: of many idle pairs exactly the one that was written to is reported.
fn among_many_the_one_that_was_written_to_is_reported(backend: Backend, trigger: Trigger) {
    for count in [12_u32, 100] {
        let mut bench = Bench::new(backend, trigger);
        let mut pairs: BTreeMap<u32, _> = (0..count).map(|name| (name, pair())).collect();
        for (name, (reader, _)) in &pairs {
            bench.add(reader, *name, READ);
        }
        // Every residue once, in no order that a table could have.
        for name in (0..count).map(|step| (step * 7 + 5) % count) {
            let (reader, mut writer) = pairs.remove(&name).expect("seven shares no factor with the counts");
            writer.write_all(b"x").unwrap();
            assert_eq!(bench.now(), [(name, Readiness::READABLE)]);
            bench.remove(&reader);
        }
        bench.silent();
    }
}

/// `P-grow-one-by-one`: tables that grow lose nothing and repeat nothing.
fn registering_one_by_one_loses_and_repeats_nothing(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let pairs: Vec<_> = (0..70).map(|_| pair()).collect();
    let mut times = [0; 70];
    for (name, (ours, _)) in (0..).zip(&pairs) {
        bench.add(ours, name, WRITE);
        bench.now();
        for (name, _) in bench.seen() {
            times[name as usize] += 1;
        }
    }
    let expected: Vec<usize> = match trigger {
        Trigger::Level => (1..=70).rev().collect(),
        _ => vec![1; 70],
    };
    assert_eq!(times[..], expected);
}

every_backend_and_trigger!(
    a_wait_clears_the_list_first,
    readable_and_writable_come_in_one_event,
    only_what_is_ready_is_reported,
    what_does_not_fit_comes_with_the_next_waits,
    among_many_the_one_that_was_written_to_is_reported,
    registering_one_by_one_loses_and_repeats_nothing,
);

mod many {
    use super::*;

    /// `P-beyond-fd-setsize`: thousands at a time, far beyond number 1,024. What has a bound takes those below it.
    fn thousands_are_watched_at_a_time(backend: Backend) {
        alone(|| {
            limits::raise_descriptor_limit().unwrap();
            let mut bench = Bench::level(backend);
            bench.events = Events::with_capacity(10_000);
            let pairs: Vec<_> = (0..2_000).map(|_| UnixStream::pair().unwrap()).collect();
            let mut expected = Vec::new();
            for (name, (reader, writer)) in (0..).zip(&pairs) {
                for (end, name, interest) in [(reader, 2 * name, READ), (writer, 2 * name + 1, WRITE)] {
                    match bench.try_add(end, name, interest) {
                        Ok(()) if interest == WRITE => expected.push(name),
                        Ok(()) => {}
                        Err(e) => {
                            assert_eq!(Refusal::of(&e), Some(&Refusal::TooLarge { fd: end.as_raw_fd(), limit: 1024 }));
                            assert!(end.as_raw_fd() >= 1024);
                        }
                    }
                }
            }
            let all = bench.poller.descriptor_bound().is_none();
            assert!(if all { expected.len() == 2_000 } else { expected.len() > 400 });
            assert_eq!(bench.names(), expected);
        });
    }

    every_backend!(with_room_for_one_all_get_the_same_share, thousands_are_watched_at_a_time);
}

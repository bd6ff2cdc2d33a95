//! What a backend lacks it refuses, by a typed error, and does not do something else instead.

use crate::kit::{Bench, READ, WRITE, alone, pair, refusal};
use crate::raw;
use crate::support::{bounded, every_backend};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use tripoll::poller::{Features, Poller, Readiness, Refusal};
use tripoll::reactor::limits;
use tripoll::{Backend, Interest, Token, Trigger};

fn feature_of(trigger: Trigger) -> Features {
    match trigger {
        Trigger::Level => Features::LEVEL,
        Trigger::Edge => Features::EDGE,
        Trigger::Oneshot => Features::ONESHOT,
        other => panic!("the suite does not know the trigger {other}"),
    }
}

/// Promise 2. `P-edge-refused`: the query tells beforehand what the registration will say.
fn a_trigger_is_taken_if_the_features_name_it_and_refused_if_not(backend: Backend) {
    let lacks_edge = matches!(backend, Backend::Select | Backend::Poll);
    for trigger in Trigger::ALL {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        let has = bench.poller.features().contains(feature_of(trigger));
        assert_eq!(has, !(lacks_edge && trigger == Trigger::Edge));
        let result = bench.try_add(&ours, 1, READ);
        if has {
            result.unwrap();
            assert_eq!(bench.names(), [1]);
        } else {
            assert_eq!(result.as_ref().unwrap_err().kind(), ErrorKind::Unsupported);
            assert_eq!(refusal(result), Refusal::Trigger { backend: backend.name(), trigger });
            assert_eq!(refusal(bench.try_remove(&ours)), Refusal::NotRegistered { fd: ours.as_raw_fd() });
            bench.silent();
        }
    }
}

/// Promises 2 and 10: after a `modify` that asks for edges the registration is what it was, in all three respects.
fn a_refused_trigger_leaves_the_registration_as_it_was(backend: Backend) {
    for trigger in [Trigger::Level, Trigger::Oneshot] {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        bench.add(&ours, 1, READ);
        let edge = bench.poller.modify(ours.as_fd(), Token::new(2, 0), WRITE, Trigger::Edge);
        assert_eq!(refusal(edge), Refusal::Trigger { backend: backend.name(), trigger: Trigger::Edge });
        bench.silent();
        theirs.write_all(b"x").unwrap();
        assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
        bench.repeated_only_under_level(1);
    }
}

#[test]
fn select_refuses_to_modify_to_edge_and_stays_as_it_was() {
    bounded("select", || a_refused_trigger_leaves_the_registration_as_it_was(Backend::Select));
}

#[test]
fn poll_refuses_to_modify_to_edge_and_stays_as_it_was() {
    bounded("poll", || a_refused_trigger_leaves_the_registration_as_it_was(Backend::Poll));
}

/// Promise 2. `P-regular-file-refused`, and its reverse: where files are taken, they are ready at every wait.
fn files_are_taken_if_the_features_say_so_and_refused_if_not(backend: Backend) {
    let takes_files = matches!(backend, Backend::Select | Backend::Poll);
    for path in ["Cargo.toml", "src", "/dev/null"] {
        let mut bench = Bench::level(backend);
        let file = File::open(path).unwrap();
        assert_eq!(bench.poller.features().contains(Features::FILES), takes_files);
        if takes_files {
            bench.add(&file, 1, READ);
            for _ in 0..2 {
                assert_eq!(bench.now(), [(1, Readiness::READABLE)], "{path}");
            }
            continue;
        }
        for interest in [READ, Interest::NONE] {
            let result = bench.try_add(&file, 1, interest);
            assert_eq!(result.as_ref().unwrap_err().kind(), ErrorKind::PermissionDenied);
            assert_eq!(refusal(result), Refusal::AlwaysReady { fd: file.as_raw_fd() }, "{path}");
            assert_eq!(refusal(bench.try_remove(&file)), Refusal::NotRegistered { fd: file.as_raw_fd() });
            bench.silent();
        }
    }
}

/// A duplicate of a socket, with a number that the C library's sets have no room for.
fn high_duplicate(socket: &impl AsFd, number: i32) -> OwnedFd {
    limits::raise_descriptor_limit().unwrap();
    let high = raw::duplicate_at(socket, number);
    assert_eq!(high.as_raw_fd(), number, "somebody else has the number");
    high
}

/// Promise 2: a number of 1,024 or more is named, with the limit, and disturbs nothing.
fn a_number_is_taken_below_the_bound_and_refused_from_there_on(backend: Backend) {
    alone(|| {
        let mut bench = Bench::level(backend);
        let (ours, mut theirs) = pair();
        theirs.write_all(b"x").unwrap();
        let (last, first) = (high_duplicate(&ours, 1023), high_duplicate(&ours, 1024));
        let far = high_duplicate(&ours, 1500);
        bench.add(&last, 1, READ);
        if backend != Backend::Select {
            assert_eq!(bench.poller.descriptor_bound(), None);
            bench.add(&first, 2, READ);
            bench.add(&far, 3, READ);
            assert_eq!(bench.names(), [1, 2, 3]);
            return;
        }
        assert_eq!(bench.poller.descriptor_bound(), Some(1024));
        for (high, number) in [(first, 1024), (far, 1500)] {
            for interest in [READ, Interest::NONE] {
                let error = bench.try_add(&high, 2, interest).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidInput);
                let message = error.to_string();
                assert!(message.contains(&number.to_string()) && message.contains("1024"), "{message}");
                assert_eq!(Refusal::of(&error), Some(&Refusal::TooLarge { fd: number, limit: 1024 }));
            }
            assert_eq!(refusal(bench.try_remove(&high)), Refusal::NotRegistered { fd: number });
            assert_eq!(bench.names(), [1]);
        }
    });
}

every_backend!(
    a_trigger_is_taken_if_the_features_name_it_and_refused_if_not,
    files_are_taken_if_the_features_say_so_and_refused_if_not,
    a_number_is_taken_below_the_bound_and_refused_from_there_on,
);

//! Registering: once for each descriptor, under any token.

use crate::kit::{Bench, READ, WRITE, errno, pair, refusal};
use crate::raw;
use crate::support::{every_backend, every_backend_and_trigger};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd};
use tripoll::poller::{Poller, Readiness, Refusal};
use tripoll::{Backend, Interest, Token, Trigger};

/// Promise 1. `P-register-twice`.
fn a_second_registration_is_refused_and_the_first_goes_on(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    let expected = Refusal::AlreadyRegistered { fd: ours.as_raw_fd() };
    bench.add(&ours, 1, READ);
    for interest in [READ, WRITE, Interest::NONE] {
        let result = bench.try_add(&ours, 2, interest);
        assert_eq!(result.as_ref().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(refusal(result), expected);
    }
    theirs.write_all(b"x").unwrap();
    assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
}

/// Promise 1, for one that is parked: it is no less registered.
fn a_parked_registration_is_a_registration(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    bench.add(&ours, 1, Interest::NONE);
    for interest in [READ, Interest::NONE] {
        assert_eq!(refusal(bench.try_add(&ours, 2, interest)), Refusal::AlreadyRegistered { fd: ours.as_raw_fd() });
        bench.silent();
    }
    bench.remove(&ours);
    assert_eq!(refusal(bench.try_remove(&ours)), Refusal::NotRegistered { fd: ours.as_raw_fd() });
}

/// Promise 1. `P-deregister-unknown`.
fn what_is_not_registered_is_neither_modified_nor_removed(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    let expected = Refusal::NotRegistered { fd: ours.as_raw_fd() };
    for again in [false, true] {
        if again {
            bench.add(&ours, 1, READ);
            bench.remove(&ours);
        }
        let result = bench.try_modify(&ours, 1, READ);
        assert_eq!(result.as_ref().unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(refusal(result), expected);
        assert_eq!(refusal(bench.try_modify(&ours, 1, Interest::NONE)), expected);
        assert_eq!(refusal(bench.try_remove(&ours)), expected);
        bench.silent();
    }
}

/// Promise 1. `P-register-negative-fd`; of the negative numbers the type lets all through but -1, which it cannot hold.
fn a_number_that_is_not_open_cannot_be_registered(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    for number in [-2, i32::MIN, i32::MAX / 2, i32::MAX] {
        for interest in [READ, Interest::NONE] {
            assert_eq!(errno(bench.try_add(&raw::careless(number), 1, interest)), Some(libc::EBADF), "{number}");
        }
        assert_eq!(refusal(bench.poller.remove(number)), Refusal::NotRegistered { fd: number });
        assert_eq!(refusal(bench.try_modify(&raw::careless(number), 1, READ)), Refusal::NotRegistered { fd: number });
    }
    assert_eq!(refusal(bench.poller.remove(-1)), Refusal::NotRegistered { fd: -1 });
    bench.silent();
}

/// Promise 9 from its other side: after a removal there is nothing left that would be in the way.
fn what_was_removed_can_be_registered_again(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    theirs.write_all(b"x").unwrap();
    for name in 1..4 {
        bench.add(&ours, name, READ);
        assert_eq!(bench.names(), [name]);
        bench.remove(&ours);
        bench.silent();
    }
}

/// `clear`, as its documentation has it.
fn a_cleared_poller_is_as_good_as_new(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    let (parked, _peer) = pair();
    theirs.write_all(b"x").unwrap();
    bench.add(&ours, 1, READ);
    bench.add(&parked, 2, Interest::NONE);
    bench.poller.clear().unwrap();
    bench.silent();
    assert_eq!(refusal(bench.try_remove(&ours)), Refusal::NotRegistered { fd: ours.as_raw_fd() });
    assert_eq!(refusal(bench.try_remove(&parked)), Refusal::NotRegistered { fd: parked.as_raw_fd() });
    bench.add(&ours, 3, READ);
    bench.add(&parked, 4, READ);
    assert_eq!(bench.names(), [3]);
}

/// Any 64 bits are a token, and it is the caller's business whether he can tell them apart.
fn a_token_comes_back_as_it_was_given(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    let (other, mut peer) = pair();
    bench.add(&ours, 0, Interest::NONE);
    bench.add(&other, 0, Interest::NONE);
    theirs.write_all(b"x").unwrap();
    peer.write_all(b"x").unwrap();
    for token in [Token::new(0, 0), Token::new(3, 17), Token::from_bits(1 << 63), Token::NONE] {
        for socket in [&ours, &other] {
            bench.poller.modify(socket.as_fd(), token, READ, trigger).unwrap();
        }
        bench.now();
        assert_eq!(bench.events.iter().map(|event| event.token()).collect::<Vec<_>>(), [token, token]);
    }
}

/// A registration belongs to a number, and two numbers of one open file are two.
fn duplicates_are_registered_each_for_itself(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    let twin = ours.try_clone().unwrap();
    bench.add(&ours, 1, READ);
    bench.add(&twin, 2, READ);
    theirs.write_all(b"x").unwrap();
    assert_eq!(bench.names(), [1, 2]);
    bench.remove(&ours);
    bench.modify(&twin, 3, READ);
    assert_eq!(bench.names(), [3]);
}

every_backend_and_trigger!(
    a_second_registration_is_refused_and_the_first_goes_on,
    a_parked_registration_is_a_registration,
    what_is_not_registered_is_neither_modified_nor_removed,
    a_number_that_is_not_open_cannot_be_registered,
    what_was_removed_can_be_registered_again,
    a_cleared_poller_is_as_good_as_new,
    a_token_comes_back_as_it_was_given,
    duplicates_are_registered_each_for_itself,
);

mod whatever_the_trigger {
    use super::*;

    /// What the statistics of the floor above rest on.
    fn every_wait_counts_as_a_system_call(backend: Backend) {
        let mut bench = Bench::level(backend);
        assert_eq!(bench.poller.name(), backend.name());
        for _ in 0..3 {
            let before = bench.poller.system_calls();
            bench.silent();
            assert!(bench.poller.system_calls() > before);
        }
        let before = bench.poller.system_calls();
        bench.poller.clear().unwrap();
        assert!(bench.poller.system_calls() >= before, "a cleared poller has forgotten what it has done");
    }

    every_backend!(every_wait_counts_as_a_system_call);
}

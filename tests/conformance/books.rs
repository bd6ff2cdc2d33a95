//! The books agree with the kernel, also when a descriptor was closed behind the poller's back.
//!
//! Four kernel interfaces, four answers: select fails as a whole, poll names the culprit, epoll (and mio on it) forgets
//! it, or goes on reporting it if a duplicate lives. What the contract promises is the common part.
//!
//! That a `modify` is refused for want of a trigger is shown in `refusals`. For want of memory it cannot be made to
//! fail here.

use crate::kit::{Bench, READ, WRITE, alone, errno, pair, refusal};
use crate::raw;
use crate::support::{bounded, every_backend_and_trigger};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;
use tripoll::poller::{EpollPoller, Events, Poller, Readiness, Refusal};
use tripoll::{Backend, Interest, Token, Trigger};

/// Whether the registrations are kept in the kernel, so that it notices when a descriptor is closed.
fn in_kernel(backend: Backend) -> bool {
    matches!(backend, Backend::Epoll | Backend::Mio)
}

/// `P-close-while-registered-userspace`. A number that is not open does not take the others down with it, and is told at
/// each wait, or once, until it is removed; where the kernel forgets it there is nothing to tell.
fn a_descriptor_that_was_closed_early_is_invalid_or_silent_and_the_others_are_served(
    backend: Backend,
    trigger: Trigger,
) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (guilty, mut peer) = pair();
        let (innocent, mut theirs) = pair();
        bench.add(&guilty, 1, READ | WRITE | Interest::PRIORITY);
        bench.add(&innocent, 2, READ);
        peer.write_all(b"x").unwrap();
        theirs.write_all(b"x").unwrap();
        let number = raw::close_early(OwnedFd::from(guilty));
        let mut seen = bench.now();
        seen.sort_unstable_by_key(|(name, _)| *name);
        if in_kernel(backend) {
            assert_eq!(seen, [(2, Readiness::READABLE)]);
        } else {
            assert_eq!(seen, [(1, Readiness::INVALID), (2, Readiness::READABLE)]);
        }
        match (in_kernel(backend), trigger) {
            (false, Trigger::Level) => assert_eq!(bench.names(), [1, 2]),
            (true, Trigger::Level) => assert_eq!(bench.names(), [2]),
            _ => bench.silent(),
        }
        bench.poller.remove(number).unwrap();
        bench.modify(&innocent, 3, READ);
        assert_eq!(bench.now(), [(3, Readiness::READABLE)]);
    });
}

/// The same for one that nothing is asked about: parked.
fn a_parked_descriptor_that_was_closed_early_is_silent(backend: Backend, trigger: Trigger) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (guilty, _peer) = pair();
        bench.add(&guilty, 1, Interest::NONE);
        let number = raw::close_early(OwnedFd::from(guilty));
        bench.silent();
        bench.poller.remove(number).unwrap();
    });
}

/// Promise 10. `P-failed-modify-consistent`: what the kernel does not know any more, the poller does not either.
fn a_modify_that_fails_because_the_descriptor_was_closed_ends_the_registration(backend: Backend, trigger: Trigger) {
    alone(|| {
        for parked in [false, true] {
            let mut bench = Bench::new(backend, trigger);
            let (ours, _theirs) = pair();
            bench.add(&ours, 1, if parked { Interest::NONE } else { READ });
            let number = raw::close_early(OwnedFd::from(ours));
            let closed = raw::careless(number);
            let result = bench.try_modify(&closed, 2, WRITE);
            if !in_kernel(backend) {
                // Nobody was asked, so nobody failed: the next wait tells, under the new name.
                result.unwrap();
                assert_eq!(bench.now(), [(2, Readiness::INVALID)]);
                bench.poller.remove(number).unwrap();
                continue;
            }
            assert_eq!(errno(result), Some(libc::EBADF));
            assert_eq!(refusal(bench.try_modify(&closed, 2, WRITE)), Refusal::NotRegistered { fd: number });
            assert_eq!(refusal(bench.poller.remove(number)), Refusal::NotRegistered { fd: number });
            bench.silent();
            let (new, mut peer) = pair();
            assert_eq!(new.as_raw_fd(), number, "the kernel gives out the lowest number that is free");
            bench.add(&new, 3, READ);
            peer.write_all(b"x").unwrap();
            assert_eq!(bench.names(), [3]);
        }
    });
}

/// Promise 10, where the number is another file's by now: known to the poller, unknown to the kernel.
fn a_modify_of_a_number_that_is_another_files_ends_the_registration_or_moves_it(backend: Backend, trigger: Trigger) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (ours, _theirs) = pair();
        let (other, mut peer) = pair();
        bench.add(&ours, 1, READ);
        raw::replace(ours.as_raw_fd(), &other);
        peer.write_all(b"x").unwrap();
        let result = bench.try_modify(&ours, 2, READ);
        if in_kernel(backend) {
            assert_eq!(errno(result), Some(libc::ENOENT));
            assert_eq!(refusal(bench.try_remove(&ours)), Refusal::NotRegistered { fd: ours.as_raw_fd() });
            bench.silent();
        } else {
            result.unwrap();
            assert_eq!(bench.names(), [2], "the readiness is that of whatever has the number");
        }
    });
}

/// The ghost of the documentation: closed too early, alive in a duplicate. It is reported until it is removed, and by
/// epoll ever after, under its old name: only a poller that is cleared is rid of it.
fn a_ghost_is_reported_as_documented_and_ends_with_clear(backend: Backend, trigger: Trigger) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        let _alive = ours.try_clone().unwrap();
        bench.add(&ours, 1, READ);
        let number = raw::close_early(OwnedFd::from(ours));
        theirs.write_all(b"x").unwrap();
        let expected = if in_kernel(backend) { Readiness::READABLE } else { Readiness::INVALID };
        assert_eq!(bench.now(), [(1, expected)]);
        bench.poller.remove(number).unwrap();
        theirs.write_all(b"y").unwrap();
        if backend == Backend::Epoll && trigger != Trigger::Oneshot {
            assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
            bench.poller.clear().unwrap();
            theirs.write_all(b"z").unwrap();
        }
        bench.silent();
    });
}

/// The ghost again, when somebody else has moved in under its number. Epoll reports it under the old name. Mio knows no
/// name but the number, so there the newcomer may be called ready without being so, as the documentation warns.
fn a_ghost_does_no_more_to_the_next_owner_of_its_number_than_to_call_it_ready(backend: Backend, trigger: Trigger) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        let _alive = ours.try_clone().unwrap();
        bench.add(&ours, 1, READ);
        let number = raw::close_early(OwnedFd::from(ours));
        bench.poller.remove(number).unwrap();
        let (new, mut peer) = pair();
        assert_eq!(new.as_raw_fd(), number, "the kernel gives out the lowest number that is free");
        bench.add(&new, 2, READ);
        theirs.write_all(b"x").unwrap();
        let seen = bench.now();
        match backend {
            Backend::Epoll => assert_eq!(seen, [(1, Readiness::READABLE)]),
            Backend::Mio => assert!(seen.is_empty() || seen == [(2, Readiness::READABLE)], "{seen:?}"),
            _ => assert_eq!(seen, []),
        }
        bench.modify(&new, 3, READ);
        peer.write_all(b"x").unwrap();
        assert!(bench.now().contains(&(3, Readiness::READABLE)));
    });
}

/// Promise 10: an `add` that failed has left nothing in the books.
fn an_add_that_failed_leaves_nothing_behind(backend: Backend, trigger: Trigger) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        let number = raw::close_early(OwnedFd::from(ours));
        for interest in [READ, Interest::NONE] {
            assert_eq!(errno(bench.try_add(&raw::careless(number), 1, interest)), Some(libc::EBADF));
            assert_eq!(refusal(bench.poller.remove(number)), Refusal::NotRegistered { fd: number });
        }
        assert!(theirs.write_all(b"x").is_err());
        let (new, mut peer) = pair();
        assert_eq!(new.as_raw_fd(), number, "the kernel gives out the lowest number that is free");
        peer.write_all(b"x").unwrap();
        bench.silent();
        bench.add(&new, 2, READ);
        assert_eq!(bench.names(), [2]);
    });
}

every_backend_and_trigger!(
    a_descriptor_that_was_closed_early_is_invalid_or_silent_and_the_others_are_served,
    a_parked_descriptor_that_was_closed_early_is_silent,
    a_modify_that_fails_because_the_descriptor_was_closed_ends_the_registration,
    a_modify_of_a_number_that_is_another_files_ends_the_registration_or_moves_it,
    a_ghost_is_reported_as_documented_and_ends_with_clear,
    a_ghost_does_no_more_to_the_next_owner_of_its_number_than_to_call_it_ready,
    an_add_that_failed_leaves_nothing_behind,
);

/// What epoll forgets without a word, its audit finds.
#[test]
fn an_audit_of_epoll_names_what_was_closed_early() {
    bounded("audit", || {
        alone(|| {
            let mut poller = EpollPoller::new().unwrap();
            let (ours, theirs) = pair();
            let (parked, _peer) = pair();
            poller.add(ours.as_fd(), Token::new(1, 0), READ, Trigger::Level).unwrap();
            poller.add(theirs.as_fd(), Token::new(2, 0), READ, Trigger::Edge).unwrap();
            poller.add(parked.as_fd(), Token::new(3, 0), Interest::NONE, Trigger::Level).unwrap();
            assert_eq!(poller.audit(), []);
            let first = raw::close_early(OwnedFd::from(ours));
            let second = raw::close_early(OwnedFd::from(parked));
            let mut events = Events::with_capacity(4);
            poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
            assert_eq!(events.iter().map(|event| event.token().index()).collect::<Vec<_>>(), [2]);
            assert_eq!(poller.audit(), [first, second]);
            poller.remove(first).unwrap();
            poller.remove(second).unwrap();
            assert_eq!(poller.audit(), []);
        });
    });
}

//! The poller's own descriptors: closed on exec, harmless after a fork, and watchable themselves.

use crate::kit::{Bench, READ, alone, errno, pair};
use crate::raw;
use crate::support::{every_backend, every_backend_and_trigger};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::Command;
use std::time::Duration;
use tripoll::poller::{EpollPoller, Poller, Readiness};
use tripoll::reactor::limits;
use tripoll::{Backend, Token, Trigger};

/// The open descriptors of this process. The one that the list is read through is closed again, so it is not open.
fn open() -> BTreeSet<RawFd> {
    let listed = fs::read_dir("/proc/self/fd").unwrap();
    let numbers: Vec<RawFd> =
        listed.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
    numbers.into_iter().filter(|number| raw::closes_on_exec(*number).is_some()).collect()
}

/// Promise 11. `P-own-fd-cloexec`: by the flag, and by what a program sees that is executed.
fn the_pollers_own_descriptors_are_closed_on_exec(backend: Backend) {
    alone(|| {
        let before = open();
        let mut bench = Bench::level(backend);
        let (ours, _theirs) = pair();
        bench.add(&ours, 1, READ);
        // Emptying makes new descriptors.
        bench.poller.clear().unwrap();
        bench.add(&ours, 1, READ);
        bench.silent();
        let own: Vec<RawFd> = open().difference(&before).copied().collect();
        let kernel_objects = own.iter().filter(|number| {
            let name = fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
            name.to_str().unwrap() == "anon_inode:[eventpoll]"
        });
        let expected = if matches!(backend, Backend::Select | Backend::Poll) { 0 } else { 1 };
        assert_eq!(kernel_objects.count(), expected);
        for number in &own {
            assert_eq!(raw::closes_on_exec(*number), Some(true), "descriptor {number}");
        }
        let listed = Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
        assert!(listed.status.success());
        let inherited = String::from_utf8(listed.stdout).unwrap();
        assert!(inherited.contains("/proc/") && !inherited.contains("eventpoll"), "inherited:\n{inherited}");
    });
}

/// At the descriptor limit a poller that has a descriptor cannot be made anew, and then it is what it was.
fn emptying_succeeds_or_changes_nothing(backend: Backend) {
    alone(|| {
        let mut bench = Bench::level(backend);
        let (ours, mut theirs) = pair();
        bench.add(&ours, 1, READ);
        theirs.write_all(b"x").unwrap();
        let before = limits::descriptor_limit().unwrap();
        limits::set_descriptor_limit(0).unwrap();
        let result = bench.poller.clear();
        limits::set_descriptor_limit(before.soft).unwrap();
        if matches!(backend, Backend::Select | Backend::Poll) {
            result.unwrap();
            bench.silent();
        } else {
            assert_eq!(errno(result), Some(libc::EMFILE));
            assert_eq!(bench.names(), [1]);
        }
    });
}

/// With more registrations than the process may have descriptors (it has lowered the limit since) a wait works as ever,
/// but for poll, to which the kernel says EINVAL; and that is gone with its reason.
fn a_wait_under_a_lowered_limit_works_or_fails_and_recovers(backend: Backend) {
    alone(|| {
        let mut bench = Bench::level(backend);
        let pairs: Vec<_> = (0..20).map(|_| pair()).collect();
        for (name, (ours, _)) in (0..).zip(&pairs) {
            bench.add(ours, name, READ);
        }
        (&pairs[7].1).write_all(b"x").unwrap();
        let before = limits::descriptor_limit().unwrap();
        limits::set_descriptor_limit(10).unwrap();
        let result = bench.poller.wait(&mut bench.events, Some(Duration::ZERO));
        limits::set_descriptor_limit(before.soft).unwrap();
        if backend == Backend::Poll {
            assert_eq!(errno(result), Some(libc::EINVAL));
            assert_eq!(bench.seen(), []);
        } else {
            result.unwrap();
            assert_eq!(bench.seen(), [(7, Readiness::READABLE)]);
        }
        assert_eq!(bench.names(), [7]);
    });
}

/// A poller that is dropped gives back what it has opened.
fn a_dropped_poller_closes_its_descriptors(backend: Backend) {
    alone(|| {
        let before = open();
        for _ in 0..3 {
            let mut bench = Bench::level(backend);
            bench.silent();
            bench.poller.clear().unwrap();
            bench.silent();
        }
        assert_eq!(open(), before);
    });
}

/// What watches in the kernel is shared by parent and child after a fork. A child that drops its copy, as it does with
/// everything that it does not need, leaves the parent's registrations alone.
fn a_child_that_drops_its_copy_leaves_the_parents_registrations_alone(backend: Backend, trigger: Trigger) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        bench.add(&ours, 1, READ);
        bench.silent();
        let mut inherited = Some((bench, ours));
        let status = raw::fork(|| drop(inherited.take()));
        assert_eq!(status, 0);
        let (mut bench, _ours) = inherited.expect("the child has a copy of its own");
        theirs.write_all(b"x").unwrap();
        assert_eq!(bench.now(), [(1, Readiness::READABLE)]);
    });
}

/// `P-nested-poller`: a set of descriptors is a descriptor.
fn an_epoll_set_can_be_watched_by_any_poller(backend: Backend, trigger: Trigger) {
    let mut outer = Bench::new(backend, trigger);
    let mut inner = EpollPoller::new().unwrap();
    let (ours, mut theirs) = pair();
    inner.add(ours.as_fd(), Token::new(7, 0), READ, Trigger::Level).unwrap();
    outer.add(&inner, 1, READ);
    outer.silent();
    theirs.write_all(b"x").unwrap();
    assert_eq!(outer.now(), [(1, Readiness::READABLE)]);
    outer.repeated_only_under_level(1);
    inner.remove(ours.as_raw_fd()).unwrap();
    outer.modify(&inner, 1, READ);
    outer.silent();
}

every_backend_and_trigger!(
    a_child_that_drops_its_copy_leaves_the_parents_registrations_alone,
    an_epoll_set_can_be_watched_by_any_poller,
);

mod whatever_the_trigger {
    use super::*;
    every_backend!(
        the_pollers_own_descriptors_are_closed_on_exec,
        a_dropped_poller_closes_its_descriptors,
        emptying_succeeds_or_changes_nothing,
        a_wait_under_a_lowered_limit_works_or_fails_and_recovers,
    );
}

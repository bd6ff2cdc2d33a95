//! What is removed is silent, in time or too late.

use crate::kit::{Bench, READ, WRITE, alone, drain, pair, v4};
use crate::raw;
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use tripoll::poller::{Poller, Readiness, Refusal};
use tripoll::{Backend, Trigger};

/// Promise 9. `P-deregister-drops-pending`.
fn what_is_pending_is_dropped_with_the_registration(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    let (other, mut witness) = pair();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    bench.add(&ours, 1, READ);
    bench.add(&listener, 2, READ);
    bench.add(&other, 3, READ);
    theirs.write_all(b"x").unwrap();
    let _client = UnixStream::from(raw::connecting(v4(listener.local_addr())));
    raw::settle(&listener, raw::IN);
    bench.remove(&ours);
    bench.remove(&listener);
    bench.silent();
    witness.write_all(b"x").unwrap();
    assert_eq!(bench.now(), [(3, Readiness::READABLE)]);
}

/// Promise 9, between two waits of which the first has reported it.
fn what_was_reported_and_removed_is_not_reported_again(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let pairs: Vec<_> = (0..5).map(|_| pair()).collect();
    for (name, (ours, _)) in (0..).zip(&pairs) {
        bench.add(ours, name, READ | WRITE);
    }
    assert_eq!(bench.names(), [0, 1, 2, 3, 4]);
    // From the middle and from both ends, since tables fill a gap with their last.
    for (gone, left) in [(2, vec![0, 1, 3, 4]), (0, vec![1, 3, 4]), (4, vec![1, 3])] {
        bench.remove(&pairs[gone].0);
        for name in &left {
            (&pairs[*name as usize].1).write_all(b"x").unwrap();
            bench.modify(&pairs[*name as usize].0, *name, READ | WRITE);
        }
        (&pairs[gone].1).write_all(b"x").unwrap();
        assert_eq!(bench.names(), left);
    }
}

/// Promise 9. `P-deregister-after-close`: too late, and it works.
fn a_descriptor_that_was_closed_can_be_given_back_by_its_number(backend: Backend, trigger: Trigger) {
    alone(|| {
        for reported in [false, true] {
            let mut bench = Bench::new(backend, trigger);
            let (ours, mut theirs) = pair();
            bench.add(&ours, 1, READ);
            if reported {
                theirs.write_all(b"x").unwrap();
                assert_eq!(bench.names(), [1]);
            }
            let number = raw::close_early(OwnedFd::from(ours));
            bench.poller.remove(number).unwrap();
            let gone = bench.poller.remove(number).unwrap_err();
            assert_eq!(Refusal::of(&gone), Some(&Refusal::NotRegistered { fd: number }));
            bench.silent();
        }
    });
}

/// Promise 9: the number that was given back is taken by the next descriptor, which has nothing to do with the last.
fn a_number_that_is_used_again_is_a_new_registration(backend: Backend, trigger: Trigger) {
    alone(|| {
        for too_late in [false, true] {
            let mut bench = Bench::new(backend, trigger);
            let (ours, mut theirs) = pair();
            bench.add(&ours, 1, READ);
            theirs.write_all(b"x").unwrap();
            assert_eq!(bench.names(), [1]);
            let number = ours.as_raw_fd();
            if too_late {
                drop(ours);
                bench.poller.remove(number).unwrap();
            } else {
                bench.remove(&ours);
                drop(ours);
            }
            let (new, mut peer) = pair();
            assert_eq!(new.as_raw_fd(), number, "the kernel gives out the lowest number that is free");
            bench.add(&new, 2, READ);
            bench.silent();
            peer.write_all(b"x").unwrap();
            assert_eq!(bench.now(), [(2, Readiness::READABLE)]);
        }
    });
}

/// Promise 9. `P-stale-hup-after-close`: the file lives on in a duplicate, hung up, and its number is another's.
fn the_hang_up_of_a_file_that_lives_on_is_not_told_to_the_next_owner_of_its_number(backend: Backend, trigger: Trigger) {
    alone(|| {
        let mut bench = Bench::new(backend, trigger);
        let (reader, writer) = raw::pipe();
        let duplicate = reader.try_clone().unwrap();
        bench.add(&reader, 1, READ);
        drop(writer);
        assert!(bench.next_of(1).contains(Readiness::READABLE));
        bench.remove(&reader);
        let number = reader.as_raw_fd();
        drop(reader);
        let (new, mut writer) = raw::pipe();
        assert_eq!(new.as_raw_fd(), number, "the kernel gives out the lowest number that is free");
        bench.add(&new, 2, READ);
        bench.silent();
        writer.write_all(b"x").unwrap();
        assert_eq!(bench.now(), [(2, Readiness::READABLE)]);
        raw::settle(&duplicate, raw::HUP);
    });
}

/// A poller that is gone leaves nothing behind: what it watched can be watched by the next one, and is unharmed.
fn a_dropped_poller_leaves_its_descriptors_alone(backend: Backend, trigger: Trigger) {
    let (ours, mut theirs) = pair();
    for name in 1..4 {
        let mut bench = Bench::new(backend, trigger);
        bench.add(&ours, name, READ);
        theirs.write_all(b"x").unwrap();
        assert_eq!(bench.names(), [name]);
    }
    assert_eq!(drain(&ours), 3);
}

every_backend_and_trigger!(
    what_is_pending_is_dropped_with_the_registration,
    what_was_reported_and_removed_is_not_reported_again,
    a_descriptor_that_was_closed_can_be_given_back_by_its_number,
    a_number_that_is_used_again_is_a_new_registration,
    the_hang_up_of_a_file_that_lives_on_is_not_told_to_the_next_owner_of_its_number,
    a_dropped_poller_leaves_its_descriptors_alone,
);

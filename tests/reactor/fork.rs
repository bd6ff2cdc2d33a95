//! A forked child has the parent's descriptors, and must not touch the parent's registrations. Each test has a process to
//! itself.

use crate::alone::{alone, test_name};
use crate::kit::{Family, Rig, Told};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::time::Duration;
use tripoll::reactor::Forked;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    a_forked_child_is_refused_and_the_parent_notices_nothing,
    a_forked_child_that_drops_the_loop_leaves_the_parents_registrations_alone,
);

fn a_forked_child_is_refused_and_the_parent_notices_nothing(backend: Backend, trigger: Trigger) {
    alone(&test_name!("a_forked_child_is_refused_and_the_parent_notices_nothing", backend, trigger), || {
        let mut rig = ManuallyDrop::new(Rig::new(backend, trigger));
        let (token, mut peer) = rig.pair(Family::Tcp);
        let other = rig.pair(Family::Unix);
        rig.glance();
        let turns = rig.stats().turns;
        let owner = std::process::id();
        let refused = sys::fork(|| {
            // A wish of the child, which must not reach the kernel's list.
            let _ = rig.ledger().abort(other.0);
            let error = rig.reactor.turn(Some(Duration::ZERO)).unwrap_err();
            error.get_ref().and_then(|inner| inner.downcast_ref()) == Some(&Forked { owner })
        });
        assert!(refused);
        assert_eq!(rig.stats().turns, turns);
        peer.write_all(b"still here").unwrap();
        rig.until(|rig| rig.read_of(token) == b"still here");
        let (token, mut peer) = other;
        peer.write_all(b"me too").unwrap();
        rig.until(|rig| rig.read_of(token) == b"me too");
        rig.assert_asleep();
    });
}

fn a_forked_child_that_drops_the_loop_leaves_the_parents_registrations_alone(backend: Backend, trigger: Trigger) {
    let case = "a_forked_child_that_drops_the_loop_leaves_the_parents_registrations_alone";
    alone(&test_name!(case, backend, trigger), || {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(Family::Tcp);
        let (_, address) = rig.listen();
        rig.glance();
        let mut rig = Some(rig);
        assert!(sys::fork(|| {
            drop(rig.take());
            true
        }));
        let mut rig = rig.take().unwrap();
        peer.write_all(b"still here").unwrap();
        rig.until(|rig| rig.read_of(token) == b"still here");
        let client = rig.ledger().connect(&address).unwrap();
        rig.until_told(Told::Connected(client));
        rig.until(|rig| rig.accepted.len() == 1);
        rig.assert_asleep();
    });
}

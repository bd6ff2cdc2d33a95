//! Writing to one who is gone is an error and not a signal, also in programs whose SIGPIPE is deadly. Each test has a
//! process to itself.

use crate::alone::{alone, test_name};
use crate::kit::{Family, Rig};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::os::fd::AsFd;
use tripoll::reactor::{Descriptor, Reason};
use tripoll::{Backend, Token, Trigger};

every_backend_and_trigger!(writing_to_one_who_is_gone_does_not_kill);

fn writing_to_one_who_is_gone_does_not_kill(backend: Backend, trigger: Trigger) {
    alone(&test_name!("writing_to_one_who_is_gone_does_not_kill", backend, trigger), || {
        sys::restore_sigpipe();
        let mut rig = Rig::new(backend, trigger);
        // The bystander's registration is what the others are measured by.
        let (bystander, _peer) = rig.pair(Family::Unix);
        for family in Family::BOTH {
            for message in [vec![1; 10], vec![2; 100_000]] {
                let (token, peer) = rig.pair(family);
                drop(peer);
                insist(&mut rig, token, &message);
            }
        }
        for pieces in [1, 10] {
            let (reader, writer) = sys::pipe();
            let token = rig.ledger().adopt(Descriptor::new(writer)).unwrap();
            drop(reader);
            for _ in 0..pieces {
                rig.ledger().send(token, vec![3; 1000]).unwrap();
            }
            insist(&mut rig, token, b"x");
        }
        assert!(rig.ledger().contains(bystander));
        assert!(rig.ledger().descriptor(bystander).unwrap().as_fd().try_clone_to_owned().is_ok());
        rig.assert_asleep();
    });
}

/// Sends until the connection has ended, as it must for an error of the write.
fn insist(rig: &mut Rig, token: Token, message: &[u8]) {
    while rig.ledger().send(token, message).is_ok() {
        rig.glance();
    }
    let reason = rig.end_of(token);
    let is = |wanted: i32| matches!(reason, Reason::Failed(e) if e.raw_os_error() == Some(wanted));
    assert!(is(libc::EPIPE) || is(libc::ECONNRESET), "{reason}");
}

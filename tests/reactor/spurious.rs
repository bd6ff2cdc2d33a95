//! Events that are not true, or no longer, or not for anybody.

use crate::kit::{Family, Rig, Told, noise};
use crate::pollers::Meddler;
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use tripoll::poller::{Event, Poller, Readiness};
use tripoll::reactor::Reason;
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    readiness_that_is_not_true_does_no_harm,
    a_connect_that_is_reported_too_early_goes_on,
    an_event_for_what_is_gone_reaches_nobody,
    an_event_for_what_never_was_reaches_nobody,
    a_descriptor_that_the_poller_calls_invalid_ends_its_source_alone,
    a_poller_that_reports_nothing_but_ghosts_is_filled_anew,
);

/// Events to be slipped in among those of the next wait.
#[derive(Clone, Default)]
struct Lies(Arc<Mutex<Vec<Event>>>);

impl Lies {
    fn list(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap()
    }

    fn tell(&self, token: Token, readiness: Readiness) {
        self.list().push(Event::new(token, readiness));
    }
}

fn rig_of_lies(backend: Backend, trigger: Trigger) -> (Rig<Meddler>, Lies) {
    let lies = Lies::default();
    let told = lies.clone();
    let poller = Meddler::new(backend, move |inner, events, timeout| {
        let mut lies = told.list();
        let timeout = if lies.is_empty() { timeout } else { Some(std::time::Duration::ZERO) };
        inner.wait(events, timeout)?;
        let true_ones: Vec<_> = events.iter().map(Event::token).collect();
        // A poller reports each registration once.
        lies.drain(..).filter(|lie| !true_ones.contains(&lie.token())).for_each(|lie| _ = events.push(lie));
        Ok(())
    });
    (Rig::on(poller, Settings { trigger, ..Settings::default() }), lies)
}

fn readiness_that_is_not_true_does_no_harm(backend: Backend, trigger: Trigger) {
    let both = Readiness::READABLE | Readiness::WRITABLE;
    let kinds = [
        Readiness::READABLE,
        Readiness::WRITABLE,
        both,
        both | Readiness::ERROR,
        Readiness::READABLE | Readiness::READ_CLOSED,
        both | Readiness::READ_CLOSED | Readiness::WRITE_CLOSED | Readiness::HANG_UP,
        Readiness::PRIORITY,
        Readiness::NONE,
    ];
    for family in Family::BOTH {
        let (mut rig, lies) = rig_of_lies(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        let (listener, _) = rig.listen();
        let sent = noise(100 * kinds.len());
        for (kind, part) in kinds.into_iter().cycle().zip(sent.chunks(10)) {
            lies.tell(token, kind);
            lies.tell(listener, Readiness::READABLE);
            rig.glance();
            peer.write_all(part).unwrap();
            rig.ledger().send(token, part).unwrap();
            lies.tell(token, kind);
            rig.glance();
        }
        rig.until(|rig| rig.read_of(token).len() == sent.len());
        assert_eq!(rig.read_of(token), sent);
        peer.expect(&sent);
        assert!(rig.ends.is_empty() && rig.accepted.is_empty());
        assert_eq!(rig.times(Told::Eof(token)), 0);
        rig.assert_asleep();
    }
}

fn a_connect_that_is_reported_too_early_goes_on(backend: Backend, trigger: Trigger) {
    let (mut rig, lies) = rig_of_lies(backend, trigger);
    // One who lets nobody in: the next to come stays on the way.
    let (_full, address, _waiting) = crate::connecting::full_listener();
    let token = rig.ledger().connect(&address).unwrap();
    for _ in 0..10 {
        lies.tell(token, Readiness::READABLE | Readiness::WRITABLE);
        assert_eq!(rig.glance(), []);
    }
    assert!(rig.ledger().contains(token));
}

fn an_event_for_what_is_gone_reaches_nobody(backend: Backend, trigger: Trigger) {
    let (mut rig, lies) = rig_of_lies(backend, trigger);
    let (gone, peer) = rig.pair(Family::Unix);
    rig.ledger().abort(gone).unwrap();
    rig.glance();
    drop(peer);
    // It takes the place of the first, and its descriptor number.
    let (successor, _other) = rig.pair(Family::Unix);
    assert_eq!(successor.index(), gone.index());
    assert_ne!(successor, gone);
    lies.tell(gone, Readiness::READABLE | Readiness::HANG_UP);
    assert_eq!(rig.glance(), []);
    assert_eq!(rig.stats().stale_events, 1);
    assert!(rig.ledger().send(gone, "x").is_err() && rig.ledger().abort(gone).is_err());
    assert!(rig.ledger().contains(successor));
    rig.assert_asleep();
}

fn an_event_for_what_never_was_reaches_nobody(backend: Backend, trigger: Trigger) {
    let (mut rig, lies) = rig_of_lies(backend, trigger);
    for token in [Token::NONE, Token::new(77, 0), Token::new(0, 77)] {
        lies.tell(token, Readiness::READABLE);
        assert_eq!(rig.glance(), []);
    }
    assert_eq!(rig.stats().stale_events, 3);
}

fn a_descriptor_that_the_poller_calls_invalid_ends_its_source_alone(backend: Backend, trigger: Trigger) {
    let (mut rig, lies) = rig_of_lies(backend, trigger);
    let (token, _peer) = rig.pair(Family::Unix);
    let (other, mut its_peer) = rig.pair(Family::Unix);
    lies.tell(token, Readiness::INVALID);
    its_peer.write_all(b"x").unwrap();
    let reason = rig.end_of(token);
    assert!(matches!(reason, Reason::Failed(e) if e.raw_os_error() == Some(libc::EBADF)), "{reason}");
    assert_eq!(rig.read_of(other), b"x");
    rig.assert_asleep();
}

fn a_poller_that_reports_nothing_but_ghosts_is_filled_anew(backend: Backend, trigger: Trigger) {
    let (mut rig, lies) = rig_of_lies(backend, trigger);
    let (token, mut peer) = rig.pair(Family::Tcp);
    let (mut before, mut turns) = (rig.stats().poller_calls, 0);
    let calls = |rig: &mut Rig<Meddler>, before: &mut u64| {
        let calls = rig.stats().poller_calls;
        let made = calls - *before;
        *before = calls;
        made
    };
    rig.glance();
    calls(&mut rig, &mut before);
    loop {
        lies.tell(Token::new(9, 9), Readiness::READABLE);
        assert_eq!(rig.glance(), []);
        turns += 1;
        // Until then a turn is a wait and nothing else.
        if calls(&mut rig, &mut before) > 1 || turns == 1000 {
            break;
        }
    }
    assert!((100..1000).contains(&turns), "{turns}");
    peer.write_all(b"x").unwrap();
    rig.until(|rig| rig.read_of(token) == b"x");
    rig.reactor.waker().wake().unwrap();
    assert_eq!(rig.turn(None), [Told::Woken]);
}

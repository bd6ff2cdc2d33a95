//! How long a turn waits: until the next thing that is known to happen, and not a moment less.

use crate::kit::{Family, MILLISECOND, Rig, SECOND, Told};
use crate::pollers::Meddler;
use crate::support::every_backend;
use crate::sys;
use std::io::Write;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use tripoll::poller::{Event, Poller, Readiness};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend!(
    the_wait_is_as_long_as_the_earliest_timer_is_away,
    the_wait_is_not_longer_than_asked_for,
    what_is_known_to_be_ready_makes_for_no_wait,
    a_wait_that_ends_early_goes_on_with_the_time_that_is_left,
    signals_neither_shorten_nor_lengthen_a_turn_nor_show,
    an_event_ends_a_turn_although_signals_come,
    a_timer_of_a_fraction_of_a_millisecond_is_no_reason_to_spin,
    delays_beyond_all_measure_are_for_ever,
);

/// A rig whose waits do not happen: each is taken down and ended by an event for nobody.
fn rig_that_does_not_wait(backend: Backend) -> (Rig<Meddler>, Receiver<Option<Duration>>) {
    let (asked, waits) = mpsc::channel();
    let poller = Meddler::new(backend, move |_, events, timeout| {
        asked.send(timeout).unwrap();
        events.clear();
        events.push(Event::new(Token::NONE, Readiness::READABLE));
        Ok(())
    });
    (Rig::on(poller, Settings::default()), waits)
}

/// What the next turn would wait, to the second above: little time has passed since the timers were set.
fn next_wait(rig: &mut Rig<Meddler>, waits: &Receiver<Option<Duration>>) -> Option<u64> {
    rig.turn(None);
    waits.recv().unwrap().map(|timeout| (timeout + 20 * SECOND).as_secs() / 20 * 20)
}

fn the_wait_is_as_long_as_the_earliest_timer_is_away(backend: Backend) {
    let (mut rig, waits) = rig_that_does_not_wait(backend);
    assert_eq!(next_wait(&mut rig, &waits), None);
    let far = rig.ledger().set_loop_timer(1000 * SECOND);
    assert_eq!(next_wait(&mut rig, &waits), Some(1000));
    let near = rig.ledger().set_loop_timer(400 * SECOND);
    assert_eq!(next_wait(&mut rig, &waits), Some(400));
    // Set anew, it counts from now.
    assert!(rig.ledger().reset_timer(near, 200 * SECOND));
    assert_eq!(next_wait(&mut rig, &waits), Some(200));
    assert!(rig.ledger().reset_timer(near, 3000 * SECOND));
    assert_eq!(next_wait(&mut rig, &waits), Some(1000));
    assert!(rig.ledger().cancel_timer(far));
    assert_eq!(next_wait(&mut rig, &waits), Some(3000));
    assert!(rig.ledger().cancel_timer(near));
    assert_eq!(next_wait(&mut rig, &waits), None);
}

fn the_wait_is_not_longer_than_asked_for(backend: Backend) {
    let (mut rig, waits) = rig_that_does_not_wait(backend);
    rig.ledger().set_loop_timer(1000 * SECOND);
    rig.turn(Some(10 * SECOND));
    assert_eq!(waits.recv().unwrap(), Some(10 * SECOND));
    rig.turn(Some(2000 * SECOND));
    assert!(waits.recv().unwrap().unwrap() <= 1000 * SECOND);
}

fn what_is_known_to_be_ready_makes_for_no_wait(backend: Backend) {
    let (mut rig, waits) = rig_that_does_not_wait(backend);
    let (token, _peer) = rig.pair(Family::Unix);
    rig.ledger().abort(token).unwrap();
    rig.turn(None);
    assert_eq!(waits.recv().unwrap(), Some(Duration::ZERO));
    rig.ledger().set_loop_timer(Duration::ZERO);
    rig.turn(None);
    assert_eq!(waits.recv().unwrap(), Some(Duration::ZERO));
    assert_eq!(next_wait(&mut rig, &waits), None);
}

fn a_wait_that_ends_early_goes_on_with_the_time_that_is_left(backend: Backend) {
    let (asked, waits) = mpsc::channel();
    // Each wait is cut short, as by a signal, when a tenth of it is over.
    let poller = Meddler::new(backend, move |inner, events, timeout| {
        asked.send(timeout.unwrap()).unwrap();
        inner.wait(events, timeout.map(|timeout| timeout / 10))
    });
    let mut rig = Rig::on(poller, Settings::default());
    let began = rig.ledger().now();
    let timer = rig.ledger().set_loop_timer(50 * MILLISECOND);
    assert_eq!(rig.turn(None), [Told::Expired(Token::NONE, timer)]);
    assert!(began.elapsed() >= 50 * MILLISECOND);
    assert_eq!(rig.stats().turns, 1);
    let asked: Vec<_> = waits.try_iter().collect();
    assert!(asked.len() > 1, "{asked:?}");
    assert!(asked.is_sorted_by(|earlier, later| later < earlier), "{asked:?}");
}

fn signals_neither_shorten_nor_lengthen_a_turn_nor_show(backend: Backend) {
    sys::under_signals(move || {
        let mut rig = Rig::new(backend, Trigger::Level);
        let began = rig.ledger().now();
        let timer = rig.ledger().set_loop_timer(100 * MILLISECOND);
        assert_eq!(rig.turn(None), [Told::Expired(Token::NONE, timer)]);
        let took = began.elapsed();
        assert!(took >= 100 * MILLISECOND && took < 10 * SECOND, "{took:?}");
        assert_eq!(rig.stats().turns, 1);
    });
}

fn an_event_ends_a_turn_although_signals_come(backend: Backend) {
    sys::under_signals(move || {
        for trigger in [Trigger::Level, Trigger::Oneshot] {
            let mut rig = Rig::new(backend, trigger);
            let (token, mut peer) = rig.pair(Family::Tcp);
            rig.glance();
            let writer = std::thread::spawn(move || {
                peer.write_all(b"x").unwrap();
                peer
            });
            assert_eq!(rig.turn(None), [Told::Readable(token)]);
            drop(writer.join().unwrap());
        }
    });
}

fn a_timer_of_a_fraction_of_a_millisecond_is_no_reason_to_spin(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    for nanoseconds in [1, 300_000, 1_000_001] {
        let before = rig.stats();
        let timer = rig.ledger().set_loop_timer(Duration::from_nanos(nanoseconds));
        assert_eq!(rig.turn(None), [Told::Expired(Token::NONE, timer)]);
        let after = rig.stats();
        assert_eq!((after.turns, after.empty_waits), (before.turns + 1, before.empty_waits + 1));
    }
}

fn delays_beyond_all_measure_are_for_ever(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let (token, mut peer) = rig.pair(Family::Unix);
    let timer = rig.ledger().set_loop_timer(Duration::MAX);
    rig.ledger().set_idle_timeout(token, Some(Duration::MAX)).unwrap();
    assert_eq!(rig.glance(), []);
    peer.write_all(b"x").unwrap();
    assert_eq!(rig.turn(Some(Duration::MAX)), [Told::Readable(token)]);
    assert!(rig.ledger().timer_left(timer).unwrap() > 365 * 24 * 3600 * SECOND);
}

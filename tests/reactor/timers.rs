//! Timers, by a clock that is turned by hand.

use crate::kit::{Family, MILLISECOND, Rig, SECOND, Told};
use crate::support::every_backend;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};
use tripoll::reactor::{Hand, Missed, TimerId};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend!(
    a_timer_fires_once_and_at_its_time,
    a_timer_of_no_delay_fires_in_the_next_turn,
    timers_fire_in_the_order_of_their_deadlines_and_of_their_setting,
    a_timer_for_a_point_in_time_that_has_passed_is_for_now,
    a_cancelled_timer_does_not_fire_even_if_it_is_due,
    cancelling_again_is_told_and_reaches_nobody_else,
    a_timer_set_anew_has_the_new_time_alone,
    a_pushed_back_interval_stays_silent,
    an_interval_keeps_the_beat,
    an_interval_that_cancels_itself_stops,
    a_timer_ends_with_its_source_and_does_not_outlive_it,
    a_timer_set_by_a_timer_waits_for_the_next_turn,
    a_thousand_timers_half_of_them_cancelled,
    a_hundred_intervals_each_for_its_own_number_of_ticks,
    a_timer_that_is_set_late_in_a_turn_does_not_fire_early,
);

/// The smallest step of a clock.
const TICK: Duration = Duration::from_nanos(1);

fn rig(backend: Backend) -> (Rig, Hand) {
    Rig::by_hand(backend, Settings::default())
}

fn fired(timer: TimerId) -> Told {
    Told::Expired(Token::NONE, timer)
}

fn a_timer_fires_once_and_at_its_time(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let began = rig.ledger().now();
    let timer = rig.ledger().set_loop_timer(100 * MILLISECOND);
    assert_eq!(rig.ledger().timer_left(timer), Some(100 * MILLISECOND));
    assert_eq!(rig.glance(), []);
    hand.advance(100 * MILLISECOND - TICK);
    assert_eq!(rig.glance(), []);
    assert_eq!(rig.ledger().timer_left(timer), Some(TICK));
    hand.advance(TICK);
    assert_eq!(rig.glance(), [fired(timer)]);
    assert_eq!(rig.ledger().now(), began + 100 * MILLISECOND);
    assert_eq!(rig.ledger().timer_left(timer), None);
    hand.advance(SECOND);
    assert_eq!(rig.glance(), []);
    assert_eq!(rig.stats().timers, 1);
}

fn a_timer_of_no_delay_fires_in_the_next_turn(backend: Backend) {
    let (mut rig, _hand) = rig(backend);
    let timer = rig.ledger().set_loop_timer(Duration::ZERO);
    assert_eq!(rig.ledger().timer_left(timer), Some(Duration::ZERO));
    assert_eq!(rig.turn(None), [fired(timer)]);
    assert_eq!(rig.glance(), []);
}

fn timers_fire_in_the_order_of_their_deadlines_and_of_their_setting(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let seconds = [5, 1, 3, 1, 4, 3, 1];
    let timers = seconds.map(|seconds| (seconds, rig.ledger().set_loop_timer(seconds * SECOND)));
    // All overdue at once.
    hand.advance(100 * SECOND);
    let mut expected = timers;
    expected.sort_by_key(|(seconds, _)| *seconds);
    assert_eq!(rig.glance(), expected.map(|(_, timer)| fired(timer)));
}

fn a_timer_for_a_point_in_time_that_has_passed_is_for_now(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let (owner, _peer) = rig.pair(Family::Unix);
    hand.advance(SECOND);
    rig.glance();
    let now = rig.ledger().now();
    let later = rig.ledger().set_timer_at(owner, now + SECOND).unwrap();
    let past = rig.ledger().set_timer_at(owner, now - SECOND).unwrap();
    let long_ago = rig.ledger().set_timer_at(owner, Instant::now() - SECOND).unwrap();
    assert_eq!(rig.glance(), [Told::Expired(owner, past), Told::Expired(owner, long_ago)]);
    hand.advance(SECOND);
    assert_eq!(rig.glance(), [Told::Expired(owner, later)]);
}

fn a_cancelled_timer_does_not_fire_even_if_it_is_due(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let first = rig.ledger().set_loop_timer(SECOND);
    let second = rig.ledger().set_loop_timer(SECOND);
    let third = rig.ledger().set_loop_timer(SECOND);
    hand.advance(SECOND);
    let told = rig.turn_with(None, |ledger, told| {
        if told == fired(first) {
            assert!(ledger.cancel_timer(second));
            assert!(ledger.reset_timer(third, SECOND));
        }
        true
    });
    assert_eq!(told, [fired(first)]);
    hand.advance(SECOND);
    assert_eq!(rig.glance(), [fired(third)]);
}

fn cancelling_again_is_told_and_reaches_nobody_else(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let fires = rig.ledger().set_loop_timer(SECOND);
    hand.advance(SECOND);
    rig.turn_with(None, |ledger, told| {
        assert_eq!(told, fired(fires));
        assert!(!ledger.cancel_timer(fires), "it is just firing");
        true
    });
    let cancelled = rig.ledger().set_loop_timer(SECOND);
    assert!(rig.ledger().cancel_timer(cancelled));
    let successor = rig.ledger().set_loop_timer(SECOND);
    for gone in [fires, cancelled] {
        assert_ne!(gone, successor);
        assert!(!rig.ledger().cancel_timer(gone) && !rig.ledger().reset_timer(gone, 9 * SECOND));
        assert_eq!(rig.ledger().timer_left(gone), None);
    }
    hand.advance(SECOND);
    assert_eq!(rig.glance(), [fired(successor)]);
}

fn a_timer_set_anew_has_the_new_time_alone(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let timer = rig.ledger().set_loop_timer(24 * 3600 * SECOND);
    assert!(rig.ledger().reset_timer(timer, 10 * MILLISECOND));
    hand.advance(10 * MILLISECOND);
    assert_eq!(rig.glance(), [fired(timer)]);
    hand.advance(48 * 3600 * SECOND);
    assert_eq!(rig.glance(), []);
    assert!(!rig.ledger().reset_timer(timer, SECOND), "it has fired");
}

fn a_pushed_back_interval_stays_silent(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let timer = rig.ledger().set_loop_interval(SECOND, Missed::Skip);
    for _ in 0..20 {
        hand.advance(SECOND - TICK);
        assert_eq!(rig.glance(), []);
        assert!(rig.ledger().reset_timer(timer, SECOND));
    }
    for _ in 0..3 {
        hand.advance(SECOND);
        assert_eq!(rig.glance(), [fired(timer)]);
    }
}

fn an_interval_keeps_the_beat(backend: Backend) {
    // By policy: how many ticks a turn tells at each of these times, the fourth of which comes late.
    let beats = |missed| {
        let (mut rig, hand) = rig(backend);
        rig.ledger().set_loop_interval(100 * MILLISECOND, missed);
        let mut before = 0;
        [100, 130, 200, 530, 531, 532, 600, 630].map(|now| {
            hand.advance((now - before) * MILLISECOND);
            before = now;
            rig.glance().len()
        })
    };
    // Those of 300 and 400 are left out; or made up for, one in a turn; or the beat starts anew at 530.
    assert_eq!(beats(Missed::Skip), [1, 0, 1, 1, 0, 0, 1, 0]);
    assert_eq!(beats(Missed::Burst), [1, 0, 1, 1, 1, 1, 1, 0]);
    assert_eq!(beats(Missed::Delay), [1, 0, 1, 1, 0, 0, 0, 1]);
    // The hundredth tick is on time.
    let (mut rig, hand) = rig(backend);
    let timer = rig.ledger().set_loop_interval(100 * MILLISECOND, Missed::Skip);
    for tick in 1..=100 {
        hand.advance(if tick == 1 { 130 * MILLISECOND } else { 100 * MILLISECOND });
        assert_eq!(rig.glance(), [fired(timer)]);
        assert_eq!(rig.ledger().timer_left(timer), Some(70 * MILLISECOND));
    }
}

fn an_interval_that_cancels_itself_stops(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let timer = rig.ledger().set_loop_interval(SECOND, Missed::Skip);
    for tick in 1..=10 {
        hand.advance(SECOND);
        let told = rig.turn_with(None, |ledger, _| {
            if tick == 3 {
                assert!(ledger.cancel_timer(timer));
            }
            true
        });
        assert_eq!(told.len(), usize::from(tick <= 3));
    }
}

fn a_timer_ends_with_its_source_and_does_not_outlive_it(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let (owner, _peer) = rig.pair(Family::Unix);
    let once = rig.ledger().set_timer(owner, SECOND).unwrap();
    let again = rig.ledger().set_interval(owner, SECOND, Missed::Burst).unwrap();
    hand.advance(SECOND);
    assert_eq!(rig.glance(), [Told::Expired(owner, once), Told::Expired(owner, again)]);
    let once = rig.ledger().set_timer(owner, SECOND).unwrap();
    hand.advance(SECOND);
    // Ended when both are due already.
    rig.ledger().abort(owner).unwrap();
    assert_eq!(rig.glance(), [Told::Closed(owner)]);
    for timer in [once, again] {
        assert!(!rig.ledger().cancel_timer(timer));
    }
    let (successor, _peer) = rig.pair(Family::Unix);
    hand.advance(10 * SECOND);
    assert_eq!(rig.glance(), []);
    assert_eq!(successor.index(), owner.index());
}

fn a_timer_set_by_a_timer_waits_for_the_next_turn(backend: Backend) {
    let (mut rig, _hand) = rig(backend);
    let (token, mut peer) = rig.pair(Family::Unix);
    rig.glance();
    rig.ledger().set_loop_timer(Duration::ZERO);
    for _ in 0..10 {
        // Between each two links of the chain the others have their turn.
        peer.write_all(b"x").unwrap();
        let told = rig.turn_with(None, |ledger, told| {
            if let Told::Expired(..) = told {
                ledger.set_loop_timer(Duration::ZERO);
            }
            matches!(told, Told::Expired(..))
        });
        assert!(matches!(told[..], [Told::Readable(readable), Told::Expired(..)] if readable == token), "{told:?}");
    }
}

fn a_thousand_timers_half_of_them_cancelled(backend: Backend) {
    const COUNT: u32 = 1024;
    let (mut rig, hand) = rig(backend);
    // Any order will do, if it is not a sorted one.
    let delay = |number: u32| number.wrapping_mul(2_654_435_761) % 1000 * MILLISECOND;
    let timers: Vec<_> = (0..COUNT).map(|number| (delay(number), rig.ledger().set_loop_timer(delay(number)))).collect();
    let mut expected = Vec::new();
    for (number, (delay, timer)) in timers.into_iter().enumerate() {
        if number % 2 == 0 {
            assert!(rig.ledger().cancel_timer(timer));
        } else {
            expected.push((delay, fired(timer)));
        }
    }
    expected.sort_by_key(|(delay, _)| *delay);
    for _ in 0..100 {
        hand.advance(10 * MILLISECOND);
        rig.glance();
    }
    assert!(rig.log.iter().eq(expected.iter().map(|(_, told)| told)));
}

fn a_hundred_intervals_each_for_its_own_number_of_ticks(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    let mut ticks: BTreeMap<TimerId, Vec<u64>> = BTreeMap::new();
    let mut periods = BTreeMap::new();
    for number in 0..100 {
        let (first, period) = if number % 2 == 0 { (200, 100) } else { (100, 200) };
        // Half of them by way of the other period.
        let period = if number % 4 < 2 { first } else { period };
        let timer = rig.ledger().set_loop_interval(u32::try_from(period).unwrap() * MILLISECOND, Missed::Skip);
        periods.insert(timer, period);
    }
    for now in (0..=1000_u64).step_by(50) {
        rig.turn_with(None, |ledger, told| {
            let Told::Expired(_, timer) = told else { panic!("{told:?}") };
            let ticks = ticks.entry(timer).or_default();
            ticks.push(now);
            if ticks.len() == 4 {
                assert!(ledger.cancel_timer(timer));
            }
            true
        });
        hand.advance(50 * MILLISECOND);
    }
    assert_eq!(ticks.len(), 100);
    for (timer, ticks) in ticks {
        assert_eq!(ticks, [1, 2, 3, 4].map(|tick| tick * periods[&timer]));
    }
}

/// The time of a turn is read once, when its wait ends. A delay is counted from when it is asked for all the same: what a
/// callback, or the program before its first turn, takes is not taken off.
fn a_timer_that_is_set_late_in_a_turn_does_not_fire_early(backend: Backend) {
    let (mut rig, hand) = rig(backend);
    hand.advance(10 * SECOND);
    let timer = rig.ledger().set_loop_timer(SECOND);
    assert!(rig.ledger().timer_left(timer).unwrap() <= SECOND);
    assert_eq!(rig.glance(), []);
    hand.advance(SECOND);
    assert_eq!(rig.glance(), [fired(timer)]);

    let mut rig = Rig::new(backend, Trigger::Level);
    let (token, mut peer) = rig.pair(Family::Unix);
    peer.write_all(b"x").unwrap();
    let mut set_at = None;
    rig.turn_with(None, |ledger, told| {
        assert_eq!(told, Told::Readable(token));
        // A callback that takes its time.
        let began = Instant::now();
        while began.elapsed() < 30 * MILLISECOND {}
        set_at = Some(Instant::now());
        ledger.set_loop_timer(20 * MILLISECOND);
        false
    });
    rig.turn(None);
    assert!(set_at.unwrap().elapsed() >= 20 * MILLISECOND);
}

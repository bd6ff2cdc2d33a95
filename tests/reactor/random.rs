//! Whatever happens in whatever order.

use crate::kit::{Family, MILLISECOND, Peer, Rig, SECOND, Told, noise};
use crate::support::every_backend_and_trigger;
use crate::sys;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;
use tripoll::reactor::{Hand, Stats, TimerId};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    whatever_happens_there_is_one_end_and_nothing_after_it,
    whatever_room_there_is_what_is_sent_arrives_in_order,
    whatever_is_sent_a_turn_reads_no_more_than_its_budget,
    whatever_is_set_timers_fire_in_order_and_never_early,
);

fn config() -> ProptestConfig {
    ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() }
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::Tcp), Just(Family::Unix)]
}

#[derive(Clone, Copy, Debug)]
enum Step {
    PeerWrites(usize),
    PeerReads(usize),
    PeerShuts,
    PeerResets,
    Send(usize),
    Finish,
    ShutWrite,
    Abort,
    Pause,
    Resume,
    Pull(bool),
    Timer(u64),
    Idle(u64),
    Advance(u64),
    Turn,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..5000_usize).prop_map(Step::PeerWrites),
        3 => (1..50_000_usize).prop_map(Step::PeerReads),
        1 => Just(Step::PeerShuts),
        1 => Just(Step::PeerResets),
        3 => (0..30_000_usize).prop_map(Step::Send),
        1 => Just(Step::Finish),
        1 => Just(Step::ShutWrite),
        1 => Just(Step::Abort),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => any::<bool>().prop_map(Step::Pull),
        1 => (0..5000_u64).prop_map(Step::Timer),
        1 => (1..5000_u64).prop_map(Step::Idle),
        1 => (1..2000_u64).prop_map(Step::Advance),
        12 => Just(Step::Turn),
    ]
}

/// Makes a step; whatever it answers is right, since the source may have ended before.
fn make(step: Step, rig: &mut Rig, hand: &Hand, token: Token, peer: &mut Option<Peer>) {
    let milliseconds = Duration::from_millis;
    match (step, peer.as_mut()) {
        (Step::PeerWrites(size), Some(peer)) => _ = peer.write(&noise(size)),
        (Step::PeerReads(size), Some(peer)) => _ = peer.read(&mut vec![0; size]),
        (Step::PeerShuts, Some(Peer::Tcp(stream))) => _ = stream.shutdown(std::net::Shutdown::Write),
        (Step::PeerShuts, Some(Peer::Unix(stream))) => _ = stream.shutdown(std::net::Shutdown::Write),
        (Step::PeerResets, _) => match peer.take() {
            Some(Peer::Tcp(stream)) => sys::reset(stream),
            other => drop(other),
        },
        (Step::Send(size), _) => _ = rig.ledger().send(token, noise(size)),
        (Step::Finish, _) => _ = rig.ledger().finish(token),
        (Step::ShutWrite, _) => _ = rig.ledger().shutdown_write(token),
        (Step::Abort, _) => _ = rig.ledger().abort(token),
        (Step::Pause, _) => _ = rig.ledger().pause(token),
        (Step::Resume, _) => _ = rig.ledger().resume(token),
        (Step::Pull(pulls), _) => _ = rig.ledger().set_wants(token, true, pulls),
        (Step::Timer(after), _) => _ = rig.ledger().set_timer(token, milliseconds(after)),
        (Step::Idle(after), _) => _ = rig.ledger().set_idle_timeout(token, Some(milliseconds(after))),
        (Step::Advance(by), _) => hand.advance(milliseconds(by)),
        (Step::Turn, _) => _ = rig.glance(),
        _ => {}
    }
}

fn names(told: Told) -> Option<Token> {
    match told {
        Told::Woken => None,
        Told::Accepted(token) | Told::Connected(token) | Told::Urgent(token) | Told::Readable(token) => Some(token),
        Told::Eof(token) | Told::Writable(token) | Told::Drained(token) | Told::Closed(token) => Some(token),
        Told::Expired(token, _) => Some(token),
    }
}

fn whatever_happens_there_is_one_end_and_nothing_after_it(backend: Backend, trigger: Trigger) {
    let config = ProptestConfig { cases: 100, ..config() };
    proptest!(config, |(family in family(), steps in prop::collection::vec(step(), 0..60))| {
        let settings = Settings { trigger, queue_max: 100_000, close_timeout: SECOND, ..Settings::default() };
        let (mut rig, hand) = Rig::by_hand(backend, settings);
        let (token, peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        peer.set_nonblocking();
        let mut peer = Some(peer);
        for step in steps {
            make(step, &mut rig, &hand, token, &mut peer);
        }
        // If it has not come to an end, let it.
        let _ = rig.ledger().finish(token);
        hand.advance(SECOND);
        rig.until(|rig| { hand.advance(SECOND); rig.log.contains(&Told::Closed(token)) });
        let end = rig.log.iter().position(|told| *told == Told::Closed(token)).unwrap();
        (0..5).for_each(|_| { hand.advance(10 * SECOND); rig.glance(); });
        prop_assert!(rig.log[end + 1..].iter().all(|told| names(*told) != Some(token)), "{:?}", rig.log);
        prop_assert_eq!((rig.ends.len(), rig.times(Told::Closed(token))), (1, 1));
        prop_assert!(rig.times(Told::Eof(token)) <= 1);
        let Stats { queued, connections, closed, .. } = rig.stats();
        prop_assert_eq!((queued, connections, closed, rig.ledger().len()), (0, 0, 1, 0));
    });
}

fn whatever_room_there_is_what_is_sent_arrives_in_order(backend: Backend, trigger: Trigger) {
    let frame = (prop_oneof![0..100_usize, 3000..5000_usize, 0..40_000_usize], 0..3_usize, 0..30_000_usize);
    proptest!(config(), |(
        family in family(),
        write_bytes in prop_oneof![1..200_usize, 4096..100_000_usize],
        frames in prop::collection::vec(frame, 1..30),
    )| {
        let settings = Settings { trigger, queue_max: 4 << 20, write_bytes, ..Settings::default() };
        let mut rig = Rig::with(backend, settings);
        let (token, mut peer) = rig.pair(family);
        sys::shrink_buffers(rig.ledger().descriptor(token).unwrap());
        peer.set_nonblocking();
        let all = noise(frames.iter().map(|(size, ..)| size).sum());
        let mut received = Vec::new();
        let mut sent = 0;
        for (size, form, room) in frames {
            let frame = &all[sent..sent + size];
            sent += size;
            match form {
                0 => rig.ledger().send(token, frame).unwrap(),
                1 => rig.ledger().send(token, frame.to_vec()).unwrap(),
                _ => rig.ledger().send(token, std::sync::Arc::<[u8]>::from(frame)).unwrap(),
            };
            rig.glance();
            let mut buf = vec![0; room];
            let read = peer.read(&mut buf).unwrap_or(0);
            received.extend_from_slice(&buf[..read]);
            let stats = rig.stats();
            prop_assert_eq!(stats.bytes_out as usize + stats.queued, sent);
        }
        rig.until(|_| {
            let mut buf = vec![0; 65_536];
            while let Ok(read @ 1..) = peer.read(&mut buf) {
                received.extend_from_slice(&buf[..read]);
            }
            received.len() == all.len()
        });
        prop_assert!(received == all);
        prop_assert_eq!(rig.stats().queued, 0);
    });
}

fn whatever_is_sent_a_turn_reads_no_more_than_its_budget(backend: Backend, trigger: Trigger) {
    proptest!(config(), |(
        family in family(),
        read_bytes in 1..5000_usize,
        pieces in prop::collection::vec((1..3000_usize, any::<bool>()), 1..20),
    )| {
        let mut rig = Rig::with(backend, Settings { trigger, read_bytes, ..Settings::default() });
        let (token, mut peer) = rig.pair(family);
        let all = noise(pieces.iter().map(|(size, _)| size).sum());
        let mut sent = 0;
        let turn = |rig: &mut Rig, wait| {
            let before = rig.read_of(token).len();
            rig.turn(Some(wait));
            prop_assert!(rig.read_of(token).len() - before <= read_bytes);
            Ok(())
        };
        for (size, pause) in pieces {
            peer.write_all(&all[sent..sent + size]).unwrap();
            sent += size;
            if pause {
                turn(&mut rig, Duration::ZERO)?;
            }
        }
        drop(peer);
        let mut turns = 0;
        while !rig.log.contains(&Told::Eof(token)) {
            turn(&mut rig, 10 * MILLISECOND)?;
            turns += 1;
            prop_assert!(turns < 100_000, "it does not come to an end");
        }
        prop_assert!(rig.read_of(token) == all);
    });
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Set(u64),
    Reset(usize, u64),
    Cancel(usize),
    Advance(u64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0..50_u64).prop_map(Change::Set),
        (any::<usize>(), 0..50_u64).prop_map(|(which, after)| Change::Reset(which, after)),
        any::<usize>().prop_map(Change::Cancel),
        (0..20_u64).prop_map(Change::Advance),
    ]
}

fn whatever_is_set_timers_fire_in_order_and_never_early(backend: Backend, trigger: Trigger) {
    proptest!(config(), |(changes in prop::collection::vec(change(), 0..200))| {
        let (mut rig, hand) = Rig::by_hand(backend, Settings { trigger, ..Settings::default() });
        // By timer: when it is due, and how many were set before.
        let mut model: BTreeMap<TimerId, (u64, usize)> = BTreeMap::new();
        let mut now = 0;
        for (order, change) in changes.into_iter().enumerate() {
            let pick = |which: usize| model.keys().nth(which % model.len().max(1)).copied();
            match change {
                Change::Set(after) => {
                    let timer = rig.ledger().set_loop_timer(Duration::from_millis(after));
                    model.insert(timer, (now + after, order));
                }
                Change::Reset(which, after) => if let Some(timer) = pick(which) {
                    prop_assert!(rig.ledger().reset_timer(timer, Duration::from_millis(after)));
                    model.insert(timer, (now + after, order));
                }
                Change::Cancel(which) => if let Some(timer) = pick(which) {
                    prop_assert!(rig.ledger().cancel_timer(timer));
                    model.remove(&timer);
                }
                Change::Advance(by) => {
                    now += by;
                    hand.advance(Duration::from_millis(by));
                    let mut due: Vec<_> = model.iter().filter(|(_, (at, _))| *at <= now).collect();
                    due.sort_by_key(|(_, when)| **when);
                    let due: Vec<_> = due.into_iter().map(|(timer, _)| *timer).collect();
                    let told: Vec<_> = due.iter().map(|timer| Told::Expired(Token::NONE, *timer)).collect();
                    prop_assert_eq!(rig.glance(), told);
                    due.iter().for_each(|timer| _ = model.remove(timer));
                }
            }
        }
    });
}

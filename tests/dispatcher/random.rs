//! Random lives: whatever handlers and peers do and in whatever order, every source is told its beginning once and its
//! end once, and nothing after it was told to end.

use crate::kernel;
use crate::probe::*;
use crate::support::every_backend_and_trigger;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(everyone_is_told_his_end_exactly_once);

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What a handler does in one of its callbacks.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Nothing,
    Send(usize),
    SendTo(usize),
    Finish,
    FinishPeer(usize),
    Abort,
    AbortPeer(usize),
    ShutdownWrite,
    Fail,
    Error,
    Panic,
    Pause,
    ResumePeer(usize),
    Timer,
    Idle,
    Adopt,
    Stop,
}

/// What a peer does between two turns.
#[derive(Clone, Copy, Debug)]
enum Move {
    Write(usize, usize),
    Read(usize),
    Shutdown(usize),
    Close(usize),
    Reset(usize),
    Wait,
}

fn deed() -> impl Strategy<Value = Deed> {
    let who = 0..NAMES.len();
    prop_oneof![
        4 => Just(Deed::Nothing),
        3 => (1..200_000_usize).prop_map(Deed::Send),
        2 => who.clone().prop_map(Deed::SendTo),
        1 => Just(Deed::Finish),
        1 => who.clone().prop_map(Deed::FinishPeer),
        1 => Just(Deed::Abort),
        1 => who.clone().prop_map(Deed::AbortPeer),
        1 => Just(Deed::ShutdownWrite),
        1 => Just(Deed::Fail),
        1 => Just(Deed::Error),
        1 => Just(Deed::Panic),
        1 => Just(Deed::Pause),
        1 => who.prop_map(Deed::ResumePeer),
        1 => Just(Deed::Timer),
        1 => Just(Deed::Idle),
        1 => Just(Deed::Adopt),
        1 => Just(Deed::Stop),
    ]
}

fn peer_move() -> impl Strategy<Value = Move> {
    let who = 0..NAMES.len();
    prop_oneof![
        5 => (who.clone(), 1..100_000_usize).prop_map(|(who, count)| Move::Write(who, count)),
        3 => who.clone().prop_map(Move::Read),
        1 => who.clone().prop_map(Move::Shutdown),
        1 => who.clone().prop_map(Move::Close),
        1 => who.prop_map(Move::Reset),
        2 => Just(Move::Wait),
    ]
}

fn does(deed: Deed, name: &'static str, cx: &mut Cx<'_>, world: &mut World) -> io::Result<()> {
    let token_of = |who: usize| world.tokens.get(NAMES[who]).copied().unwrap_or(tripoll::Token::NONE);
    match deed {
        Deed::Nothing => {}
        Deed::Send(count) => drop(cx.send(vec![1; count])?),
        Deed::SendTo(who) => drop(cx.send_to(token_of(who), vec![2; 10_000])),
        Deed::Finish => {
            cx.finish();
            world.note(name, "ends");
        }
        Deed::FinishPeer(who) => drop(cx.finish_peer(token_of(who))),
        Deed::Abort => {
            cx.abort();
            world.note(name, "ends");
        }
        Deed::AbortPeer(who) => drop(cx.abort_peer(token_of(who))),
        Deed::ShutdownWrite => drop(cx.shutdown_write()),
        Deed::Fail => cx.fail(io::Error::other("on purpose")),
        Deed::Error => return Err(io::Error::other("on purpose")),
        Deed::Panic => panic!("on purpose"),
        Deed::Pause => cx.pause(),
        Deed::ResumePeer(who) => drop(cx.resume_peer(token_of(who))),
        Deed::Timer => drop(cx.set_timer(Duration::from_millis(world.log.len() as u64 % 3))),
        Deed::Idle => cx.set_idle_timeout(Some(Duration::from_millis(2))),
        Deed::Adopt => {
            let (ours, _) = unix_pair();
            cx.adopt(ours, Probe::new("child"))?;
        }
        Deed::Stop => cx.stop(),
    }
    Ok(())
}

/// A handler that does one deed after the other, a callback each.
fn scripted(name: &'static str, deeds: Vec<Deed>) -> Probe {
    const ANSWERED: [On; 8] = [On::Open, On::Read, On::Eof, On::Write, On::Drain, On::Timeout, On::Shutdown, On::Close];
    let deeds = std::rc::Rc::new(std::cell::Cell::new(deeds.into_iter()));
    ANSWERED.into_iter().fold(Probe::new(name), |probe, on| {
        let deeds = std::rc::Rc::clone(&deeds);
        probe.on(on, move |cx, world| {
            if on == On::Read {
                keep(name, cx, world)?;
            }
            let mut rest = deeds.take();
            let deed = rest.next().unwrap_or(Deed::Nothing);
            deeds.set(rest);
            match does(deed, name, cx, world) {
                // `handle_close` has nobody to give an error to.
                Err(_) if on == On::Close => Ok(()),
                result => result,
            }
        })
    })
}

fn makes(step: Move, peers: &mut [Option<TcpStream>]) {
    match step {
        // A peer takes what comes: refusals and resets are its lot.
        Move::Write(who, count) => drop(peers[who].as_mut().map(|peer| peer.write(&vec![3; count]))),
        Move::Read(who) => drop(peers[who].as_mut().map(|peer| peer.read(&mut [0; 50_000]))),
        Move::Shutdown(who) => drop(peers[who].as_ref().map(|peer| peer.shutdown(Shutdown::Write))),
        Move::Close(who) => drop(peers[who].take()),
        Move::Reset(who) => peers[who].take().map_or((), kernel::reset),
        Move::Wait => {}
    }
}

fn check(world: &World) {
    for name in NAMES {
        let told = world.told(name);
        let closes = told.iter().filter(|line| line.starts_with("close:")).count();
        assert_eq!(closes, 1, "{name}: {:#?}", world.log);
        assert_eq!(told[0], "open", "{name}: {:#?}", world.log);
        assert_eq!(told.iter().filter(|line| **line == "open").count(), 1, "{name}: {:#?}", world.log);
        let after_close = told.iter().skip_while(|line| !line.starts_with("close:")).skip(1);
        assert_eq!(after_close.filter(|line| **line != "ends").count(), 0, "{name}: {:#?}", world.log);
        let after_end = told.iter().skip_while(|line| **line != "ends" && !line.starts_with("close:"));
        let told_after_end = after_end.filter(|line| **line != "ends" && !line.starts_with("close:")).count();
        assert_eq!(told_after_end, 0, "{name}: {:#?}", world.log);
    }
    let children = world.log.iter().filter(|line| *line == "child open").count();
    assert!(world.ends.iter().filter(|end| end.name == "child").count() >= children, "{:#?}", world.log);
}

fn live(backend: Backend, trigger: Trigger, deeds: &[Vec<Deed>], moves: &[Move]) {
    let settings = Settings { queue_max: 300_000, close_timeout: Duration::from_millis(3), ..with_trigger(trigger) };
    let (mut event_loop, hand) = probes_by_hand(backend, settings);
    let mut peers = Vec::new();
    for (name, deeds) in NAMES.into_iter().zip(deeds) {
        let (ours, peer) = tcp_pair();
        event_loop.adopt(ours, scripted(name, deeds.clone())).unwrap();
        peers.push(Some(peer));
    }
    for step in moves {
        makes(*step, &mut peers);
        hand.advance(Duration::from_micros(500));
        event_loop.turn(Some(Duration::ZERO)).unwrap();
        // Otherwise a stop would last until the next run.
        if event_loop.shared().count % 7 == 6 {
            event_loop.enter(|scope, _| scope.call_soon(|scope, _| scope.stop()));
            event_loop.run().unwrap();
        }
        event_loop.shared_mut().count += 1;
    }
    event_loop.close_all().unwrap();
    check(event_loop.shared());
    let stats = event_loop.stats();
    assert_eq!((stats.queued, stats.connections), (0, 0), "all is given back");
    assert_eq!(stats.bytes_lost, event_loop.shared().ends.iter().map(|end| end.lost as u64).sum::<u64>());
}

fn everyone_is_told_his_end_exactly_once(backend: Backend, trigger: Trigger) {
    let deeds = prop::collection::vec(prop::collection::vec(deed(), 0..12), NAMES.len());
    let moves = prop::collection::vec(peer_move(), 0..40);
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(deeds, moves), |(deeds, moves)| {
            live(backend, trigger, &deeds, &moves);
            Ok(())
        })
        .unwrap();
}

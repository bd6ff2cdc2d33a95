//! The orderly end of a loop, and the other ways in which `run` returns.

use crate::kernel;
use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::dispatcher::{Outcome, ShutdownReport};
use tripoll::reactor::Reason;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    listeners_close_at_once_and_connections_are_drained,
    what_is_not_drained_in_time_is_cut_and_counted,
    a_shutdown_without_grace_cuts_everything,
    who_says_farewell_is_heard,
    a_second_shutdown_can_only_shorten_the_grace,
    the_end_comes_as_soon_as_all_is_drained,
    what_is_adopted_when_the_grace_is_over_is_cut_as_well,
    what_is_adopted_meanwhile_counts_and_is_cut_at_the_latest,
    a_loop_with_nothing_to_do_is_idle,
    a_stop_beforehand_lets_nothing_run,
    a_stop_keeps_the_rest_of_the_turn_for_the_next_run,
    dropping_a_loop_closes_what_is_open,
);

const LONG: Duration = Duration::from_secs(60);

fn report(outcome: Outcome) -> ShutdownReport {
    let Outcome::Shutdown(report) = outcome else { panic!("{outcome:?}") };
    report
}

/// Runs a loop on a clock that is turned by hand until its shutdown is complete.
fn run_by_hand(event_loop: &mut Loop) -> ShutdownReport {
    report(event_loop.run().unwrap())
}

fn listeners_close_at_once_and_connections_are_drained(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    event_loop.adopt(listener, Probe::listener("listener", || Probe::new("child"))).unwrap();
    let client = TcpStream::connect(address).unwrap();
    client.set_nonblocking(true).unwrap();
    turn_until_logged(&mut event_loop, "child open");
    let child = event_loop.shared().tokens["child"];
    event_loop.enter(|scope, _| {
        scope.send_to(child, vec![8; 900_000]).unwrap();
        scope.shutdown(LONG);
    });
    turn_until_logged(&mut event_loop, "listener close: closed");
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(turn_until_peer_ends(&mut event_loop, &client).len(), 900_000);
    drop(client);
    let report = report(event_loop.run().unwrap());
    assert_eq!((report.drained, report.cut, report.bytes_lost), (1, 0, 0));
    assert!(event_loop.shared().has("child shutdown"));
    assert!(!event_loop.shared().has("listener shutdown"), "it is closed already");
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle, "it was told");
}

fn what_is_not_drained_in_time_is_cut_and_counted(backend: Backend, trigger: Trigger) {
    let settings = Settings { close_timeout: LONG, ..with_trigger(trigger) };
    let (mut event_loop, hand) = probes_by_hand(backend, settings);
    let (quick, quick_peer) = tcp_pair();
    let (slow, mut slow_peer) = tcp_pair();
    let (stubborn, _stubborn_peer) = tcp_pair();
    event_loop.adopt(quick, Probe::new("quick")).unwrap();
    kernel::shrink_send_buffer(&slow);
    let probe = Probe::new("slow").on(On::Open, |cx, _| cx.send(vec![1; 1 << 20]).map(drop).map_err(Into::into));
    event_loop.adopt(slow, probe).unwrap();
    event_loop.adopt(stubborn, Probe::new("stubborn").on(On::Shutdown, |_, _| Ok(()))).unwrap();
    event_loop.enter(|scope, _| scope.shutdown(Duration::from_secs(10)));
    drop(quick_peer);
    turn_until_logged(&mut event_loop, "quick close: closed");
    hand.advance(Duration::from_secs(9));
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.shared().ends.len(), 1, "the grace is not over");
    hand.advance(Duration::from_secs(1));
    let report = run_by_hand(&mut event_loop);
    assert_eq!((report.drained, report.cut), (1, 2));
    assert_eq!(report.took, Duration::from_secs(10));
    let world = event_loop.shared();
    assert!(world.has("slow close: cut off by the shutdown") && world.has("stubborn close: cut off by the shutdown"));
    let lost = world.ended("slow").unwrap().lost;
    assert!(lost > 0);
    assert_eq!(report.bytes_lost, lost);
    // A stream that was cut short does not look complete.
    let mut got = Vec::new();
    slow_peer.set_nonblocking(false).unwrap();
    assert_eq!(slow_peer.read_to_end(&mut got).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

fn a_shutdown_without_grace_cuts_everything(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let peers = ["a", "b"].map(|name| {
        let (ours, peer) = tcp_pair();
        event_loop.adopt(ours, Probe::new(name)).unwrap();
        peer
    });
    event_loop.enter(|scope, _| scope.shutdown(Duration::ZERO));
    let report = report(event_loop.run().unwrap());
    assert_eq!((report.drained, report.cut, report.bytes_lost), (0, 2, 0));
    assert!(event_loop.shared().ends.iter().all(|end| matches!(end.reason, Reason::Shutdown)));
    drop(peers);
}

fn who_says_farewell_is_heard(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Shutdown, |cx, _| {
        // Goes on until it is told that this was understood.
        cx.send("the server goes down").map(drop).map_err(Into::into)
    });
    event_loop
        .adopt(
            ours,
            probe.on(On::Read, |cx, _| {
                cx.finish();
                Ok(())
            }),
        )
        .unwrap();
    event_loop.enter(|scope, _| scope.shutdown(LONG));
    assert_eq!(turn_until_peer_has(&mut event_loop, &peer, 20), b"the server goes down");
    peer.write_all(b"understood").unwrap();
    turn_until_peer_ends(&mut event_loop, &peer);
    drop(peer);
    assert_eq!(report(event_loop.run().unwrap()).drained, 1);
}

fn a_second_shutdown_can_only_shorten_the_grace(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let (ours, _peer) = tcp_pair();
    event_loop.adopt(ours, Probe::new("a").on(On::Shutdown, |_, _| Ok(()))).unwrap();
    event_loop.enter(|scope, _| {
        scope.shutdown(Duration::from_secs(10));
        scope.shutdown(Duration::from_secs(20));
    });
    event_loop.enter(|scope, _| scope.shutdown(Duration::from_secs(30)));
    hand.advance(Duration::from_secs(3));
    idle_turns(&mut event_loop);
    event_loop.enter(|scope, _| scope.shutdown(Duration::from_secs(2)));
    hand.advance(Duration::from_secs(1));
    idle_turns(&mut event_loop);
    assert!(event_loop.shared().ends.is_empty());
    hand.advance(Duration::from_secs(1));
    assert_eq!(run_by_hand(&mut event_loop).cut, 1);
    assert_eq!(event_loop.shared().log.iter().filter(|line| *line == "a shutdown").count(), 1);
}

fn the_end_comes_as_soon_as_all_is_drained(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    event_loop.enter(|scope, _| scope.shutdown(LONG));
    let report = report(event_loop.run().unwrap());
    assert_eq!((report.drained, report.cut, report.bytes_lost), (0, 0, 0));
    assert!(report.took < LONG);
}

fn what_is_adopted_when_the_grace_is_over_is_cut_as_well(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, _peer) = UnixStream::pair().unwrap();
    let (late, _lates_peer) = UnixStream::pair().unwrap();
    let mut late = Some(late);
    let probe = Probe::new("a").on(On::Close, move |cx, _| match late.take() {
        Some(late) => cx.adopt(late, Probe::new("late")).map(drop),
        None => Ok(()),
    });
    event_loop.adopt(ours, probe).unwrap();
    event_loop.enter(|scope, _| scope.shutdown(Duration::ZERO));
    assert_eq!(report(event_loop.run().unwrap()).cut, 2);
    assert!(event_loop.shared().has("late close: cut off by the shutdown"));
}

fn what_is_adopted_meanwhile_counts_and_is_cut_at_the_latest(backend: Backend, trigger: Trigger) {
    let (mut event_loop, hand) = probes_by_hand(backend, with_trigger(trigger));
    let (ours, _peer) = UnixStream::pair().unwrap();
    let mut late = Some(ours);
    let (first, _first_peer) = UnixStream::pair().unwrap();
    let probe = Probe::new("a").on(On::Shutdown, move |cx, _| {
        cx.adopt(late.take().expect("called once"), Probe::new("late"))?;
        cx.abort();
        Ok(())
    });
    event_loop.adopt(first, probe).unwrap();
    event_loop.enter(|scope, _| scope.shutdown(Duration::from_secs(1)));
    idle_turns(&mut event_loop);
    assert!(event_loop.shared().has("late open") && event_loop.shared().ended("late").is_none());
    hand.advance(Duration::from_secs(1));
    assert_eq!(run_by_hand(&mut event_loop).cut, 2);
}

fn a_loop_with_nothing_to_do_is_idle(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    event_loop.enter(|scope, _| scope.call_later(Duration::from_millis(5), |_, world| world.count += 1));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().count, 1);
    let remote = event_loop.remote();
    let thread = std::thread::spawn(move || drop(remote));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle, "ended by the last remote");
    thread.join().unwrap();
}

fn a_stop_beforehand_lets_nothing_run(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    event_loop.enter(|scope, _| scope.call_soon(|_, world| world.count += 1));
    let turns = event_loop.stats().turns;
    event_loop.stop();
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    assert_eq!((event_loop.shared().count, event_loop.stats().turns), (0, turns));
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle, "it counts once");
    assert_eq!(event_loop.shared().count, 1);
}

fn a_stop_keeps_the_rest_of_the_turn_for_the_next_run(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let peers = crate::pausing::rivals(&mut event_loop, |cx, _| cx.stop());
    assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    assert_eq!(event_loop.shared().count, 1, "the other was ready as well");
    let (turns, events) = (event_loop.stats().turns, event_loop.stats().events);
    event_loop.turn(Some(LONG)).unwrap();
    assert_eq!(event_loop.shared().count, 2, "{:?}", event_loop.shared().log);
    assert_eq!((event_loop.stats().turns, event_loop.stats().events), (turns, events), "without another wait");
    drop(peers);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
}

fn dropping_a_loop_closes_what_is_open(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    let probe = Probe::new("a").on(On::Open, |cx, _| cx.set_timer(LONG).map(drop));
    event_loop.adopt(ours, probe).unwrap();
    event_loop.enter(|scope, _| scope.call_later(LONG, |_, _| panic!("never")));
    peer.write_all(b"pending").unwrap();
    let world = event_loop.into_shared();
    assert_eq!(world.log, ["a open"], "without being told");
    // Unread data turns the end into a reset.
    assert!(matches!(peer.read(&mut [0]), Ok(0) | Err(_)));
}

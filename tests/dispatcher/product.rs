//! Every callback times everything that may be done in one: whatever it is, nothing is told twice or out of turn, and
//! a bystander notices nothing.

use crate::kernel;
use crate::probe::*;
use crate::support::{BOUND, every_backend_and_trigger};
use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;
use tripoll::dispatcher::Outcome;
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(everything_may_be_done_in_every_callback);

/// What may be done. `own` concerns the source whose callback it is, the rest others or the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Do {
    Finish,
    Abort,
    Fail,
    ShutdownWrite,
    Panic,
    Adopt,
    SendTo,
    FinishPeer,
    AbortPeer,
    Stop,
    Shutdown,
}

const ALL: [Do; 11] = [
    Do::Finish,
    Do::Abort,
    Do::Fail,
    Do::ShutdownWrite,
    Do::Panic,
    Do::Adopt,
    Do::SendTo,
    Do::FinishPeer,
    Do::AbortPeer,
    Do::Stop,
    Do::Shutdown,
];

fn act(what: Do, cx: &mut Cx<'_>, world: &mut World, child: &mut Option<UnixStream>) -> io::Result<()> {
    let Some(child) = child.take() else {
        // Only the first time, but never leave anything unread.
        return cx.recv().map(drop);
    };
    world.note("subject", "acts");
    let target = world.tokens["target"];
    match what {
        Do::Finish => cx.finish(),
        Do::Abort => cx.abort(),
        Do::Fail => cx.fail(io::Error::other("on purpose")),
        Do::ShutdownWrite => {
            // A listener has no direction, and what has ended has none any more.
            let _ = cx.shutdown_write();
        }
        Do::Panic => panic!("on purpose"),
        Do::Adopt => drop(cx.adopt(child, Probe::new("child"))?),
        Do::SendTo => drop(cx.send_to(target, "from the subject")?),
        Do::FinishPeer => cx.finish_peer(target)?,
        Do::AbortPeer => cx.abort_peer(target)?,
        Do::Stop => cx.stop(),
        Do::Shutdown => cx.shutdown(BOUND),
    }
    Ok(())
}

/// The peers of a scene, dropped one by one.
struct Peers {
    subject: Option<TcpStream>,
    target: Option<UnixStream>,
    bystander: Option<UnixStream>,
    listener: Option<TcpListener>,
    child: Option<UnixStream>,
}

/// Sets the scene for a callback of the subject: the loop calls it without anything else being done.
fn scene(event_loop: &mut Loop, on: On, what: Do) -> Peers {
    let (target, targets_peer) = unix_pair();
    let (bystander, bystanders_peer) = unix_pair();
    let (child, childs_peer) = unix_pair();
    // One who goes on to the last, so that he can be spoken to during a shutdown too.
    event_loop.adopt(target, Probe::new("target").on(On::Shutdown, |_, _| Ok(()))).unwrap();
    event_loop.adopt(bystander, Probe::echo("bystander")).unwrap();
    let mut child = Some(child);
    let probe = Probe::new("subject").on(on, move |cx, world| act(what, cx, world, &mut child));
    let mut peers = Peers {
        subject: None,
        target: Some(targets_peer),
        bystander: Some(bystanders_peer),
        listener: None,
        child: Some(childs_peer),
    };
    match on {
        On::Accept => {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            peers.subject = Some(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
            event_loop.adopt(listener, probe).unwrap();
        }
        On::Connect => {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            event_loop.connect(&listener.local_addr().unwrap().into(), probe).unwrap();
            peers.subject = Some(listener.accept().unwrap().0);
            peers.listener = Some(listener);
        }
        _ => peers.subject = Some(scene_of_a_connection(event_loop, on, probe)),
    }
    peers
}

fn scene_of_a_connection(event_loop: &mut Loop, on: On, probe: Probe) -> TcpStream {
    let (ours, mut peer) = tcp_pair();
    let wants = Rc::clone(&probe.writes);
    let token = match on {
        On::Write => {
            wants.set(true);
            event_loop.adopt(ours, probe.on(On::Open, |_, _| Ok(())))
        }
        On::Drain => {
            let big = |cx: &mut Cx<'_>, _: &mut World| cx.send(vec![1; 900_000]).map(drop).map_err(Into::into);
            event_loop.adopt(ours, probe.on(On::Open, big))
        }
        On::Urgent => event_loop.adopt(
            ours,
            probe.on(On::Open, |cx, _| {
                cx.want_urgent(true);
                Ok(())
            }),
        ),
        On::Error => event_loop.adopt(ours, probe.on(On::Read, |_, _| Err(io::Error::other("to be handled")))),
        _ => event_loop.adopt(ours, probe),
    }
    .unwrap();
    match on {
        On::Read | On::Error => peer.write_all(b"x").unwrap(),
        On::Eof => peer.shutdown(Shutdown::Write).unwrap(),
        On::Urgent => kernel::send_urgent(&peer, b'!'),
        On::Timeout => drop(event_loop.with(token, |_, cx, _| cx.set_timer(Duration::ZERO).unwrap())),
        On::Shutdown => event_loop.enter(|scope, _| scope.shutdown(BOUND)),
        On::Close => event_loop.enter(|scope, _| scope.abort_peer(token).unwrap()),
        _ => {}
    }
    peer
}

/// Turns until the subject has acted, with what its peer must do for that.
fn provoke(event_loop: &mut Loop, peers: &mut Peers, on: On) {
    turn_until(event_loop, "the subject acts", |world| {
        let acted = world.has("subject acts");
        if let (false, On::Drain, Some(peer)) = (acted, on, &mut peers.subject) {
            read_available(peer, &mut Vec::new());
        }
        acted
    });
}

fn the_bystander_answers(event_loop: &mut Loop, peers: &Peers) {
    let mut peer = peers.bystander.as_ref().unwrap();
    peer.write_all(b"anybody there?").unwrap();
    assert_eq!(turn_until_peer_has(event_loop, peer, 14), b"anybody there?");
}

/// The reason that the subject must be given.
fn expected(on: On, what: Do) -> &'static [&'static str] {
    match (on, what) {
        (On::Close, _) | (_, Do::Abort) => &["aborted"],
        // A listener outlives what goes wrong with one client.
        (On::Accept, Do::Fail | Do::Panic) => &["aborted"],
        (_, Do::Panic) => &["its handler panicked"],
        (_, Do::Fail) => &["failed: on purpose"],
        // Who ends first is a matter of time.
        _ => &["closed", "closed by the peer", "aborted"],
    }
}

fn check(world: &World, on: On, what: Do, context: &str) {
    for name in ["subject", "target", "bystander", "child"] {
        let told = world.told(name);
        if told.is_empty() {
            assert_eq!(name, "child", "{context}");
            continue;
        }
        assert_eq!(told[0], "open", "{context}");
        assert_eq!(told.iter().filter(|line| **line == "open").count(), 1, "{context}");
        assert_eq!(told.iter().filter(|line| line.starts_with("close:")).count(), 1, "{context}");
        let last = told.iter().rfind(|line| **line != "acts").unwrap();
        assert!(last.starts_with("close:"), "{context}");
    }
    let reason = world.ended("subject").unwrap().reason.to_string();
    assert!(expected(on, what).contains(&reason.as_str()), "{reason}: {context}");
    let goes_on = on == On::Close || (on, what) == (On::Accept, Do::Panic);
    if matches!(what, Do::Finish | Do::Abort | Do::Panic) && !goes_on {
        let told = world.told("subject");
        let after = told.iter().skip_while(|line| **line != "acts").skip(1).count();
        assert_eq!(after, 1, "nothing but the close after the end: {context}");
    }
    match what {
        Do::AbortPeer => assert_eq!(world.told("target").last(), Some(&"close: aborted"), "{context}"),
        Do::FinishPeer => assert_eq!(world.told("target").last(), Some(&"close: closed"), "{context}"),
        Do::Adopt => assert!(!world.told("child").is_empty(), "{context}"),
        _ => {}
    }
}

fn play(backend: Backend, trigger: Trigger, on: On, what: Do) {
    let settings = Settings { close_timeout: BOUND, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let mut peers = scene(&mut event_loop, on, what);
    provoke(&mut event_loop, &mut peers, on);
    if what == Do::Stop {
        assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
    }
    if what == Do::SendTo {
        let got = turn_until_peer_has(&mut event_loop, peers.target.as_ref().unwrap(), 16);
        assert_eq!(got, b"from the subject");
    }
    let shuts_down = what == Do::Shutdown || on == On::Shutdown;
    if !shuts_down {
        the_bystander_answers(&mut event_loop, &peers);
    }
    // Everything is brought to its end by the peers.
    drop((peers.target.take(), peers.bystander.take(), peers.child.take(), peers.listener.take()));
    if let Some(mut peer) = peers.subject.take() {
        peer.set_nonblocking(true).unwrap();
        let mut unread = [0; 4096];
        // What is left unread would make the end a reset.
        while io::Read::read(&mut peer, &mut unread).is_ok_and(|read| read > 0) {}
    }
    if event_loop.shared().ended("subject").is_none() && (on == On::Accept || on == On::Error || on == On::Eof) {
        // These have no end of their own that a peer could bring about.
        let subject = event_loop.shared().tokens["subject"];
        let _ = event_loop.enter(
            |scope, _| {
                if on == On::Accept { scope.abort_peer(subject) } else { scope.finish_peer(subject) }
            },
        );
    }
    let outcome = event_loop.run().unwrap();
    let context = format!("{what:?} in {on:?}: {:#?}", event_loop.shared().log);
    assert_eq!(matches!(outcome, Outcome::Shutdown(_)), shuts_down, "{outcome:?} {context}");
    assert_eq!(event_loop.stats().panics, u64::from(what == Do::Panic), "{context}");
    check(event_loop.shared(), on, what, &context);
}

fn everything_may_be_done_in_every_callback(backend: Backend, trigger: Trigger) {
    for on in On::ALL {
        for what in ALL {
            play(backend, trigger, on, what);
        }
    }
}

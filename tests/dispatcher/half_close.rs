//! Connections of which one direction has ended: the other goes on.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::dispatcher::{Context, Outcome};
use tripoll::reactor::Descriptor;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    a_peer_that_has_said_all_still_gets_everything,
    a_reply_that_takes_time_reaches_a_peer_that_has_said_all,
    who_has_said_all_goes_on_reading,
    both_may_say_all_at_once,
    what_is_queued_goes_out_before_the_end,
    a_connection_kept_open_after_the_end_does_not_spin,
    only_stream_sockets_have_two_ends,
    a_full_proxy_passes_the_ends_on,
);

fn a_peer_that_has_said_all_still_gets_everything(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Eof, |cx, _| {
        // Not all at once: the queue has a cap.
        cx.send(vec![9; 1 << 20])?;
        cx.finish();
        Ok(())
    });
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"request").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let got = turn_until_peer_ends(&mut event_loop, &peer);
    assert_eq!(got.len(), 1 << 20);
    turn_until_logged(&mut event_loop, "a close: closed by the peer");
    assert_eq!(event_loop.shared().received("a"), b"request");
    assert_eq!(event_loop.shared().ends.len(), 1);
}

fn a_reply_that_takes_time_reaches_a_peer_that_has_said_all(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Eof, |cx, _| cx.set_timer(Duration::from_millis(30)).map(drop)).on(
        On::Timeout,
        |cx, _| {
            cx.send("reply")?;
            cx.finish();
            Ok(())
        },
    );
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"request").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(turn_until_peer_ends(&mut event_loop, &peer), b"reply");
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().log, ["a open", "a read", "a eof", "a timeout", "a close: closed by the peer"]);
    assert!(event_loop.stats().turns < 12, "{} turns: half an end is no reason to spin", event_loop.stats().turns);
}

fn who_has_said_all_goes_on_reading(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Open, |cx, _| {
        cx.send("all")?;
        cx.shutdown_write()?;
        assert!(cx.send("more").is_err(), "all was said");
        cx.shutdown_write()
    });
    event_loop.adopt(ours, probe).unwrap();
    assert_eq!(turn_until_peer_ends(&mut event_loop, &peer), b"all");
    for word in ["one ", "two ", "three"] {
        peer.write_all(word.as_bytes()).unwrap();
        turn_until(&mut event_loop, word, |world| world.received("a").ends_with(word.as_bytes()));
    }
    drop(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().received("a"), b"one two three");
    assert_eq!(event_loop.shared().log, ["a open", "a read", "a eof", "a close: closed by the peer"]);
}

fn both_may_say_all_at_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (left, right) = UnixStream::pair().unwrap();
    for (name, end) in [("left", left), ("right", right)] {
        let probe = Probe::new(name).on(On::Open, |cx, _| {
            cx.send("all")?;
            cx.shutdown_write()
        });
        event_loop.adopt(end, probe).unwrap();
    }
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    let world = event_loop.shared();
    for name in ["left", "right"] {
        assert_eq!(world.received(name), b"all");
        let log: Vec<_> = world.log.iter().filter(|line| line.starts_with(name)).collect();
        let expected = ["open", "read", "eof", "close: closed by the peer"].map(|what| format!("{name} {what}"));
        assert_eq!(log, expected.iter().collect::<Vec<_>>());
    }
}

fn what_is_queued_goes_out_before_the_end(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Open, |cx, _| {
        cx.send(vec![3; 900_000])?;
        cx.shutdown_write()
    });
    event_loop.adopt(ours, probe).unwrap();
    assert_eq!(turn_until_peer_ends(&mut event_loop, &peer).len(), 900_000);
    assert!(event_loop.shared().ends.is_empty());
}

fn a_connection_kept_open_after_the_end_does_not_spin(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    let token = event_loop.adopt(ours, Probe::new("a").on(On::Eof, |_, _| Ok(()))).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    turn_until_logged(&mut event_loop, "a eof");
    idle_turns(&mut event_loop);
    let events = event_loop.stats().events;
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.stats().events, events);
    // And can still be written to, at any time.
    event_loop.enter(|scope, _| scope.send_to(token, "late")).unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &peer, 4), b"late");
    event_loop.enter(|scope, _| scope.finish_peer(token)).unwrap();
    turn_until_logged(&mut event_loop, "a close: closed by the peer");
}

fn only_stream_sockets_have_two_ends(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    // A socket in disguise: what counts is how it was adopted.
    let token = event_loop.adopt(Descriptor::new(ours), Probe::new("a")).unwrap();
    let refused = event_loop.with(token, |_, cx, _| cx.shutdown_write()).unwrap();
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::Unsupported);
    peer.write_all(b"x").unwrap();
    turn_until_logged(&mut event_loop, "a read");
}

/// Passes bytes and the end on to the other side.
fn passes_on(name: &'static str, other: &'static str) -> Probe {
    let token = move |world: &World| world.tokens[other];
    Probe::new(name)
        .on(On::Read, move |cx, world| {
            let data = cx.recv()?;
            cx.send_to(token(world), data).map(drop).map_err(Into::into)
        })
        .on(On::Eof, move |cx, world| end_of(cx, token(world)))
}

fn end_of(cx: &mut Context<'_, Probe>, other: tripoll::Token) -> std::io::Result<()> {
    cx.ledger().shutdown_write(other)?;
    // Whoever is second to end closes both.
    if cx.send("").is_err() {
        cx.finish();
        cx.finish_peer(other)?;
    }
    Ok(())
}

fn a_full_proxy_passes_the_ends_on(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let ((front, mut client), (back, mut server)): ((TcpStream, _), (TcpStream, _)) = (tcp_pair(), tcp_pair());
    event_loop.adopt(front, passes_on("front", "back")).unwrap();
    event_loop.adopt(back, passes_on("back", "front")).unwrap();
    client.write_all(b"request").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(turn_until_peer_ends(&mut event_loop, &server), b"request");
    server.write_all(b"reply").unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(turn_until_peer_ends(&mut event_loop, &client), b"reply");
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().ends.len(), 2);
}

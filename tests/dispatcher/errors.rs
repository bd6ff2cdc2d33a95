//! Errors that callbacks return: who is told, and what ends.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::dispatcher::Outcome;
use tripoll::reactor::Reason;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    an_error_goes_to_handle_error_and_closes_that_connection_only,
    every_callback_may_return_an_error,
    who_handles_an_error_stays_open,
    would_block_is_no_error,
    a_listener_and_a_datagram_socket_survive_their_errors,
    a_listener_that_cannot_accept_is_closed_with_its_error,
    a_datagram_that_came_back_is_told_once,
    what_was_queued_before_finish_is_not_lost_by_sending_after_it,
);

fn complaint() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "no such command")
}

fn an_error_goes_to_handle_error_and_closes_that_connection_only(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let (other, mut others_peer) = tcp_pair();
    event_loop.adopt(ours, Probe::new("bad").on(On::Read, |_, _| Err(complaint()))).unwrap();
    event_loop.adopt(other, Probe::echo("good")).unwrap();
    peer.write_all(b"x").unwrap();
    turn_until_ended(&mut event_loop, "bad");
    let world = event_loop.shared();
    let log: Vec<_> = world.log.iter().filter(|line| line.starts_with("bad")).collect();
    assert_eq!(log, ["bad open", "bad read", "bad error: no such command", "bad close: failed: no such command"]);
    let Reason::Failed(error) = &world.ended("bad").unwrap().reason else { panic!("{:?}", world.ends) };
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    others_peer.write_all(b"still there?").unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &others_peer, 12), b"still there?");
}

fn every_callback_may_return_an_error(backend: Backend, trigger: Trigger) {
    // Those that any connection gets; the product of callbacks and actions has the others.
    for on in [On::Open, On::Read, On::Eof, On::Write, On::Timeout, On::Shutdown] {
        let mut event_loop = probes(backend, trigger);
        let (ours, mut peer) = tcp_pair();
        let probe = Probe::new("a").on(on, |_, _| Err(complaint()));
        probe.writes.set(on == On::Write);
        let token = event_loop.adopt(ours, probe).unwrap();
        match on {
            On::Read => peer.write_all(b"x").unwrap(),
            On::Eof => peer.shutdown(std::net::Shutdown::Write).unwrap(),
            On::Timeout => drop(event_loop.with(token, |_, cx, _| cx.set_timer(Duration::ZERO))),
            On::Shutdown => event_loop.enter(|scope, _| scope.shutdown(Duration::from_secs(60))),
            _ => {}
        }
        turn_until_ended(&mut event_loop, "a");
        let log = &event_loop.shared().log;
        assert_eq!(log[log.len() - 2..], ["a error: no such command", "a close: failed: no such command"], "{on:?}");
    }
}

fn who_handles_an_error_stays_open(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a")
        .on(On::Read, |cx, _| {
            cx.recv()?;
            Err(complaint())
        })
        .on(On::Error, |cx, _| cx.send("say that again\n").map(drop).map_err(Into::into));
    event_loop.adopt(ours, probe).unwrap();
    for _ in 0..2 {
        peer.write_all(b"x").unwrap();
        assert_eq!(turn_until_peer_has(&mut event_loop, &peer, 15), b"say that again\n");
    }
    assert!(event_loop.shared().ends.is_empty());
}

fn would_block_is_no_error(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Read, |cx, world| {
        let mut buf = [0; 4];
        loop {
            let read = cx.read(&mut buf)?;
            if read == 0 {
                return Ok(());
            }
            world.data.entry("a").or_default().extend_from_slice(&buf[..read]);
        }
    });
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"hello, world").unwrap();
    turn_until(&mut event_loop, "all is read", |world| world.received("a") == b"hello, world");
    drop(peer);
    turn_until_ended(&mut event_loop, "a");
    assert_eq!(event_loop.shared().log, ["a open", "a read", "a eof", "a close: closed by the peer"]);
}

fn a_listener_and_a_datagram_socket_survive_their_errors(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mailbox = socket.local_addr().unwrap();
    let listening = event_loop.adopt(listener, Probe::new("listener").on(On::Accept, |_, _| Err(complaint()))).unwrap();
    let receiver = Probe::new("udp").on(On::Read, |cx, _| {
        while cx.recv_from()?.is_some() {}
        Err(complaint())
    });
    let receiving = event_loop.adopt(socket, receiver).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for round in 1..=2 {
        let _client = TcpStream::connect(address).unwrap();
        sender.send_to(b"x", mailbox).unwrap();
        turn_until(&mut event_loop, "two errors", |world| {
            world.log.iter().filter(|line| line.ends_with("error: no such command")).count() == 2 * round
        });
    }
    assert!(event_loop.enter(|scope, _| scope.contains(listening) && scope.contains(receiving)));
}

fn a_listener_that_cannot_accept_is_closed_with_its_error(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    peer.write_all(b"x").unwrap();
    // Readable for ever, but not listening.
    let impostor = TcpListener::from(OwnedFd::from(ours));
    event_loop.adopt(impostor, Probe::new("listener")).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    let world = event_loop.shared();
    assert!(
        matches!(&world.ends[0].reason, Reason::Failed(e) if e.kind() == ErrorKind::InvalidInput),
        "{:?}",
        world.ends
    );
    assert_eq!(world.log.len(), 2, "{:?}", world.log);
}

fn a_datagram_that_came_back_is_told_once(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(nobody.local_addr().unwrap()).unwrap();
    drop(nobody);
    socket.send(b"anybody there?").unwrap();
    let probe = Probe::new("udp").on(On::Read, |cx, _| {
        while cx.recv_from()?.is_some() {}
        Ok(())
    });
    let token = event_loop.adopt(socket, probe).unwrap();
    turn_until(&mut event_loop, "the error", |world| world.log.iter().any(|line| line.contains("error:")));
    idle_turns(&mut event_loop);
    let events = event_loop.stats().events;
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.stats().events, events, "told again and again");
    assert_eq!(event_loop.shared().log.iter().filter(|line| line.contains("error:")).count(), 1);
    assert!(event_loop.enter(|scope, _| scope.contains(token)), "the socket survives");
}

fn what_was_queued_before_finish_is_not_lost_by_sending_after_it(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    let probe = Probe::new("a").on(On::Open, |cx, _| {
        cx.send(vec![7; 900_000])?;
        cx.finish();
        // A handler that answers line by line may well notice too late that one of them was the farewell.
        cx.send("and one more")?;
        Ok(())
    });
    event_loop.adopt(ours, probe).unwrap();
    let got = turn_until_peer_ends(&mut event_loop, &peer);
    assert_eq!(got.len(), 900_000);
    drop(peer);
    turn_until_logged(&mut event_loop, "a close: closed");
}

//! The lives of sources as their handlers see them: which callbacks come, and in which order.

use crate::kernel;
use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use tripoll::dispatcher::Outcome;
use tripoll::reactor::{Address, Listener};
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    an_accepted_connection_opens_reads_ends_and_closes,
    an_outgoing_connection_is_connected_before_it_reads_or_writes,
    what_waits_to_be_accepted_is_accepted_up_to_the_budget_of_a_turn,
    urgent_data_is_told_to_those_who_asked_for_it,
    urgent_data_wakes_nobody_who_did_not_ask,
    each_readiness_leads_to_one_callback,
    handle_connect_comes_once_for_every_family,
    handle_accept_gets_a_stream_that_does_not_block_and_the_address_of_its_peer,
    a_server_outlives_its_connections_and_a_connection_its_server,
);

fn an_accepted_connection_opens_reads_ends_and_closes(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    event_loop.adopt(listener, Probe::listener("listener", || Probe::new("child"))).unwrap();
    client.write_all(b"hello").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    turn_until_ended(&mut event_loop, "child");
    let world = event_loop.shared();
    assert_eq!(
        world.log,
        [
            "listener open",
            "listener accept",
            "child open",
            "child read",
            "child eof",
            "child close: closed by the peer"
        ]
    );
    assert_eq!(world.received("child"), b"hello");
}

fn an_outgoing_connection_is_connected_before_it_reads_or_writes(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().into();
    // It is writable and has something to read from the first moment on.
    let client = Probe::new("client").on(On::Open, |cx, _| cx.send("from the client").map(drop).map_err(Into::into));
    client.writes.set(true);
    let wants = std::rc::Rc::clone(&client.writes);
    event_loop
        .connect(
            &address,
            client.on(On::Write, move |_, _| {
                wants.set(false);
                Ok(())
            }),
        )
        .unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"from the server").unwrap();
    turn_until(&mut event_loop, "all is told", |world| world.has("client write") && world.has("client read"));
    drop_after_reading(server, b"from the client");
    turn_until_ended(&mut event_loop, "client");
    let log = &event_loop.shared().log;
    assert_eq!(log[..2], ["client open", "client connect"]);
    assert_eq!(log.iter().filter(|line| *line == "client connect").count(), 1);
}

fn drop_after_reading(mut peer: TcpStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    peer.set_nonblocking(false).unwrap();
    peer.set_read_timeout(Some(crate::support::BOUND)).unwrap();
    peer.read_exact(&mut got).unwrap();
    assert_eq!(got, expected);
}

fn what_waits_to_be_accepted_is_accepted_up_to_the_budget_of_a_turn(backend: Backend, trigger: Trigger) {
    let settings = tripoll::Settings { accepts_per_turn: 3, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    event_loop.adopt(listener, Probe::listener("listener", || Probe::new("child"))).unwrap();
    let accepted = |event_loop: &Loop| event_loop.shared().log.iter().filter(|l| *l == "listener accept").count();

    let waiting: Vec<_> = (0..7).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut before = 0;
    while before < 7 {
        event_loop.turn(Some(crate::support::BOUND)).unwrap();
        let now = accepted(&event_loop);
        assert!(now - before <= 3, "{} in one turn", now - before);
        before = now;
    }
    // One more, after the listener has been found empty.
    let one_more = TcpStream::connect(address).unwrap();
    turn_until(&mut event_loop, "the eighth", |world| {
        world.log.iter().filter(|l| *l == "listener accept").count() == 8
    });
    drop((waiting, one_more));
}

fn urgent_data_is_told_to_those_who_asked_for_it(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = tcp_pair();
    let probe = Probe::new("a")
        .on(On::Open, |cx, _| {
            cx.want_urgent(true);
            Ok(())
        })
        .on(On::Urgent, |cx, world| {
            let byte = cx.recv_urgent()?;
            world.data.entry("urgent").or_default().extend(byte);
            Ok(())
        });
    event_loop.adopt(ours, probe).unwrap();
    turn_until_logged(&mut event_loop, "a open");
    peer.write_all(b"before").unwrap();
    kernel::send_urgent(&peer, b'!');
    peer.write_all(b"after").unwrap();
    turn_until(&mut event_loop, "all is told", |world| {
        world.received("a").len() == 11 && !world.received("urgent").is_empty()
    });
    assert_eq!(event_loop.shared().received("urgent"), b"!");
    assert_eq!(event_loop.shared().received("a"), b"beforeafter");
    assert_eq!(event_loop.shared().log.iter().filter(|line| *line == "a expt").count(), 1);
}

fn urgent_data_wakes_nobody_who_did_not_ask(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, peer) = tcp_pair();
    event_loop.adopt(ours, Probe::new("a")).unwrap();
    turn_until_logged(&mut event_loop, "a open");
    kernel::send_urgent(&peer, b'!');
    idle_turns(&mut event_loop);
    let events = event_loop.stats().events;
    idle_turns(&mut event_loop);
    assert_eq!(event_loop.stats().events, events, "an event that nobody asked for is repeated");
    assert!(!event_loop.shared().has("a expt"));
}

fn each_readiness_leads_to_one_callback(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (reader, mut peer) = tcp_pair();
    let (writer, _quiet) = tcp_pair();
    let writing = Probe::new("writer");
    writing.writes.set(true);
    let wants = std::rc::Rc::clone(&writing.writes);
    event_loop.adopt(reader, Probe::new("reader")).unwrap();
    event_loop
        .adopt(
            writer,
            writing.on(On::Write, move |_, _| {
                wants.set(false);
                Ok(())
            }),
        )
        .unwrap();
    peer.write_all(b"x").unwrap();
    turn_until(&mut event_loop, "both", |world| world.has("reader read") && world.has("writer write"));
    idle_turns(&mut event_loop);
    let mut log = event_loop.shared().log.clone();
    log.sort();
    assert_eq!(log, ["reader open", "reader read", "writer open", "writer write"]);
}

fn handle_connect_comes_once_for_every_family(backend: Backend, trigger: Trigger) {
    let path = fresh_path();
    let unix = Listener::bind(&tripoll::Endpoint::Unix(path.clone())).unwrap();
    let v4 = TcpListener::bind("127.0.0.1:0").unwrap();
    let v6 = TcpListener::bind("[::1]:0").unwrap();
    let peers = [
        ("v4", Address::from(v4.local_addr().unwrap())),
        ("v6", v6.local_addr().unwrap().into()),
        ("unix", Address::unix(&path).unwrap()),
    ];
    for (name, address) in peers {
        let mut event_loop = probes(backend, trigger);
        event_loop.connect(&address, Probe::new(name)).unwrap();
        turn_until_logged(&mut event_loop, &format!("{name} connect"));
        idle_turns(&mut event_loop);
        assert_eq!(event_loop.shared().log, [format!("{name} open"), format!("{name} connect")]);
    }
    drop(unix);
    assert!(!path.exists(), "the path goes with its listener");
}

fn handle_accept_gets_a_stream_that_does_not_block_and_the_address_of_its_peer(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    event_loop.adopt(listener, Probe::new("listener")).unwrap();
    turn_until_logged(&mut event_loop, "listener accept");
    let (stream, peer) = event_loop.shared_mut().accepted.take().unwrap();
    assert_eq!(peer.as_inet(), Some(client.local_addr().unwrap()));
    let mut stream = TcpStream::from(std::os::fd::OwnedFd::from(stream));
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

fn a_server_outlives_its_connections_and_a_connection_its_server(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let path = fresh_path();
    let listener = UnixListener::bind(&path).unwrap();
    let server = event_loop.adopt(listener, Probe::listener("server", || Probe::echo("child"))).unwrap();
    let first = UnixStream::connect(&path).unwrap();
    turn_until_logged(&mut event_loop, "child open");
    drop(first);
    turn_until_ended(&mut event_loop, "child");
    assert!(event_loop.enter(|scope, _| scope.contains(server)));

    let mut second = UnixStream::connect(&path).unwrap();
    second.set_nonblocking(true).unwrap();
    turn_until(&mut event_loop, "the second child", |world| {
        world.log.iter().filter(|line| *line == "child open").count() == 2
    });
    event_loop.enter(|scope, _| scope.finish_peer(server)).unwrap();
    turn_until_logged(&mut event_loop, "server close: closed");
    assert!(!event_loop.enter(|scope, _| scope.contains(server)));
    second.write_all(b"still there?").unwrap();
    assert_eq!(turn_until_peer_has(&mut event_loop, &second, 12), b"still there?");
    drop(second);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    std::fs::remove_file(path).unwrap();
}

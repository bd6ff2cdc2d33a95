//! The limits that can be set by flags.

use crate::echo_server;
use crate::support::BOUND;
use crate::sys::{self, POLLIN, question};
use crate::{FLOORS, server};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use tripoll::{Backend, Trigger};

crate::support::every_backend_and_trigger! {
    beyond_the_limit_on_connections_clients_wait_until_one_leaves,
    beyond_the_limit_per_peer_a_connection_is_closed,
    who_is_silent_for_the_idle_timeout_is_closed_and_not_before,
    who_does_not_read_the_rest_within_the_close_timeout_is_cut,
    beyond_the_limit_on_all_queues_together_a_client_is_cut,
}

/// More than the kernel keeps for both directions of a connection.
const MUCH: usize = 24 << 20;

fn beyond_the_limit_on_connections_clients_wait_until_one_leaves(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        let server = echo_server(floor, backend, trigger, &["--max-connections", "2"]);
        let (first, second) = (talk(server.connect()), talk(server.connect()));
        let mut third = server.connect();
        third.write_all(b"x").unwrap();
        let mut answer = [question(third.as_raw_fd(), POLLIN)];
        assert_eq!(sys::poll(&mut answer, server::WINDOW), 0, "{floor}: a third client is served");
        // The loop goes on accepting only some way below its limit.
        drop((first, second));
        third.read_exact(&mut [0]).unwrap();
    }
}

fn beyond_the_limit_per_peer_a_connection_is_closed(backend: Backend, trigger: Trigger) {
    for floor in ["reactor", "dispatcher"] {
        let server = echo_server(floor, backend, trigger, &["--max-per-peer", "2"]);
        let (first, second) = (talk(server.connect()), talk(server.connect()));
        assert!(is_closed(&mut server.connect()), "{floor}: a third connection of one peer is served");
        drop((first, second));
        // How soon the server hears of the two is its own affair.
        let deadline = Instant::now() + BOUND;
        while is_closed(&mut server.connect()) {
            assert!(Instant::now() < deadline, "{floor}: the peer's share is never given back");
        }
    }
}

fn who_is_silent_for_the_idle_timeout_is_closed_and_not_before(backend: Backend, trigger: Trigger) {
    for floor in ["reactor", "dispatcher"] {
        let server = echo_server(floor, backend, trigger, &["--idle-timeout", "0.2"]);
        let began = Instant::now();
        let mut client = talk(server.connect());
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        assert!(began.elapsed() >= Duration::from_millis(200), "{floor}: closed after {:?}", began.elapsed());
    }
}

fn who_does_not_read_the_rest_within_the_close_timeout_is_cut(backend: Backend, trigger: Trigger) {
    for floor in ["reactor", "dispatcher"] {
        // Room for all that is sent, so that the server gets to the end of it.
        let server = echo_server(floor, backend, trigger, &["--queue", "67108864", "--close-timeout", "0.2"]);
        let mut client = server.connect();
        client.write_all(&vec![b'x'; MUCH]).unwrap();
        let open = sys::open_descriptors(server.pid(), u64::MAX);
        let began = Instant::now();
        client.shutdown(Shutdown::Write).unwrap();
        while sys::open_descriptors(server.pid(), u64::MAX) == open {
            assert!(began.elapsed() < BOUND, "{floor}: one who does not read is never cut");
            sys::poll(&mut [question(client.as_raw_fd(), 0)], server::WINDOW / 10);
        }
        assert!(began.elapsed() >= Duration::from_millis(200), "{floor}: cut after {:?}", began.elapsed());
    }
}

fn beyond_the_limit_on_all_queues_together_a_client_is_cut(backend: Backend, trigger: Trigger) {
    for floor in ["reactor", "dispatcher"] {
        let server = echo_server(floor, backend, trigger, &["--queues", "1000"]);
        let mut client = server.connect();
        let chunk = [b'x'; 64 * 1024];
        let mut writes = (0..10_000).map(|_| client.write_all(&chunk));
        let end = writes.find_map(Result::err).unwrap_or_else(|| panic!("{floor}: everything was taken"));
        assert!(matches!(end.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{floor}: {end}");
        talk(server.connect());
    }
}

/// A client that is served.
fn talk(mut client: TcpStream) -> TcpStream {
    client.write_all(b"x").unwrap();
    client.read_exact(&mut [0]).unwrap();
    client
}

/// Whether the server does not want to talk.
fn is_closed(client: &mut TcpStream) -> bool {
    // Fails if it is closed already.
    let _ = client.write_all(b"x");
    match client.read(&mut [0]) {
        Ok(read) => read == 0,
        Err(e) => {
            assert!(matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{e}");
            true
        }
    }
}

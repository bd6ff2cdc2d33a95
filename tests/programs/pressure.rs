//! Clients that do not read, and clients that do nothing: the one costs bounded memory, and none costs a processor.

use crate::drive::{Socket, drive};
use crate::echo_client::{EchoClient, Step};
use crate::random::content;
use crate::server::{Server, is_quiet};
use crate::support::BOUND;
use crate::sys::{self, POLLOUT, question};
use crate::{FLOORS, echo_server, server};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use tripoll::{Backend, Trigger};

crate::support::every_backend_and_trigger! {
    who_sends_and_never_reads_is_held_back_and_loses_nothing,
    a_hundred_idle_connections_cost_nothing,
}

/// More than the kernel keeps for both directions of a connection, by far.
const MUCH: usize = 256 << 20;

fn who_sends_and_never_reads_is_held_back_and_loses_nothing(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        let mut server = echo_server(floor, backend, trigger, &[]);
        let mut socket = Socket::tcp(server.tcp());
        let sent = send_until_held_back(&server, &mut socket);
        say_hello(&server);
        let used = server.use_while_quiet();
        assert!(is_quiet(used), "{floor}: the server is busy with one who does not read: {used:?}");
        let memory = sys::memory(server.pid());
        assert!(memory < 32 << 20, "{floor}: the server keeps {memory} bytes for one who does not read");
        let client = EchoClient::new(0, [Step::HalfClose]).having_sent(sent);
        drive(vec![(socket, client)], BOUND).unwrap_or_else(|e| panic!("{floor}: {e}"));
    }
}

/// How much was sent when nothing more was taken for a while, although the server had nothing else to do.
pub(crate) fn send_until_held_back(server: &Server, socket: &mut Socket) -> usize {
    let mut sent = 0;
    loop {
        match socket.write(content(0, sent, usize::MAX)) {
            Ok(written) => sent += written,
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                let mut room = [question(socket.as_fd().as_raw_fd(), POLLOUT)];
                if sys::poll(&mut room, server::WINDOW) == 0 && sys::is_waiting(server.pid()) {
                    return sent;
                }
            }
            Err(e) => panic!("{e}, after {sent} bytes"),
        }
        assert!(sent < MUCH, "the server takes whatever it gets, and nobody reads it");
    }
}

fn say_hello(server: &Server) {
    let mut stream = server.connect();
    stream.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
}

fn a_hundred_idle_connections_cost_nothing(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        let mut server = echo_server(floor, backend, trigger, &[]);
        let mut clients: Vec<_> = (0..100).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.write_all(b"x").unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
        let used = server.use_while_quiet();
        assert!(is_quiet(used), "{floor}: a server with nothing to do is busy: {used:?}");
    }
}

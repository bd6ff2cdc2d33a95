//! The echo server on sockets that carry datagrams.

use crate::server::{FreshPath, Server, is_quiet};
use crate::support::BOUND;
use crate::{FLOORS, echo_args};
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use tripoll::{Backend, Trigger};

crate::support::every_backend_and_trigger! {
    datagrams_of_every_size_come_back_to_their_sender,
    unix_datagrams_come_back_to_their_sender,
    a_unix_socket_that_does_not_read_holds_up_nobody_else,
}

/// None at all, one, some, and the most that UDP over IPv4 carries.
const SIZES: [usize; 4] = [0, 1, 1000, 65_507];

fn datagrams_of_every_size_come_back_to_their_sender(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        let server = Server::start_on("echo", &["udp://127.0.0.1:0"], &echo_args(floor, backend, trigger));
        let sockets = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut buf = vec![0; 70_000];
        for (size, socket) in SIZES.into_iter().flat_map(|size| sockets.iter().map(move |socket| (size, socket))) {
            socket.set_read_timeout(Some(BOUND)).unwrap();
            let message = crate::random::content(size, 0, size);
            socket.send_to(message, server.address("udp://")).unwrap();
            let (len, _) = socket.recv_from(&mut buf).unwrap_or_else(|e| panic!("{floor}, {size} bytes: {e}"));
            assert!(buf[..len] == *message, "{floor}, {size} bytes: another message came back");
        }
    }
}

fn unix_datagrams_come_back_to_their_sender(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        let (path, mut buf) = (FreshPath::new(), vec![0; 70_000]);
        let _server = start(&path, floor, backend, trigger);
        // One who has no name cannot be answered, which is no reason to stop.
        UnixDatagram::unbound().unwrap().send_to(b"from nobody", path.as_path()).unwrap();
        let own = FreshPath::new();
        let socket = client(&own);
        for size in SIZES {
            let message = crate::random::content(size, 0, size);
            socket.send_to(message, path.as_path()).unwrap();
            let len = socket.recv(&mut buf).unwrap_or_else(|e| panic!("{floor}, {size} bytes: {e}"));
            assert!(buf[..len] == *message, "{floor}, {size} bytes: another message came back");
        }
    }
}

fn a_unix_socket_that_does_not_read_holds_up_nobody_else(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        let path = FreshPath::new();
        let mut server = start(&path, floor, backend, trigger);
        let (deaf, own) = (FreshPath::new(), FreshPath::new());
        let deaf = client(&deaf);
        // More than fit into a receive queue.
        for _ in 0..600 {
            deaf.send_to(b"x", path.as_path()).unwrap();
        }
        let socket = client(&own);
        socket.send_to(b"hello", path.as_path()).unwrap();
        let mut buf = [0; 10];
        match socket.recv(&mut buf) {
            Ok(len) => assert_eq!(&buf[..len], b"hello"),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::WouldBlock, "{e}");
                panic!("{floor}: one who does not read holds up the others");
            }
        }
        let used = server.use_while_quiet();
        assert!(is_quiet(used), "{floor}: the server is busy with one who does not read: {used:?}");
    }
}

fn start(path: &FreshPath, floor: &str, backend: Backend, trigger: Trigger) -> Server {
    Server::start_on("echo", &[&path.at("unixgram://")], &echo_args(floor, backend, trigger))
}

/// A socket with a name, to which can be answered.
fn client(path: &FreshPath) -> UnixDatagram {
    let socket = UnixDatagram::bind(path.as_path()).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket.set_write_timeout(Some(BOUND)).unwrap();
    socket
}

//! Sockets as the loop makes them, and addresses.

use crate::kit::{Rig, connect, socket_path};
use crate::support::every_backend;
use crate::sys;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use tripoll::reactor::{Address, Datagram, Listener};
use tripoll::{Backend, Endpoint, Token, Trigger};

every_backend!(
    sockets_are_nonblocking_closed_on_exec_and_of_the_kind_asked_for,
    the_ends_of_a_connection_agree_about_their_addresses,
    a_port_that_is_taken_is_refused_with_advice_and_its_owner_goes_on,
    a_port_can_be_bound_again_at_once,
    small_messages_are_not_held_back,
    options_can_be_set_by_the_descriptor,
);

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap()
}

fn assert_well_made(fd: BorrowedFd<'_>, family: i32, kind: i32) {
    assert!(sys::is_nonblocking(fd) && sys::closes_on_exec(fd));
    assert_eq!(sys::option(fd, libc::SOL_SOCKET, libc::SO_DOMAIN), family);
    assert_eq!(sys::option(fd, libc::SOL_SOCKET, libc::SO_TYPE), kind);
}

fn sockets_are_nonblocking_closed_on_exec_and_of_the_kind_asked_for(backend: Backend) {
    let stream_paths = [socket_path(), socket_path()];
    let cases = [
        (endpoint("tcp://127.0.0.1:0"), libc::AF_INET),
        (endpoint("tcp://[::1]:0"), libc::AF_INET6),
        (Endpoint::Unix(stream_paths[0].clone()), libc::AF_UNIX),
    ];
    for (endpoint, family) in cases {
        let mut rig = Rig::new(backend, Trigger::Level);
        let listener = Listener::bind(&endpoint).unwrap();
        let address = listener.local_address().unwrap();
        let listener = rig.ledger().adopt(listener).unwrap();
        let client = rig.ledger().connect(&address).unwrap();
        rig.until(|rig| rig.accepted.len() == 1);
        for token in [listener, client, rig.accepted[0]] {
            assert_well_made(rig.ledger().descriptor(token).unwrap(), family, libc::SOCK_STREAM);
        }
    }
    let cases = [
        (endpoint("udp://127.0.0.1:0"), libc::AF_INET),
        (endpoint("udp://[::1]:0"), libc::AF_INET6),
        (Endpoint::UnixDatagram(stream_paths[1].clone()), libc::AF_UNIX),
    ];
    for (endpoint, family) in cases {
        let mut rig = Rig::new(backend, Trigger::Level);
        let token = rig.ledger().adopt(Datagram::bind(&endpoint).unwrap()).unwrap();
        assert_well_made(rig.ledger().descriptor(token).unwrap(), family, libc::SOCK_DGRAM);
    }
}

fn the_ends_of_a_connection_agree_about_their_addresses(backend: Backend) {
    for text in ["tcp://127.0.0.1:0", "tcp://[::1]:0"] {
        let mut rig = Rig::new(backend, Trigger::Level);
        let asked = endpoint(text);
        let [first, second] = [0, 1].map(|_| Listener::bind(&asked).unwrap());
        let address = first.local_address().unwrap();
        assert_ne!(address.as_inet().unwrap().port(), 0);
        assert_ne!(address, second.local_address().unwrap());
        assert_eq!(asked.at(&address).address().unwrap(), address);

        let listener = rig.ledger().adopt(first).unwrap();
        let client = rig.ledger().connect(&address).unwrap();
        rig.until(|rig| rig.accepted.len() == 1 && rig.ledger().peer_address(client).is_ok());
        let server = rig.accepted[0];
        let ledger = rig.ledger();
        assert_eq!(ledger.local_address(listener).unwrap(), address);
        assert_eq!(ledger.local_address(server).unwrap(), address);
        assert_eq!(ledger.peer_address(client).unwrap(), address);
        assert_eq!(ledger.peer_address(server).unwrap(), ledger.local_address(client).unwrap());
        assert_eq!(ledger.peer_address(listener).unwrap_err().kind(), io::ErrorKind::NotConnected);
        assert_eq!(ledger.local_address(Token::NONE).unwrap_err().kind(), io::ErrorKind::NotConnected);
    }
}

fn a_port_that_is_taken_is_refused_with_advice_and_its_owner_goes_on(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let (_, address) = rig.listen();
    let error = Listener::bind(&endpoint(&format!("tcp://{address}"))).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()) && error.to_string().contains("another port"), "{error}");
    let path = Endpoint::Unix(socket_path());
    let first = Listener::bind(&path).unwrap();
    let error = Listener::bind(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains("the path exists"), "{error}");
    drop(first);
    Listener::bind(&path).unwrap();
    let _client = connect(&address);
    rig.until(|rig| rig.accepted.len() == 1);
}

fn a_port_can_be_bound_again_at_once(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let (listener, address) = rig.listen();
    assert_ne!(sys::option(rig.ledger().descriptor(listener).unwrap(), libc::SOL_SOCKET, libc::SO_REUSEADDR), 0);
    // A connection that this side ends first leaves the port occupied for a minute, but for those who say so.
    let mut client = connect(&address);
    rig.until(|rig| rig.accepted.len() == 1);
    let server = rig.accepted[0];
    rig.ledger().finish(server).unwrap();
    rig.glance();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    drop(client);
    rig.end_of(server);
    rig.ledger().abort(listener).unwrap();
    rig.end_of(listener);
    let listener = Listener::bind(&endpoint(&format!("tcp://{address}"))).unwrap();
    rig.ledger().adopt(listener).unwrap();
    let mut client = connect(&address);
    client.write_all(b"again").unwrap();
    rig.until(|rig| rig.accepted.get(1).is_some_and(|server| rig.read_of(*server) == b"again"));
}

fn small_messages_are_not_held_back(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let (_, address) = rig.listen();
    let client = rig.ledger().connect(&address).unwrap();
    rig.until(|rig| rig.accepted.len() == 1);
    for token in [client, rig.accepted[0]] {
        assert_ne!(sys::option(rig.ledger().descriptor(token).unwrap(), libc::IPPROTO_TCP, libc::TCP_NODELAY), 0);
    }
}

fn options_can_be_set_by_the_descriptor(backend: Backend) {
    let mut rig = Rig::new(backend, Trigger::Level);
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let token = rig.ledger().adopt(plain).unwrap();
    let fd = rig.ledger().descriptor(token).unwrap().as_fd().try_clone_to_owned().unwrap();
    TcpListener::from(fd).set_ttl(17).unwrap();
    assert_eq!(sys::option(rig.ledger().descriptor(token).unwrap(), libc::IPPROTO_IP, libc::IP_TTL), 17);
}

#[test]
fn addresses_are_read_and_shown_as_people_write_them() {
    let inet = |text: &str| endpoint(text).address().unwrap().as_inet();
    assert_eq!(inet("tcp://[ffff::1]:1000"), Some("[ffff::1]:1000".parse::<SocketAddr>().unwrap()));
    assert_eq!(inet("udp://192.168.0.1:50"), Some("192.168.0.1:50".parse().unwrap()));
    assert_eq!(Address::from("[ffff::1]:1000".parse::<SocketAddr>().unwrap()).to_string(), "[ffff::1]:1000");
    // Nothing is guessed: there is always a scheme, and always a port.
    for wrong in ["tcp://[ffff::1]", "tcp://::1", "tcp://1.2.3.4", "1.2.3.4:5", "tcp://[ffff::1:1000"] {
        assert!(wrong.parse::<Endpoint>().is_err(), "{wrong}");
    }
    for port in ["65599", "-1", "", "x"] {
        assert!(format!("tcp://1.2.3.4:{port}").parse::<Endpoint>().is_err(), "{port}");
    }
    // Port 0 is the kernel's choice, and so a good one.
    assert_eq!(inet("tcp://1.2.3.4:0").unwrap().port(), 0);
    assert!(Endpoint::Unix("x".repeat(108).into()).address().is_err());
}

#[test]
fn sockets_of_the_wrong_kind_are_refused_with_advice() {
    let error = Listener::bind(&endpoint("udp://127.0.0.1:0")).unwrap_err();
    assert!(error.kind() == io::ErrorKind::InvalidInput && error.to_string().contains("tcp://"), "{error}");
    let error = Datagram::bind(&endpoint("tcp://127.0.0.1:0")).unwrap_err();
    assert!(error.kind() == io::ErrorKind::InvalidInput && error.to_string().contains("udp://"), "{error}");
}

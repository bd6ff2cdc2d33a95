//! How the server ends.

use crate::person::Person;
use crate::program::{FreshPath, Server};
use crate::sys::{SIGINT, SIGTERM};
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&["--grace", "3600"]);
    // One who reads the farewell, but does not go.
    let mut anna = Person::arrive(&server, "anna");
    server.program.signal(SIGINT);
    anna.hears("* the server is shutting down: goodbye");
    server.program.prints("shutting down: members=1 grace=3600s; another signal ends it at once");
    server.program.signal(SIGINT);
    let ended = server.program.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("\nshut down: drained=0 cut=1 bytes_lost=0 "), "{ended:?}");
}

#[test]
fn the_grace_is_given_and_no_more() {
    let server = Server::start(&["--grace", "0.3"]);
    let mut anna = Person::arrive(&server, "anna");
    let began = Instant::now();
    server.program.signal(SIGTERM);
    anna.hears("* the server is shutting down: goodbye");
    let ended = server.program.wait();
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
    assert!(ended.stdout.contains(" cut=1 "), "{ended:?}");
}

#[test]
fn nobody_is_taken_in_while_it_shuts_down() {
    let server = Server::start(&["--grace", "3600"]);
    let mut anna = Person::arrive(&server, "anna");
    server.program.signal(SIGINT);
    anna.hears("* the server is shutting down: goodbye");
    let address = server.address().strip_prefix("tcp://").unwrap();
    // The kernel may connect them for a moment still, but nobody lets them in.
    let refused = loop {
        match TcpStream::connect(address) {
            Ok(mut stream) => assert_eq!(stream.read(&mut [0; 100]).unwrap_or(0), 0, "nothing is said"),
            Err(e) => break e,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn one_who_had_left_already_is_not_told_again() {
    let server = Server::start(&[]);
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    // The connection lingers until he ends it too.
    bob.say("/quit");
    anna.until("* bob has left");
    server.program.signal(SIGTERM);
    anna.hears("* the server is shutting down: goodbye");
    assert_eq!(bob.rest(), ["* goodbye"]);
}

#[test]
fn without_anybody_it_ends_at_once() {
    let ended = Server::start(&["--grace", "3600"]).terminate();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stdout.contains("\nshut down: drained=0 cut=0 bytes_lost=0 "), "{ended:?}");
    assert_eq!(ended.stderr, "");
}

#[test]
fn the_path_of_its_socket_is_removed() {
    let path = FreshPath::new();
    let server = Server::start_at(&[&path.unix()], &[]);
    assert!(path.as_path().exists());
    server.terminate();
    assert!(!path.as_path().exists());
}

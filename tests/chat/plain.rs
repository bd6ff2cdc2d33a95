//! The plain mode: a relay that says nothing.

use crate::conversation::meet;
use crate::person::Person;
use crate::program::Server;

fn people(server: &Server, count: usize) -> Vec<Person> {
    let mut people: Vec<_> = (0..count).map(|_| Person::connect(server.address())).collect();
    meet(&mut people);
    people
}

#[test]
fn bytes_are_relayed_as_they_are() {
    let server = Server::start(&["--plain"]);
    let mut people = people(&server, 2);
    let lines: [&[u8]; 5] = [b"/nick x\n", b"\xff\xfb\x01\x1b[m\xc3\r\n", b"\n", b"\0\n", b"cr\r\r\n"];
    people[0].send(lines.concat());
    for line in lines {
        assert_eq!(people[1].raw_line().as_deref(), Some(line));
    }
}

#[test]
fn no_line_is_relayed_before_its_end_and_one_without_is_not() {
    let server = Server::start(&["--plain"]);
    let mut people = people(&server, 2);
    people[0].send("half ");
    people[0].send("and half\nnothing");
    people[0].end();
    assert!(people[0].rest().is_empty());
    assert_eq!(people[1].line(), "half and half");
    people[1].end();
    assert!(people[1].rest().is_empty());
}

#[test]
fn a_line_that_is_too_long_is_dropped_and_the_next_is_not() {
    let server = Server::start(&["--plain", "--max-line", "16"]);
    let mut people = people(&server, 2);
    people[0].send("0123456789abcdefg\n0123456789abcdef\n");
    people[1].hears("0123456789abcdef");
}

#[test]
fn history_and_the_flood_limit_are_there_if_asked_for() {
    let server = Server::start(&["--plain", "--history", "2", "--flood", "0.001:4"]);
    let mut people = people(&server, 2);
    people[0].send("1\n2\n3\n4\n");
    for line in 1..=4 {
        people[1].hears(&line.to_string());
    }
    let mut late = Person::connect(server.address());
    late.hears("3");
    late.hears("4");
    people[0].send("5\n".repeat(5));
    assert!(people[0].rest().is_empty());
}

#[test]
fn the_idle_time_is_that_of_the_connection() {
    let server = Server::start(&["--plain", "--idle", "0.3"]);
    assert!(Person::connect(server.address()).rest().is_empty());
}

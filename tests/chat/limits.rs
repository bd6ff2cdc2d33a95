//! The limits that one person cannot go beyond, and what is said at them.

use crate::person::Person;
use crate::program::Server;
use std::time::{Duration, Instant};

#[test]
fn one_who_is_too_many_is_told_so_and_the_place_becomes_free() {
    let server = Server::start(&["--max-members", "2"]);
    let mut anna = Person::arrive(&server, "anna");
    let bob = Person::arrive(&server, "bob");
    let mut carl = Person::connect(server.address());
    assert_eq!(carl.rest(), ["* the chat is full (2 people): come back later"]);
    drop(bob);
    anna.until_contains("* bob has left");
    Person::arrive(&server, "carl");
}

#[test]
fn connections_of_one_address_beyond_the_limit_are_closed() {
    let server = Server::start(&["--max-per-peer", "2"]);
    let mut anna = Person::arrive(&server, "anna");
    let bob = Person::arrive(&server, "bob");
    assert_eq!(Person::connect(server.address()).rest(), [""; 0]);
    drop(bob);
    anna.until_contains("* bob has left");
    // The share is given back a little after the others are told.
    while Person::connect(server.address()).next_line().is_none() {}
}

#[test]
fn there_are_no_more_rooms_than_allowed() {
    let server = Server::start(&["--max-rooms", "2"]);
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.say("/join one");
    anna.until("* 1 in #one: anna");
    bob.say("/join two");
    bob.until("* there may be no more rooms than 2: see /rooms");
    bob.say("/join one");
    bob.hears("* 2 in #one: anna, bob");
}

#[test]
fn a_flood_is_warned_once_and_then_put_out() {
    let server = Server::start(&["--flood", "0.001:5"]);
    // One of the five is spent on the name.
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.until("* guest2 is bob now");
    anna.send((1..=20).map(|line| format!("{line}\n")).collect::<String>());
    for line in 1..=4 {
        bob.hears(&format!("<anna> {line}"));
    }
    bob.hears("* anna has left (flooded the room)");
    assert_eq!(
        anna.rest(),
        [
            "* not so fast: your lines are being dropped, and if you go on you are put out",
            "* you are put out: you flooded the room"
        ]
    );
}

#[test]
fn one_who_stops_after_the_warning_stays() {
    // A line is due every microsecond, but these three come at once.
    let server = Server::start(&["--flood", "1000000:2"]);
    let mut anna = Person::arrive(&server, "anna");
    anna.send("/rooms\n/rooms\n/rooms\n");
    anna.hears("* rooms (1): #lobby (1)");
    anna.hears("* rooms (1): #lobby (1)");
    anna.hears("* not so fast: your lines are being dropped, and if you go on you are put out");
    anna.say("/who");
    anna.hears("* 1 in #lobby: anna");
}

#[test]
fn one_who_says_nothing_is_put_out_after_the_idle_time_and_not_before() {
    let server = Server::start(&["--idle", "0.4"]);
    let began = Instant::now();
    let mut anna = Person::connect(server.address());
    let lines = anna.rest();
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    assert_eq!(lines.last().unwrap(), "* you are put out: you said nothing for 0.4 s");
}

#[test]
fn hearing_others_and_sending_halves_of_lines_is_not_speaking() {
    let server = Server::start(&["--idle", "0.4", "--flood", "0"]);
    let mut silent = Person::connect(server.address());
    silent.until_contains("* 1 in #lobby");
    let mut anna = Person::arrive(&server, "anna");
    // Until the others are told, both are busy all the time.
    let told = loop {
        anna.say("/msg guest1 hello");
        silent.try_send("x");
        let line = anna.line();
        if line.contains("guest1 has left") {
            break line;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    };
    assert_eq!(told, "* guest1 has left (said nothing for 0.4 s)");
}

#[test]
fn the_counts_are_printed_again_and_again() {
    let mut server = Server::start(&["--stats", "0.05"]);
    let mut anna = Person::arrive(&server, "anna");
    anna.say("hello");
    anna.so_far("anna");
    let line = server.program.prints("lines=1 ");
    for count in ["stats: members=1 ", "rooms=1 ", "turns=", "bytes_in=", "bytes_out=", "queued=0 ", "accepted=1 "] {
        assert!(line.contains(count), "{count:?} is not in {line:?}");
    }
    server.program.prints("stats: ");
}

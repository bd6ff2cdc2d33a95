//! People who do not read: what becomes of them, and that the others lose nothing.

use crate::person::Person;
use crate::program::{FreshPath, Server};
use crate::support::every_backend;
use std::thread;
use tripoll::Backend;

/// Unix sockets, whose buffers are small and do not grow.
struct Room {
    server: Server,
    path: FreshPath,
}

impl Room {
    fn new(args: &[&str]) -> Self {
        let path = FreshPath::new();
        let server = Server::start_at(&[&path.unix()], &[&["--flood", "0"], args].concat());
        Self { server, path }
    }

    fn arrive(&self, name: &str) -> Person {
        Person::arrive_at(&self.path.unix(), name)
    }
}

fn line(number: usize) -> String {
    format!("line {number} {}", "x".repeat(900))
}

/// How many lines are more than the kernel and the queue take for one who does not read.
const MANY: usize = 2000;

every_backend!(one_who_never_reads_is_put_out_and_the_others_lose_nothing);

fn one_who_never_reads_is_put_out_and_the_others_lose_nothing(backend: Backend) {
    let room = Room::new(&["--queue", "8192", "--backend", backend.name()]);
    let mut bob = room.arrive("bob");
    let mut anna = room.arrive("anna");
    bob.until("* guest2 is anna now");
    let _deaf = room.arrive("deaf");
    bob.until("* guest3 is deaf now");
    anna.until("* guest3 is deaf now");
    let mut told = Vec::new();
    // In step with one who reads, so that the only one who is slow is the one who does not.
    for number in 0..MANY {
        anna.say(&line(number));
        let (expected, mut heard) = (format!("<anna> {}", line(number)), bob.line());
        if heard != expected {
            told.push(heard);
            heard = bob.line();
        }
        assert_eq!(heard, expected);
    }
    let [told] = &told[..] else { panic!("told more or less than that deaf has left: {told:?}") };
    assert!(told.starts_with("* deaf has left (read too slowly: "), "{told}");
    assert!(told.ends_with(" bytes were not delivered)"), "{told}");
    assert_eq!(anna.so_far("anna"), [told.as_str()]);
}

#[test]
fn the_end_of_one_who_did_not_read_does_not_look_complete() {
    let room = Room::new(&["--queue", "8192", "--stats", "0.05"]);
    let mut anna = room.arrive("anna");
    let mut deaf = room.arrive("deaf");
    anna.until("* guest2 is deaf now");
    for number in 0..MANY {
        anna.say(&line(number));
    }
    anna.until_contains("* deaf has left (read too slowly");
    let Room { mut server, .. } = room;
    let stats = server.program.prints(" members=1 ");
    assert!(!stats.contains(" lost=0 "), "{stats}");
    let heard = deaf.rest();
    assert!(heard.len() < MANY, "{} lines", heard.len());
    assert!(!heard.iter().any(|line| line.contains("goodbye")), "{heard:?}");
}

#[test]
fn new_lines_are_dropped_and_their_sender_is_told() {
    let room = Room::new(&["--queue", "8192", "--slow", "drop-newest"]);
    let mut anna = room.arrive("anna");
    let mut deaf = room.arrive("deaf");
    anna.until("* guest2 is deaf now");
    let speaker = thread::spawn(move || {
        for number in 0..MANY {
            anna.say(&line(number));
        }
        anna.hears("* 1 of the others read too slowly and did not get that");
        anna
    });
    let mut anna = speaker.join().unwrap();
    let before = deaf.until("* you read too slowly: some lines may be missing here");
    let lines: Vec<_> = (0..before.len()).map(|number| format!("<anna> {}", line(number))).collect();
    assert_eq!(before, lines, "what came was the oldest, in order");
    assert!(before.len() < MANY);
    anna.say("fresh");
    deaf.until("<anna> fresh");
}

#[test]
fn the_oldest_lines_are_dropped_and_the_last_one_comes() {
    let room = Room::new(&["--queue", "8192", "--slow", "drop-oldest"]);
    let mut anna = room.arrive("anna");
    let mut deaf = room.arrive("deaf");
    anna.until("* guest2 is deaf now");
    for number in 0..MANY {
        anna.say(&line(number));
    }
    assert!(anna.so_far("anna").is_empty());
    let before = deaf.until(&format!("<anna> {}", line(MANY - 1)));
    assert!(before.len() < MANY - 1, "some were dropped");
    let numbers: Vec<usize> = before
        .iter()
        .filter(|line| !line.starts_with("* "))
        .map(|said| (0..MANY).find(|number| *said == format!("<anna> {}", line(*number))).expect("a whole line"))
        .collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[test]
fn with_pause_everybody_waits_for_the_slowest_and_nothing_is_lost() {
    let room = Room::new(&["--slow", "pause", "--queue", "65536"]);
    let mut anna = room.arrive("anna");
    let mut slow = room.arrive("slow");
    let mut quick = room.arrive("quick");
    slow.until("* guest3 is quick now");
    let speaker = thread::spawn(move || {
        for number in 0..MANY {
            anna.say(&line(number));
        }
        anna
    });
    for number in 0..10 {
        quick.hears(&format!("<anna> {}", line(number)));
    }
    let reader = thread::spawn(move || {
        for number in 10..MANY {
            quick.hears(&format!("<anna> {}", line(number)));
        }
    });
    for number in 0..MANY {
        slow.hears(&format!("<anna> {}", line(number)));
    }
    reader.join().unwrap();
    speaker.join().unwrap();
}

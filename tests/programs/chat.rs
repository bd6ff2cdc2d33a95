//! The plain chat under load: each line reaches everybody else once and in order, whoever comes, goes or does not read.

use crate::chat_client::{Character, Member};
use crate::drive::{Socket, drive};
use crate::heavy;
use crate::random::seed;
use crate::server::Server;
use crate::support::BOUND;
use crate::sys;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use tripoll::{Backend, Trigger};

crate::support::every_backend_and_trigger! {
    everybody_hears_every_line_of_the_others_once_and_in_order,
    a_thousand_members_hear_each_line_once_and_in_order,
    who_does_not_read_is_cut_and_the_others_miss_nothing,
}

const MEMBERS: usize = 60;
const LINES: usize = 100;

fn everybody_hears_every_line_of_the_others_once_and_in_order(backend: Backend, trigger: Trigger) {
    let _heavy = heavy();
    // So large that nobody can become too slow.
    let server = plain_chat(backend, trigger, &["--queue", "67108864"]);
    let seed = seed();
    let members = gather(&server, MEMBERS).into_iter().enumerate().map(|(id, stream)| {
        stream.set_nonblocking(true).unwrap();
        // Who resets may take his last lines with him.
        let awaited = (0..MEMBERS).filter(|other| *other != id && character(*other) != Character::Resets);
        let awaited = awaited.map(|other| (other, LINES)).collect();
        (Socket::Tcp(stream), Member::new(id, character(id), LINES, awaited, seed))
    });
    if let Err(e) = drive(members.collect(), BOUND) {
        panic!("{e} (TRIPOLL_TEST_SEED={seed})");
    }
}

/// Of whom some speak, and some of those go away meanwhile.
fn a_thousand_members_hear_each_line_once_and_in_order(backend: Backend, trigger: Trigger) {
    const SPEAKERS: usize = 12;
    const SAID: usize = 10;
    let _heavy = heavy();
    let members = if backend == Backend::Select { 900 } else { 1000 };
    let server = plain_chat(backend, trigger, &["--queue", "67108864"]);
    let seed = seed();
    let members = crowd(&server, members).into_iter().enumerate().map(|(id, stream)| {
        stream.set_nonblocking(true).unwrap();
        let speaks = id < SPEAKERS;
        let awaited = (0..SPEAKERS).filter(|other| *other != id && character(*other) != Character::Resets);
        let awaited = awaited.map(|other| (other, SAID)).collect();
        let character = if speaks { character(id) } else { Character::Steady };
        (Socket::Tcp(stream), Member::new(id, character, if speaks { SAID } else { 0 }, awaited, seed))
    });
    if let Err(e) = drive(members.collect(), BOUND) {
        panic!("{e} (TRIPOLL_TEST_SEED={seed})");
    }
}

fn character(id: usize) -> Character {
    match id % 6 {
        0..4 => Character::Steady,
        4 => Character::HalfCloses,
        _ => Character::Resets,
    }
}

fn who_does_not_read_is_cut_and_the_others_miss_nothing(backend: Backend, trigger: Trigger) {
    let _heavy = heavy();
    let server = plain_chat(backend, trigger, &["--queue", "65536"]);
    let [mut deaf, mut speaker, listener] = gather(&server, 3).try_into().unwrap();
    sys::set_receive_buffer(deaf.as_fd(), 4096);
    let mut listener = BufReader::new(listener);
    let descriptors = || sys::open_descriptors(server.pid(), u64::MAX);
    let (all, mut number) = (descriptors(), 0);
    while descriptors() == all {
        assert!(number < 100_000, "one who does not read is not cut");
        // In step with the one who does read.
        for line in number..number + 50 {
            writeln!(speaker, "{line} {}", "x".repeat(900)).unwrap();
        }
        for line in number..number + 50 {
            let heard = read_line(&mut listener);
            assert!(heard.starts_with(&format!("{line} ")), "instead of line {line}: {heard:?}");
        }
        number += 50;
    }
    // The kernel throws a reset away that comes when there is no room; another one answers whatever is said.
    let end = deaf.write_all(b"x").and_then(|()| deaf.read_to_end(&mut Vec::new()));
    let end = end.expect_err("what was cut short looks complete");
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    writeln!(listener.get_ref(), "and back").unwrap();
    assert_eq!(read_line(&mut BufReader::new(speaker)), "and back\n");
}

fn plain_chat(backend: Backend, trigger: Trigger, more: &[&str]) -> Server {
    let args = ["--plain", "--backend", backend.name(), "--trigger", trigger.name()];
    Server::start("chat", &[&args, more].concat())
}

/// Very many members, all of whom are known to be in: they come in by the order in which they came, so that whoever hears
/// the last of them is not alone.
fn crowd(server: &Server, members: usize) -> Vec<TcpStream> {
    let mut all: Vec<TcpStream> = (0..members).map(|_| server.connect()).collect();
    let (last, others) = all.split_last_mut().unwrap();
    writeln!(last, "hello").unwrap();
    for stream in others {
        assert_eq!(read_line(&mut BufReader::with_capacity(1, stream)), "hello\n");
    }
    all
}

/// So many members, all of whom are known to be in.
fn gather(server: &Server, members: usize) -> Vec<TcpStream> {
    let first = server.connect();
    let mut ears = BufReader::new(first.try_clone().unwrap());
    let mut all = vec![first];
    for id in 1..members {
        let mut stream = server.connect();
        writeln!(stream, "hello from {id}").unwrap();
        all.push(stream);
        assert_eq!(read_line(&mut ears), format!("hello from {id}\n"));
    }
    // The others heard these as well, of all who came after them.
    for (id, stream) in all.iter().enumerate().skip(1) {
        let mut ears = BufReader::with_capacity(1, stream);
        for later in id + 1..members {
            assert_eq!(read_line(&mut ears), format!("hello from {later}\n"));
        }
    }
    all
}

fn read_line(stream: &mut impl BufRead) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line
}

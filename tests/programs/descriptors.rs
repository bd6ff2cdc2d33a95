//! A server that has fewer descriptors than clients: it survives, sleeps, and serves each as soon as it can.

use crate::server::{Server, is_quiet};
use crate::support::BOUND;
use crate::sys::{self, POLLIN, question};
use crate::{FLOORS, echo_args, heavy, server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use tripoll::{Backend, Trigger};

crate::support::every_backend_and_trigger! {
    out_of_descriptors_a_server_sleeps_and_clients_wait_for_their_turn,
    left_to_itself_a_server_keeps_within_the_descriptor_limit,
}

const LIMIT: u64 = 40;
const CLIENTS: usize = 60;

fn out_of_descriptors_a_server_sleeps_and_clients_wait_for_their_turn(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        // A limit on connections that is too high, so that it is the descriptors that run out.
        let server = start(floor, backend, trigger, &["--max-connections", "1000"]);
        serve_in_turns(floor, server, CLIENTS, |pid| sys::open_descriptors(pid, LIMIT) == LIMIT);
    }
}

fn left_to_itself_a_server_keeps_within_the_descriptor_limit(backend: Backend, trigger: Trigger) {
    for floor in ["reactor", "dispatcher"] {
        let server = start(floor, backend, trigger, &[]);
        serve_in_turns(floor, server, CLIENTS, |pid| sys::open_descriptors(pid, LIMIT) < LIMIT);
    }
}

#[test]
fn select_is_not_asked_for_descriptors_beyond_its_bound() {
    crate::support::bounded("more clients than select can hold", || {
        let _heavy = heavy();
        assert!(sys::raise_descriptor_limit() > 1300, "the descriptor limit is too low for 1,100 clients");
        let args = echo_args("dispatcher", Backend::Select, Trigger::Level);
        let server = Server::start("echo", &args);
        serve_in_turns("dispatcher", server, 1100, |pid| sys::open_descriptors(pid, 1024) < 1024);
    });
}

#[test]
fn a_select_poller_refuses_a_client_beyond_its_bound_and_serves_the_others() {
    crate::support::bounded("more clients than select can hold", || {
        let _heavy = heavy();
        assert!(sys::raise_descriptor_limit() > 1300, "the descriptor limit is too low for 1,100 clients");
        let args = echo_args("poller", Backend::Select, Trigger::Level);
        let server = Server::start("echo", &args);
        let mut clients: Vec<_> = (0..1100).map(|_| server.connect()).collect();
        let answers = clients.iter_mut().map(|client| {
            // Fails for one who was closed already.
            let sent = client.write_all(b"x");
            sent.is_ok() && client.read(&mut [0]).is_ok_and(|read| read == 1)
        });
        let answers: Vec<bool> = answers.collect();
        let served = answers.iter().take_while(|answer| **answer).count();
        assert!((900..1024).contains(&served), "{served} clients are served");
        assert!(!answers[served..].contains(&true), "a descriptor beyond the bound is watched");
        drop(clients);
        let mut late = server.connect();
        late.write_all(b"x").unwrap();
        assert_eq!(late.read(&mut [0]).unwrap(), 1);
    });
}

fn start(floor: &str, backend: Backend, trigger: Trigger, more: &[&str]) -> Server {
    let args = [&echo_args(floor, backend, trigger), more].concat();
    Server::spawn("echo", &["tcp://127.0.0.1:0"], &args, |command| sys::limit_descriptors(command, LIMIT))
}

/// Connects more clients than fit, and waits until the process is as full as `full` says and nobody else is served. Those
/// who were served leave; in the end all must have been.
fn serve_in_turns(floor: &str, mut server: Server, clients: usize, full: impl Fn(u32) -> bool) {
    let mut waiting: Vec<_> = (0..clients).map(|_| server.connect()).collect();
    for client in &mut waiting {
        client.write_all(b"x").unwrap();
    }
    let mut served = Vec::new();
    let deadline = Instant::now() + BOUND;
    while take_served(&mut waiting, &mut served, server::WINDOW) > 0 || served.len() < 10 || !full(server.pid()) {
        assert!(Instant::now() < deadline, "{floor}: {} of {clients} are served, and it is not full", served.len());
    }
    assert!(!waiting.is_empty(), "{floor}: all {clients} are served at once");
    let used = server.use_while_quiet();
    assert!(is_quiet(used), "{floor}: a server that cannot accept is busy: {used:?}");
    while !waiting.is_empty() {
        served.clear();
        let count = take_served(&mut waiting, &mut served, BOUND);
        assert!(count > 0, "{floor}: {} clients are never served", waiting.len());
    }
}

/// Moves those who have their answer to the others who were served; how many that are.
fn take_served(waiting: &mut Vec<TcpStream>, served: &mut Vec<TcpStream>, time: Duration) -> usize {
    let mut questions: Vec<_> = waiting.iter().map(|client| question(client.as_raw_fd(), POLLIN)).collect();
    sys::poll(&mut questions, time);
    let before = served.len();
    for (index, question) in questions.iter().enumerate().rev() {
        if question.revents != 0 {
            let mut client = waiting.swap_remove(index);
            let mut answer = [0];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"x");
            served.push(client);
        }
    }
    served.len() - before
}

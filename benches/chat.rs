//! What a chat costs the server: each line of 100 members goes to the 99 others, ours on epoll beside a room written by
//! hand, in turn in one run.
//!
//! `cargo bench --bench chat [-- ROUNDS]`
#![allow(missing_docs)]

mod support;

use std::io;
use std::net::TcpListener;
use support::load::Clients;
use support::ours::{Member, count};
use support::raw;
use support::server::{self, Server};
use support::table::{self, Row};
use support::{floor, machine};
use tripoll::poller::EpollPoller;
use tripoll::reactor::Reactor;
use tripoll::{EventLoop, Settings, Trigger};

const MEMBERS: usize = 100;
const LINE: &[u8; 64] = b"a line as people write them, and as long as sixty-four bytes. .\n";
/// Lines of each member in a round.
const LINES: usize = 100;

const BY_HAND: &str = "by hand, level";
const CONTENDERS: [&str; 4] = [BY_HAND, "dispatcher, level", "dispatcher, edge", "dispatcher, oneshot"];

fn main() {
    server::become_server(serve);
    let rounds = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(11);
    println!("chat: {MEMBERS} members, lines of {} B, {LINES} of each a round, {rounds} rounds", LINE.len());
    println!("{}", machine::describe());
    raw::pin(machine::processors().1);
    let mut rows = CONTENDERS.map(|name| Row { name: name.to_owned(), ..Row::default() });
    let mut servers = CONTENDERS.map(|name| {
        let server = Server::start(name);
        let mut clients = Clients::connect(server.address, MEMBERS);
        clients.rounds(10, LINE, MEMBERS - 1);
        (server, clients)
    });
    for _ in 0..rounds {
        for ((server, clients), row) in servers.iter_mut().zip(&mut rows) {
            let before = server.usage();
            clients.rounds(LINES, LINE, MEMBERS - 1);
            let after = server.usage();
            let deliveries = (LINES * MEMBERS * (MEMBERS - 1)) as f64;
            row.cpu_ns.push((after.cpu_ns - before.cpu_ns) as f64 / deliveries);
            row.calls.push((after.calls - before.calls) as f64 / deliveries);
            row.waits.push((after.waits - before.waits) as f64 / deliveries);
        }
    }
    table::print("delivery", &rows, |_| BY_HAND.to_owned());
}

fn serve(name: &str, listener: TcpListener) {
    match name {
        BY_HAND => floor::room(&listener),
        "dispatcher, level" => room(listener, Trigger::Level).unwrap(),
        "dispatcher, edge" => room(listener, Trigger::Edge).unwrap(),
        "dispatcher, oneshot" => room(listener, Trigger::Oneshot).unwrap(),
        _ => panic!("no contender is called {name}"),
    }
}

fn room(listener: TcpListener, trigger: Trigger) -> io::Result<()> {
    let settings = Settings { trigger, slow_turn: std::time::Duration::MAX, ..Settings::default() };
    let mut event_loop = EventLoop::on(Reactor::with_settings(EpollPoller::new()?, settings)?, Vec::new());
    event_loop.adopt(listener, Member::default())?;
    loop {
        event_loop.turn(None)?;
        count(event_loop.stats()).publish();
    }
}

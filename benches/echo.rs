//! What an echo costs the server: ours on epoll, level and edge, beside a loop written by hand, in turn in one run.
//!
//! `cargo bench --bench echo [-- ROUNDS]`
#![allow(missing_docs)]

mod support;

use std::io;
use std::net::TcpListener;
use support::load::Clients;
use support::ours::{Echo, count};
use support::raw;
use support::server::{self, Server};
use support::table::{self, Row};
use support::{floor, machine};
use tripoll::poller::EpollPoller;
use tripoll::reactor::{Occurrence, Reactor};
use tripoll::{EventLoop, Settings, Trigger};

const CLIENTS: usize = 100;
const MESSAGE: [u8; 64] = [b'x'; 64];
/// Requests of each client in a round.
const REQUESTS: usize = 1000;

const CONTENDERS: [&str; 6] =
    ["by hand, level", "dispatcher, level", "reactor, level", "by hand, edge", "dispatcher, edge", "reactor, edge"];

fn main() {
    server::become_server(serve);
    let rounds = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(11);
    println!("echo: {CLIENTS} connections x {} B, {REQUESTS} requests each, {rounds} rounds", MESSAGE.len());
    println!("{}", machine::describe());
    raw::pin(machine::processors().1);
    let mut rows = CONTENDERS.map(|name| Row { name: name.to_owned(), ..Row::default() });
    let mut servers = CONTENDERS.map(|name| {
        let server = Server::start(name);
        let mut clients = Clients::connect(server.address, CLIENTS);
        clients.rounds(50, &MESSAGE, 1);
        (server, clients)
    });
    for _ in 0..rounds {
        for ((server, clients), row) in servers.iter_mut().zip(&mut rows) {
            let before = server.usage();
            clients.rounds(REQUESTS, &MESSAGE, 1);
            let after = server.usage();
            let requests = (REQUESTS * CLIENTS) as f64;
            row.cpu_ns.push((after.cpu_ns - before.cpu_ns) as f64 / requests);
            row.calls.push((after.calls - before.calls) as f64 / requests);
            row.waits.push((after.waits - before.waits) as f64 / requests);
        }
    }
    table::print("request", &rows, |name| format!("by hand, {}", name.rsplit(' ').next().unwrap_or("")));
}

fn serve(name: &str, listener: TcpListener) {
    match name {
        "by hand, level" => floor::echo(&listener, false),
        "by hand, edge" => floor::echo(&listener, true),
        "dispatcher, level" => dispatcher(listener, Trigger::Level).unwrap(),
        "dispatcher, edge" => dispatcher(listener, Trigger::Edge).unwrap(),
        "reactor, level" => reactor(listener, Trigger::Level).unwrap(),
        "reactor, edge" => reactor(listener, Trigger::Edge).unwrap(),
        _ => panic!("no contender is called {name}"),
    }
}

fn dispatcher(listener: TcpListener, trigger: Trigger) -> io::Result<()> {
    let settings = Settings { trigger, slow_turn: std::time::Duration::MAX, ..Settings::default() };
    let mut event_loop = EventLoop::on(Reactor::with_settings(EpollPoller::new()?, settings)?, ());
    event_loop.adopt(listener, Echo)?;
    loop {
        event_loop.turn(None)?;
        count(event_loop.stats()).publish();
    }
}

fn reactor(listener: TcpListener, trigger: Trigger) -> io::Result<()> {
    let settings = Settings { trigger, ..Settings::default() };
    let mut reactor = Reactor::with_settings(EpollPoller::new()?, settings)?;
    reactor.ledger().adopt(listener)?;
    let mut buf = vec![0; 64 * 1024];
    loop {
        reactor.turn(None)?;
        while let Some(occurrence) = reactor.pop() {
            let ledger = reactor.ledger();
            match occurrence {
                Occurrence::Accepted { stream, .. } => {
                    ledger.adopt(stream)?;
                }
                Occurrence::Readable(token) => {
                    if let Ok(read) = ledger.read(token, &mut buf) {
                        let _ = ledger.send(token, &buf[..read]);
                    }
                }
                Occurrence::Eof(token) => {
                    let _ = ledger.finish(token);
                }
                _ => {}
            }
        }
        count(reactor.ledger_ref().stats()).publish();
    }
}

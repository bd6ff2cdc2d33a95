//! What an idle connection costs in memory: the server's private memory with and without 10,000 of them, on epoll. What
//! the kernel keeps for a socket is not in it, and the handlers here are empty.
//!
//! `cargo bench --bench memory [-- CONNECTIONS]`
#![allow(missing_docs)]

mod support;

use std::io;
use std::net::TcpListener;
use std::time::Duration;
use support::load::Clients;
use support::ours::{Echo, count};
use support::server::{self, Server};
use support::{floor, machine};
use tripoll::poller::EpollPoller;
use tripoll::reactor::{Reactor, limits};
use tripoll::{EventLoop, Settings};

/// Bytes per idle connection beside the handler that this must not exceed.
const BUDGET: f64 = 256.0;
const CONTENDERS: [&str; 3] = ["by hand", "dispatcher", "dispatcher, with an idle timeout"];

fn main() {
    server::become_server(serve);
    let connections: usize = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(10_000);
    let limit = limits::raise_descriptor_limit().unwrap().soft;
    let needed = connections as u64 + 100;
    assert!(
        limit >= needed,
        "{connections} connections take {needed} descriptors, and the limit is {limit}: ulimit -n"
    );
    println!("memory: {connections} idle connections, private memory of the server");
    println!("{}", machine::describe());
    println!("{:34} {:>18} {:>18}", "", "never spoke, B/con", "spoke once, B/con");
    for name in CONTENDERS {
        let mut server = Server::start(name);
        let mut few = Clients::connect(server.address, 100);
        few.rounds(10, b"x", 1);
        let before = machine::private_bytes(server.pid());
        let mut clients = Clients::connect(server.address, connections);
        // An answer to the last who came says that all have been taken in.
        few.rounds(10, b"x", 1);
        server.usage();
        let each = |now: u64| (now.saturating_sub(before)) as f64 / connections as f64;
        let silent = each(machine::private_bytes(server.pid()));
        clients.rounds(1, &[b'x'; 64], 1);
        let spoke = each(machine::private_bytes(server.pid()));
        let verdict = if name == "by hand" {
            String::new()
        } else if spoke.max(silent) <= BUDGET {
            format!("  within {BUDGET} B")
        } else {
            format!("  ABOVE {BUDGET} B")
        };
        println!("{name:34} {silent:>18.0} {spoke:>18.0}{verdict}");
    }
}

fn serve(name: &str, listener: TcpListener) {
    match name {
        "by hand" => floor::echo(&listener, false),
        "dispatcher" => echo(listener, None).unwrap(),
        _ => echo(listener, Some(Duration::from_secs(60))).unwrap(),
    }
}

fn echo(listener: TcpListener, idle_timeout: Option<Duration>) -> io::Result<()> {
    let settings = Settings { idle_timeout, ..Settings::default() };
    let mut event_loop = EventLoop::on(Reactor::with_settings(EpollPoller::new()?, settings)?, ());
    event_loop.adopt(listener, Echo)?;
    loop {
        event_loop.turn(None)?;
        count(event_loop.stats()).publish();
    }
}

//! What recording costs an echo server: not recorded, with the latest records kept, and with all of them written, in turn in
//! one run.
//!
//! `cargo bench --bench recorder [-- ROUNDS]`
#![allow(missing_docs)]

mod support;

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};
use support::load::Clients;
use support::machine;
use support::ours::{Echo, count};
use support::raw;
use support::server::{self, Server};
use support::table::{self, Row, Spread};
use tripoll::poller::EpollPoller;
use tripoll::reactor::{Reactor, Recorder};
use tripoll::{EventLoop, Settings, Trigger};

const CLIENTS: usize = 100;
const MESSAGE: [u8; 64] = [b'x'; 64];
/// Requests of each client in a round.
const REQUESTS: usize = 1000;
/// Records that are kept, or taken before a recording is measured.
const RECORDS: usize = 100_000;

const CONTENDERS: [&str; 6] = ["level", "level, latest", "level, written", "edge", "edge, latest", "edge, written"];

fn main() {
    server::become_server(serve);
    let rounds = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(11);
    println!("recorder: {CLIENTS} connections x {} B, {REQUESTS} requests each, {rounds} rounds", MESSAGE.len());
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
    table::print("request", &rows, |name| name.split(',').next().unwrap_or("").to_owned());
    println!();
    write_records(rounds);
}

fn serve(name: &str, listener: TcpListener) {
    let (trigger, recording) = name.split_once(", ").unwrap_or((name, ""));
    let trigger = if trigger == "edge" { Trigger::Edge } else { Trigger::Level };
    let settings = Settings { trigger, slow_turn: Duration::MAX, ..Settings::default() };
    let mut event_loop = EventLoop::on(Reactor::with_settings(EpollPoller::new().unwrap(), settings).unwrap(), ());
    event_loop.adopt(listener, Echo).unwrap();
    let recorder = match recording {
        "latest" => Some(Recorder::new(io::sink()).latest(RECORDS)),
        "written" => Some(Recorder::new(Overwriting::new()).limit(usize::MAX)),
        _ => None,
    };
    if let Some(recorder) = recorder {
        event_loop.record(recorder);
    }
    loop {
        event_loop.turn(None).unwrap();
        count(event_loop.stats()).publish();
    }
}

/// A file of which only the beginning is ever written, again and again, so that the bench fills no disk.
struct Overwriting(File);

impl Overwriting {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tripoll-bench-recorder-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        fs::remove_file(path).unwrap();
        Self(file)
    }
}

impl Write for Overwriting {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write_at(buf, 0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts bytes.
#[derive(Clone, Default)]
struct Counting(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Write for Counting {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(buf.len(), std::sync::atomic::Ordering::Relaxed);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long it takes to make text of a record, and how much text.
fn write_records(rounds: usize) {
    let (mut ns, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut event_loop = EventLoop::new(()).unwrap();
        let text = Counting::default();
        event_loop.record(Recorder::new(text.clone()).latest(RECORDS));
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        event_loop.adopt(ours, Echo).unwrap();
        let mut theirs = theirs;
        for _ in 0..RECORDS / 8 {
            theirs.write_all(&MESSAGE).unwrap();
            event_loop.turn(None).unwrap();
            io::Read::read_exact(&mut theirs, &mut [0; MESSAGE.len()]).unwrap();
        }
        let recorder = event_loop.stop_recording().unwrap();
        let began = Instant::now();
        let records = recorder.finish().unwrap() as f64;
        ns.push(began.elapsed().as_nanos() as f64 / records);
        bytes.push(text.0.load(std::sync::atomic::Ordering::Relaxed) as f64 / records);
    }
    let (ns, bytes) = (Spread::of(ns), Spread::of(bytes));
    println!("text of a record: {:.0} ns ({:.0} - {:.0}), {:.0} bytes", ns.median, ns.min, ns.max, bytes.median);
}

//! What a handler does that says nothing.

use crate::kernel;
use crate::probe::tcp_pair;
use crate::support::{BOUND, every_backend};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Dispatcher, EventLoop, Outcome};
use tripoll::poller::AnyPoller;
use tripoll::reactor::Reactor;
use tripoll::{Backend, Settings};

every_backend!(
    nobody_answers_and_nobody_is_in_the_way,
    a_connection_that_nobody_handles_is_closed,
    a_handler_that_says_nothing_can_be_shut_down,
);

struct Bare;

impl Dispatcher for Bare {
    type Shared = ();
    type Spawn = Self;
}

fn bare_loop(backend: Backend) -> EventLoop<Bare> {
    EventLoop::on(Reactor::with_settings(AnyPoller::new(backend).unwrap(), Settings::default()).unwrap(), ())
}

/// Keeps what the library logs.
struct Keeper(Mutex<BTreeSet<String>>);

static KEEPER: Keeper = Keeper(Mutex::new(BTreeSet::new()));

impl log::Log for Keeper {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().insert(record.args().to_string());
    }

    fn flush(&self) {}
}

fn logged(what: &str) -> bool {
    KEEPER.0.lock().unwrap().iter().any(|line| line.contains(what))
}

fn keep_log() {
    // Another test may have been first.
    let _ = log::set_logger(&KEEPER);
    log::set_max_level(log::LevelFilter::Debug);
}

#[test]
fn it_reads_and_does_not_write() {
    assert!(Bare.readable());
    assert!(!Bare.writable());
}

fn nobody_answers_and_nobody_is_in_the_way(backend: Backend) {
    keep_log();
    let mut event_loop = bare_loop(backend);
    let (ours, mut peer) = tcp_pair();
    event_loop.adopt(ours, Bare).unwrap();
    // A count that no other test has.
    let unhandled = 4700 + backend as usize;
    peer.write_all(&vec![1; unhandled]).unwrap();
    kernel::send_urgent(&peer, 2);
    let deadline = Instant::now() + BOUND;
    while event_loop.stats().bytes_in < unhandled as u64 {
        assert!(Instant::now() < deadline);
        event_loop.turn(Some(Duration::from_millis(10))).unwrap();
    }
    assert!(logged("nobody handles"));
    drop(peer);
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
}

fn a_connection_that_nobody_handles_is_closed(backend: Backend) {
    keep_log();
    let mut event_loop = bare_loop(backend);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let address = client.local_addr().unwrap();
    event_loop.adopt(listener, Bare).unwrap();
    while event_loop.stats().accepted == 0 {
        event_loop.turn(Some(BOUND)).unwrap();
    }
    client.set_read_timeout(Some(BOUND)).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert!(logged(&format!("nobody handles the connection of {address}")));
}

fn a_handler_that_says_nothing_can_be_shut_down(backend: Backend) {
    let mut event_loop = bare_loop(backend);
    let (ours, peer) = tcp_pair();
    event_loop.adopt(ours, Bare).unwrap();
    event_loop.enter(|scope, ()| scope.shutdown(BOUND));
    drop(peer);
    let Outcome::Shutdown(report) = event_loop.run().unwrap() else { panic!("a shutdown was asked for") };
    assert_eq!((report.drained, report.cut), (1, 0));
}

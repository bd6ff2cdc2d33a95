//! Interest that is switched for every message: who has read one asks for room to write, and passes it on when told that
//! there is. A careless loop does this always; the price is that of changing the registration twice.

use super::super::peers::Round;
use super::super::sample::Figures;
use super::super::scenario::Cell as Place;
use super::super::serve;
use super::super::support::raw;
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tripoll::poller::{AnyPoller, Events, Poller};
use tripoll::{Interest, Token, Trigger};

/// Messages of a round, more or less,
const MESSAGES: u64 = 10_000;
/// or after this time.
const PATIENCE: Duration = Duration::from_millis(60);

/// Connections in a ring, each of which has a message to begin with.
pub struct Ring {
    /// To be watched; room to write is asked of these too.
    pub readers: Vec<UnixStream>,
    /// Where who watches the reader of the same index passes the message on to.
    pub next: Vec<UnixStream>,
}

impl Ring {
    pub fn new(cell: &Place) -> io::Result<Self> {
        let mut readers = Vec::new();
        let mut next = Vec::new();
        for _ in 0..cell.get("connections") {
            let (reader, mut writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            writer.write_all(b"x")?;
            readers.push(reader);
            next.push(writer);
        }
        next.rotate_left(1);
        Ok(Self { readers, next })
    }

    /// Takes a message, if there is one.
    pub fn take(&self, index: usize) -> bool {
        matches!({ &self.readers[index] }.read(&mut [0]), Ok(1))
    }

    /// Passes one on.
    pub fn pass_on(&self, index: usize) -> io::Result<()> {
        { &self.next[index] }.write_all(b"x")
    }
}

/// Runs turns until enough messages have been passed on. `turn` answers how many it passed; `calls` the system calls so
/// far, if they are counted.
pub fn measure(
    figures: &mut Figures,
    mut turn: impl FnMut() -> io::Result<u64>,
    calls: impl Fn() -> Option<u64>,
) -> io::Result<()> {
    let before = calls();
    let began = Instant::now();
    let mut messages = 0;
    while messages < MESSAGES && began.elapsed() < PATIENCE {
        messages += turn()?;
    }
    let ns = began.elapsed().as_nanos() as f64;
    figures.insert("ns".to_owned(), ns / messages as f64);
    if let (Some(before), Some(after)) = (before, calls()) {
        figures.insert("calls".to_owned(), (after - before) as f64 / messages as f64);
    }
    Ok(())
}

pub fn prepare(contender: &str, cell: &Place) -> io::Result<Round> {
    let ring = Ring::new(cell)?;
    match contender {
        "floor-level" => Ok(by_hand(ring, 0)),
        "floor-edge" => Ok(by_hand(ring, raw::EPOLLET)),
        _ => ours(contender, ring),
    }
}

fn by_hand(ring: Ring, mode: i32) -> Round {
    let epoll = raw::epoll();
    for (index, reader) in ring.readers.iter().enumerate() {
        raw::add_as(epoll, reader.as_raw_fd(), raw::EPOLLIN | mode, index as u64);
    }
    let mut events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
    let calls = Cell::new(0);
    Box::new(move |figures| {
        let turn = || {
            let mut passed = 0;
            let mut made = 1;
            for event in raw::wait(epoll, &mut events, -1) {
                let index = event.u64 as usize;
                let fd = ring.readers[index].as_raw_fd();
                if event.events as i32 & raw::EPOLLOUT != 0 {
                    raw::modify_as(epoll, fd, raw::EPOLLIN | mode, index as u64);
                    ring.pass_on(index)?;
                    passed += 1;
                    made += 2;
                } else if ring.take(index) {
                    raw::modify_as(epoll, fd, raw::EPOLLOUT | mode, index as u64);
                    made += 2;
                }
            }
            calls.set(calls.get() + made);
            Ok(passed)
        };
        measure(figures, turn, || Some(calls.get()))
    })
}

fn ours(contender: &str, ring: Ring) -> io::Result<Round> {
    let (backend, trigger): (_, Trigger) = serve::backend(contender)?;
    let mut poller = AnyPoller::new(backend)?;
    for (index, reader) in ring.readers.iter().enumerate() {
        poller.add(reader.as_fd(), Token::new(index as u32, 0), Interest::READABLE, trigger)?;
    }
    let mut events = Events::with_capacity(1024);
    let calls = Cell::new(0);
    let mut handlers_calls = 0;
    Ok(Box::new(move |figures| {
        let turn = || {
            let mut passed = 0;
            poller.wait(&mut events, None)?;
            for event in &events {
                let index = event.token().index() as usize;
                let fd = ring.readers[index].as_fd();
                if event.is_writable() {
                    poller.modify(fd, event.token(), Interest::READABLE, trigger)?;
                    ring.pass_on(index)?;
                    passed += 1;
                } else if ring.take(index) {
                    poller.modify(fd, event.token(), Interest::WRITABLE, trigger)?;
                }
            }
            // Each message is read once and written once, by us.
            handlers_calls += events.len() as u64;
            calls.set(poller.system_calls() + handlers_calls);
            Ok(passed)
        };
        measure(figures, turn, || Some(calls.get()))
    }))
}

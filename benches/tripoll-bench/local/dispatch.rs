//! Socket pairs in a ring, and tokens that ripple through it: who gets one reads it, a byte, and writes it to the next. So
//! many descriptors are watched as there are pairs, and so many are ready at a time as there are tokens.

use super::super::peers::Round;
use super::super::sample::Figures;
use super::super::scenario::Cell;
use super::super::serve;
use super::super::support::{ours, raw};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tripoll::reactor::Stream;
use tripoll::{Context, Dispatcher};

/// Events of a round, more or less: it ends with the turn in which so many are reached,
const EVENTS: u64 = 20_000;

/// or after this time, where a wait is long because it looks at every pair.
const PATIENCE: Duration = Duration::from_millis(60);

/// Turns between two looks at the clock.
const TURNS: u32 = 16;

/// The pairs of a ring.
pub struct Ring {
    /// To be watched.
    pub readers: Vec<UnixStream>,
    /// Where who watches the reader of the same index passes the token on to: the writer of the next pair.
    pub next: Vec<UnixStream>,
    /// How many tokens are on their way.
    pub active: usize,
    /// How far apart the next one is, so that the tokens do not stand in one block.
    stride: usize,
}

impl Ring {
    /// Non-blocking pairs with no token on the way yet.
    pub fn new(cell: &Cell) -> io::Result<Self> {
        let (pairs, active) = (cell.get("pairs"), cell.get("active"));
        let mut readers = Vec::new();
        let mut next = Vec::new();
        for _ in 0..pairs {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            readers.push(reader);
            next.push(writer);
        }
        // Each handler writes to the pair after its own.
        next.rotate_left(1);
        Ok(Self { readers, next, active, stride: (pairs / active).max(1) })
    }

    /// Sends the tokens off. Do this before the readers are given away.
    pub fn start(&self) -> io::Result<()> {
        for token in 0..self.active {
            (&self.next[token * self.stride]).write_all(b"x")?;
        }
        Ok(())
    }
}

/// Runs turns until enough events have been seen, and puts down what each cost.
///
/// `turn` answers the events of a turn; `calls` the system calls so far, if they are counted, those of the handlers
/// included; `waited` the nanoseconds spent in the wait so far, if they are.
pub fn measure(
    figures: &mut Figures,
    mut turn: impl FnMut() -> io::Result<u64>,
    totals: impl Fn() -> (Option<u64>, Option<u64>),
) -> io::Result<()> {
    let before = totals();
    let began = Instant::now();
    let mut events = 0;
    while events < EVENTS && began.elapsed() < PATIENCE {
        for _ in 0..TURNS {
            events += turn()?;
        }
    }
    let ns = began.elapsed().as_nanos() as f64;
    let after = totals();
    let each = |value: f64| value / events as f64;
    figures.insert("ns".to_owned(), each(ns));
    if let (Some(before), Some(after)) = (before.0, after.0) {
        figures.insert("calls".to_owned(), each((after - before) as f64));
    }
    if let (Some(before), Some(after)) = (before.1, after.1) {
        figures.insert("wait_ns".to_owned(), each((after - before) as f64));
    }
    Ok(())
}

pub fn prepare(contender: &str, cell: &Cell) -> io::Result<Round> {
    let ring = Ring::new(cell)?;
    ring.start()?;
    match contender {
        "floor-level" => Ok(by_hand(ring, false)),
        "floor-edge" => Ok(by_hand(ring, true)),
        _ => ours(contender, ring),
    }
}

fn by_hand(ring: Ring, edge: bool) -> Round {
    let epoll = raw::epoll();
    let mode = if edge { raw::EPOLLET } else { 0 };
    for (index, reader) in ring.readers.iter().enumerate() {
        raw::add_as(epoll, reader.as_raw_fd(), raw::EPOLLIN | mode, index as u64);
    }
    let mut events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
    let counts = std::cell::Cell::new((0u64, 0u64));
    Box::new(move |figures| {
        let turn = || {
            let began = Instant::now();
            let ready = raw::wait(epoll, &mut events, -1);
            let (calls, waited) = counts.get();
            counts.set((calls + 1 + 2 * ready.len() as u64, waited + began.elapsed().as_nanos() as u64));
            let mut token = [0];
            for event in ready {
                let index = event.u64 as usize;
                if raw::read(ring.readers[index].as_raw_fd(), &mut token) == 1 {
                    raw::write(ring.next[index].as_raw_fd(), &token);
                }
            }
            Ok(ready.len() as u64)
        };
        measure(figures, turn, || (Some(counts.get().0), Some(counts.get().1)))
    })
}

/// Reads a token and passes it on.
struct Passing {
    next: UnixStream,
}

impl Dispatcher for Passing {
    /// Tokens passed on.
    type Shared = u64;
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, passed: &mut u64) -> io::Result<()> {
        let mut token = [0];
        cx.read(&mut token)?;
        *passed += 1;
        self.next.write_all(&token)
    }
}

fn ours(contender: &str, ring: Ring) -> io::Result<Round> {
    let mut event_loop = serve::event_loop(contender, 0)?;
    for (reader, next) in ring.readers.into_iter().zip(ring.next) {
        event_loop.adopt(Stream::from(reader), Passing { next })?;
    }
    let totals = std::cell::Cell::new((0, 0));
    Ok(Box::new(move |figures| {
        let turn = || {
            let before = *event_loop.shared();
            event_loop.turn(None)?;
            let (stats, passed) = (event_loop.stats(), *event_loop.shared());
            // The handlers' own writes are not the loop's to count.
            totals.set((ours::calls(stats) + passed, stats.waiting.as_nanos() as u64));
            Ok(passed - before)
        };
        measure(figures, turn, || (Some(totals.get().0), Some(totals.get().1)))
    }))
}

/// Reads a token and passes it on, as the peers do; answers how many that were.
pub fn pass_on(reader: &UnixStream, next: &UnixStream) -> io::Result<u64> {
    let mut token = [0];
    match { reader }.read(&mut token) {
        Ok(read) => {
            { next }.write_all(&token[..read])?;
            Ok(read as u64)
        }
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Err(e) => Err(e),
    }
}

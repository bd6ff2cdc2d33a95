//! Chunks gathered into one write: so many are queued for a connection, then the loop turns, and the peer reads them. By
//! hand it is a queue of reference-counted chunks, `writev` and a wait.

use super::super::peers::Round;
use super::super::sample::Figures;
use super::super::scenario::Cell;
use super::super::serve;
use super::super::support::{ours, raw};
use std::collections::VecDeque;
use std::io::{self, IoSlice, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tripoll::reactor::Stream;
use tripoll::{Context, Dispatcher};

/// Chunks of a round.
const CHUNKS: usize = 20_000;
/// Long enough to be shared and not copied.
const BYTES: usize = 256;

pub fn prepare(contender: &str, cell: &Cell) -> io::Result<Round> {
    let (ours, mut theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let chunks = cell.get("chunks");
    let chunk: Arc<[u8]> = Arc::from([b'x'; BYTES]);
    let mut answer = vec![0; chunks * BYTES];
    if contender == "floor-level" {
        let mut queue: VecDeque<Arc<[u8]>> = VecDeque::new();
        let epoll = raw::epoll();
        raw::add(epoll, ours.as_raw_fd(), raw::EPOLLIN);
        let mut events = [raw::epoll_event { events: 0, u64: 0 }; 16];
        return Ok(Box::new(move |figures| {
            let mut calls = 0;
            measure(figures, chunks, || {
                queue.extend((0..chunks).map(|_| Arc::clone(&chunk)));
                let slices: Vec<IoSlice<'_>> = queue.iter().map(|chunk| IoSlice::new(chunk)).collect();
                raw::writev(ours.as_raw_fd(), &slices);
                queue.clear();
                // A loop turns.
                raw::wait(epoll, &mut events, 0);
                calls += 2;
                theirs.read_exact(&mut answer)?;
                Ok(calls)
            })
        }));
    }
    let mut event_loop = serve::event_loop(contender, ())?;
    let token = event_loop.adopt(Stream::from(ours), Silent)?;
    event_loop.turn(Some(Duration::ZERO))?;
    Ok(Box::new(move |figures| {
        let before = ours::calls(event_loop.stats());
        measure(figures, chunks, || {
            event_loop.enter(|scope, ()| {
                (0..chunks).try_for_each(|_| scope.send_to(token, &chunk).map(drop)).map_err(io::Error::other)
            })?;
            event_loop.turn(Some(Duration::ZERO))?;
            theirs.read_exact(&mut answer)?;
            Ok(ours::calls(event_loop.stats()) - before)
        })
    }))
}

/// Queues, writes and reads until enough chunks have gone; `once` answers the system calls of the round so far.
fn measure(figures: &mut Figures, chunks: usize, mut once: impl FnMut() -> io::Result<u64>) -> io::Result<()> {
    let began = Instant::now();
    let mut calls = 0;
    let times = CHUNKS.div_ceil(chunks);
    for _ in 0..times {
        calls = once()?;
    }
    let all = (times * chunks) as f64;
    figures.insert("ns".to_owned(), began.elapsed().as_nanos() as f64 / all);
    figures.insert("calls".to_owned(), calls as f64 / all);
    Ok(())
}

/// Says nothing of its own accord.
struct Silent;

impl Dispatcher for Silent {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, _: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        Ok(())
    }
}

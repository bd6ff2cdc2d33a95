//! What a queued message and a timer cost in memory. Each round adds as many as the cell says to those that are there, since
//! what is freed does not go back to the system.

use super::super::peers::Round;
use super::super::sample::Figures;
use super::super::scenario::Cell;
use super::super::serve;
use super::super::support::machine;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tripoll::reactor::Stream;
use tripoll::{Context, Dispatcher, EventLoop};

/// Bytes of a message: their own are not counted.
const MESSAGE: usize = 64;

pub fn prepare(contender: &str, cell: &Cell) -> io::Result<Round> {
    let timers = cell.params.contains_key("timers");
    let count = cell.get(if timers { "timers" } else { "queued messages" });
    if contender == "floor-level" {
        let mut queues: Vec<VecDeque<Vec<u8>>> = Vec::new();
        let mut pending: BTreeMap<(Instant, usize), ()> = BTreeMap::new();
        return Ok(Box::new(move |figures| {
            measure(figures, count, timers, || {
                if timers {
                    pending.extend((0..count).map(|index| ((Instant::now(), index), ())));
                } else {
                    queues.push((0..count).map(|_| vec![b'x'; MESSAGE]).collect());
                }
                Ok(())
            })
        }));
    }
    let mut event_loop = serve::event_loop(contender, ())?;
    let mut peers = Vec::new();
    Ok(Box::new(move |figures| {
        measure(figures, count, timers, || {
            if timers {
                add_timers(&mut event_loop, count);
                Ok(())
            } else {
                queue(&mut event_loop, &mut peers, count)
            }
        })
    }))
}

/// Puts down by how much the memory of this process grows for each of `count`.
fn measure(figures: &mut Figures, count: usize, timers: bool, add: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let own = if timers { 0 } else { MESSAGE };
    let before = machine::private_bytes(std::process::id());
    add()?;
    let grown = machine::private_bytes(std::process::id()).saturating_sub(before);
    figures.insert("bytes".to_owned(), (grown as f64 / count as f64 - own as f64).max(0.0));
    Ok(())
}

fn add_timers(event_loop: &mut EventLoop<Silent>, count: usize) {
    event_loop.enter(|scope, ()| {
        for _ in 0..count {
            scope.call_later(Duration::from_secs(3600), |_, ()| {});
        }
    });
}

/// Queues messages for a connection of their own, none of which is sent before the loop turns.
fn queue(event_loop: &mut EventLoop<Silent>, peers: &mut Vec<UnixStream>, count: usize) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    peers.push(theirs);
    let token = event_loop.adopt(Stream::from(ours), Silent)?;
    event_loop.enter(|scope, ()| {
        (0..count).try_for_each(|_| scope.send_to(token, &[b'x'; MESSAGE]).map(drop)).map_err(io::Error::other)
    })
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

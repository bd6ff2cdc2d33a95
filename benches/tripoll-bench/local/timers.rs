//! Timers: what it costs to add one, to push one back and to cancel one, while many are pending. The floor is what one
//! writes by hand, an ordered map.

use super::super::peers::Round;
use super::super::sample::Figures;
use super::super::scenario::Cell;
use super::super::serve;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};
use tripoll::reactor::TimerId;
use tripoll::{Context, Dispatcher};

/// Operations of each kind in a round.
const OPERATIONS: usize = 10_000;

/// Something that keeps timers.
pub trait Timers {
    type Id: Copy;
    fn add(&mut self, after: Duration) -> Self::Id;
    fn push_back(&mut self, id: Self::Id, after: Duration) -> Self::Id;
    fn cancel(&mut self, id: Self::Id);
}

/// Deadlines as they come in a server: scattered, far from now, and later each time they are pushed back.
#[derive(Default)]
struct Scatter(u64);

impl Scatter {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn after(&mut self) -> Duration {
        Duration::from_micros(3_600_000_000 + self.next() % 60_000_000)
    }
}

/// The rounds of anything that keeps timers.
pub fn rounds<T: Timers + 'static>(mut timers: T, cell: &Cell) -> Round {
    let mut scatter = Scatter::default();
    let mut pending: Vec<T::Id> = (0..cell.get("pending")).map(|_| timers.add(scatter.after())).collect();
    let mut later = Duration::ZERO;
    Box::new(move |figures| {
        let mut added = Vec::with_capacity(OPERATIONS);
        time(figures, "add_ns", |_| added.push(timers.add(scatter.after())));
        let victims: Vec<usize> = (0..OPERATIONS).map(|_| scatter.next() as usize % pending.len()).collect();
        time(figures, "ns", |index| {
            later += Duration::from_micros(10);
            let id = &mut pending[victims[index]];
            *id = timers.push_back(*id, Duration::from_secs(3700) + later);
        });
        time(figures, "cancel_ns", |index| timers.cancel(added[index]));
        Ok(())
    })
}

fn time(figures: &mut Figures, key: &str, mut operation: impl FnMut(usize)) {
    let began = Instant::now();
    for index in 0..OPERATIONS {
        operation(index);
    }
    figures.insert(key.to_owned(), began.elapsed().as_nanos() as f64 / OPERATIONS as f64);
}

pub fn prepare(contender: &str, cell: &Cell) -> io::Result<Round> {
    if contender == "floor-level" {
        return Ok(rounds(ByHand::default(), cell));
    }
    Ok(rounds(Ours(serve::event_loop(contender, ())?), cell))
}

#[derive(Default)]
struct ByHand {
    /// By deadline, and by number where deadlines are equal.
    pending: BTreeMap<(Instant, u64), ()>,
    made: u64,
}

impl Timers for ByHand {
    type Id = (Instant, u64);

    fn add(&mut self, after: Duration) -> Self::Id {
        self.made += 1;
        let id = (Instant::now() + after, self.made);
        self.pending.insert(id, ());
        id
    }

    fn push_back(&mut self, id: Self::Id, after: Duration) -> Self::Id {
        self.cancel(id);
        self.add(after)
    }

    fn cancel(&mut self, id: Self::Id) {
        self.pending.remove(&id);
    }
}

/// A loop in which nobody does anything.
struct Nobody;

impl Dispatcher for Nobody {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, _: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        Ok(())
    }
}

struct Ours(tripoll::EventLoop<Nobody>);

impl Timers for Ours {
    type Id = TimerId;

    fn add(&mut self, after: Duration) -> TimerId {
        self.0.enter(|scope, ()| scope.call_later(after, |_, ()| {}))
    }

    fn push_back(&mut self, id: TimerId, after: Duration) -> TimerId {
        self.0.enter(|scope, ()| scope.reset_timer(id, after));
        id
    }

    fn cancel(&mut self, id: TimerId) {
        self.0.enter(|scope, ()| scope.cancel(id));
    }
}

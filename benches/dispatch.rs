//! What it costs to call a handler: from the event that the poller reports to the handler's own code, without any system
//! call in between. A poller that makes its events up stands below; handlers stored inline, as an enum, and boxed stand
//! above.
//!
//! `cargo bench --bench dispatch [-- ROUNDS]`
#![allow(missing_docs)]

mod support;

use std::hint::black_box;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use support::fake::AlwaysReady;
use support::raw;
use support::table::Spread;
use support::{floor::call_by_hand, machine};
use tripoll::dispatcher::Boxed;
use tripoll::reactor::{Occurrence, Reactor, Stream};
use tripoll::{Context, Dispatcher, EventLoop, Settings};

/// Connections, all of which are ready at each wait.
const CONNECTIONS: usize = 100;
/// Turns of a round.
const TURNS: u32 = 10_000;

/// What a handler does here: it counts.
#[derive(Default)]
struct Counting(u64);

/// The same handler, for a loop that stores `$spawn`.
macro_rules! counting {
    ($handler:ty, $spawn:ty) => {
        impl Dispatcher for $handler {
            type Shared = ();
            type Spawn = $spawn;

            fn handle_read(&mut self, _: &mut Context<'_, $spawn>, (): &mut ()) -> io::Result<()> {
                self.0 = black_box(self.0 + 1);
                Ok(())
            }
        }
    };
}

struct InEnum(u64);
struct InBox(u64);
counting!(Counting, Counting);
counting!(InEnum, Kinds);
counting!(InBox, Boxed<()>);

enum Kinds {
    One(InEnum),
    Other(InEnum),
}

impl Dispatcher for Kinds {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, shared: &mut ()) -> io::Result<()> {
        match self {
            Self::One(handler) | Self::Other(handler) => handler.handle_read(cx, shared),
        }
    }
}

fn streams() -> Vec<UnixStream> {
    (0..CONNECTIONS / 2).flat_map(|_| <[_; 2]>::from(UnixStream::pair().unwrap())).collect()
}

fn event_loop<H: Dispatcher<Shared = (), Spawn = H>>(make: impl Fn(usize) -> H) -> EventLoop<H, AlwaysReady> {
    let settings = Settings { slow_turn: Duration::MAX, ..Settings::default() };
    let mut event_loop = EventLoop::on(Reactor::with_settings(AlwaysReady::default(), settings).unwrap(), ());
    for (index, stream) in streams().into_iter().enumerate() {
        event_loop.adopt(Stream::from(stream), make(index)).unwrap();
    }
    event_loop
}

/// Nanoseconds per event of a round.
fn time(mut turn: impl FnMut()) -> f64 {
    let begin = Instant::now();
    for _ in 0..TURNS {
        turn();
    }
    begin.elapsed().as_nanos() as f64 / f64::from(TURNS) / CONNECTIONS as f64
}

fn main() {
    let rounds: usize = std::env::args().filter_map(|arg| arg.parse().ok()).next().unwrap_or(21);
    println!("dispatch: {CONNECTIONS} events a turn, {TURNS} turns a round, {rounds} rounds");
    println!("{}", machine::describe());
    raw::pin(machine::processors().1);

    let mut reactor = Reactor::new(AlwaysReady::default()).unwrap();
    for stream in streams() {
        reactor.ledger().adopt(Stream::from(stream)).unwrap();
    }
    let mut inline = event_loop(|_| Counting(0));
    let mut kinds = event_loop(|index| if index % 2 == 0 { Kinds::One(InEnum(0)) } else { Kinds::Other(InEnum(0)) });
    let mut boxed = event_loop(|_| Boxed::new(InBox(0)));
    let mut by_hand = call_by_hand(CONNECTIONS);

    type Contender<'a> = (&'a str, Box<dyn FnMut() + 'a>);
    let mut contenders: Vec<Contender<'_>> = vec![
        ("by hand, a table of handlers", Box::new(&mut by_hand)),
        (
            "reactor, a match",
            Box::new(|| {
                reactor.turn(None).unwrap();
                while let Some(occurrence) = reactor.pop() {
                    black_box(matches!(occurrence, Occurrence::Readable(_)));
                }
            }),
        ),
        ("dispatcher, inline", Box::new(|| inline.turn(None).unwrap())),
        ("dispatcher, enum", Box::new(|| kinds.turn(None).unwrap())),
        ("dispatcher, boxed", Box::new(|| boxed.turn(None).unwrap())),
    ];
    let mut figures = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for ((_, contender), figures) in contenders.iter_mut().zip(&mut figures) {
            let figure = time(contender);
            // The first round warms up.
            if round > 0 {
                figures.push(figure);
            }
        }
    }
    println!("{:30} {:>12} {:>20}", "", "ns/event", "(min - max)");
    for ((name, _), figures) in contenders.iter().zip(figures) {
        let Spread { median, min, max } = Spread::of(figures);
        println!("{name:30} {median:>12.1} {:>20}", format!("({min:.1} - {max:.1})"));
    }
}

//! Work posted to the loop by another thread: how long one takes there and back, and what each costs in a burst. By hand
//! it is a locked queue of closures and an eventfd.

use super::super::peers::Round;
use super::super::sample::Figures;
use super::super::serve;
use super::super::support::{machine, raw};
use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;
use tripoll::dispatcher::Remote;
use tripoll::{Context, Dispatcher};

/// Round trips of a round.
const TRIPS: usize = 500;
/// Posts of a burst.
const BURST: usize = 10_000;

/// What another thread does to a loop: posts an answer to be given.
pub trait Post: Send + 'static {
    /// Has the loop send a word on this channel.
    fn post(&self, answer: SyncSender<()>);
    /// Has the loop end this round.
    fn end(&self);
}

/// The other thread's part of a round, on the other processor: trips, a burst, and the end.
pub fn other_thread(poster: impl Post) -> thread::JoinHandle<Figures> {
    thread::spawn(move || {
        raw::pin(machine::processors().1);
        let (answer, answered) = mpsc::sync_channel(BURST);
        let trip = || {
            poster.post(answer.clone());
            answered.recv().expect("the loop answers");
        };
        trip();
        let mut figures = Figures::new();
        let began = Instant::now();
        (0..TRIPS).for_each(|_| trip());
        figures.insert("ns".to_owned(), began.elapsed().as_nanos() as f64 / TRIPS as f64);
        let began = Instant::now();
        (0..BURST).for_each(|_| poster.post(answer.clone()));
        (0..BURST).for_each(|_| answered.recv().expect("the loop answers"));
        figures.insert("post_ns".to_owned(), began.elapsed().as_nanos() as f64 / BURST as f64);
        poster.end();
        figures
    })
}

/// What the other thread has found.
pub fn collect(thread: thread::JoinHandle<Figures>, figures: &mut Figures) -> io::Result<()> {
    figures.append(&mut thread.join().map_err(|_| io::Error::other("the posting thread panicked"))?);
    Ok(())
}

pub fn prepare(contender: &str) -> io::Result<Round> {
    if contender == "floor-level" { by_hand() } else { ours(contender) }
}

type Closure = Box<dyn FnOnce() -> bool + Send>;

/// The queue by hand, and the bell beside it.
#[derive(Clone)]
struct ByHand {
    queue: Arc<Mutex<VecDeque<Closure>>>,
    bell: RawFd,
}

impl ByHand {
    fn push(&self, closure: Closure) {
        let mut queue = self.queue.lock().expect("nobody panics with the lock");
        let first = queue.is_empty();
        queue.push_back(closure);
        drop(queue);
        // Whoever finds it empty rings; the loop takes all there is.
        if first {
            raw::ring(self.bell);
        }
    }
}

impl Post for ByHand {
    fn post(&self, answer: SyncSender<()>) {
        self.push(Box::new(move || answer.send(()).is_err()));
    }

    fn end(&self) {
        self.push(Box::new(|| true));
    }
}

fn by_hand() -> io::Result<Round> {
    let epoll = raw::epoll();
    let bell = raw::eventfd();
    raw::add(epoll, bell, raw::EPOLLIN | raw::EPOLLET);
    let shared = ByHand { queue: Arc::default(), bell };
    Ok(Box::new(move |figures| {
        let thread = other_thread(shared.clone());
        let mut events = [raw::epoll_event { events: 0, u64: 0 }; 16];
        let mut ended = false;
        while !ended {
            raw::wait(epoll, &mut events, 1000);
            let work = std::mem::take(&mut *shared.queue.lock().expect("nobody panics with the lock"));
            for closure in work {
                ended |= closure();
            }
        }
        collect(thread, figures)
    }))
}

/// A loop in which nobody does anything of his own accord.
struct Nobody;

impl Dispatcher for Nobody {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, _: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        Ok(())
    }
}

impl Post for Remote<Nobody> {
    fn post(&self, answer: SyncSender<()>) {
        let answered = Self::post(self, move |_, ()| {
            // Who asked may have gone.
            let _ = answer.send(());
        });
        answered.expect("the loop is there");
    }

    fn end(&self) {
        self.stop().expect("the loop is there");
    }
}

fn ours(contender: &str) -> io::Result<Round> {
    let mut event_loop = serve::event_loop::<Nobody>(contender, ())?;
    Ok(Box::new(move |figures| {
        let thread = other_thread(event_loop.enter(|scope, ()| scope.remote()));
        event_loop.run()?;
        collect(thread, figures)
    }))
}

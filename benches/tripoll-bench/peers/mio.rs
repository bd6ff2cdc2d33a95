//! mio: edge-triggered by nature. A connection is registered once, for both directions, as tokio does it that stands on
//! mio; a read that does not fill the buffer ends the reading, as there, unless the end of the stream was announced.

use super::super::local::{ctl, dispatch, wake};
use super::super::scenario::{Cell, Scenario};
use super::super::support::raw::Counter;
use super::Round;
use super::echo::{self, BUFFER, Outcome, RETRY, Unsent};
use super::room::{Change, Link, Room};
use super::wakeup::Message;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender, SyncSender};
use std::time::{Duration, Instant};

const LISTENER: Token = Token(usize::MAX);
const EVENTS: usize = 1024;

fn both() -> Interest {
    Interest::READABLE | Interest::WRITABLE
}

/// Waits as mio's examples do: a signal is no event.
fn wait(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, timeout) {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        result => result,
    }
}

/// A listener that rests when there is nothing left to accept with.
struct Door {
    listener: TcpListener,
    rests_until: Option<Instant>,
}

impl Door {
    fn new(listener: std::net::TcpListener, poll: &Poll) -> io::Result<Self> {
        let mut listener = TcpListener::from_std(listener);
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self { listener, rests_until: None })
    }

    fn timeout(&self) -> Option<Duration> {
        self.rests_until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Registering anew has those reported who are still waiting; an edge would not come again for them.
    fn rested(&mut self, poll: &Poll, count: &mut Counter) -> io::Result<()> {
        if self.rests_until.take_if(|until| *until <= Instant::now()).is_some() {
            count.calls += 1;
            poll.registry().reregister(&mut self.listener, LISTENER, Interest::READABLE)?;
        }
        Ok(())
    }

    /// Calls `enter` with each who waits; the stream is registered under the number that `key` gives.
    fn open(&mut self, poll: &Poll, count: &mut Counter, mut enter: impl FnMut(Entering<'_>) -> io::Result<()>) {
        let all = echo::accept_all(|| {
            count.calls += 1;
            let (stream, _) = self.listener.accept()?;
            count.calls += 1;
            enter(Entering { stream, poll })
        });
        self.rests_until = (!all).then(|| Instant::now() + RETRY);
    }
}

/// Who has just been accepted.
struct Entering<'a> {
    stream: TcpStream,
    poll: &'a Poll,
}

impl Entering<'_> {
    fn register(mut self, key: usize) -> io::Result<TcpStream> {
        self.poll.registry().register(&mut self.stream, Token(key), both())?;
        Ok(self.stream)
    }
}

/// Whether the reading goes on. Whoever reads less than he has room for has read all, as epoll(7) says; the end of the
/// stream, if it has come with the same event, is yet to be read.
fn goes_on(outcome: Outcome, event: &Event) -> bool {
    outcome == Outcome::Full || (outcome == Outcome::Short && event.is_read_closed())
}

pub fn echo(listener: std::net::TcpListener) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(EVENTS);
    let mut door = Door::new(listener, &poll)?;
    let mut connections: Slab<(TcpStream, Unsent)> = Slab::new();
    let mut buf = vec![0; BUFFER];
    let mut count = Counter::default();
    loop {
        count.calls += 1;
        count.waits += 1;
        wait(&mut poll, &mut events, door.timeout())?;
        door.rested(&poll, &mut count)?;
        for event in &events {
            if event.token() == LISTENER {
                door.open(&poll, &mut count, |entering| {
                    let entry = connections.vacant_entry();
                    let stream = entering.register(entry.key())?;
                    entry.insert((stream, Unsent::default()));
                    Ok(())
                });
                continue;
            }
            let key = event.token().0;
            let Some((stream, unsent)) = connections.get_mut(key) else { continue };
            // Who waits for room is not served for what else has come, and the other way round.
            let awaited = if unsent.is_empty() { event.is_readable() } else { event.is_writable() };
            if !awaited {
                continue;
            }
            let outcome = loop {
                let outcome = unsent.serve(stream, &mut buf, &mut count);
                if !goes_on(outcome, event) {
                    break outcome;
                }
            };
            if outcome == Outcome::Ended {
                let (mut stream, _) = connections.remove(key);
                count.calls += 2;
                poll.registry().deregister(&mut stream)?;
            }
        }
        count.publish();
    }
}

impl Link for TcpStream {
    fn receive(&self, buf: &mut [u8]) -> io::Result<usize> {
        { self }.read(buf)
    }

    fn send(&self, lines: &[IoSlice<'_>]) -> io::Result<usize> {
        { self }.write_vectored(lines)
    }
}

pub fn chat(listener: std::net::TcpListener) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(EVENTS);
    let mut door = Door::new(listener, &poll)?;
    let mut room = Room::new();
    let mut count = Counter::default();
    loop {
        count.calls += 1;
        count.waits += 1;
        wait(&mut poll, &mut events, door.timeout())?;
        door.rested(&poll, &mut count)?;
        for event in &events {
            if event.token() == LISTENER {
                door.open(&poll, &mut count, |entering| {
                    room.join(entering.register(room.next_key())?);
                    Ok(())
                });
                continue;
            }
            let key = event.token().0;
            if event.is_writable() {
                room.unblock(key);
            }
            while event.is_readable() && goes_on(room.hear(key, &mut count), event) {}
        }
        room.settle(&mut count, |count, _, stream, change| {
            // Both directions are always registered: only who leaves is to be told.
            if change == Change::Gone {
                count.calls += 1;
                let _ = poll.registry().deregister(&mut SourceFd(&stream.as_raw_fd()));
            }
        });
        count.publish();
    }
}

pub fn prepare(cell: &Cell) -> io::Result<Round> {
    match cell.scenario {
        Scenario::Dispatch => dispatch(cell),
        Scenario::Ctl => ctl(cell),
        Scenario::Wake => wake(),
        other => Err(io::Error::other(format!("mio has no {other}"))),
    }
}

/// One token an event is enough. Each is written by itself, after the event for the one before it has been taken, so
/// each makes an edge of its own; and nobody overtakes in the ready list.
fn dispatch(cell: &Cell) -> io::Result<Round> {
    let ring = dispatch::Ring::new(cell)?;
    ring.start()?;
    let mut poll = Poll::new()?;
    for (index, reader) in ring.readers.iter().enumerate() {
        poll.registry().register(&mut SourceFd(&reader.as_raw_fd()), Token(index), Interest::READABLE)?;
    }
    let mut events = Events::with_capacity(EVENTS);
    let totals = std::cell::Cell::new((0, 0));
    Ok(Box::new(move |figures| {
        let turn = || {
            let began = Instant::now();
            wait(&mut poll, &mut events, None)?;
            let waited = began.elapsed().as_nanos() as u64;
            let mut passed = 0;
            let mut calls = 1;
            for event in &events {
                let index = event.token().0;
                passed += dispatch::pass_on(&ring.readers[index], &ring.next[index])?;
                calls += 2;
            }
            totals.set((totals.get().0 + calls, totals.get().1 + waited));
            Ok(passed)
        };
        dispatch::measure(figures, turn, || (Some(totals.get().0), Some(totals.get().1)))
    }))
}

fn ctl(cell: &Cell) -> io::Result<Round> {
    let ring = ctl::Ring::new(cell)?;
    let mut poll = Poll::new()?;
    for (index, reader) in ring.readers.iter().enumerate() {
        poll.registry().register(&mut SourceFd(&reader.as_raw_fd()), Token(index), Interest::READABLE)?;
    }
    let mut events = Events::with_capacity(EVENTS);
    let calls = std::cell::Cell::new(0);
    Ok(Box::new(move |figures| {
        let turn = || {
            let mut passed = 0;
            let mut made = 1;
            wait(&mut poll, &mut events, None)?;
            for event in &events {
                let index = event.token().0;
                let change = |interest| {
                    let fd = ring.readers[index].as_raw_fd();
                    poll.registry().reregister(&mut SourceFd(&fd), event.token(), interest)
                };
                made += 2;
                if event.is_writable() {
                    change(Interest::READABLE)?;
                    ring.pass_on(index)?;
                    passed += 1;
                } else if ring.take(index) {
                    change(Interest::WRITABLE)?;
                }
            }
            calls.set(calls.get() + made);
            Ok(passed)
        };
        ctl::measure(figures, turn, || Some(calls.get()))
    }))
}

/// A channel of the standard library and mio's waker, which is a system call: only who finds the flag down raises it.
#[derive(Clone)]
struct Poster {
    sender: Sender<Message>,
    waker: Arc<(Waker, AtomicBool)>,
}

impl Poster {
    fn send(&self, message: Message) {
        self.sender.send(message).expect("the loop is there");
        let (waker, woken) = &*self.waker;
        if !woken.swap(true, Ordering::AcqRel) {
            waker.wake().expect("the loop is there");
        }
    }
}

impl wake::Post for Poster {
    fn post(&self, answer: SyncSender<()>) {
        self.send(Message::Answer(answer));
    }

    fn end(&self) {
        self.send(Message::End);
    }
}

fn wake() -> io::Result<Round> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(EVENTS);
    let (sender, receiver) = mpsc::channel();
    let waker = Arc::new((Waker::new(poll.registry(), Token(0))?, AtomicBool::new(false)));
    Ok(Box::new(move |figures| {
        let thread = wake::other_thread(Poster { sender: sender.clone(), waker: Arc::clone(&waker) });
        let mut ended = false;
        while !ended {
            wait(&mut poll, &mut events, None)?;
            // Down before the channel is emptied: who sends after that raises it again.
            waker.1.swap(false, Ordering::AcqRel);
            for message in receiver.try_iter() {
                ended |= message.deliver();
            }
        }
        wake::collect(thread, figures)
    }))
}

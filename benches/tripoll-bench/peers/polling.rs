//! polling: level-triggered. Its events do not tell of an end that came together with data, so that with edges, each
//! read would need another to see that there is no more; and in its oneshot mode, each event would need a registration.

use super::super::local::{ctl, dispatch, wake};
use super::super::scenario::{Cell, Scenario};
use super::super::support::raw::{self, Counter};
use super::Round;
use super::echo::{self, BUFFER, Outcome, RETRY, Unsent};
use super::room::{Change, Link, Room};
use super::wakeup::Message;
use polling::{Event, Events, PollMode, Poller};
use slab::Slab;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::time::{Duration, Instant};

/// usize::MAX itself is the crate's own.
const LISTENER: usize = usize::MAX - 1;

/// System calls of a wait: its timer is set and watched, then the wait, then its notifier is read and watched again.
pub const CALLS_OF_A_WAIT: u64 = 5;

/// A listener that rests when there is nothing left to accept with.
struct Door {
    listener: TcpListener,
    rests_until: Option<Instant>,
}

impl Door {
    fn new(listener: TcpListener, poller: &Poller) -> io::Result<Self> {
        raw::poll_add(poller, &listener, Event::readable(LISTENER), PollMode::Level)?;
        Ok(Self { listener, rests_until: None })
    }

    fn timeout(&self) -> Option<Duration> {
        self.rests_until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    fn rested(&mut self, poller: &Poller, count: &mut Counter) -> io::Result<()> {
        if self.rests_until.take_if(|until| *until <= Instant::now()).is_some() {
            self.watch(poller, Event::readable(LISTENER), count)?;
        }
        Ok(())
    }

    fn watch(&self, poller: &Poller, interest: Event, count: &mut Counter) -> io::Result<()> {
        count.calls += 1;
        poller.modify_with_mode(&self.listener, interest, PollMode::Level)
    }

    /// Calls `enter` with each who waits.
    fn open(
        &mut self,
        poller: &Poller,
        count: &mut Counter,
        mut enter: impl FnMut(TcpStream) -> io::Result<()>,
    ) -> io::Result<()> {
        let all = echo::accept_all(|| {
            count.calls += 1;
            let (stream, _) = self.listener.accept()?;
            // Two system calls of ours, as the standard library accepts blocking sockets only, and one of `enter`.
            count.calls += 2;
            stream.set_nonblocking(true)?;
            enter(stream)
        });
        if !all {
            self.rests_until = Some(Instant::now() + RETRY);
            self.watch(poller, Event::none(LISTENER), count)?;
        }
        Ok(())
    }
}

struct Connection {
    stream: TcpStream,
    unsent: Unsent,
    /// Registered for room to write instead of data to read.
    blocked: bool,
}

pub fn echo(listener: TcpListener) -> io::Result<()> {
    let poller = Poller::new()?;
    let mut events = Events::new();
    let mut door = Door::new(listener, &poller)?;
    let mut connections: Slab<Connection> = Slab::new();
    let mut buf = vec![0; BUFFER];
    let mut count = Counter::default();
    loop {
        count.calls += CALLS_OF_A_WAIT;
        count.waits += 1;
        events.clear();
        poller.wait(&mut events, door.timeout())?;
        door.rested(&poller, &mut count)?;
        for event in events.iter() {
            if event.key == LISTENER {
                door.open(&poller, &mut count, |stream| {
                    let entry = connections.vacant_entry();
                    raw::poll_add(&poller, &stream, Event::readable(entry.key()), PollMode::Level)?;
                    entry.insert(Connection { stream, unsent: Unsent::default(), blocked: false });
                    Ok(())
                })?;
                continue;
            }
            let Some(connection) = connections.get_mut(event.key) else { continue };
            let outcome = connection.unsent.serve(&connection.stream, &mut buf, &mut count);
            if outcome == Outcome::Ended {
                count.calls += 2;
                poller.delete(&connection.stream)?;
                connections.remove(event.key);
                continue;
            }
            let blocked = outcome == Outcome::Blocked;
            if blocked != connection.blocked {
                connection.blocked = blocked;
                count.calls += 1;
                let interest = Event::new(event.key, !blocked, blocked);
                poller.modify_with_mode(&connection.stream, interest, PollMode::Level)?;
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

pub fn chat(listener: TcpListener) -> io::Result<()> {
    let poller = Poller::new()?;
    let mut events = Events::new();
    let mut door = Door::new(listener, &poller)?;
    let mut room = Room::new();
    let mut count = Counter::default();
    loop {
        count.calls += CALLS_OF_A_WAIT;
        count.waits += 1;
        events.clear();
        poller.wait(&mut events, door.timeout())?;
        door.rested(&poller, &mut count)?;
        for event in events.iter() {
            if event.key == LISTENER {
                door.open(&poller, &mut count, |stream| {
                    raw::poll_add(&poller, &stream, Event::readable(room.next_key()), PollMode::Level)?;
                    room.join(stream);
                    Ok(())
                })?;
                continue;
            }
            if event.writable {
                room.unblock(event.key);
            }
            if event.readable {
                room.hear(event.key, &mut count);
            }
        }
        room.settle(&mut count, |count, key, stream, change| {
            count.calls += 1;
            let _ = match change {
                Change::Stuck => poller.modify_with_mode(stream, Event::all(key), PollMode::Level),
                Change::Flowing => poller.modify_with_mode(stream, Event::readable(key), PollMode::Level),
                Change::Gone => poller.delete(stream),
            };
        });
        count.publish();
    }
}

pub fn prepare(cell: &Cell) -> io::Result<Round> {
    match cell.scenario {
        Scenario::Dispatch => dispatch(cell),
        Scenario::Ctl => ctl(cell),
        Scenario::Wake => wake(),
        other => Err(io::Error::other(format!("polling has no {other}"))),
    }
}

fn dispatch(cell: &Cell) -> io::Result<Round> {
    let ring = dispatch::Ring::new(cell)?;
    ring.start()?;
    let poller = Poller::new()?;
    for (index, reader) in ring.readers.iter().enumerate() {
        raw::poll_add(&poller, reader, Event::readable(index), PollMode::Level)?;
    }
    let mut events = Events::new();
    let totals = std::cell::Cell::new((0, 0));
    Ok(Box::new(move |figures| {
        let turn = || {
            let began = Instant::now();
            events.clear();
            poller.wait(&mut events, None)?;
            let waited = began.elapsed().as_nanos() as u64;
            let mut passed = 0;
            let mut calls = CALLS_OF_A_WAIT;
            for event in events.iter() {
                passed += dispatch::pass_on(&ring.readers[event.key], &ring.next[event.key])?;
                calls += 2;
            }
            totals.set((totals.get().0 + calls, totals.get().1 + waited));
            Ok(passed)
        };
        dispatch::measure(figures, turn, || (Some(totals.get().0), Some(totals.get().1)))
    }))
}

/// Where each event is followed by a new interest anyway, the crate's oneshot mode is at home.
fn ctl(cell: &Cell) -> io::Result<Round> {
    let ring = ctl::Ring::new(cell)?;
    let poller = Poller::new()?;
    for (index, reader) in ring.readers.iter().enumerate() {
        raw::poll_add(&poller, reader, Event::readable(index), PollMode::Oneshot)?;
    }
    let mut events = Events::new();
    let calls = std::cell::Cell::new(0);
    Ok(Box::new(move |figures| {
        let turn = || {
            let mut passed = 0;
            let mut made = CALLS_OF_A_WAIT;
            events.clear();
            poller.wait(&mut events, None)?;
            for event in events.iter() {
                let reader = &ring.readers[event.key];
                made += 2;
                if event.writable {
                    poller.modify(reader, Event::readable(event.key))?;
                    ring.pass_on(event.key)?;
                    passed += 1;
                } else if ring.take(event.key) {
                    poller.modify(reader, Event::writable(event.key))?;
                }
            }
            calls.set(calls.get() + made);
            Ok(passed)
        };
        ctl::measure(figures, turn, || Some(calls.get()))
    }))
}

/// A channel of the standard library and the poller itself, which merges notifications.
struct Poster {
    sender: Sender<Message>,
    poller: Arc<Poller>,
}

impl Poster {
    fn send(&self, message: Message) {
        self.sender.send(message).expect("the loop is there");
        self.poller.notify().expect("the loop is there");
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
    let poller = Arc::new(Poller::new()?);
    let mut events = Events::new();
    let (sender, receiver) = mpsc::channel();
    Ok(Box::new(move |figures| {
        let thread = wake::other_thread(Poster { sender: sender.clone(), poller: Arc::clone(&poller) });
        let mut ended = false;
        while !ended {
            events.clear();
            poller.wait(&mut events, None)?;
            for message in receiver.try_iter() {
                ended |= message.deliver();
            }
        }
        wake::collect(thread, figures)
    }))
}

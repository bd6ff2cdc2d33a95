//! calloop: level-triggered, which is the cheapest with polling, on which it stands. Where a callback changes its own
//! interest, the connection is an event source of its own around a `Generic`, as the crate's book builds them; where
//! others do, it is reached through its `Dispatcher`.

use super::super::local::{ctl, dispatch, timers, wake};
use super::super::scenario::{Cell, Scenario};
use super::super::support::raw::Counter;
use super::Round;
use super::echo::{self, BUFFER, Outcome, RETRY, Unsent};
use super::polling::CALLS_OF_A_WAIT;
use super::room::{Change, Link, Room};
use super::wakeup::Message;
use calloop::channel::{self, Sender};
use calloop::generic::{Generic, NoIoDrop};
use calloop::timer::{TimeoutAction, Timer};
use calloop::{
    Dispatcher, EventLoop, EventSource, Interest, LoopHandle, Mode, Poll, PostAction, Readiness, RegistrationToken,
    Token, TokenFactory,
};
use slab::Slab;
use std::io::{self, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

/// What every callback of a server gets.
struct Server<T: 'static> {
    handle: LoopHandle<'static, Self>,
    listener: Option<RegistrationToken>,
    count: Counter,
    own: T,
}

impl<T> Server<T> {
    fn run(
        listener: TcpListener,
        own: T,
        enter: impl FnMut(TcpStream, &mut Self) -> calloop::Result<()> + 'static,
        mut turned: impl FnMut(&mut Self),
    ) -> io::Result<()> {
        let mut event_loop = EventLoop::try_new()?;
        let mut server = Self { handle: event_loop.handle(), listener: None, count: Counter::default(), own };
        server.listen(listener, enter)?;
        event_loop.run(None, &mut server, |server| {
            server.count.calls += CALLS_OF_A_WAIT;
            server.count.waits += 1;
            turned(server);
            server.count.publish();
        })?;
        Ok(())
    }

    fn listen(
        &mut self,
        listener: TcpListener,
        mut enter: impl FnMut(TcpStream, &mut Self) -> calloop::Result<()> + 'static,
    ) -> io::Result<()> {
        let source = Generic::new(listener, Interest::READ, Mode::Level);
        let callback = move |_, listener: &mut NoIoDrop<TcpListener>, server: &mut Self| {
            let all = echo::accept_all(|| {
                server.count.calls += 1;
                let (stream, _) = listener.accept()?;
                // Two system calls of ours, as the standard library accepts blocking sockets only, and one of `enter`.
                server.count.calls += 2;
                stream.set_nonblocking(true)?;
                enter(stream, server).map_err(io::Error::from)
            });
            Ok(if all { PostAction::Continue } else { server.rest() })
        };
        self.listener = Some(self.handle.insert_source(source, callback).map_err(|e| e.error)?);
        Ok(())
    }

    /// The listener rests while there is nothing left to accept with.
    fn rest(&mut self) -> PostAction {
        let again = |_, (): &mut (), server: &mut Self| {
            if let Some(listener) = server.listener {
                let _ = server.handle.enable(&listener);
            }
            TimeoutAction::Drop
        };
        match self.handle.insert_source(Timer::from_duration(RETRY), again) {
            Ok(_) => PostAction::Disable,
            Err(_) => PostAction::Continue,
        }
    }
}

/// A descriptor whose callback says after each event what is awaited next, or that nothing is any more.
struct Switched<F: AsFd>(Generic<F>);

impl<F: AsFd> Switched<F> {
    fn new(file: F) -> Self {
        Self(Generic::new(file, Interest::READ, Mode::Level))
    }
}

impl<F: AsFd> EventSource for Switched<F> {
    type Event = Readiness;
    type Metadata = NoIoDrop<F>;
    type Ret = Option<Interest>;
    type Error = io::Error;

    fn process_events<C>(&mut self, readiness: Readiness, token: Token, mut callback: C) -> io::Result<PostAction>
    where
        C: FnMut(Readiness, &mut NoIoDrop<F>) -> Option<Interest>,
    {
        let mut awaited = Some(self.0.interest);
        self.0.process_events(readiness, token, |readiness, file| {
            awaited = callback(readiness, file);
            Ok(PostAction::Continue)
        })?;
        Ok(match awaited {
            None => PostAction::Remove,
            Some(interest) if same(interest, self.0.interest) => PostAction::Continue,
            Some(interest) => {
                self.0.interest = interest;
                PostAction::Reregister
            }
        })
    }

    fn register(&mut self, poll: &mut Poll, factory: &mut TokenFactory) -> calloop::Result<()> {
        self.0.register(poll, factory)
    }

    fn reregister(&mut self, poll: &mut Poll, factory: &mut TokenFactory) -> calloop::Result<()> {
        self.0.reregister(poll, factory)
    }

    fn unregister(&mut self, poll: &mut Poll) -> calloop::Result<()> {
        self.0.unregister(poll)
    }
}

fn same(one: Interest, other: Interest) -> bool {
    (one.readable, one.writable) == (other.readable, other.writable)
}

pub fn echo(listener: TcpListener) -> io::Result<()> {
    let enter = |stream, server: &mut Server<Vec<u8>>| {
        let mut unsent = Unsent::default();
        let mut blocked = false;
        server.handle.insert_source(Switched::new(stream), move |_, stream, server| {
            let outcome = unsent.serve::<TcpStream>(stream, &mut server.own, &mut server.count);
            if outcome == Outcome::Ended {
                server.count.calls += 2;
                return None;
            }
            let was_blocked = std::mem::replace(&mut blocked, outcome == Outcome::Blocked);
            server.count.calls += u64::from(blocked != was_blocked);
            Some(if blocked { Interest::WRITE } else { Interest::READ })
        })?;
        Ok(())
    };
    Server::run(listener, vec![0; BUFFER], enter, |_| ())
}

type Hall = Server<Room<Seat>>;

/// A member's stream is written to and its interest changed at the end of a turn, outside of its callback.
struct Seat {
    stream: Rc<TcpStream>,
    dispatcher: Dispatcher<'static, Generic<Rc<TcpStream>>, Hall>,
    token: RegistrationToken,
}

impl Link for Seat {
    fn receive(&self, buf: &mut [u8]) -> io::Result<usize> {
        { &*self.stream }.read(buf)
    }

    fn send(&self, lines: &[IoSlice<'_>]) -> io::Result<usize> {
        { &*self.stream }.write_vectored(lines)
    }
}

pub fn chat(listener: TcpListener) -> io::Result<()> {
    let enter = |stream, hall: &mut Hall| {
        let key = hall.own.next_key();
        let stream = Rc::new(stream);
        let source = Generic::new(Rc::clone(&stream), Interest::READ, Mode::Level);
        let dispatcher = Dispatcher::new(source, move |readiness: Readiness, _, hall: &mut Hall| {
            if readiness.writable {
                hall.own.unblock(key);
            }
            if readiness.readable {
                hall.own.hear(key, &mut hall.count);
            }
            Ok(PostAction::Continue)
        });
        let token = hall.handle.register_dispatcher(dispatcher.clone())?;
        hall.own.join(Seat { stream, dispatcher, token });
        Ok(())
    };
    Server::run(listener, Room::new(), enter, |hall| {
        hall.own.settle(&mut hall.count, |count, _, seat, change| {
            count.calls += 1;
            let interest = match change {
                Change::Stuck => Interest::BOTH,
                Change::Flowing => Interest::READ,
                Change::Gone => return hall.handle.remove(seat.token),
            };
            seat.dispatcher.as_source_mut().interest = interest;
            let _ = hall.handle.update(&seat.token);
        });
    })
}

pub fn prepare(cell: &Cell) -> io::Result<Round> {
    match cell.scenario {
        Scenario::Dispatch => dispatch(cell),
        Scenario::Ctl => ctl(cell),
        Scenario::Timers => timers(cell),
        Scenario::Wake => wake(),
        other => Err(io::Error::other(format!("calloop has no {other}"))),
    }
}

fn dispatch(cell: &Cell) -> io::Result<Round> {
    let ring = dispatch::Ring::new(cell)?;
    ring.start()?;
    let mut event_loop: EventLoop<'static, u64> = EventLoop::try_new()?;
    for (reader, next) in ring.readers.into_iter().zip(ring.next) {
        let callback = move |_, reader: &mut NoIoDrop<_>, passed: &mut u64| {
            *passed += dispatch::pass_on(reader, &next)?;
            Ok(PostAction::Continue)
        };
        let source = Generic::new(reader, Interest::READ, Mode::Level);
        event_loop.handle().insert_source(source, callback).map_err(|e| e.error)?;
    }
    let calls = std::cell::Cell::new(0);
    Ok(Box::new(move |figures| {
        let turn = || {
            let mut passed = 0;
            event_loop.dispatch(None, &mut passed)?;
            calls.set(calls.get() + CALLS_OF_A_WAIT + 2 * passed);
            Ok(passed)
        };
        dispatch::measure(figures, turn, || (Some(calls.get()), None))
    }))
}

/// Messages passed on, and system calls.
#[derive(Default)]
struct Passed {
    messages: u64,
    calls: u64,
}

fn ctl(cell: &Cell) -> io::Result<Round> {
    let ring = Rc::new(ctl::Ring::new(cell)?);
    let mut event_loop: EventLoop<'static, Passed> = EventLoop::try_new()?;
    for (index, reader) in ring.readers.iter().enumerate() {
        let ring = Rc::clone(&ring);
        let callback = move |readiness: Readiness, _: &mut NoIoDrop<_>, passed: &mut Passed| {
            passed.calls += 2;
            if readiness.writable {
                ring.pass_on(index).ok()?;
                passed.messages += 1;
                Some(Interest::READ)
            } else {
                Some(if ring.take(index) { Interest::WRITE } else { Interest::READ })
            }
        };
        let source = Switched::new(reader.try_clone()?);
        event_loop.handle().insert_source(source, callback).map_err(|e| e.error)?;
    }
    let calls = std::cell::Cell::new(0);
    Ok(Box::new(move |figures| {
        let turn = || {
            let mut passed = Passed::default();
            event_loop.dispatch(None, &mut passed)?;
            calls.set(calls.get() + CALLS_OF_A_WAIT + passed.calls);
            Ok(passed.messages)
        };
        ctl::measure(figures, turn, || Some(calls.get()))
    }))
}

/// A timer that is pushed back has to be reached after it was inserted: by its dispatcher.
struct Timers {
    event_loop: EventLoop<'static, ()>,
    timers: Slab<(Dispatcher<'static, Timer, ()>, RegistrationToken)>,
}

impl timers::Timers for Timers {
    type Id = usize;

    fn add(&mut self, after: Duration) -> usize {
        let dispatcher = Dispatcher::new(Timer::from_duration(after), |_, (), ()| TimeoutAction::Drop);
        let token =
            self.event_loop.handle().register_dispatcher(dispatcher.clone()).expect("a timer takes no descriptor");
        self.timers.insert((dispatcher, token))
    }

    fn push_back(&mut self, id: usize, after: Duration) -> usize {
        let (dispatcher, token) = &self.timers[id];
        dispatcher.as_source_mut().set_deadline(Instant::now() + after);
        self.event_loop.handle().update(token).expect("the timer is there");
        id
    }

    fn cancel(&mut self, id: usize) {
        let (_, token) = self.timers.remove(id);
        self.event_loop.handle().remove(token);
    }
}

/// An addition looks for a free place and a change for the timer, from the beginning. With so many, a round takes
/// seconds; with ten times as many, setting them would take minutes.
const TIMERS_MAX: usize = 100_000;

fn timers(cell: &Cell) -> io::Result<Round> {
    let pending = cell.get("pending");
    if pending > TIMERS_MAX {
        let what =
            format!("calloop looks through all timers at each addition and change: {pending} would take minutes");
        return Err(io::Error::other(what));
    }
    Ok(timers::rounds(Timers { event_loop: EventLoop::try_new()?, timers: Slab::new() }, cell))
}

struct Poster(Sender<Message>);

impl wake::Post for Poster {
    fn post(&self, answer: SyncSender<()>) {
        self.0.send(Message::Answer(answer)).expect("the loop is there");
    }

    fn end(&self) {
        self.0.send(Message::End).expect("the loop is there");
    }
}

fn wake() -> io::Result<Round> {
    let mut event_loop: EventLoop<'static, bool> = EventLoop::try_new()?;
    let (sender, receiver) = channel::channel();
    let callback = |event, (): &mut (), ended: &mut bool| {
        if let channel::Event::Msg(message) = event {
            *ended |= Message::deliver(message);
        }
    };
    event_loop.handle().insert_source(receiver, callback).map_err(|e| e.error)?;
    Ok(Box::new(move |figures| {
        let thread = wake::other_thread(Poster(sender.clone()));
        let mut ended = false;
        while !ended {
            event_loop.dispatch(None, &mut ended)?;
        }
        wake::collect(thread, figures)
    }))
}

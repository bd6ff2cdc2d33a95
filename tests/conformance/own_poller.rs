//! A poller that somebody else has written: the floors above take it as they take ours.

use crate::kit::pair;
use crate::support::{BOUND, bounded, every_backend_and_trigger};
use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Context, Dispatcher, EventLoop};
use tripoll::poller::{AnyPoller, Event, Events, Features, Poller, Readiness, Refusal};
use tripoll::reactor::{Occurrence, Reactor};
use tripoll::{Backend, Interest, Settings, Token, Trigger};

/// Passes everything on to another poller and keeps count.
struct Counting<P> {
    inner: P,
    waits: Rc<Cell<usize>>,
    watched: Rc<Cell<isize>>,
}

impl<P: Poller> Poller for Counting<P> {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn features(&self) -> Features {
        self.inner.features()
    }

    fn descriptor_bound(&self) -> Option<RawFd> {
        self.inner.descriptor_bound()
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.inner.add(fd, token, interest, trigger)?;
        self.watched.set(self.watched.get() + 1);
        Ok(())
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.inner.modify(fd, token, interest, trigger)
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.inner.remove(fd)?;
        self.watched.set(self.watched.get() - 1);
        Ok(())
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        self.waits.set(self.waits.get() + 1);
        self.inner.wait(events, timeout)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.watched.set(0);
        self.inner.clear()
    }
}

/// Asks nobody: says of everything that it is ready for all that was asked, at every wait, and adds what it is told to.
#[derive(Default)]
struct Invented {
    registered: Vec<(RawFd, Token, Interest)>,
    added: Vec<Event>,
    broken: bool,
}

impl Poller for Invented {
    fn name(&self) -> &'static str {
        "invented"
    }

    fn features(&self) -> Features {
        Features::LEVEL
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        if trigger != Trigger::Level {
            return Err(Refusal::Trigger { backend: self.name(), trigger }.into());
        }
        self.registered.push((fd.as_raw_fd(), token, interest));
        Ok(())
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.remove(fd.as_raw_fd())?;
        self.add(fd, token, interest, trigger)
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        let before = self.registered.len();
        self.registered.retain(|(number, ..)| *number != fd);
        if self.registered.len() < before { Ok(()) } else { Err(Refusal::NotRegistered { fd }.into()) }
    }

    fn wait(&mut self, events: &mut Events, _: Option<Duration>) -> io::Result<()> {
        events.clear();
        if self.broken {
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        }
        for (_, token, interest) in &self.registered {
            let readiness = Readiness::READABLE.when(interest.contains(Interest::READABLE))
                | Readiness::WRITABLE.when(interest.contains(Interest::WRITABLE));
            if !readiness.is_none() {
                events.push(Event::new(*token, readiness));
            }
        }
        for event in &self.added {
            events.push(*event);
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.registered.clear();
        Ok(())
    }
}

/// What has come back so far; `None` if the connection has ended.
fn come_back(mut client: &UnixStream, so_far: &mut Vec<u8>) -> Option<()> {
    let mut buf = [0; 64];
    match client.read(&mut buf) {
        Ok(0) => return None,
        Ok(read) => so_far.extend_from_slice(&buf[..read]),
        Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock, "{e}"),
    }
    Some(())
}

/// A line goes there and back through a reactor, and nothing else happens; then the connection is closed.
fn a_reactor_echoes<P: Poller>(mut reactor: Reactor<P>) {
    let (mut client, server) = pair();
    let token = reactor.ledger().adopt(server).unwrap();
    let mut answer = Vec::new();
    let start = Instant::now();
    for turn in 0.. {
        assert!(start.elapsed() < BOUND, "only {answer:?} came back");
        reactor.turn(Some(Duration::from_millis(1))).unwrap();
        while let Some(occurrence) = reactor.pop() {
            match occurrence {
                Occurrence::Readable(readable) => assert_eq!(readable, token),
                // The waker too may be called ready without being so, which is as harmless.
                Occurrence::Woken => continue,
                other => panic!("{other:?}"),
            }
            let mut buf = [0; 64];
            match reactor.ledger().read(token, &mut buf) {
                Ok(read) => drop(reactor.ledger().send(token, &buf[..read]).unwrap()),
                Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock, "{e}"),
            }
        }
        // The first turns find nothing to read.
        if turn == 3 {
            client.write_all(b"there and back").unwrap();
        }
        come_back(&client, &mut answer).expect("the connection stays");
        if answer == b"there and back" {
            break;
        }
    }
    reactor.ledger().abort(token).unwrap();
    reactor.turn(Some(Duration::ZERO)).unwrap();
    let ended = std::iter::from_fn(|| reactor.pop()).last();
    assert!(matches!(ended, Some(Occurrence::Closed(closed, _)) if closed == token), "{ended:?}");
}

struct Echo;

impl Dispatcher for Echo {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, _: &mut ()) -> io::Result<()> {
        let data = cx.recv()?;
        cx.send(data)?;
        Ok(())
    }
}

/// The same through an event loop.
fn an_event_loop_echoes<P: Poller>(mut event_loop: EventLoop<Echo, P>) {
    let (mut client, server) = pair();
    event_loop.adopt(server, Echo).unwrap();
    client.write_all(b"there and back").unwrap();
    let mut answer = Vec::new();
    let start = Instant::now();
    while answer != b"there and back" {
        assert!(start.elapsed() < BOUND, "only {answer:?} came back");
        event_loop.turn(Some(Duration::from_millis(1))).unwrap();
        come_back(&client, &mut answer).expect("the connection stays");
    }
    event_loop.close_all().unwrap();
    assert_eq!(come_back(&client, &mut answer), None, "the connection is closed");
}

/// A wrapper that counts, by value, behind `&mut` and in a box: what was added is removed, but for the loop's own.
fn a_wrapped_poller_is_a_poller(backend: Backend, trigger: Trigger) {
    let settings = || Settings { trigger, ..Settings::default() };
    let (waits, watched) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let wrapped =
        || Counting { inner: AnyPoller::new(backend).unwrap(), waits: Rc::clone(&waits), watched: Rc::clone(&watched) };
    let counted = || {
        let counts = (waits.replace(0) > 0, watched.replace(0));
        assert_eq!(counts, (true, 1), "the loop waits, and its waker stays registered");
    };

    a_reactor_echoes(Reactor::with_settings(wrapped(), settings()).unwrap());
    counted();
    a_reactor_echoes(Reactor::with_settings(&mut wrapped(), settings()).unwrap());
    counted();
    let boxed: Box<dyn Poller> = Box::new(wrapped());
    assert_eq!((boxed.name(), boxed.features().contains(Features::LEVEL)), ("counting", true));
    a_reactor_echoes(Reactor::with_settings(boxed, settings()).unwrap());
    counted();
    an_event_loop_echoes(EventLoop::on(Reactor::with_settings(wrapped(), settings()).unwrap(), ()));
    counted();
    let boxed: Box<dyn Poller> = Box::new(wrapped());
    an_event_loop_echoes(EventLoop::on(Reactor::with_settings(boxed, settings()).unwrap(), ()));
    counted();
}

every_backend_and_trigger!(a_wrapped_poller_is_a_poller);

/// Spurious readiness: a read that would block is no error and no end.
#[test]
fn a_poller_that_calls_everything_ready_does_no_harm() {
    bounded("invented readiness", || {
        a_reactor_echoes(Reactor::new(Invented::default()).unwrap());
        an_event_loop_echoes(EventLoop::on(Reactor::new(Invented::default()).unwrap(), ()));
    });
}

/// Readiness of nobody: tokens that were never given out, and every flag there is, also that of the loop's own making.
#[test]
fn a_poller_that_makes_up_tokens_does_no_harm() {
    bounded("invented tokens", || {
        let tokens = [Token::NONE, Token::new(7, 7), Token::new(0, u32::MAX), Token::from_bits(1 << 63)];
        let every_flag = Readiness::READABLE | Readiness::WRITABLE | Readiness::ERROR | Readiness::HANG_UP;
        let added = tokens.map(|token| Event::new(token, every_flag | Readiness::INVALID)).to_vec();
        let invented = || Invented { added: added.clone(), ..Invented::default() };
        a_reactor_echoes(Reactor::new(invented()).unwrap());
        an_event_loop_echoes(EventLoop::on(Reactor::new(invented()).unwrap(), ()));
    });
}

/// A trigger that the poller lacks is found out when the loop is made, and not with its first connection.
#[test]
fn a_reactor_passes_on_what_its_poller_refuses() {
    for trigger in [Trigger::Edge, Trigger::Oneshot] {
        let settings = Settings { trigger, ..Settings::default() };
        let error = Reactor::with_settings(Invented::default(), settings).map(|_| ()).unwrap_err();
        assert_eq!(Refusal::of(&error), Some(&Refusal::Trigger { backend: "invented", trigger }));
    }
}

/// An error of the wait itself ends the turn and is the caller's.
#[test]
fn a_reactor_passes_on_the_errors_of_a_wait() {
    let mut reactor = Reactor::new(Invented { broken: true, ..Invented::default() }).unwrap();
    let error = reactor.turn(None).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOMEM));
}

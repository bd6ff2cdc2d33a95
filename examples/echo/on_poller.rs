//! Echo on the bare poller: it tells who is ready, and everything else is done by hand, here and in `by_hand.rs`.
//!
//! `poll(2)` itself made us write less by hand than one would think, but differently for each backend: the list of
//! descriptors, the sets, `epoll_ctl`; which events mean "read it"; which trigger exists. The poller takes that over.
//! What is left to us:
//!
//! - who is who: the kernel knows a number, we have to know a connection;
//! - arming: what is to be waited for next, which differs after each read and write;
//! - the backlog that cannot be accepted, at the connection limit and out of descriptors;
//! - signals, and a way out of the wait for them.

use super::by_hand::{Connection, Datagrams, Door, Next};
use super::setup::Setup;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tripoll::poller::{AnyPoller, Events, Poller};
use tripoll::reactor::Source;
use tripoll::{Interest, Token, Trigger};

/// Connections that one listener may bring in before the others have their turn.
const ACCEPTS: usize = 64;
/// Datagrams likewise.
const DATAGRAMS: usize = 64;
/// How long to wait for a descriptor that somebody else has to free.
const REST: Duration = Duration::from_secs(1);

/// Whether the listeners are watched. A ready listener from which nothing can be accepted stays ready: one has to look
/// away, or spin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accepting {
    Yes,
    /// Not before a connection ends.
    Full,
    /// The same, or at this time: it may be somebody else who frees the descriptor.
    Exhausted(Instant),
}

struct Server {
    poller: AnyPoller,
    trigger: Trigger,
    doors: HashMap<Token, Door>,
    datagrams: HashMap<Token, Datagrams>,
    connections: HashMap<Token, Connection>,
    max_connections: usize,
    /// Every token is given out once, so an event can never reach the wrong one.
    next: u64,
    accepting: Accepting,
    buffer: Vec<u8>,
}

pub(super) fn serve(setup: Setup) -> io::Result<()> {
    let (options, poller, sources, announcement) = setup.into_parts();
    let mut server = Server {
        poller,
        trigger: options.trigger,
        doors: HashMap::new(),
        datagrams: HashMap::new(),
        connections: HashMap::new(),
        max_connections: options.max_connections.map_or(usize::MAX, |count| count as usize),
        next: 0,
        accepting: Accepting::Yes,
        buffer: vec![0; (options.queue as usize).max(Datagrams::MAX)],
    };
    let (signals, writer) = UnixStream::pair()?;
    pipe::register(SIGINT, writer.try_clone()?)?;
    pipe::register(SIGTERM, writer)?;
    let stop = server.name();
    server.poller.add(signals.as_fd(), stop, Interest::READABLE, Trigger::Level)?;
    for source in sources {
        server.adopt(source)?;
    }
    announcement.print();
    server.run(stop, options.queue as usize)
}

impl Server {
    fn name(&mut self) -> Token {
        self.next += 1;
        Token::from_bits(self.next)
    }

    fn adopt(&mut self, source: Source) -> io::Result<()> {
        let token = self.name();
        match source {
            Source::Listener(listener) => {
                let door = Door::new(listener)?;
                self.poller.add(door.as_fd(), token, Interest::READABLE, self.trigger)?;
                self.doors.insert(token, door);
            }
            Source::Datagram(socket) => {
                let datagrams = Datagrams::new(socket)?;
                self.poller.add(datagrams.as_fd(), token, Interest::READABLE, self.trigger)?;
                self.datagrams.insert(token, datagrams);
            }
            _ => {}
        }
        Ok(())
    }

    fn run(mut self, stop: Token, queue: usize) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            let rest = match self.accepting {
                Accepting::Exhausted(until) => Some(until.saturating_duration_since(Instant::now())),
                _ => None,
            };
            self.poller.wait(&mut events, rest)?;
            if matches!(self.accepting, Accepting::Exhausted(until) if Instant::now() >= until) {
                self.watch_doors(Accepting::Yes)?;
            }
            for event in &events {
                let token = event.token();
                if token == stop {
                    return Ok(());
                } else if self.connections.contains_key(&token) {
                    self.serve(token, queue)?;
                } else if self.doors.contains_key(&token) {
                    self.accept(token)?;
                } else {
                    self.answer(token)?;
                }
            }
        }
    }

    /// Asks for the next event of a descriptor whose event was dealt with.
    ///
    /// Level reports again by itself, unless something else is to be waited for. One-shot is deaf until it is told. Under
    /// edge one would read until nothing is left; but one who sends without end would then be served without end. Asking
    /// anew instead is right under both, since `modify` looks at what is true already.
    fn rearm(&mut self, token: Token, was: Interest, wanted: Interest) -> io::Result<()> {
        if self.trigger == Trigger::Level && was == wanted {
            return Ok(());
        }
        let fd = match (self.connections.get(&token), self.doors.get(&token), self.datagrams.get(&token)) {
            (Some(connection), _, _) => connection.as_fd(),
            (_, Some(door), _) => door.as_fd(),
            (_, _, Some(datagrams)) => datagrams.as_fd(),
            _ => return Ok(()),
        };
        self.poller.modify(fd, token, wanted, self.trigger)
    }

    fn serve(&mut self, token: Token, queue: usize) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(&token) else { return Ok(()) };
        let was = connection.wanted;
        match connection.echo(&mut self.buffer[..queue]) {
            Ok(Next::Wait(wanted)) => {
                connection.wanted = wanted;
                self.rearm(token, was, wanted)
            }
            Ok(Next::Close) => self.close(token),
            Err(e) => {
                log::debug!("{token}: {e}");
                self.close(token)
            }
        }
    }

    fn close(&mut self, token: Token) -> io::Result<()> {
        let Some(connection) = self.connections.remove(&token) else { return Ok(()) };
        // In this order: a closed descriptor cannot be removed any more, and its number may be somebody else's.
        self.poller.remove(connection.as_fd().as_raw_fd())?;
        drop(connection);
        if self.accepting == Accepting::Yes { Ok(()) } else { self.watch_doors(Accepting::Yes) }
    }

    fn accept(&mut self, token: Token) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            if self.connections.len() >= self.max_connections {
                self.watch_doors(Accepting::Full)?;
            }
            let Some(door) = self.doors.get(&token).filter(|_| self.accepting == Accepting::Yes) else { return Ok(()) };
            match door.accept() {
                Ok(connection) => self.welcome(connection),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e)
                    if matches!(e.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)) =>
                {
                    log::warn!("cannot accept: {e}; waiting clients wait");
                    self.watch_doors(Accepting::Exhausted(Instant::now() + REST))?;
                }
                // That client has gone while it waited. The next one may be well.
                Err(e) => log::debug!("a connection failed before it was accepted: {e}"),
            }
        }
        let wanted = Interest::READABLE.when(self.accepting == Accepting::Yes);
        self.rearm(token, wanted, wanted)
    }

    fn welcome(&mut self, connection: Connection) {
        let token = self.name();
        match self.poller.add(connection.as_fd(), token, connection.wanted, self.trigger) {
            Ok(()) => drop(self.connections.insert(token, connection)),
            // By select, when its number is 1,024 or more.
            Err(e) => eprintln!("echo: a connection is closed: {e}"),
        }
    }

    fn watch_doors(&mut self, accepting: Accepting) -> io::Result<()> {
        self.accepting = accepting;
        let wanted = Interest::READABLE.when(accepting == Accepting::Yes);
        for (token, door) in &self.doors {
            self.poller.modify(door.as_fd(), *token, wanted, self.trigger)?;
        }
        Ok(())
    }

    fn answer(&mut self, token: Token) -> io::Result<()> {
        let Some(datagrams) = self.datagrams.get(&token) else { return Ok(()) };
        for _ in 0..DATAGRAMS {
            if !datagrams.echo(&mut self.buffer) {
                break;
            }
        }
        self.rearm(token, Interest::READABLE, Interest::READABLE)
    }
}

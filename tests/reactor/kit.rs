//! A reactor that takes down what it tells, and peers to talk to it.

use crate::support::BOUND;
use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tripoll::poller::{AnyPoller, Poller};
use tripoll::reactor::{Address, Clock, Hand, Ledger, Listener, Occurrence, Reactor, Reason, Stats, TimerId};
use tripoll::{Backend, Endpoint, Settings, Token, Trigger};

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// An occurrence, without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The connection, once it was adopted.
    Accepted(Token),
    Connected(Token),
    Urgent(Token),
    Readable(Token),
    Eof(Token),
    Writable(Token),
    Drained(Token),
    Expired(Token, TimerId),
    Woken,
    Closed(Token),
}

/// A reactor whose program takes whatever there is to be read, adopts whoever comes, and does nothing else.
pub(crate) struct Rig<P = AnyPoller> {
    pub(crate) reactor: Reactor<P>,
    /// What was read, by source.
    pub(crate) read: BTreeMap<Token, Vec<u8>>,
    pub(crate) accepted: Vec<Token>,
    pub(crate) ends: Vec<(Token, Reason)>,
    /// Everything that was told, in order.
    pub(crate) log: Vec<Told>,
}

impl Rig {
    pub(crate) fn new(backend: Backend, trigger: Trigger) -> Self {
        Self::with(backend, Settings { trigger, ..Settings::default() })
    }

    pub(crate) fn with(backend: Backend, settings: Settings) -> Self {
        Self::on(AnyPoller::new(backend).unwrap(), settings)
    }

    /// One that lives by a clock which is turned by hand, and so never blocks.
    pub(crate) fn by_hand(backend: Backend, settings: Settings) -> (Self, Hand) {
        let (clock, hand) = Clock::by_hand();
        let poller = AnyPoller::new(backend).unwrap();
        (Self::around(Reactor::with_clock(poller, settings, clock).unwrap()), hand)
    }
}

impl<P: Poller + fmt::Debug> Rig<P> {
    pub(crate) fn on(poller: P, settings: Settings) -> Self {
        Self::around(Reactor::with_settings(poller, settings).unwrap())
    }

    pub(crate) fn around(reactor: Reactor<P>) -> Self {
        Self { reactor, read: BTreeMap::new(), accepted: Vec::new(), ends: Vec::new(), log: Vec::new() }
    }

    pub(crate) fn ledger(&mut self) -> &mut Ledger {
        self.reactor.ledger()
    }

    pub(crate) fn stats(&self) -> Stats {
        *self.reactor.ledger_ref().stats()
    }

    /// One turn; what was told in it.
    pub(crate) fn turn(&mut self, timeout: Option<Duration>) -> Vec<Told> {
        self.turn_with(timeout, |_, _| false)
    }

    /// A turn that does not wait.
    pub(crate) fn glance(&mut self) -> Vec<Told> {
        self.turn(Some(Duration::ZERO))
    }

    /// A turn whose occurrences are shown to `handle` first; true keeps the rig from handling it as well.
    pub(crate) fn turn_with(
        &mut self,
        timeout: Option<Duration>,
        mut handle: impl FnMut(&mut Ledger, Told) -> bool,
    ) -> Vec<Told> {
        self.reactor.turn(timeout).unwrap();
        let before = self.log.len();
        while let Some(occurrence) = self.reactor.pop() {
            let told = self.take_down(occurrence);
            self.log.push(told);
            if !handle(self.reactor.ledger(), told) {
                self.handle(told);
            }
        }
        self.log[before..].to_vec()
    }

    /// The next occurrence of the present turn, not handled.
    pub(crate) fn pop(&mut self) -> Option<Told> {
        let occurrence = self.reactor.pop()?;
        let told = self.take_down(occurrence);
        self.log.push(told);
        Some(told)
    }

    fn take_down(&mut self, occurrence: Occurrence) -> Told {
        match occurrence {
            Occurrence::Accepted { stream, .. } => {
                let token = self.ledger().adopt(stream).unwrap();
                self.accepted.push(token);
                Told::Accepted(token)
            }
            Occurrence::Connected(token) => Told::Connected(token),
            Occurrence::Urgent(token) => Told::Urgent(token),
            Occurrence::Readable(token) => Told::Readable(token),
            Occurrence::Eof(token) => Told::Eof(token),
            Occurrence::Writable(token) => Told::Writable(token),
            Occurrence::Drained(token) => Told::Drained(token),
            Occurrence::Expired(token, timer) => Told::Expired(token, timer),
            Occurrence::Woken => Told::Woken,
            Occurrence::Closed(token, reason) => {
                self.ends.push((token, reason));
                Told::Closed(token)
            }
            other => panic!("an occurrence that these tests do not know: {other:?}"),
        }
    }

    pub(crate) fn handle(&mut self, told: Told) {
        match told {
            Told::Readable(token) => self.read_all(token),
            Told::Urgent(token) => _ = self.ledger().read_urgent(token).unwrap(),
            _ => {}
        }
    }

    /// Reads until there is no more, or no more in this turn.
    pub(crate) fn read_all(&mut self, token: Token) {
        let mut buf = [0; 16 * 1024];
        while let Ok(read @ 1..) = self.reactor.ledger().read(token, &mut buf) {
            self.read.entry(token).or_default().extend_from_slice(&buf[..read]);
        }
    }

    /// What was read from a source so far.
    pub(crate) fn read_of(&self, token: Token) -> &[u8] {
        self.read.get(&token).map_or(&[], Vec::as_slice)
    }

    /// How often something was told so far.
    pub(crate) fn times(&self, told: Told) -> usize {
        self.log.iter().filter(|other| **other == told).count()
    }

    /// Makes turns until a condition holds.
    pub(crate) fn until(&mut self, mut met: impl FnMut(&mut Self) -> bool) {
        self.until_with(|rig| _ = rig.turn(Some(10 * MILLISECOND)), &mut met);
    }

    /// Makes turns of one's own until a condition holds.
    pub(crate) fn until_with(&mut self, mut turn: impl FnMut(&mut Self), mut met: impl FnMut(&mut Self) -> bool) {
        let began = Instant::now();
        while !met(self) {
            assert!(began.elapsed() < BOUND, "it did not come to that; the last that was told: {:?}", self.last());
            turn(self);
            thread::yield_now();
        }
    }

    fn last(&self) -> &[Told] {
        &self.log[self.log.len().saturating_sub(20)..]
    }

    /// Makes turns until this was told.
    pub(crate) fn until_told(&mut self, told: Told) {
        self.until(|rig| rig.log.contains(&told));
    }

    /// Makes turns until a source has ended, and says why.
    pub(crate) fn end_of(&mut self, token: Token) -> &Reason {
        self.until_told(Told::Closed(token));
        let mut reasons = self.ends.iter().filter(|(other, _)| *other == token);
        let (_, reason) = reasons.next().unwrap();
        assert!(reasons.next().is_none(), "closed twice");
        reason
    }

    /// Listens at a port of the kernel's choice.
    pub(crate) fn listen(&mut self) -> (Token, Address) {
        let listener = Listener::bind(&"tcp://127.0.0.1:0".parse::<Endpoint>().unwrap()).unwrap();
        let address = listener.local_address().unwrap();
        (self.ledger().adopt(listener).unwrap(), address)
    }

    /// Adopts one end of a new connection and answers the other.
    pub(crate) fn pair(&mut self, family: Family) -> (Token, Peer) {
        match family {
            Family::Tcp => {
                let (ours, theirs) = tcp_pair();
                (self.ledger().adopt(ours).unwrap(), Peer::Tcp(theirs))
            }
            Family::Unix => {
                let (ours, theirs) = UnixStream::pair().unwrap();
                theirs.set_read_timeout(Some(BOUND)).unwrap();
                theirs.set_write_timeout(Some(BOUND)).unwrap();
                (self.ledger().adopt(ours).unwrap(), Peer::Unix(theirs))
            }
        }
    }

    /// Makes turns until one has passed in which nothing happened. A loop that spins never has one.
    pub(crate) fn until_asleep(&mut self) {
        self.until(|rig| {
            let events = rig.stats().events;
            rig.turn(Some(20 * MILLISECOND)).is_empty() && rig.stats().events == events
        });
    }

    /// Sees to it that the loop comes to rest within three turns, and that resting costs one system call: the wait.
    pub(crate) fn assert_asleep(&mut self) {
        for _ in 0..3 {
            self.glance();
        }
        let before = self.stats();
        let told = self.turn(Some(5 * MILLISECOND));
        let after = self.stats();
        assert_eq!(told, []);
        assert_eq!(after.events, before.events, "an event that nobody has a use for: {:#?}", self.reactor);
        assert_eq!(after.poller_calls, before.poller_calls + 1, "system calls while nothing happens");
        assert_eq!(after.empty_waits, before.empty_waits + 1);
        assert_eq!((after.reads, after.writes), (before.reads, before.writes));
        assert_eq!(after.accepts, before.accepts);
    }
}

/// What a connection is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Tcp,
    Unix,
}

impl Family {
    pub(crate) const BOTH: [Self; 2] = [Self::Tcp, Self::Unix];
}

/// The other end of a connection: blocking, but not for ever.
#[derive(Debug)]
pub(crate) enum Peer {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Peer {
    pub(crate) fn try_clone(&self) -> Self {
        match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone().unwrap()),
            Self::Unix(stream) => Self::Unix(stream.try_clone().unwrap()),
        }
    }

    pub(crate) fn shutdown_write(&self) {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write).unwrap(),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write).unwrap(),
        }
    }

    pub(crate) fn set_nonblocking(&self) {
        match self {
            Self::Tcp(stream) => stream.set_nonblocking(true).unwrap(),
            Self::Unix(stream) => stream.set_nonblocking(true).unwrap(),
        }
    }

    /// Reads this much, waiting for it.
    pub(crate) fn expect(&mut self, expected: &[u8]) {
        let mut found = vec![0; expected.len()];
        self.read_exact(&mut found).unwrap();
        assert_eq!(found, expected);
    }

    /// Reads to the end, waiting for it.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.read_to_end(&mut rest).unwrap();
        rest
    }
}

impl Read for Peer {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buf),
            Self::Unix(stream) => stream.read(buf),
        }
    }
}

impl Write for Peer {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(buf),
            Self::Unix(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Peer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// Both ends of a loopback connection.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = connect(&Address::from(listener.local_addr().unwrap()));
    loop {
        let (ours, peer) = listener.accept().unwrap();
        // Another test may try its luck at this port.
        if peer == theirs.local_addr().unwrap() {
            return (ours, theirs);
        }
    }
}

/// A client of the world outside.
pub(crate) fn connect(address: &Address) -> TcpStream {
    let stream = TcpStream::connect(address.as_inet().unwrap()).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream.set_write_timeout(Some(BOUND)).unwrap();
    stream
}

/// Bytes of which no two neighbourhoods look alike.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(state ^ state >> 32).to_ne_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Writes until the kernel takes no more; how much it took.
pub(crate) fn stuff(peer: &mut Peer) -> usize {
    peer.set_nonblocking();
    let mut total = 0;
    while let Ok(written) = peer.write(&[7; 64 * 1024]) {
        total += written;
    }
    total
}

/// A path for a Unix socket that nobody else uses.
pub(crate) fn socket_path() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    env::temp_dir().join(format!("tripoll-reactor-{}-{count}.sock", process::id()))
}

/// A name for a Unix socket that nobody else uses, and that needs no file.
pub(crate) fn abstract_name() -> SocketAddr {
    let path = socket_path();
    SocketAddr::from_abstract_name(path.as_os_str().as_encoded_bytes()).unwrap()
}

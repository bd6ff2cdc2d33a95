//! A handler that takes down what it is told and does what its test says, and the loops it lives in.

use crate::support::BOUND;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Context, Dispatcher, EventLoop};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Address, Clock, Hand, Reactor, Reason, Stream, TimerId};
use tripoll::{Backend, Settings, Token, Trigger};

/// The callbacks by name. Their order is that in which a test that goes through all of them does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Open,
    Connect,
    Accept,
    Read,
    Eof,
    Write,
    Drain,
    Urgent,
    Timeout,
    Shutdown,
    Error,
    Close,
}

impl On {
    pub(crate) const ALL: [Self; 12] = [
        Self::Open,
        Self::Connect,
        Self::Accept,
        Self::Read,
        Self::Eof,
        Self::Write,
        Self::Drain,
        Self::Urgent,
        Self::Timeout,
        Self::Shutdown,
        Self::Error,
        Self::Close,
    ];
}

pub(crate) type Cx<'a> = Context<'a, Probe>;
pub(crate) type Loop = EventLoop<Probe>;
type Act = Box<dyn FnMut(&mut Cx<'_>, &mut World) -> io::Result<()>>;

/// A handler with a name. What the test does not say, it leaves to the trait's defaults, but for what is received, which
/// it keeps.
pub(crate) struct Probe {
    name: &'static str,
    acts: Vec<(On, Act)>,
    /// What it answers when asked whether it is readable and writable.
    pub(crate) reads: Rc<Cell<bool>>,
    pub(crate) writes: Rc<Cell<bool>>,
}

impl Probe {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, acts: Vec::new(), reads: Rc::new(Cell::new(true)), writes: Rc::new(Cell::new(false)) }
    }

    /// Has it do something in a callback, instead of the default.
    pub(crate) fn on(
        mut self,
        callback: On,
        act: impl FnMut(&mut Cx<'_>, &mut World) -> io::Result<()> + 'static,
    ) -> Self {
        self.acts.push((callback, Box::new(act)));
        self
    }

    /// One that sends back what it receives.
    pub(crate) fn echo(name: &'static str) -> Self {
        Self::new(name).on(On::Read, |cx, _| {
            let data = cx.recv()?;
            cx.send(data)?;
            Ok(())
        })
    }

    /// One for a listener, that adopts what comes with a handler made by `child`.
    pub(crate) fn listener(name: &'static str, mut child: impl FnMut() -> Self + 'static) -> Self {
        Self::new(name).on(On::Accept, move |cx, world| {
            let (stream, _) = world.accepted.take().expect("accept brings a stream");
            cx.adopt(stream, child())?;
            Ok(())
        })
    }

    /// Does what the test says about this callback; `None` if it says nothing.
    fn act(&mut self, callback: On, cx: &mut Cx<'_>, world: &mut World) -> Option<io::Result<()>> {
        let (_, act) = self.acts.iter_mut().find(|(on, _)| *on == callback)?;
        let _inside = Inside::enter(world);
        Some(act(cx, world))
    }
}

/// What the probes of a loop share: what they were told, in order.
#[derive(Default)]
pub(crate) struct World {
    /// `name what`, a line each; what one of them is told again at once is not repeated.
    pub(crate) log: Vec<String>,
    pub(crate) data: BTreeMap<&'static str, Vec<u8>>,
    pub(crate) tokens: BTreeMap<&'static str, Token>,
    pub(crate) ends: Vec<End>,
    /// What `handle_accept` was given, until somebody takes it.
    pub(crate) accepted: Option<(Stream, Address)>,
    /// For tests to count with.
    pub(crate) count: usize,
    /// Whether somebody does something right now.
    inside: Rc<Cell<bool>>,
}

/// As long as it lives, a callback runs: in no test of this suite may another begin meanwhile.
struct Inside(Rc<Cell<bool>>);

impl Inside {
    fn enter(world: &World) -> Self {
        assert!(!world.inside.replace(true), "callbacks nest");
        Self(Rc::clone(&world.inside))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// How one source ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) name: &'static str,
    pub(crate) reason: Reason,
    pub(crate) lost: usize,
}

impl World {
    pub(crate) fn note(&mut self, name: &str, what: &str) {
        let line = format!("{name} {what}");
        let last = self.log.iter().rev().find(|logged| logged.split(' ').next() == Some(name));
        if last != Some(&line) {
            self.log.push(line);
        }
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.log.iter().any(|logged| logged == line)
    }

    /// What one of them was told, in order.
    pub(crate) fn told(&self, name: &str) -> Vec<&str> {
        self.log.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect()
    }

    pub(crate) fn ended(&self, name: &str) -> Option<&End> {
        self.ends.iter().find(|end| end.name == name)
    }

    pub(crate) fn received(&self, name: &str) -> &[u8] {
        self.data.get(name).map_or(&[], Vec::as_slice)
    }
}

macro_rules! callbacks {
    ($($callback:ident $on:ident $word:literal $default:expr;)*) => { $(
        fn $callback(&mut self, cx: &mut Cx<'_>, world: &mut World) -> io::Result<()> {
            world.note(self.name, $word);
            self.act(On::$on, cx, world).unwrap_or_else(|| ($default)(self.name, cx, world))
        }
    )* };
}

fn nothing(_: &'static str, _: &mut Cx<'_>, _: &mut World) -> io::Result<()> {
    Ok(())
}

fn finish(_: &'static str, cx: &mut Cx<'_>, _: &mut World) -> io::Result<()> {
    cx.finish();
    Ok(())
}

pub(crate) fn keep(name: &'static str, cx: &mut Cx<'_>, world: &mut World) -> io::Result<()> {
    let data = cx.recv()?;
    world.data.entry(name).or_default().extend_from_slice(data);
    Ok(())
}

fn keep_urgent(name: &'static str, cx: &mut Cx<'_>, world: &mut World) -> io::Result<()> {
    let byte = cx.recv_urgent()?;
    world.data.entry(name).or_default().extend(byte);
    Ok(())
}

impl Dispatcher for Probe {
    type Shared = World;
    type Spawn = Self;

    callbacks! {
        handle_connect Connect "connect" nothing;
        handle_read Read "read" keep;
        handle_eof Eof "eof" finish;
        handle_write Write "write" nothing;
        handle_drain Drain "drain" nothing;
        handle_expt Urgent "expt" keep_urgent;
        handle_shutdown Shutdown "shutdown" finish;
    }

    fn readable(&self) -> bool {
        self.reads.get()
    }

    fn writable(&self) -> bool {
        self.writes.get()
    }

    fn handle_open(&mut self, cx: &mut Cx<'_>, world: &mut World) -> io::Result<()> {
        world.note(self.name, "open");
        world.tokens.insert(self.name, cx.token());
        self.act(On::Open, cx, world).unwrap_or(Ok(()))
    }

    fn handle_accept(&mut self, stream: Stream, peer: Address, cx: &mut Cx<'_>, world: &mut World) -> io::Result<()> {
        world.log.push(format!("{} accept", self.name));
        world.accepted = Some((stream, peer));
        self.act(On::Accept, cx, world).unwrap_or(Ok(()))
    }

    fn handle_timeout(&mut self, _: TimerId, cx: &mut Cx<'_>, world: &mut World) -> io::Result<()> {
        world.log.push(format!("{} timeout", self.name));
        self.act(On::Timeout, cx, world).unwrap_or(Ok(()))
    }

    fn handle_error(&mut self, error: io::Error, cx: &mut Cx<'_>, world: &mut World) {
        world.log.push(format!("{} error: {error}", self.name));
        match self.act(On::Error, cx, world) {
            None => cx.fail(error),
            Some(result) => result.expect("handle_error has nobody to give an error to"),
        }
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Cx<'_>, world: &mut World) {
        world.log.push(format!("{} close: {reason}", self.name));
        world.ends.push(End { name: self.name, reason, lost: cx.queued() });
        if let Some(result) = self.act(On::Close, cx, world) {
            result.expect("handle_close has nobody to give an error to");
        }
    }
}

pub(crate) fn with_trigger(trigger: Trigger) -> Settings {
    Settings { trigger, ..Settings::default() }
}

/// A loop of probes.
pub(crate) fn probes(backend: Backend, trigger: Trigger) -> Loop {
    probes_with(backend, with_trigger(trigger))
}

pub(crate) fn probes_with(backend: Backend, settings: Settings) -> Loop {
    let poller = AnyPoller::new(backend).expect("the backend is there");
    EventLoop::on(Reactor::with_settings(poller, settings).expect("the settings are valid"), World::default())
}

/// A loop of probes that lives by a clock which the test turns. It never blocks.
pub(crate) fn probes_by_hand(backend: Backend, settings: Settings) -> (Loop, Hand) {
    let (clock, hand) = Clock::by_hand();
    let poller = AnyPoller::new(backend).expect("the backend is there");
    let reactor = Reactor::with_clock(poller, settings, clock).expect("the settings are valid");
    (EventLoop::on(reactor, World::default()), hand)
}

/// Two connected TCP sockets, of which the first is for the loop. The second is not blocking.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let peer = TcpStream::connect(address).expect("the backlog has room");
    let (ours, _) = listener.accept().expect("a connection waits");
    peer.set_nodelay(true).expect("it is TCP");
    peer.set_nonblocking(true).expect("it is open");
    (ours, peer)
}

/// Two connected Unix sockets, of which the first is for the loop. The second is not blocking.
///
/// The kernel keeps little for these, and what one writes the other can read at once.
pub(crate) fn unix_pair() -> (UnixStream, UnixStream) {
    let (ours, peer) = UnixStream::pair().expect("there are descriptors left");
    peer.set_nonblocking(true).expect("it is open");
    (ours, peer)
}

/// Makes turns until something has come true.
pub(crate) fn turn_until(event_loop: &mut Loop, what: &str, mut happened: impl FnMut(&mut World) -> bool) {
    let deadline = Instant::now() + BOUND;
    while !happened(event_loop.shared_mut()) {
        assert!(Instant::now() < deadline, "never: {what}; so far: {:#?}", event_loop.shared().log);
        event_loop.turn(Some(Duration::from_millis(10))).expect("the poller works");
    }
}

/// Makes turns until this was logged.
pub(crate) fn turn_until_logged(event_loop: &mut Loop, line: &str) {
    turn_until(event_loop, line, |world| world.has(line));
}

/// Makes turns until this source has ended.
pub(crate) fn turn_until_ended(event_loop: &mut Loop, name: &str) {
    turn_until(event_loop, &format!("{name} ended"), |world| world.ended(name).is_some());
}

/// Makes turns and reads what the peer gets, until it has got so much.
pub(crate) fn turn_until_peer_has(event_loop: &mut Loop, mut peer: impl Read, count: usize) -> Vec<u8> {
    let mut got = Vec::new();
    turn_until(event_loop, &format!("the peer has {count} bytes"), |_| {
        read_available(&mut peer, &mut got);
        got.len() >= count
    });
    got
}

/// Makes turns and reads what the peer gets, until it gets the end.
pub(crate) fn turn_until_peer_ends(event_loop: &mut Loop, mut peer: impl Read) -> Vec<u8> {
    let mut got = Vec::new();
    turn_until(event_loop, "the peer reads the end", |_| read_available(&mut peer, &mut got));
    got
}

/// Reads what a non-blocking peer has got; true if that was the end. A reset is no orderly end and fails the test.
pub(crate) fn read_available(mut peer: impl Read, got: &mut Vec<u8>) -> bool {
    let mut buf = [0; 16 * 1024];
    loop {
        match peer.read(&mut buf) {
            Ok(0) => return true,
            Ok(read) => got.extend_from_slice(&buf[..read]),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return false,
            Err(e) => panic!("the peer cannot read: {e}"),
        }
    }
}

/// Makes so many turns that whatever is ready is served, and waits a while for what may be on its way.
pub(crate) fn idle_turns(event_loop: &mut Loop) {
    for _ in 0..5 {
        event_loop.turn(Some(Duration::ZERO)).expect("the poller works");
    }
    event_loop.turn(Some(Duration::from_millis(30))).expect("the poller works");
}

/// A path in the directory for temporary files that no other test has.
pub(crate) fn fresh_path() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("tripoll-dispatcher-{}-{count}", std::process::id()))
}

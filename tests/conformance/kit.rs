//! A poller on the bench, and the pairs of descriptors that it is tried on.

use crate::support::BOUND;
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixStream};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};
use tripoll::poller::{AnyPoller, Events, Poller, Readiness, Refusal};
use tripoll::{Backend, Interest, Token, Trigger};

pub(crate) const READ: Interest = Interest::READABLE;
pub(crate) const WRITE: Interest = Interest::WRITABLE;

/// What a wait reported: for each event the name that was registered, and what is true.
pub(crate) type Seen = Vec<(u32, Readiness)>;

/// A poller, the list it reports into, and the trigger that is on trial.
pub(crate) struct Bench {
    pub(crate) poller: AnyPoller,
    pub(crate) events: Events,
    pub(crate) trigger: Trigger,
}

impl Bench {
    pub(crate) fn new(backend: Backend, trigger: Trigger) -> Self {
        let poller = AnyPoller::new(backend).expect("every backend is compiled in");
        Self { poller, events: Events::with_capacity(256), trigger }
    }

    pub(crate) fn level(backend: Backend) -> Self {
        Self::new(backend, Trigger::Level)
    }

    pub(crate) fn try_add(&mut self, fd: &impl AsFd, name: u32, interest: Interest) -> io::Result<()> {
        self.poller.add(fd.as_fd(), Token::new(name, 0), interest, self.trigger)
    }

    pub(crate) fn add(&mut self, fd: &impl AsFd, name: u32, interest: Interest) {
        self.try_add(fd, name, interest).expect("it can be added");
    }

    pub(crate) fn try_modify(&mut self, fd: &impl AsFd, name: u32, interest: Interest) -> io::Result<()> {
        self.poller.modify(fd.as_fd(), Token::new(name, 0), interest, self.trigger)
    }

    pub(crate) fn modify(&mut self, fd: &impl AsFd, name: u32, interest: Interest) {
        self.try_modify(fd, name, interest).expect("it can be modified");
    }

    pub(crate) fn try_remove(&mut self, fd: &impl AsFd) -> io::Result<()> {
        self.poller.remove(fd.as_fd().as_raw_fd())
    }

    pub(crate) fn remove(&mut self, fd: &impl AsFd) {
        self.try_remove(fd).expect("it can be removed");
    }

    pub(crate) fn wait(&mut self, timeout: Option<Duration>) {
        self.poller.wait(&mut self.events, timeout).expect("the wait succeeds");
    }

    pub(crate) fn seen(&self) -> Seen {
        self.events.iter().map(|event| (event.token().index(), event.readiness())).collect()
    }

    /// What is reported without waiting.
    pub(crate) fn now(&mut self) -> Seen {
        self.wait(Some(Duration::ZERO));
        self.seen()
    }

    /// The names of what is reported without waiting, in rising order.
    pub(crate) fn names(&mut self) -> Vec<u32> {
        let mut names: Vec<u32> = self.now().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names
    }

    /// What is reported next: something, or the test fails.
    pub(crate) fn next(&mut self) -> Seen {
        let start = Instant::now();
        while start.elapsed() < BOUND {
            self.wait(Some(BOUND));
            if !self.events.is_empty() {
                return self.seen();
            }
        }
        panic!("nothing was reported within {BOUND:?}");
    }

    /// What is reported next, if that is exactly one event of this name.
    #[track_caller]
    pub(crate) fn next_of(&mut self, name: u32) -> Readiness {
        match self.next()[..] {
            [(seen, readiness)] if seen == name => readiness,
            ref other => panic!("{other:?} was reported instead of one event of {name}"),
        }
    }

    /// Nothing is reported.
    #[track_caller]
    pub(crate) fn silent(&mut self) {
        assert_eq!(self.now(), [], "reported by {} under {}", self.poller.name(), self.trigger);
    }

    /// After a report of `name`, with nothing read and nothing new: level repeats it, the others do not.
    #[track_caller]
    pub(crate) fn repeated_only_under_level(&mut self, name: u32) {
        match self.trigger {
            Trigger::Level => assert_eq!(self.names(), [name]),
            _ => self.silent(),
        }
    }
}

/// A Unix stream whose first end does not block. What is written to one end can be read from the other at once.
pub(crate) fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("there are descriptors left");
    ours.set_nonblocking(true).expect("a socket can be non-blocking");
    (ours, theirs)
}

/// A TCP connection over the loopback device, whose first end does not block.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports left");
    let theirs = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
    let (ours, _) = listener.accept().expect("somebody connected");
    ours.set_nonblocking(true).expect("a socket can be non-blocking");
    (ours, theirs)
}

/// The address of what was bound to 127.0.0.1.
pub(crate) fn v4(address: io::Result<SocketAddr>) -> SocketAddrV4 {
    match address.expect("it is bound") {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("it is bound to IPv4"),
    }
}

/// A name for a Unix socket that is in no directory.
pub(crate) fn abstract_name() -> UnixAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("tripoll-conformance-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    UnixAddr::from_abstract_name(name).expect("it is short")
}

/// Reads until there is no more, which is how one finds out.
pub(crate) fn drain(mut fd: impl Read) -> usize {
    let mut total = 0;
    loop {
        match fd.read(&mut [0; 4096]) {
            Ok(0) => return total,
            Ok(read) => total += read,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return total,
            Err(e) => panic!("{e}"),
        }
    }
}

/// The refusal that an operation was answered with.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: io::Result<T>) -> Refusal {
    let error = result.expect_err("it is refused");
    Refusal::of(&error).unwrap_or_else(|| panic!("{error} is no refusal")).clone()
}

/// The error number that an operation was answered with.
#[track_caller]
pub(crate) fn errno<T: std::fmt::Debug>(result: io::Result<T>) -> Option<i32> {
    result.expect_err("it fails").raw_os_error()
}

/// Runs a test in a process of its own, since it plays with descriptor numbers: beside other tests, a number that was
/// closed is given to one of them at once.
pub(crate) fn alone(test: impl FnOnce()) {
    const MARK: &str = "TRIPOLL_TEST_IS_ALONE";
    if env::var_os(MARK).is_some() {
        return test();
    }
    let name = thread::current().name().expect("the harness names its threads").to_owned();
    let output = Command::new(env::current_exe().expect("it runs"))
        .args(["--exact", &name, "--nocapture"])
        .env(MARK, "1")
        .stdin(Stdio::null())
        .output()
        .expect("it can be run again");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "alone, {name}:\n{said}{complained}");
}

/// The cases, for each backend that has edges.
macro_rules! every_backend_with_edge {
    ($($case:ident),+ $(,)?) => {
        $crate::support::pairs! { [$($case)+] epoll Epoll edge Edge }
        $crate::support::pairs! { [$($case)+] mio Mio edge Edge }
    };
}

/// The cases, for each backend with one-shots.
macro_rules! every_backend_with_oneshot {
    ($($case:ident),+ $(,)?) => {
        $crate::support::pairs! { [$($case)+] select Select oneshot Oneshot }
        $crate::support::pairs! { [$($case)+] poll Poll oneshot Oneshot }
        $crate::support::pairs! { [$($case)+] epoll Epoll oneshot Oneshot }
        $crate::support::pairs! { [$($case)+] mio Mio oneshot Oneshot }
    };
}

pub(crate) use {every_backend_with_edge, every_backend_with_oneshot};

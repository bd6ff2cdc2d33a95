//! How many of the threads that wait for one listener are woken by one connection.

use super::asleep::{Announce, sleepers};
use super::waiter::{BOUND, Waiter, arrivals_of, name_of};
use super::{Findings, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

/// One wait: which of the two were reported.
type Wait<'a> = Box<dyn FnMut(Duration) -> io::Result<Vec<usize>> + 'a>;

const LISTENER: usize = 0;

const STOP: usize = 1;

const THREADS: usize = 4;

const WORKERS: usize = 3;

const CONNECTIONS: usize = 6;

/// How long a wait that says nothing is given, and how long after a connection the kernel may still be waking threads.
const SILENCE: Duration = Duration::from_millis(10);

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    let plain = herd(mechanism, false)?;
    let mut lines = vec![format!("{THREADS} threads wait for one listener, 1 connection: {plain} of them woken")];
    if !mechanism.is_epoll() {
        lines.push(format!("with EXCLUSIVE: {mechanism} has no such flag"));
        return Ok(lines);
    }
    if let Err(refused) = Ring::new()?.exclusive(mechanism) {
        lines.push(format!("with EXCLUSIVE: registering fails with {}", name_of(&refused)));
        return Ok(lines);
    }
    let woken = herd(mechanism, true)?;
    lines.push(format!("with EXCLUSIVE: {woken} of them woken"));
    let told = nobody_blocked(mechanism)?;
    lines.push(format!("with EXCLUSIVE, and both of 2 threads busy when it comes: {told} of them told afterwards"));
    let most = balance(mechanism)?;
    lines.push(format!(
        "with EXCLUSIVE, {WORKERS} idle workers, {CONNECTIONS} connections one by one: the busiest serves {most}"
    ));
    Ok(lines)
}

/// Every thread asks once, with a mechanism of its own, and a second descriptor ends the waits of those who were not woken.
fn herd(mechanism: Mechanism, exclusive: bool) -> io::Result<usize> {
    let ring = Ring::new()?;
    let ask = |announce: &Announce| -> io::Result<bool> {
        let mut wait = if exclusive { ring.exclusive(mechanism)? } else { ring.plain(mechanism)? };
        announce.about_to_block();
        Ok(wait(BOUND)?.contains(&LISTENER))
    };
    let (announce, asleep) = sleepers(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| ask(&announce))).collect();
        let connected = (0..THREADS).try_for_each(|_| asleep.next()).and_then(|()| ring.connect());
        ring.stop()?;
        let woken = join(threads)?.into_iter().filter(|woken| *woken).count();
        connected.map(|_| woken)
    })
}

fn nobody_blocked(mechanism: Mechanism) -> io::Result<usize> {
    let ring = Ring::new()?;
    let mut waits = [ring.exclusive(mechanism)?, ring.exclusive(mechanism)?];
    let _client = ring.connect()?;
    let mut told = 0;
    for wait in &mut waits {
        told += usize::from(wait(SILENCE)?.contains(&LISTENER));
    }
    Ok(told)
}

/// A connection comes only when all workers are blocked again.
fn balance(mechanism: Mechanism) -> io::Result<usize> {
    let ring = Ring::new()?;
    let work = |announce: &Announce| -> io::Result<usize> {
        let mut wait = ring.exclusive(mechanism)?;
        let mut served = 0;
        loop {
            announce.about_to_block();
            let told = wait(BOUND)?;
            if told.is_empty() || told.contains(&STOP) {
                return Ok(served);
            }
            served += usize::from(ring.listener.accept().is_ok());
        }
    };
    let (announce, asleep) = sleepers(WORKERS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS).map(|_| scope.spawn(|| work(&announce))).collect();
        let mut served = (1..WORKERS).try_for_each(|_| asleep.next());
        for _ in 0..CONNECTIONS {
            // The observer might look only when the connection has been accepted.
            served = served.and_then(|()| asleep.next()).and_then(|()| ring.client()).map(drop);
        }
        served = served.and_then(|()| asleep.next());
        ring.stop()?;
        let counts = join(threads)?;
        served.map(|()| counts.into_iter().max().unwrap_or_default())
    })
}

fn join<T>(threads: Vec<ScopedJoinHandle<'_, io::Result<T>>>) -> io::Result<Vec<T>> {
    let ended = |thread: ScopedJoinHandle<'_, io::Result<T>>| {
        thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the experiment panicked")))
    };
    threads.into_iter().map(ended).collect()
}

/// What all the threads wait for.
struct Ring {
    listener: TcpListener,
    stop: EventFd,
    /// It sees each connection by itself, so that nobody is asked too early who was woken.
    observer: Epoll,
}

impl Ring {
    fn new() -> io::Result<Self> {
        let listener = pairs::listener()?;
        let stop = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let observer = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        observer.add(&listener, arrivals_of(Mechanism::Edge, EpollFlags::empty(), 0))?;
        Ok(Self { listener, stop, observer })
    }

    fn plain(&self, mechanism: Mechanism) -> io::Result<Wait<'_>> {
        let mut waiter = Waiter::new(mechanism)?;
        for fd in [self.listener.as_fd(), self.stop.as_fd()] {
            waiter.add(fd, Bits::IN)?;
        }
        Ok(Box::new(move |limit| Ok(waiter.wait(limit)?.into_iter().map(|(place, _)| place).collect())))
    }

    fn exclusive(&self, mechanism: Mechanism) -> io::Result<Wait<'_>> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&self.listener, arrivals_of(mechanism, EpollFlags::EPOLLEXCLUSIVE, LISTENER as u64))?;
        epoll.add(&self.stop, arrivals_of(mechanism, EpollFlags::empty(), STOP as u64))?;
        Ok(Box::new(move |limit| {
            let mut events = [EpollEvent::empty(); 2];
            let count = epoll.wait(&mut events, EpollTimeout::try_from(limit).unwrap_or(EpollTimeout::MAX))?;
            Ok(events[..count].iter().filter_map(|event| usize::try_from(event.data()).ok()).collect())
        }))
    }

    fn client(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.listener.local_addr()?)
    }

    /// A connection that has come, and of which everybody was told who will be.
    fn connect(&self) -> io::Result<TcpStream> {
        let client = self.client()?;
        let bound = EpollTimeout::try_from(BOUND).unwrap_or(EpollTimeout::MAX);
        if self.observer.wait(&mut [EpollEvent::empty()], bound)? == 0 {
            return Err(io::Error::other("a connection over loopback did not come within 2 s"));
        }
        // The observer is told first, and the kernel goes on down the list of those who wait.
        thread::sleep(SILENCE);
        Ok(client)
    }

    fn stop(&self) -> io::Result<()> {
        self.stop.write(1)?;
        Ok(())
    }
}

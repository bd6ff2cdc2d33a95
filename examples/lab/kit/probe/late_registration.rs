//! A registration by another thread while a wait is under way.

use super::asleep::{Announce, sleepers};
use super::waiter::{BOUND, Waiter, arrivals_of};
use super::{Findings, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use mio::unix::SourceFd;
use mio::{Interest, Token};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long the wait is given to notice by itself before it is woken. Who notices late is not wronged by it: the report is
/// what counts.
const PATIENCE: Duration = Duration::from_millis(50);

/// Waits once, and says whether the late one was reported: by this wait, or else by the next one.
type Wait<'a> = Box<dyn FnOnce() -> io::Result<[bool; 2]> + Send + 'a>;

/// Registers the late one.
type Register<'a> = Box<dyn FnOnce() -> io::Result<()> + 'a>;

const WAKER: usize = 0;

const LATE: usize = 1;

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    let (late, mut peer) = pairs::unix()?;
    peer.write_all(b"hello")?;
    let waker = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let (announce, asleep) = sleepers(1);
    let (wait, register) = match mechanism {
        Mechanism::Select | Mechanism::Poll => of_lists(mechanism, waker.as_fd(), late.as_fd(), announce),
        Mechanism::Mio => of_mio(waker.as_fd(), late.as_fd(), announce)?,
        _ => of_epoll(mechanism, waker.as_fd(), late.as_fd(), announce)?,
    };
    thread::scope(|scope| {
        let (tell, told) = channel();
        let thread = scope.spawn(move || {
            let reported = wait();
            // Whoever does not hear it has woken the wait long ago.
            let _ = tell.send(());
            reported
        });
        let registered = asleep.next().and_then(|()| register());
        if told.recv_timeout(PATIENCE).is_err() {
            waker.write(1)?;
        }
        let [at_once, later] =
            thread.join().unwrap_or_else(|_| Err(io::Error::other("the waiting thread panicked")))?;
        registered?;
        let under_way = if at_once { "returns with it" } else { "does not see it" };
        let mut lines =
            vec![format!("a readable socket is registered by another thread: the wait under way {under_way}")];
        if !at_once {
            let then = if later { "it is reported" } else { "it is not reported" };
            lines.push(format!("woken through a descriptor of its own, and called again: {then}"));
        }
        Ok(lines)
    })
}

/// To register is to put it on a list, which the waiting thread reads before each call.
fn of_lists<'a>(
    mechanism: Mechanism,
    waker: BorrowedFd<'a>,
    late: BorrowedFd<'a>,
    announce: Announce,
) -> (Wait<'a>, Register<'a>) {
    let list = Arc::new(Mutex::new(vec![waker]));
    let theirs = Arc::clone(&list);
    let wait = move || {
        let ask = |limit| {
            let mut waiter = Waiter::new(mechanism)?;
            for fd in theirs.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                waiter.add(*fd, Bits::IN)?;
            }
            announce.about_to_block();
            waiter.wait(limit)
        };
        let reports_late = |report: io::Result<Vec<(usize, Bits)>>| Ok(report?.iter().any(|(place, _)| *place == LATE));
        let at_once: io::Result<bool> = reports_late(ask(BOUND));
        Ok([at_once?, reports_late(ask(Duration::ZERO))?])
    };
    let register = move || {
        list.lock().unwrap_or_else(PoisonError::into_inner).push(late);
        Ok(())
    };
    (Box::new(wait), Box::new(register))
}

fn of_epoll<'a>(
    mechanism: Mechanism,
    waker: BorrowedFd<'a>,
    late: BorrowedFd<'a>,
    announce: Announce,
) -> io::Result<(Wait<'a>, Register<'a>)> {
    let epoll = Arc::new(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
    let event = move |place| arrivals_of(mechanism, EpollFlags::empty(), place as u64);
    epoll.add(waker, event(WAKER))?;
    let theirs = Arc::clone(&epoll);
    let wait = move || {
        let ask = |limit: Duration| -> io::Result<bool> {
            let mut events = [EpollEvent::empty(); 2];
            let count = theirs.wait(&mut events, EpollTimeout::try_from(limit).unwrap_or(EpollTimeout::MAX))?;
            Ok(events[..count].iter().any(|event| event.data() == LATE as u64))
        };
        announce.about_to_block();
        Ok([ask(BOUND)?, ask(Duration::ZERO)?])
    };
    Ok((Box::new(wait), Box::new(move || Ok(epoll.add(late, event(LATE))?))))
}

fn of_mio<'a>(waker: BorrowedFd<'a>, late: BorrowedFd<'a>, announce: Announce) -> io::Result<(Wait<'a>, Register<'a>)> {
    let mut poll = mio::Poll::new()?;
    poll.registry().register(&mut SourceFd(&waker.as_raw_fd()), Token(WAKER), Interest::READABLE)?;
    let registry = poll.registry().try_clone()?;
    let wait = move || {
        let mut ask = |limit| -> io::Result<bool> {
            let mut events = mio::Events::with_capacity(2);
            poll.poll(&mut events, Some(limit))?;
            Ok(events.iter().any(|event| event.token() == Token(LATE)))
        };
        announce.about_to_block();
        Ok([ask(BOUND)?, ask(Duration::ZERO)?])
    };
    let register = move || registry.register(&mut SourceFd(&late.as_raw_fd()), Token(LATE), Interest::READABLE);
    Ok((Box::new(wait), Box::new(register)))
}

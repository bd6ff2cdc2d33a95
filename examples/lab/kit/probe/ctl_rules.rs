//! What a wrong registration is answered with.

use super::waiter::{arrivals_of, name_of};
use super::{Findings, pairs};
use crate::kit::mechanism::Mechanism;
use mio::unix::SourceFd;
use mio::{Interest, Token};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// A number that no descriptor ever has.
const NOT_OPEN: i32 = i32::MAX;

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    match mechanism {
        Mechanism::Select | Mechanism::Poll => {
            Ok(vec![format!("{mechanism} has no call to register: what to watch is said with each wait")])
        }
        Mechanism::Mio => of_mio(),
        _ => of_epoll(mechanism),
    }
}

fn of_epoll(mechanism: Mechanism) -> Findings {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let (one, other) = pairs::unix()?;
    let with = |more| arrivals_of(mechanism, more, 0);
    let event = with(EpollFlags::empty());
    let exclusive = EpollFlags::EPOLLEXCLUSIVE;
    let mut lines = vec![
        said("MOD of what was not added", epoll.modify(&one, &mut event.clone())),
        said("DEL of what was not added", epoll.delete(&one)),
        said("ADD", epoll.add(&one, event)),
        said("ADD again", epoll.add(&one, event)),
        said("ADD of a number that is not open", add_number(&epoll, event)),
        said("ADD of the epoll itself", epoll.add(epoll.0.as_fd(), event)),
        said("MOD that makes it exclusive", epoll.modify(&one, &mut with(exclusive))),
        said("DEL, without an event", epoll.delete(&one)),
        said("ADD with EXCLUSIVE and RDHUP", epoll.add(&other, with(exclusive | EpollFlags::EPOLLRDHUP))),
        said("ADD with EXCLUSIVE and PRI", epoll.add(&other, with(exclusive | EpollFlags::EPOLLPRI))),
    ];
    let added = epoll.add(&other, with(exclusive));
    lines.push(said("ADD with EXCLUSIVE", added));
    if added.is_ok() {
        lines.push(said("MOD of what is exclusive", epoll.modify(&other, &mut event.clone())));
    }
    Ok(lines)
}

#[allow(deprecated, reason = "the call that replaces it wants an open descriptor, and a closed one is what is tried")]
fn add_number(epoll: &Epoll, mut event: EpollEvent) -> Result<(), Errno> {
    use nix::sys::epoll::{EpollOp, epoll_ctl};
    epoll_ctl(epoll.0.as_raw_fd(), EpollOp::EpollCtlAdd, NOT_OPEN, &mut event)
}

fn of_mio() -> Findings {
    let poll = mio::Poll::new()?;
    let registry = poll.registry();
    let (one, _other) = pairs::unix()?;
    let number = one.as_raw_fd();
    let interest = Interest::READABLE;
    let mut lines = Vec::new();
    let mut add = |what: &str, result: io::Result<()>| {
        lines.push(result.map_or_else(|error| format!("{what}: {}", name_of(&error)), |()| format!("{what}: ok")));
    };
    add("reregister of what was not registered", registry.reregister(&mut SourceFd(&number), Token(0), interest));
    add("deregister of what was not registered", registry.deregister(&mut SourceFd(&number)));
    add("register", registry.register(&mut SourceFd(&number), Token(0), interest));
    add("register again", registry.register(&mut SourceFd(&number), Token(0), interest));
    add("register of a number that is not open", registry.register(&mut SourceFd(&NOT_OPEN), Token(0), interest));
    add("deregister", registry.deregister(&mut SourceFd(&number)));
    Ok(lines)
}

fn said(what: &str, result: Result<(), Errno>) -> String {
    result.map_or_else(|error| format!("{what}: {error:?}"), |()| format!("{what}: ok"))
}

//! What select and poll return, and what becomes of a closed descriptor among others.

use super::waiter::{BOUND, Waiter, registers};
use super::{Findings, child, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::select::{FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::close;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;

/// The descriptor limit that is gone beyond.
const LIMIT: i32 = 64;

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    if !registers(mechanism) {
        // Numbers are closed there and used, and the descriptor limit is lowered.
        return child::alone("call-details", mechanism);
    }
    let (ready, mut peer) = pairs::unix()?;
    peer.write_all(b"hello")?;
    let mut waiter = Waiter::new(mechanism)?;
    waiter.add(ready.as_fd(), Bits::IN)?;
    let answer = waiter.answer(&["ready"], BOUND)?;
    Ok(vec![format!("a socket that is readable and writable, asked for in: {answer}")])
}

/// Alone in its process, so that a number that is closed here is given to nobody else.
pub(super) fn in_child(mechanism: Mechanism) -> Findings {
    let (ready, mut peer) = pairs::unix()?;
    peer.write_all(b"hello")?;
    if mechanism == Mechanism::Select { of_select(&ready) } else { of_poll(&ready) }
}

fn of_select(ready: &UnixStream) -> Findings {
    let mut set = FdSet::new();
    set.insert(ready.as_fd());
    let both = select(None, &mut set.clone(), &mut set.clone(), None, &mut TimeVal::zero())?;
    let short = select(ready.as_raw_fd(), &mut set.clone(), None, None, &mut TimeVal::zero())?;
    Ok(vec![
        format!("a socket that is readable and writable, in both sets: the call returns {both}"),
        format!("nfds is the socket's number, one too few: the call returns {short}"),
        closed_in_a_set(ready)?,
        beyond_the_limit_of_select(ready)?,
    ])
}

fn closed_in_a_set(ready: &UnixStream) -> io::Result<String> {
    let (silent, _peer) = pairs::unix()?;
    let closed = ready.try_clone()?;
    let mut reading = FdSet::new();
    for fd in [ready.as_fd(), silent.as_fd(), closed.as_fd()] {
        reading.insert(fd);
    }
    close(closed.as_raw_fd())?;
    let answer = select(None, &mut reading, None, None, &mut TimeVal::zero());
    let kept = reading.contains(ready.as_fd()) && reading.contains(silent.as_fd());
    let kept = if kept { "as they were, a silent one included" } else { "changed" };
    let _ = closed.into_raw_fd();
    Ok(format!("a closed descriptor in a set: {}, and the sets are {kept}", said(answer)))
}

fn of_poll(ready: &UnixStream) -> Findings {
    let both = PollFlags::POLLIN | PollFlags::POLLOUT;
    let mut one = [PollFd::new(ready.as_fd(), both)];
    let count = poll(&mut one, PollTimeout::ZERO)?;
    let mut twice = [PollFd::new(ready.as_fd(), PollFlags::POLLIN), PollFd::new(ready.as_fd(), PollFlags::POLLIN)];
    let double = poll(&mut twice, PollTimeout::ZERO)?;
    Ok(vec![
        format!("a socket that is readable and writable, asked for both: the call returns {count}"),
        format!("the same socket in two places: the call returns {double}"),
        closed_in_an_array(ready)?,
        beyond_the_limit_of_poll(ready)?,
    ])
}

fn closed_in_an_array(ready: &UnixStream) -> io::Result<String> {
    let closed = ready.try_clone()?;
    let mut list = [PollFd::new(closed.as_fd(), PollFlags::POLLIN), PollFd::new(ready.as_fd(), PollFlags::POLLIN)];
    close(closed.as_raw_fd())?;
    let count = poll(&mut list, PollTimeout::ZERO)?;
    let [closed_has, ready_has] = [&list[0], &list[1]].map(|one| one.revents().unwrap_or(PollFlags::empty()));
    let _ = closed.into_raw_fd();
    let nval = if closed_has == PollFlags::POLLNVAL { "NVAL" } else { "something else" };
    let other = if ready_has == PollFlags::POLLIN { "IN" } else { "something else" };
    Ok(format!(
        "a closed descriptor among others: the call returns {count}, {nval} for it and {other} for the ready one"
    ))
}

fn beyond_the_limit_of_select(ready: &UnixStream) -> io::Result<String> {
    let mut set = FdSet::new();
    set.insert(ready.as_fd());
    lower_the_limit()?;
    let answer = select(2 * LIMIT, &mut set, None, None, &mut TimeVal::zero());
    Ok(format!("nfds above the descriptor limit: {}", said(answer)))
}

fn beyond_the_limit_of_poll(ready: &UnixStream) -> io::Result<String> {
    lower_the_limit()?;
    let mut list = vec![PollFd::new(ready.as_fd(), PollFlags::empty()); 2 * LIMIT as usize];
    Ok(format!("more entries than the descriptor limit: {}", said(poll(&mut list, PollTimeout::ZERO))))
}

fn lower_the_limit() -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, LIMIT as u64, hard)?)
}

fn said(answer: nix::Result<i32>) -> String {
    answer.map_or_else(|error| format!("{error:?}"), |count| format!("the call returns {count}"))
}

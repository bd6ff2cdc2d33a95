//! A signal before and during the wait.
//!
//! The signals go to the one thread that waits, and whether one is pending is asked of the kernel.

use super::asleep::sleepers;
use super::waiter::{BOUND, Waiter, name_of};
use super::{Findings, child, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::select::{FdSet, pselect};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::time::TimeSpec;
use signal_hook::{SigId, flag, low_level};
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

const SIGNAL: Signal = Signal::SIGUSR2;

/// A handler that does nothing to speak of, for as long as this lives.
struct Handler(SigId);

impl Handler {
    /// What this way of installing one asks for is `SA_RESTART`.
    fn new() -> io::Result<Self> {
        flag::register(SIGNAL as i32, Arc::new(AtomicBool::new(false))).map(Self)
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        low_level::unregister(self.0);
    }
}

/// In a process of its own: a signal wakes the signalfds of all threads.
pub(super) fn findings(mechanism: Mechanism) -> Findings {
    child::alone("signals", mechanism)
}

pub(super) fn in_child(mechanism: Mechanism) -> Findings {
    let _handler = Handler::new()?;
    let mut lines = vec![format!("a signal during the wait, handled with SA_RESTART: {}", during(mechanism)?)];
    let name = match mechanism {
        Mechanism::Select => "pselect",
        Mechanism::Poll => "ppoll",
        _ => return Ok(lines),
    };
    let (idle, mut peer) = pairs::unix()?;
    let (answer, pending) = while_pending(mechanism, &idle)?;
    lines.push(format!("a signal is blocked and pending, {name} lets it through: {answer}, {pending}"));
    peer.write_all(b"hello")?;
    let (answer, pending) = while_pending(mechanism, &idle)?;
    lines.push(format!("the same with data to read: {answer}, {pending}"));
    Ok(lines)
}

/// What a wait returns during which a signal comes.
fn during(mechanism: Mechanism) -> io::Result<String> {
    let (idle, _peer) = pairs::unix()?;
    let idle = idle.as_fd();
    thread::scope(|scope| {
        let (announce, asleep) = sleepers(1);
        let (introduce, introduced) = channel();
        // The thread lives until it is let go: a signal to one that has ended would go astray.
        let (let_go, held) = sync_channel::<()>(1);
        let thread = scope.spawn(move || -> io::Result<String> {
            let mut waiter = Waiter::new(mechanism)?;
            waiter.add(idle, Bits::IN)?;
            let _ = introduce.send(pthread_self());
            announce.about_to_block();
            let answer = match waiter.wait(BOUND) {
                Ok(reported) if reported.is_empty() => "the wait goes on".to_owned(),
                Ok(_) => "a report".to_owned(),
                Err(error) => name_of(&error),
            };
            let _ = held.recv_timeout(BOUND * 2);
            Ok(answer)
        });
        let thread_id = introduced.recv_timeout(BOUND).map_err(io::Error::other)?;
        let sent = asleep.next().and_then(|()| Ok(pthread_kill(thread_id, SIGNAL)?));
        drop(let_go);
        let answer = thread.join().unwrap_or_else(|_| Err(io::Error::other("the waiting thread panicked")));
        sent.and(answer)
    })
}

/// What the variant with a signal mask returns while a signal is pending that the mask lets through, and what has become
/// of the signal then. In the end it strikes, when the mask is as it was.
fn while_pending(mechanism: Mechanism, socket: &UnixStream) -> io::Result<(String, &'static str)> {
    let blocked: SigSet = SIGNAL.into();
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let mut through = before;
    through.remove(SIGNAL);
    pthread_kill(pthread_self(), SIGNAL)?;
    let limit = TimeSpec::from_duration(BOUND);
    let answer = if mechanism == Mechanism::Select {
        let mut set = FdSet::new();
        set.insert(socket.as_fd());
        pselect(None, &mut set, None, None, &limit, &through)
    } else {
        ppoll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], Some(limit), Some(through))
    };
    let pending = is_pending();
    before.thread_set_mask()?;
    let pending = if pending? { "and the signal is still pending" } else { "and the signal was handled" };
    Ok((answer.map_or_else(|errno| format!("{errno:?}"), |count| format!("it returns {count}")), pending))
}

/// What [`proc(5)`](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html) says of the calling thread.
fn is_pending() -> io::Result<bool> {
    let status = fs::read_to_string("/proc/thread-self/status")?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigPnd:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let mask = mask.ok_or_else(|| io::Error::other("/proc/thread-self/status has no SigPnd"))?;
    Ok(mask >> (SIGNAL as i32 - 1) & 1 == 1)
}

//! Timeouts of less than a millisecond, and deadlines cut to whole ones.
//!
//! How late a wait returns is the machine's affair and is not judged; that it returns early is exact.

use super::Findings;
use super::waiter::{Waiter, name_of};
use crate::kit::mechanism::Mechanism;
use nix::poll::{PollTimeout, poll, ppoll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent};
use nix::sys::select::select;
use nix::sys::time::{TimeSpec, TimeVal, TimeValLike};
use std::io;
use std::time::{Duration, Instant};
use tripoll::poller::{EpollPoller, Events, Poller as _};

/// A wait may be kept longer by others on the machine: one early return of so many is enough.
const TRIES: usize = 30;

/// The same for waits that do sleep: each of them wakes late if the processors are busy.
const FINE_TRIES: usize = 120;

const MILLISECOND: Duration = Duration::from_millis(1);

/// After so many waits for one deadline it is a busy loop.
const MANY: usize = 100;

/// Most of a millisecond. A longer one would begin with a wait that sleeps, and on a busy machine wakes too late to show
/// anything.
const DEADLINE: Duration = Duration::from_micros(900);

/// A way to wait for nothing but the time.
type Wait<'a> = &'a mut dyn FnMut(Duration) -> io::Result<()>;

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    let mut waiter = Waiter::new(mechanism)?;
    let mut whole = |limit| waiter.wait(limit).map(drop);
    let mut lines = vec![at_once(&mut whole)?];
    lines.extend(match mechanism {
        Mechanism::Select => of_select()?,
        Mechanism::Poll => of_poll(&mut whole)?,
        Mechanism::Mio => of_mio()?,
        _ => of_epoll(&mut whole)?,
    });
    Ok(lines)
}

fn of_select() -> Findings {
    let mut exact = |limit: Duration| {
        let micros = i64::try_from(limit.as_nanos().div_ceil(1_000)).unwrap_or(i64::MAX);
        Ok(select(None, None, None, None, &mut TimeVal::microseconds(micros)).map(drop)?)
    };
    let mut timeout = TimeVal::milliseconds(1);
    select(None, None, None, None, &mut timeout)?;
    let left = if timeout == TimeVal::zero() { "0: a call that uses it again does not wait" } else { "as it was" };
    Ok(vec![
        asked("in microseconds", &mut exact)?,
        deadline("the time left in microseconds", &mut exact)?,
        format!("the timeout that the call was given, afterwards: {left}"),
    ])
}

fn of_poll(whole: Wait<'_>) -> Findings {
    let mut cut = |limit| Ok(poll(&mut [], cut(limit)).map(drop)?);
    let mut exact = |limit| Ok(ppoll(&mut [], Some(TimeSpec::from_duration(limit)), None).map(drop)?);
    Ok(vec![
        asked("cut to whole milliseconds", &mut cut)?,
        asked("in nanoseconds, by ppoll", &mut exact)?,
        deadline("cut to whole milliseconds", &mut cut)?,
        deadline("rounded up to whole milliseconds", whole)?,
    ])
}

fn of_epoll(whole: Wait<'_>) -> Findings {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut cut = |limit| Ok(epoll.wait(&mut [EpollEvent::empty()], cut(limit)).map(drop)?);
    let mut poller = EpollPoller::new()?;
    let mut events = Events::with_capacity(1);
    let mut exact = |limit| poller.wait(&mut events, Some(limit));
    Ok(vec![
        asked("cut to whole milliseconds", &mut cut)?,
        asked(
            if is_fine(&mut exact)? { "in nanoseconds, by epoll_pwait2" } else { "rounded up by tripoll" },
            &mut exact,
        )?,
        deadline("cut to whole milliseconds", &mut cut)?,
        deadline("rounded up to whole milliseconds", whole)?,
        no_room(epoll.wait(&mut [], PollTimeout::ZERO).map(drop).map_err(Into::into)),
    ])
}

fn of_mio() -> Findings {
    let mut poll = mio::Poll::new()?;
    let no_room = no_room(poll.poll(&mut mio::Events::with_capacity(0), Some(Duration::ZERO)));
    let mut events = mio::Events::with_capacity(1);
    let mut wait = |limit| poll.poll(&mut events, Some(limit));
    let how = if is_fine(&mut wait)? { "as mio takes it" } else { "rounded up by mio" };
    Ok(vec![asked(how, &mut wait)?, deadline("the time left", &mut wait)?, no_room])
}

/// Whether a little of a millisecond takes less than a millisecond.
fn is_fine(wait: Wait<'_>) -> io::Result<bool> {
    for _ in 0..FINE_TRIES / TRIES {
        if is_shorter(Duration::from_micros(10), MILLISECOND, wait)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a wait answers that may report nothing.
fn no_room(answer: io::Result<()>) -> String {
    let answer = answer.map_or_else(|error| name_of(&error), |()| "ok".to_owned());
    format!("room for 0 events: {answer}")
}

/// Milliseconds as an integer division makes them.
fn cut(limit: Duration) -> PollTimeout {
    PollTimeout::try_from(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX)).unwrap_or(PollTimeout::MAX)
}

fn at_once(wait: Wait<'_>) -> io::Result<String> {
    let waits = if is_shorter(Duration::ZERO, MILLISECOND, wait)? { "returns at once" } else { "waits" };
    Ok(format!("timeout 0: {waits}"))
}

fn asked(how: &str, wait: Wait<'_>) -> io::Result<String> {
    let mut parts = Vec::new();
    for (name, limit) in [("0.3 ms", 300), ("0.9 ms", 900), ("1 ms", 1_000)] {
        let limit = Duration::from_micros(limit);
        let early = is_shorter(limit, limit, wait)?;
        parts.push(format!("{name} {}", if early { "early" } else { "not early" }));
    }
    Ok(format!("{how}: {}", parts.join(", ")))
}

/// Whether a wait with this limit is over before that time, at least once.
fn is_shorter(limit: Duration, time: Duration, wait: Wait<'_>) -> io::Result<bool> {
    for _ in 0..TRIES {
        let start = Instant::now();
        wait(limit)?;
        if start.elapsed() < time {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many waits it takes until a deadline; the largest number of several tries.
fn deadline(how: &str, wait: Wait<'_>) -> io::Result<String> {
    let mut most = 0;
    for _ in 0..TRIES {
        let deadline = Instant::now() + DEADLINE;
        let mut waits = 0;
        loop {
            waits += 1;
            wait(deadline.saturating_duration_since(Instant::now()))?;
            if Instant::now() >= deadline || waits >= MANY {
                break;
            }
        }
        most = most.max(waits);
        if most >= MANY {
            return Ok(format!("a deadline 0.9 ms away, {how}: {MANY} waits and more, a busy loop"));
        }
    }
    let plural = if most == 1 { "wait" } else { "waits" };
    Ok(format!("a deadline 0.9 ms away, {how}: {most} {plural}"))
}

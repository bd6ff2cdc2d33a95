//! Measuring a loop from the outside: a poller that counts, and the processor time of its thread.

use super::tally::{Tally, Work};
use nix::time::{ClockId, clock_gettime};
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::{Duration, Instant};
use tripoll::dispatcher::Dispatcher;
use tripoll::poller::{AnyPoller, Events, Features, Poller};
use tripoll::reactor::Reactor;
use tripoll::{Backend, EventLoop, Interest, Settings, Token, Trigger};

/// A poller that counts its waits, and the system calls that a loop by hand makes beside them.
#[derive(Debug)]
pub(super) struct Meter {
    poller: AnyPoller,
    waits: u64,
    calls: u64,
}

impl Meter {
    pub(super) fn new(backend: Backend) -> io::Result<Self> {
        Ok(Self { poller: AnyPoller::new(backend)?, waits: 0, calls: 0 })
    }

    /// Counts a system call that has just been made, and passes its answer on.
    pub(super) fn call<T>(&mut self, answer: T) -> T {
        self.calls += 1;
        answer
    }
}

impl Poller for Meter {
    fn name(&self) -> &'static str {
        self.poller.name()
    }

    fn features(&self) -> Features {
        self.poller.features()
    }

    fn descriptor_bound(&self) -> Option<RawFd> {
        self.poller.descriptor_bound()
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.poller.add(fd, token, interest, trigger)
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        self.poller.modify(fd, token, interest, trigger)
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        self.poller.remove(fd)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        self.waits += 1;
        self.poller.wait(events, timeout)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.poller.clear()
    }

    fn system_calls(&self) -> u64 {
        self.poller.system_calls() + self.calls
    }
}

/// A loop of tripoll's whose poller counts.
pub(super) type MeteredLoop<H> = EventLoop<H, Meter>;

pub(super) fn metered<H: Dispatcher<Spawn = H>>(
    backend: Backend,
    settings: Settings,
    shared: H::Shared,
) -> io::Result<MeteredLoop<H>> {
    Ok(EventLoop::on(Reactor::with_settings(Meter::new(backend)?, settings)?, shared))
}

/// Whatever has counts that only grow: waits, and system calls.
pub(super) trait Counts {
    fn counts(&mut self) -> (u64, u64);
}

impl Counts for Meter {
    fn counts(&mut self) -> (u64, u64) {
        (self.waits, self.system_calls())
    }
}

impl<H: Dispatcher<Spawn = H>> Counts for MeteredLoop<H> {
    fn counts(&mut self) -> (u64, u64) {
        let stats = self.stats();
        let traffic = stats.reads + stats.writes + stats.accepts;
        let (waits, calls) = (self.reactor().poller().waits, self.reactor().poller().system_calls());
        (waits, calls + traffic)
    }
}

/// A stretch of time that is measured.
pub(super) struct Span {
    began: Instant,
    cpu: Duration,
    waits: u64,
    calls: u64,
}

impl Span {
    pub(super) fn begin(of: &mut impl Counts) -> io::Result<Self> {
        let (waits, calls) = of.counts();
        Ok(Self { began: Instant::now(), cpu: thread_time()?, waits, calls })
    }

    /// What the stretch has cost. What was got done in it is for the caller to say.
    pub(super) fn end(&self, of: &mut impl Counts) -> io::Result<Tally> {
        let cpu = thread_time()?.saturating_sub(self.cpu);
        let seconds = self.began.elapsed().as_secs_f64();
        let (waits, calls) = of.counts();
        Ok(Tally {
            seconds,
            wakeups: waits - self.waits,
            system_calls: calls - self.calls,
            cpu_seconds: cpu.as_secs_f64(),
            ..Tally::default()
        })
    }
}

impl Tally {
    /// Says what was got done, and how it ended.
    pub(super) fn with(self, what: &str, done: u64, of: Option<u64>, end: impl Into<String>) -> Self {
        Self { work: Work { what: what.to_owned(), done, of }, end: end.into(), ..self }
    }
}

/// What this thread has used of a processor so far.
fn thread_time() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}

/// A point in time at which something has to be over.
#[derive(Clone, Copy, Debug)]
pub(super) struct End(Instant);

impl End {
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// How long until then; `None` once it has come.
    pub(super) fn left(self) -> Option<Duration> {
        Some(self.0.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    pub(super) fn has_come(self) -> bool {
        self.left().is_none()
    }
}

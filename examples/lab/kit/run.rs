//! Playing a lesson: its steps one after the other, under one mechanism, on this machine's kernel.

use super::watch::{self, Asked, Watcher};
use super::world::{self, BOUND, Trouble, World};
use super::{Action, Bits, Cell, Expected, Happened, Lesson, Mechanism, Run, Step, Truth, probe};
use std::fmt;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

/// How long a wait is given to show that it has nothing to report.
const SILENCE: Duration = Duration::from_millis(3);
/// How long a wait may take that has something to report: everything has arrived already, so it takes no time at all.
const REPORT: Duration = Duration::from_secs(1);
/// How long a wait is given of which nothing is known.
const OPEN: Duration = Duration::from_millis(12);
/// How much a wait reports at most if the lesson does not say.
const MAX: usize = 256;

/// A lesson that could not be played to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunError {
    /// The step, as the line of the lesson's text.
    pub(crate) line: usize,
    pub(crate) mechanism: Mechanism,
    pub(crate) trouble: String,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, under {}: {}", self.line, self.mechanism, self.trouble)
    }
}

impl std::error::Error for RunError {}

/// Plays a lesson.
///
/// Everything that it needs is made for it and gone when it ends. Lessons may be played in several threads at once.
///
/// # Errors
///
/// A step is at odds with those before it, needs what the system does not give, or did not have its effect in time.
/// That a call answers otherwise than expected is none: it is what the lesson is there to find out.
pub(crate) fn run(lesson: &Lesson, mechanism: Mechanism) -> Result<Run, RunError> {
    let failed = |step: &Step, trouble: Trouble| RunError { line: step.line, mechanism, trouble: trouble.to_string() };
    let first = lesson.steps.first().map_or(0, |step| step.line);
    let watcher = watch::open(mechanism).map_err(|error| {
        let trouble = format!("the system does not give the mechanism: {error}");
        RunError { line: first, mechanism, trouble }
    })?;
    let mut player = Player { mechanism, watcher, world: World::new(), registered: Vec::new() };
    let steps = lesson.steps.iter().map(|step| player.play(step).map_err(|trouble| failed(step, trouble)));
    Ok(Run { mechanism, steps: steps.collect::<Result<_, _>>()? })
}

struct Player {
    mechanism: Mechanism,
    // Before the descriptors: an epoll that goes first has nothing to forget.
    watcher: Box<dyn Watcher>,
    world: World,
    /// Every registration that was made; its place here is its token.
    registered: Vec<Registration>,
}

struct Registration {
    name: String,
    interest: Bits,
    /// Not taken back yet.
    stands: bool,
}

impl Player {
    fn play(&mut self, step: &Step) -> Result<Happened, Trouble> {
        let mut happened = Happened::default();
        match &step.action {
            Action::Watch { name, interest } => happened.answer = Some(self.watch(name, *interest)?),
            Action::Modify { name, interest } => happened.answer = Some(self.modify(name, *interest)?),
            Action::Rearm { name } if self.mechanism == Mechanism::Oneshot => {
                happened.answer = Some(self.rearm(name)?);
            }
            Action::Rearm { name } => {
                self.world.fd(name)?;
                happened.skipped = true;
            }
            Action::Unwatch { name } => happened.answer = Some(self.unwatch(name)?),
            Action::Wait { max, .. } => {
                happened.reported = Some(self.wait(max.unwrap_or(MAX), timeout(step, self.mechanism))?)
            }
            Action::Probe { name } => {
                let unknown = || Trouble::new(format!("there is no probe `{name}`"));
                let found = probe::run(name, self.mechanism).ok_or_else(unknown)?;
                happened.answer = Some(found.map_err(|why| Trouble::new(format!("the probe `{name}` failed: {why}")))?);
            }
            Action::Say { .. } => {}
            Action::Close { name } | Action::Reset { name } => {
                happened.answer = self.world.act(&step.action)?;
                self.is_forgotten(name)?;
            }
            other => happened.answer = self.world.act(other)?,
        }
        happened.truth = self.truth();
        if let (Some(cell), Action::Wait { max, .. }) = (&happened.reported, &step.action) {
            happened.stranded = self.stranded(cell, max.unwrap_or(MAX));
        }
        Ok(happened)
    }

    /// The registration that stands under this name.
    fn standing(&self, name: &str) -> Option<usize> {
        self.registered.iter().rposition(|registration| registration.stands && registration.name == name)
    }

    fn register(&mut self, name: &str, interest: Bits) {
        self.registered.push(Registration { name: name.to_owned(), interest, stands: true });
    }

    fn watch(&mut self, name: &str, interest: Bits) -> Result<String, Trouble> {
        let asked = Asked { token: self.registered.len(), fd: self.world.fd(name)?, interest };
        if let Err(refusal) = self.watcher.watch(asked) {
            return Ok(refusal.to_string());
        }
        // Who keeps no registrations has no second one either: the list says it otherwise from now on. epoll and mio accept
        // a number again when it stands for another file, and the first registration may still report.
        let before = self.standing(name).filter(|_| self.keeps_no_registrations());
        match before {
            Some(before) => self.registered[before].interest = interest,
            None => self.register(name, interest),
        }
        Ok("ok".to_owned())
    }

    fn modify(&mut self, name: &str, interest: Bits) -> Result<String, Trouble> {
        let standing = self.standing(name);
        let token = standing.unwrap_or(self.registered.len());
        if let Err(refusal) = self.watcher.modify(Asked { token, fd: self.world.fd(name)?, interest }) {
            return Ok(refusal.to_string());
        }
        match standing {
            Some(standing) => self.registered[standing].interest = interest,
            None => self.register(name, interest),
        }
        Ok("ok".to_owned())
    }

    fn rearm(&mut self, name: &str) -> Result<String, Trouble> {
        let interest = self.standing(name).map(|standing| self.registered[standing].interest);
        let never = || Trouble::new(format!("`{name}` is not watched, so it cannot be armed again"));
        self.modify(name, interest.ok_or_else(never)?)
    }

    fn unwatch(&mut self, name: &str) -> Result<String, Trouble> {
        if let Err(refusal) = self.watcher.unwatch(self.world.fd(name)?) {
            return Ok(refusal.to_string());
        }
        if let Some(standing) = self.standing(name) {
            self.registered[standing].stands = false;
        }
        Ok("ok".to_owned())
    }

    /// Waits until a closed file is gone for the mechanism too. Between the fork and the exec of a child that another thread
    /// starts, the child has a descriptor of everything.
    fn is_forgotten(&self, name: &str) -> Result<(), Trouble> {
        let Some(number) = self.world.gone(name) else { return Ok(()) };
        world::until(|| format!("the end of the registration of `{name}`"), || !self.watcher.lists(number))
    }

    /// One wait, and no second one even if nothing came: what is asked once is told once.
    fn wait(&mut self, max: usize, timeout: Duration) -> Result<Cell, Trouble> {
        let mut asked = Vec::new();
        for (token, registration) in self.registered.iter().enumerate().filter(|(_, registration)| registration.stands)
        {
            asked.push(Asked { token, fd: self.world.fd(&registration.name)?, interest: registration.interest });
        }
        Ok(match self.watcher.wait(&asked, max, timeout) {
            Ok(found) => Cell::Reported(found.into_iter().map(|(token, bits)| (self.called(token), bits)).collect()),
            Err(error) => Cell::Failed(world::error_name(error)),
        })
    }

    fn called(&self, token: usize) -> String {
        self.registered.get(token).map_or_else(|| format!("token {token}"), |registration| registration.name.clone())
    }

    /// Whether the numbers are all that the mechanism has to go by.
    const fn keeps_no_registrations(&self) -> bool {
        matches!(self.mechanism, Mechanism::Select | Mechanism::Poll)
    }

    fn truth(&self) -> Vec<Truth> {
        let seen = self.world.look().into_iter();
        seen.map(|seen| {
            let watched = self.watched(&seen.name, seen.number);
            Truth { name: seen.name, ready: seen.ready, unread: seen.unread, watched }
        })
        .collect()
    }

    /// What is asked of an open descriptor. Where numbers are all, a number that was registered under another name counts.
    fn watched(&self, name: &str, number: RawFd) -> Option<Bits> {
        let same = |registration: &&Registration| {
            let number_of = |name: &str| self.world.fd(name).ok().map(|fd| fd.as_raw_fd());
            let by_number = self.keeps_no_registrations() && number_of(&registration.name) == Some(number);
            registration.stands && (registration.name == name || by_number)
        };
        self.registered.iter().rev().find(same).map(|registration| registration.interest)
    }

    /// Who is ready, and will not be reported by a further wait before something else happens.
    fn stranded(&self, cell: &Cell, max: usize) -> Vec<String> {
        let Cell::Reported(reported) = cell else { return Vec::new() };
        // What a full report had no room for is still to be told. Who that is cannot be seen from outside, and not even whether
        // there is anybody: whoever polls an epoll descriptor makes the kernel look through its queue and take out of it those
        // who have nothing to report, and so changes the order of what comes next.
        if self.mechanism.is_level() || reported.len() >= max {
            return Vec::new();
        }
        let waiting = self.registered.iter().filter(|registration| registration.stands);
        let silent = waiting.filter(|registration| cell.of(&registration.name).is_none());
        let ready = silent.filter(|registration| {
            let ready = self.world.ready_for(&registration.name, registration.interest);
            ready.is_some_and(|ready| !ready.is_none())
        });
        ready.map(|registration| registration.name.clone()).collect()
    }
}

/// How long a wait is worth waiting for: how it turns out is known, unless the lesson is a user's.
fn timeout(step: &Step, mechanism: Mechanism) -> Duration {
    let expected = step.expected.iter().find(|(expecting, _)| *expecting == mechanism);
    let Some((_, Expected::Cells(cells))) = expected else { return OPEN };
    if cells.iter().all(Cell::is_silent) {
        SILENCE
    } else if cells.iter().any(Cell::is_silent) {
        OPEN
    } else {
        REPORT.min(BOUND)
    }
}

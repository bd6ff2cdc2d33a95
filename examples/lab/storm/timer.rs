//! A timeout that is rounded down: half a millisecond becomes none at all, and the loop spins until the timer is due.

use super::loopback::PATIENCE;
use super::meter::{Counts, End, Meter, Span, metered};
use super::script::{MARK, Scene, Script, Side, place, possible};
use super::tally::{Outcome, Tally};
use std::io;
use std::time::{Duration, Instant};
use tripoll::dispatcher::Dispatcher;
use tripoll::poller::{Events, Poller};
use tripoll::{Settings, Trigger};

pub(super) const SCRIPT: Script = Script {
    title: "A timeout rounded down",
    about: "A timer is due in half a millisecond; when it has fired, the next one is set. Nothing else happens.",
    so_what: "poll and epoll_wait count in milliseconds. Cut down, the last fraction of every wait becomes zero, and zero \
              does not wait. Round up, or wait in nanoseconds: ppoll, epoll_pwait2.",
    mistake: place!("examples/lab/storm/timer.rs", MARK),
    code: place!("src/sys/epoll.rs", "fn round_up_to_milliseconds("),
    test: place!("tests/reactor/waits.rs", "fn a_timer_of_a_fraction_of_a_millisecond_is_no_reason_to_spin("),
    sides: &[
        Side { label: "off", defended: false, trigger: Trigger::Level, play: off },
        Side { label: "on", defended: true, trigger: Trigger::Level, play: on },
    ],
    alone: false,
    impossible: possible,
    seen,
};

const DELAY: Duration = Duration::from_micros(500);

/// One timer after the other, each of which `fire` sets and waits for.
fn one_after_another<L: Counts>(
    scene: &Scene,
    looped: &mut L,
    mut fire: impl FnMut(&mut L) -> io::Result<()>,
) -> io::Result<Tally> {
    let (span, end) = (Span::begin(looped)?, End::after(scene.time));
    let mut fired = 0;
    while !end.has_come() {
        fire(looped)?;
        fired += 1;
    }
    Ok(span.end(looped)?.with("timers fired", fired, None, "no timer was early"))
}

fn off(scene: &Scene) -> io::Result<Tally> {
    let mut poller = Meter::new(scene.backend)?;
    let mut events = Events::with_capacity(16);
    one_after_another(scene, &mut poller, |poller| {
        let due = Instant::now() + DELAY;
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let timeout = Duration::from_millis(left.as_millis() as u64); // the mistake: the last fraction becomes 0
            poller.wait(&mut events, Some(timeout))?;
        }
    })
}

/// The loop has no sources, and so no handlers.
struct Nobody;

impl Dispatcher for Nobody {
    /// Timers that have fired.
    type Shared = u64;
    type Spawn = Self;
}

fn on(scene: &Scene) -> io::Result<Tally> {
    let mut event_loop = metered::<Nobody>(scene.backend, Settings::default(), 0)?;
    event_loop.turn(Some(Duration::ZERO))?;
    one_after_another(scene, &mut event_loop, |event_loop| {
        let before = *event_loop.shared();
        event_loop.enter(|scope, _| scope.call_later(DELAY, |_, fired| *fired += 1));
        let patience = End::after(PATIENCE);
        while *event_loop.shared() == before {
            let late = || io::Error::new(io::ErrorKind::TimedOut, "the timer did not fire");
            event_loop.turn(Some(patience.left().ok_or_else(late)?))?;
        }
        Ok(())
    })
}

fn seen(outcome: &Outcome) -> String {
    let (off, on) = (&outcome.off, &outcome.on);
    let waits = |tally: &Tally| tally.wakeups as f64 / tally.work.done.max(1) as f64;
    format!(
        "By hand each timer took {} waits that did not wait, and all of them {:.0} % of a processor. In tripoll it was \
         {:.1} to a timer, and {:.0} %.",
        super::show::about(waits(off)),
        100.0 * off.load(),
        waits(on),
        100.0 * on.load(),
    )
}

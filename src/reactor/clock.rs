//! The loop's time: nanoseconds since it was built, from a real clock or from one that is turned by hand.

use crate::sys;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The clock that a loop lives by.
///
/// A real one is [`Instant`], which never goes back and knows nothing of the time of day.
#[derive(Clone, Debug)]
pub struct Clock {
    origin: Instant,
    /// The same moment, by the system's own count.
    started: u64,
    by_hand: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// The system's monotonic clock.
    #[must_use]
    pub fn real() -> Self {
        Self { origin: Instant::now(), started: sys::clock::monotonic(), by_hand: None }
    }

    /// A clock that stands still, and the hand that turns it.
    ///
    /// A loop that lives by such a clock never blocks: its waits only look what is ready. So the tests of deadlines need
    /// no patience and have no luck.
    #[must_use]
    pub fn by_hand() -> (Self, Hand) {
        let time = Arc::new(AtomicU64::new(0));
        (Self { by_hand: Some(Arc::clone(&time)), ..Self::real() }, Hand(time))
    }

    /// The present, in nanoseconds.
    pub(super) fn now(&self) -> u64 {
        match &self.by_hand {
            None => sys::clock::monotonic().saturating_sub(self.started),
            Some(time) => time.load(Ordering::Relaxed),
        }
    }

    pub(super) fn is_by_hand(&self) -> bool {
        self.by_hand.is_some()
    }

    /// The instant of a number of nanoseconds. Beyond what an `Instant` can hold, which is centuries, the origin.
    pub(super) fn instant(&self, time: u64) -> Instant {
        self.origin.checked_add(Duration::from_nanos(time)).unwrap_or(self.origin)
    }

    /// The number of nanoseconds of an instant; zero for those before the loop was built.
    pub(super) fn time(&self, instant: Instant) -> u64 {
        nanoseconds(instant.saturating_duration_since(self.origin))
    }
}

/// What turns a clock made by [`Clock::by_hand`].
#[derive(Clone, Debug)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    /// Turns the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(nanoseconds(by), Ordering::Relaxed);
    }
}

/// A duration in whole nanoseconds, or 584 years.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

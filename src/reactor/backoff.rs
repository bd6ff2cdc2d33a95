//! How long to wait before the next attempt.

use std::time::Duration;

/// Growing pauses between attempts to connect, so that many clients of a server which comes back do not come at once.
///
/// Each pause is twice the one before, up to a longest, and between half and all of it, by a cheap pseudo-random choice.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tripoll::reactor::Backoff;
///
/// let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10), 42);
/// let first = backoff.next_pause();
/// assert!(first >= Duration::from_millis(50) && first <= Duration::from_millis(100));
/// backoff.reset(); // connected: start again from the shortest pause
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
    seed: u64,
}

impl Backoff {
    /// Pauses from `shortest` to `longest`; `seed` is what should differ between clients.
    #[must_use]
    pub fn new(shortest: Duration, longest: Duration, seed: u64) -> Self {
        Self { shortest, longest, next: shortest.min(longest), seed }
    }

    /// The pause before the next attempt.
    pub fn next_pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        // Knuth's linear congruential generator: enough to spread clients, and no dependency.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let part = (self.seed >> 32) as u32;
        pause / 2 + (pause / 2).mul_f64(f64::from(part) / f64::from(u32::MAX))
    }

    /// Starts again from the shortest pause.
    pub fn reset(&mut self) {
        self.next = self.shortest.min(self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_again() {
        let (shortest, longest) = (Duration::from_millis(100), Duration::from_secs(1));
        let mut backoff = Backoff::new(shortest, longest, 7);
        for expected in [100, 200, 400, 800, 1000, 1000] {
            let expected = Duration::from_millis(expected);
            let pause = backoff.next_pause();
            assert!(pause >= expected / 2 && pause <= expected, "{pause:?} of {expected:?}");
        }
        backoff.reset();
        assert!(backoff.next_pause() <= shortest);
    }

    #[test]
    fn clients_with_other_seeds_come_at_other_times() {
        let pauses = |seed| Backoff::new(Duration::from_secs(1), Duration::from_secs(1), seed).next_pause();
        let all: std::collections::BTreeSet<_> = (0..100).map(pauses).collect();
        assert!(all.len() > 90, "{} different pauses of 100", all.len());
    }
}

//! How fast lines are sent: no faster than the server allows a person to speak, so that a whole file can be said.

use super::flood::Rate;
use std::time::{Duration, Instant};

/// So many lines per second, and so many at once.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Between two lines; zero for no limit.
    period: Duration,
    ahead: Duration,
    /// When the next line is due, if none came early.
    due: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(rate: Rate) -> Self {
        let period = if rate.is_unlimited() { 0.0 } else { rate.per_second.recip() };
        let period = Duration::from_secs_f64(period);
        Self { period, ahead: period * rate.burst.saturating_sub(1), due: None }
    }

    /// Sends a line now, or says how long to wait.
    pub(crate) fn go(&mut self, now: Instant) -> Result<(), Duration> {
        let due = self.due.map_or(now, |due| due.max(now));
        let early = due - now;
        if early > self.ahead {
            return Err(early - self.ahead);
        }
        self.due = Some(due + self.period);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_in_step() {
        let start = Instant::now();
        let mut pace = Pace::new("2:3".parse().unwrap());
        let mut now = start;
        let mut sent = Vec::new();
        while sent.len() < 6 {
            match pace.go(now) {
                Ok(()) => sent.push((now - start).as_millis()),
                Err(wait) => now += wait,
            }
        }
        assert_eq!(sent, [0, 0, 0, 500, 1000, 1500]);
        assert_eq!(pace.go(now + Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let mut pace = Pace::new(Rate::UNLIMITED);
        let now = Instant::now();
        assert!((0..1000).all(|_| pace.go(now).is_ok()));
    }
}

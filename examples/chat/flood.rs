//! How much one person may say: so many lines per second, and so many at once. No clock here: the caller tells the time.

use std::str::FromStr;
use std::time::Instant;

/// Lines per second, and how many may come at once. Written `10:30`, or `0` for no limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) per_second: f64,
    pub(crate) burst: u32,
}

impl Rate {
    pub(crate) const UNLIMITED: Self = Self { per_second: 0.0, burst: 0 };

    pub(crate) fn is_unlimited(self) -> bool {
        self.per_second == 0.0
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let what = || "write LINES or LINES:BURST, such as 10:30, or 0 for no limit".to_owned();
        let (rate, burst) = text.split_once(':').map_or((text, None), |(rate, burst)| (rate, Some(burst)));
        let per_second: f64 = rate.parse().map_err(|_| what())?;
        let burst = match burst {
            Some(burst) => burst.parse().map_err(|_| what())?,
            None => (3.0 * per_second).ceil() as u32,
        };
        match per_second {
            0.0 => Ok(Self::UNLIMITED),
            0.001..=1e6 if (1..=1_000_000).contains(&burst) => Ok(Self { per_second, burst }),
            _ => Err(what()),
        }
    }
}

/// What to do about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// The first line that was too much.
    Warn,
    /// Another one, after the warning.
    Drop,
    /// As many were too much as may come at once.
    PutOut,
}

/// The account of one person: it fills with time up to `burst`, and each line takes one, into debt if there is none.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    rate: Rate,
    balance: f64,
    at: Instant,
    warned: bool,
}

impl Account {
    pub(crate) fn new(rate: Rate, now: Instant) -> Self {
        Self { rate, balance: f64::from(rate.burst), at: now, warned: false }
    }

    /// Pays for a line.
    pub(crate) fn pay(&mut self, now: Instant) -> Verdict {
        if self.rate.is_unlimited() {
            return Verdict::Pass;
        }
        let burst = f64::from(self.rate.burst);
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * self.rate.per_second;
        self.at = now;
        self.balance = (self.balance + earned).min(burst) - 1.0;
        if self.balance >= 0.0 {
            self.warned = false;
            Verdict::Pass
        } else if self.balance < -burst {
            Verdict::PutOut
        } else if std::mem::replace(&mut self.warned, true) {
            Verdict::Drop
        } else {
            Verdict::Warn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_then_one_is_warned_then_put_out() {
        let now = Instant::now();
        let mut account = Account::new("2:3".parse().unwrap(), now);
        let verdicts: Vec<_> = (0..7).map(|_| account.pay(now)).collect();
        use Verdict::{Drop, Pass, PutOut, Warn};
        assert_eq!(verdicts, [Pass, Pass, Pass, Warn, Drop, Drop, PutOut]);
    }

    #[test]
    fn time_forgives_and_is_not_hoarded() {
        let now = Instant::now();
        let mut account = Account::new("2:3".parse().unwrap(), now);
        for _ in 0..3 {
            account.pay(now);
        }
        let later = now + Duration::from_millis(500);
        assert_eq!([account.pay(later), account.pay(later)], [Verdict::Pass, Verdict::Warn]);
        let much_later = now + Duration::from_secs(1000);
        let passed = (0..9).filter(|_| account.pay(much_later) == Verdict::Pass).count();
        assert_eq!(passed, 3);
    }

    #[test]
    fn rates_are_read_and_nonsense_is_refused() {
        assert_eq!("10:30".parse(), Ok(Rate { per_second: 10.0, burst: 30 }));
        assert_eq!("0.5:1".parse(), Ok(Rate { per_second: 0.5, burst: 1 }));
        assert_eq!("2".parse(), Ok(Rate { per_second: 2.0, burst: 6 }));
        assert_eq!("0".parse(), Ok(Rate::UNLIMITED));
        for text in ["", "x", "1:", "1:0", "1:x", "-1", "nan", "inf", "1:2:3", "1:9999999"] {
            assert!(text.parse::<Rate>().unwrap_err().contains("LINES:BURST"), "{text}");
        }
    }
}

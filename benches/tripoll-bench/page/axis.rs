//! Scales and ticks.

/// A range of values on a range of a picture.
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// Where zero stands on a logarithmic axis, if there is one among the values: apart from the rest.
    zero: Option<f64>,
    from: f64,
    to: f64,
}

/// What part of a logarithmic axis the place of zero takes.
const APART: f64 = 0.16;

/// Ratios that are further off than this from their median are beyond the end of the axis.
const FAR_OFF: f64 = 2.5;

/// A linear axis does for values that are not further apart than this.
const NEAR: f64 = 8.0;

impl Axis {
    /// An axis that begins at zero if the values are near each other, and is logarithmic if not.
    pub fn of(values: &[f64], (from, to): (f64, f64)) -> Self {
        let (low, high) = bounds(values);
        if high > NEAR * low { Self::log(values, (from, to)) } else { Self::from_zero(values, (from, to)) }
    }

    pub fn from_zero(values: &[f64], (from, to): (f64, f64)) -> Self {
        let high = bounds(values).1 * 1.05;
        Self { low: 0.0, high, log: false, zero: None, from, to }
    }

    /// An axis for ratios: 1 is on it, and not at its end. It ends at `FAR_OFF` times the median, so that a few who are far
    /// off do not press all others together.
    pub fn of_ratios(values: &[f64], (from, to): (f64, f64)) -> Self {
        let (low, high) = bounds(values);
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let end = FAR_OFF * sorted.get(values.len() / 2).copied().unwrap_or(1.0).max(1.0);
        let (low, high) = (low.min(0.9), high.max(1.1).min(end));
        let log = high > 3.0 * low;
        let room = if log { (high / low).powf(0.04) } else { 1.02 };
        Self { low: low / room, high: high * room, log, zero: None, from, to }
    }

    /// A logarithmic axis, zero apart if it is among the values.
    pub fn log(values: &[f64], (from, to): (f64, f64)) -> Self {
        let (low, high) = bounds(values);
        let has_zero = values.contains(&0.0);
        let room = if high > low { (high / low).powf(0.05) } else { 2.0 };
        let start = if has_zero { from + APART * (to - from) } else { from };
        Self { low: low / room, high: high * room, log: true, zero: has_zero.then_some(from), from: start, to }
    }

    /// The place of a value. What lies beyond an end is put there.
    pub fn at(&self, value: f64) -> f64 {
        if value <= 0.0 && self.log {
            return self.zero.unwrap_or(self.from);
        }
        let of = |value: f64| if self.log { value.ln() } else { value };
        let share = (of(value) - of(self.low)) / (of(self.high) - of(self.low));
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    pub fn is_beyond(&self, value: f64) -> bool {
        value > self.high || (value < self.low && !(value == 0.0 && self.zero.is_some()))
    }

    pub fn is_log(&self) -> bool {
        self.log
    }

    pub fn has_zero_apart(&self) -> bool {
        self.zero.is_some()
    }

    /// Round values, as many as fit.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        let steps = (-2..=20).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power - 4)));
        if !self.log {
            let fits = |step: &f64| (self.high - self.low) / step <= most as f64;
            let step = steps.into_iter().find(fits).unwrap_or(1.0);
            let first = (self.low / step).ceil() as i64;
            let last = (self.high / step + 1e-9).floor() as i64;
            return (first..=last).map(|index| index as f64 * step).collect();
        }
        let inside = |value: &f64| *value >= self.low * 0.999 && *value <= self.high * 1.001;
        let with = |digits: &[f64], every: i32| -> Vec<f64> {
            let powers = (-9..=15).filter(|power| power % every == 0);
            powers.flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power))).filter(inside).collect()
        };
        const FINE: [f64; 12] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        const DIGITS: [&[f64]; 5] = [&FINE, &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], &[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
        let sets = DIGITS.iter().map(|digits| with(digits, 1));
        sets.into_iter().find(|ticks| ticks.len() <= most).unwrap_or_else(|| with(&[1.0], 3))
    }
}

/// The least and the largest of the values above zero.
fn bounds(values: &[f64]) -> (f64, f64) {
    let above = || values.iter().copied().filter(|value| *value > 0.0 && value.is_finite());
    let (low, high) = (above().fold(f64::INFINITY, f64::min), above().fold(0.0, f64::max));
    if low.is_finite() { (low, high) } else { (0.5, 1.0) }
}

/// As it stands in a sentence: 300, 10,000.
pub fn full(value: f64) -> String {
    let digits = format!("{value:.0}");
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As it stands beside a tick: 200, 3k, 1.5M, 0.05.
pub fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v >= 999_999.5 => (value / 1e6, "M"),
        v if v >= 1000.0 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        v if v >= 100.0 => 0,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

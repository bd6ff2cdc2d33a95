//! Rows on a scale of powers of ten.

use super::shape::Picture;
use crate::kit::Mechanism;

const ROW: f64 = 22.0;
const NAMES: f64 = 120.0;
const DECADE: f64 = 80.0;
/// Where 1 stands, behind the place of 0, which no such scale has.
const ONE: f64 = 24.0;

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row<'name> {
    pub(super) name: &'name str,
    /// Its mark; a circle, filled or not, if it belongs to none.
    pub(super) mechanism: Option<Mechanism>,
    pub(super) filled: bool,
    pub(super) number: f64,
    pub(super) remark: String,
}

/// How many powers of ten it takes to show the largest of these.
pub(super) fn decades(numbers: impl Iterator<Item = f64>) -> u32 {
    let most = numbers.fold(10.0, f64::max);
    // Of what fits into a float there are few hundred.
    most.log10().ceil() as u32
}

pub(super) fn wide(decades: u32) -> f64 {
    NAMES + ONE + f64::from(decades) * DECADE + 160.0
}

/// Draws rows below a heading and answers where they end.
pub(super) fn draw(picture: &mut Picture, (x, y): (f64, f64), heading: &str, rows: &[Row<'_>], decades: u32) -> f64 {
    picture.text("head", (x, y + 14.0), heading);
    let (top, tall) = (y + 22.0, rows.len() as f64 * ROW);
    for power in 0..=decades {
        let number = 10_f64.powi(power.try_into().unwrap_or(i32::MAX));
        let at = x + place(number);
        picture.line("line", (at, top), (at, top + tall));
        picture.text("soft", (at - 3.0, top + tall + 13.0), &short(number));
    }
    for (at, row) in rows.iter().enumerate() {
        let y = top + 11.0 + at as f64 * ROW;
        let to = x + place(row.number);
        picture.text("", (x, y + 4.0), row.name);
        picture.line("arrow", (x + NAMES, y), (to, y));
        match row.mechanism {
            Some(mechanism) => picture.mark(mechanism, row.filled, (to, y)),
            None => picture.dot(row.filled, (to, y)),
        }
        picture.text("", (to + 12.0, y + 4.0), &row.remark);
    }
    top + tall + 28.0
}

/// Less than one stands with 0, at the left end.
fn place(number: f64) -> f64 {
    NAMES + if number < 1.0 { number * ONE } else { ONE + number.log10() * DECADE }
}

/// `1000` is `1k`.
pub(super) fn short(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{}M", rounded(n / 1e6)),
        n if n >= 1e3 => format!("{}k", rounded(n / 1e3)),
        n => rounded(n),
    }
}

fn rounded(number: f64) -> String {
    let whole = (number - number.round()).abs() < 0.005;
    match number {
        n if n >= 10.0 || n == 0.0 || (n >= 1.0 && whole) => format!("{n:.0}"),
        n if n >= 0.1 => format!("{n:.2}"),
        n => format!("{n:.4}"),
    }
}

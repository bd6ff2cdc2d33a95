//! From rounds to statements: medians, ratios within a round, and when a difference is one.

use super::contender;
use super::sample::Run;
use super::scenario::Cell;

/// Differences below this are not spoken of, however certain.
const SMALLEST: f64 = 0.01;
/// How many standard errors make a difference.
const ERRORS: f64 = 4.0;

/// Figures in brief.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// The standard deviation, from the median absolute deviation: one wild round does not move it.
    pub deviation: f64,
    /// The standard error of the median.
    pub error: f64,
}

impl Spread {
    /// `None` of no figures.
    pub fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let median = middle(&figures);
        let mut deviations: Vec<f64> = figures.iter().map(|figure| (figure - median).abs()).collect();
        deviations.sort_by(f64::total_cmp);
        // 1.4826 makes a standard deviation of it, 1.2533 that of a median, both for a normal scatter.
        let deviation = 1.4826 * middle(&deviations);
        let error = 1.2533 * deviation / (figures.len() as f64).sqrt();
        Some(Self { median, min, max, deviation, error })
    }
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { f64::midpoint(sorted[half - 1], sorted[half]) }
}

/// A contender beside the floor of its own trigger, each round by itself.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    pub ratio: Spread,
    /// The difference is smaller than what the floor itself scatters.
    pub same: bool,
}

/// How a contender stands to its floor in the main figure of a cell.
pub fn beside_floor(run: &Run, cell: &Cell, name: &str) -> Option<Beside> {
    let key = cell.scenario.figures()[0].key;
    let floor = run.figures(cell, contender::floor_of(name, cell.scenario), key);
    let own = run.figures(cell, name, key);
    let ratio = Spread::of(own.iter().zip(&floor).map(|(own, floor)| own / floor).collect())?;
    let floor = Spread::of(floor)?;
    let noise = (2.0 * floor.deviation / floor.median).max(SMALLEST);
    Some(Beside { ratio, same: (ratio.median - 1.0).abs() <= noise })
}

/// What became of a figure between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Same,
    Better,
    Worse,
}

/// Compares two sets of rounds; of figures for which less is better.
pub fn change(old: &Spread, new: &Spread) -> Change {
    let noise = (ERRORS * old.error.hypot(new.error)).max(SMALLEST * old.median);
    if (new.median - old.median).abs() <= noise {
        Change::Same
    } else if new.median < old.median {
        Change::Better
    } else {
        Change::Worse
    }
}

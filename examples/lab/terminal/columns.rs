//! How wide the columns of a timeline are.

use super::mark::{Mark, SIGNS};
use crate::kit::Mechanism;

/// Between two columns.
pub(crate) const GAP: usize = 1;

/// The columns of the mechanisms, behind the lane of truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) lane: usize,
    pub(crate) mechanisms: Vec<(Mechanism, usize)>,
}

/// What a column would like, and what it cannot do without.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Need {
    pub(crate) natural: usize,
    pub(crate) least: usize,
}

impl Columns {
    /// The columns within `width`, or `None` if they do not fit beside each other.
    pub(crate) fn fit(lane: Need, mechanisms: &[Mechanism], marks: &[Mark], width: usize) -> Option<Self> {
        let columns = mechanisms.iter().map(|mechanism| need(*mechanism, marks));
        let needs: Vec<Need> = std::iter::once(lane).chain(columns).collect();
        let mut widths: Vec<usize> = needs.iter().map(|need| need.least).collect();
        let least = widths.iter().sum::<usize>() + GAP * mechanisms.len();
        let mut left = width.checked_sub(least)?;
        // The lane comes first: its lines are many, and broken ones push everything apart.
        let wish = left.min(lane.natural.saturating_sub(lane.least));
        widths[0] += wish;
        left -= wish;
        // Who is broken into fewest lines by one more column is not known in advance: the one that lacks most gets it.
        while left > 0 {
            let lacking = |index: &usize| needs[*index].natural.saturating_sub(widths[*index]);
            let Some(index) = (0..widths.len()).max_by_key(lacking).filter(|index| lacking(index) > 0) else { break };
            widths[index] += 1;
            left -= 1;
        }
        let lane = widths.remove(0);
        Some(Self { lane, mechanisms: mechanisms.iter().copied().zip(widths).collect() })
    }
}

fn need(mechanism: Mechanism, marks: &[Mark]) -> Need {
    let own = || marks.iter().filter(|mark| mark.mechanism == mechanism);
    let heading = SIGNS + mechanism.short().len();
    Need {
        natural: own().map(Mark::natural).max().unwrap_or_default().max(heading),
        least: own().map(Mark::least).max().unwrap_or_default().max(heading),
    }
}

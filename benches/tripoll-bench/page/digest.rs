//! The samples in brief: who did what in each cell of a scenario, and how it stands to others.

use super::super::contender;
use super::super::report;
use super::super::sample::{Figures, Run, Sample};
use super::super::scenario::{Cell, Scenario};
use super::super::verdict::{self, Beside, Spread};

/// A contender in a cell.
pub struct Entry {
    pub name: String,
    /// Of each round, in their order.
    rounds: Vec<Figures>,
    /// What it measured was the load, not the contender.
    pub load_bound: bool,
}

impl Entry {
    fn figures(&self, key: &str) -> Vec<f64> {
        self.rounds.iter().filter_map(|figures| figures.get(key).copied()).collect()
    }

    pub fn spread(&self, key: &str) -> Option<Spread> {
        Spread::of(self.figures(key))
    }
}

/// A cell with all who took part in it.
pub struct Group {
    pub cell: Cell,
    pub entries: Vec<Entry>,
}

impl Group {
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// A parameter of the cell, as a place on an axis.
    pub fn at(&self, param: &str) -> Option<f64> {
        self.cell.params.get(param).map(|value| *value as f64)
    }

    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.rounds.iter().any(|figures| figures.contains_key(key)))
    }

    /// How a contender stands to its floor in any figure; `None` for a floor itself.
    pub fn beside(&self, name: &str, key: &str) -> Option<Beside> {
        let floor = contender::floor_of(name, self.cell.scenario);
        if is_floor(name) { None } else { self.against(name, floor, key) }
    }

    /// How one contender stands to another.
    pub fn against(&self, name: &str, other: &str, key: &str) -> Option<Beside> {
        beside(&self.entry(name)?.figures(key), &self.entry(other)?.figures(key))
    }

    /// How much a contender's floor scatters: a ratio that is no further from 1 is the same.
    pub fn noise(&self, name: &str, key: &str) -> Option<f64> {
        let floor = self.entry(contender::floor_of(name, self.cell.scenario))?.spread(key)?;
        Some(2.0 * floor.deviation / floor.median)
    }

    pub fn rounds(&self) -> usize {
        self.entries.iter().map(|entry| entry.rounds.len()).max().unwrap_or(0)
    }
}

/// The cells of a scenario, in the order of the run.
pub fn groups(run: &Run, scenario: Scenario) -> Vec<Group> {
    let samples = run.samples.iter().filter(|sample| sample.cell.scenario == scenario).cloned().collect();
    // Every look-up goes through all samples, so let there be few of them.
    let run = Run { samples, ..Run::default() };
    let group = |cell: Cell| {
        let own = |name: &String| {
            let of = |sample: &&Sample| sample.contender == *name && sample.cell == cell;
            run.samples.iter().filter(of).map(|sample| sample.figures.clone()).collect()
        };
        let entry =
            |name: String| Entry { rounds: own(&name), load_bound: report::is_load_bound(&run, &cell, &name), name };
        let entries = run.contenders(&cell).into_iter().map(entry).collect();
        Group { cell, entries }
    };
    run.cells().into_iter().map(group).collect()
}

pub fn is_floor(name: &str) -> bool {
    contender::named(name).is_some_and(|contender| contender.family == contender::Family::Floor)
}

/// Figures beside others, by the rule of the verdict. That one speaks of floors and main figures, so it is shown a run in
/// which these figures are such: a second rule here could come to differ from it.
fn beside(own: &[f64], others: &[f64]) -> Option<Beside> {
    let cell = Cell::new(Scenario::Wake, &[]);
    let (key, floor) = (cell.scenario.figures()[0].key, contender::floor_of("own", cell.scenario));
    let sample = |contender: &str, round: usize, figure: &f64| Sample {
        cell: cell.clone(),
        contender: contender.to_owned(),
        round: round as u32,
        figures: Figures::from([(key.to_owned(), *figure)]),
    };
    let mut run = Run::default();
    run.samples.extend(others.iter().enumerate().map(|(round, figure)| sample(floor, round, figure)));
    run.samples.extend(own.iter().enumerate().map(|(round, figure)| sample("own", round, figure)));
    // A floor of zero has no ratios.
    verdict::beside_floor(&run, &cell, "own").filter(|beside| beside.ratio.max.is_finite() && beside.ratio.min > 0.0)
}

//! What a run has found: every round of every contender, as it goes into the JSON file.

use super::scenario::{Cell, Scenario};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// The numbers of one round, by the names that [`Scenario::figures`] lists.
pub type Figures = BTreeMap<String, f64>;

/// One round of one contender in one cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    #[serde(flatten)]
    pub cell: Cell,
    pub contender: String,
    pub round: u32,
    pub figures: Figures,
}

/// A whole run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// What it was taken with and on: machine, kernel, limits, versions, the command.
    pub about: BTreeMap<String, String>,
    /// Contenders that could not take part, and why.
    pub absent: BTreeMap<String, String>,
    pub samples: Vec<Sample>,
}

impl Run {
    pub fn load(path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        serde_json::from_str(&text).map_err(|e| {
            io::Error::new(io::ErrorKind::InvalidData, format!("it is not the JSON of a run of this bench: {e}"))
        })
    }

    pub fn save(&self, path: &Path) -> io::Result<()> {
        fs::write(path, serde_json::to_string(self).map_err(io::Error::other)?)
    }

    /// The cells that have samples, in the order of the plan.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = Vec::new();
        for sample in &self.samples {
            if cells.last() != Some(&sample.cell) && !cells.contains(&sample.cell) {
                cells.push(sample.cell.clone());
            }
        }
        cells
    }

    /// Those who took part in a cell, in the order of the run.
    pub fn contenders(&self, cell: &Cell) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for sample in self.samples.iter().filter(|sample| sample.cell == *cell) {
            if !names.contains(&sample.contender) {
                names.push(sample.contender.clone());
            }
        }
        names
    }

    /// A figure of each round of a contender in a cell; empty if it has none.
    pub fn figures(&self, cell: &Cell, contender: &str, key: &str) -> Vec<f64> {
        let own = self.samples.iter().filter(|sample| sample.contender == contender && sample.cell == *cell);
        own.filter_map(|sample| sample.figures.get(key).copied()).collect()
    }

    pub fn has(&self, scenario: Scenario) -> bool {
        self.samples.iter().any(|sample| sample.cell.scenario == scenario)
    }
}

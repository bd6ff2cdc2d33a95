//! Two runs side by side: what got better, what got worse.

use super::contender;
use super::report::number;
use super::sample::Run;
use super::scenario::Cell;
use super::verdict::{self, Change, Spread};

/// What became of the figures that two runs have in common.
#[derive(Debug, Default)]
pub struct Comparison {
    /// A line for each figure that changed.
    pub lines: Vec<String>,
    pub same: usize,
    pub better: usize,
    pub worse: usize,
}

impl Comparison {
    /// Compares the ratios to the floor, each taken within a round, so that a machine that was slower on the day of one run
    /// does not show as a change. The floor itself is what it is, and left out.
    pub fn of(old: &Run, new: &Run) -> Self {
        let mut comparison = Self::default();
        for cell in new.cells() {
            for name in new.contenders(&cell) {
                let floor = contender::floor_of(&name, cell.scenario);
                if name == floor {
                    continue;
                }
                if let (Some(before), Some(after)) = (ratios(old, &cell, &name), ratios(new, &cell, &name)) {
                    comparison.add(&format!("{cell}, {name}"), floor, &before, &after);
                }
            }
        }
        comparison
    }

    fn add(&mut self, what: &str, floor: &str, before: &Spread, after: &Spread) {
        let word = match verdict::change(before, after) {
            Change::Same => {
                self.same += 1;
                return;
            }
            Change::Better => {
                self.better += 1;
                "better"
            }
            Change::Worse => {
                self.worse += 1;
                "WORSE"
            }
        };
        self.lines.push(format!("{word:7} {what}: {} -> {} of {floor}", number(before.median), number(after.median)));
    }
}

/// Prints every main figure that changed; answers whether any got worse.
pub fn print(old: &Run, new: &Run) -> bool {
    let Comparison { lines, same, better, worse } = Comparison::of(old, new);
    for line in lines {
        println!("{line}");
    }
    println!("{same} the same, {better} better, {worse} worse");
    if same + better + worse == 0 {
        println!("the two runs have no cell and contender in common");
    }
    worse > 0
}

fn ratios(run: &Run, cell: &Cell, name: &str) -> Option<Spread> {
    verdict::beside_floor(run, cell, name).map(|beside| beside.ratio)
}

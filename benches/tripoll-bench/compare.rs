//! Two runs side by side: what got better, what got worse.

use super::contender;
use super::report::number;
use super::sample::Run;
use super::scenario::Cell;
use super::verdict::{self, Change, Spread};

/// Prints every main figure that changed; answers whether any got worse.
///
/// Compared are the ratios to the floor, each taken within a round, so that a machine that was slower on the day of one
/// run does not show as a change. The floor itself is what it is, and left out.
pub fn print(old: &Run, new: &Run) -> bool {
    let (mut same, mut better, mut worse) = (0, 0, 0);
    for cell in new.cells() {
        for name in new.contenders(&cell) {
            let floor = contender::floor_of(&name, cell.scenario);
            if name == floor {
                continue;
            }
            let (Some(before), Some(after)) = (ratios(old, &cell, &name), ratios(new, &cell, &name)) else { continue };
            let word = match verdict::change(&before, &after) {
                Change::Same => {
                    same += 1;
                    continue;
                }
                Change::Better => {
                    better += 1;
                    "better"
                }
                Change::Worse => {
                    worse += 1;
                    "WORSE"
                }
            };
            println!("{word:7} {cell}, {name}: {} -> {} of {floor}", number(before.median), number(after.median));
        }
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

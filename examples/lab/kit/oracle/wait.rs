//! What one wait answers in one world.

use super::file::FileRef;
use super::model::Beyond;
use super::reason;
use super::truth::Facts;
use super::watches::{Found, Watch, in_mio, in_select};
use super::world::{DOUBTFUL, World};
use crate::kit::{Bits, Cell, Mechanism, Why};
use std::collections::BTreeMap;

/// What is true of each watched file, once it is settled.
type Actual = BTreeMap<FileRef, Bits>;

/// Every way in which a wait may end.
pub(super) fn wait(world: World, line: usize, max: usize) -> Result<Vec<(World, Vec<Why>)>, Beyond> {
    let mut ends = Vec::new();
    for world in world.sooner_or_later()? {
        for actual in settled(&world)? {
            ends.push(end(world.clone(), line, max, &actual));
        }
    }
    Ok(ends)
}

/// The file that a registration asks about now.
pub(super) fn asked_about(world: &World, watch: &Watch) -> Option<FileRef> {
    if world.watches.kept() { watch.file } else { world.file(watch.number) }
}

/// Every combination of what may be true.
fn settled(world: &World) -> Result<Vec<Actual>, Beyond> {
    let mut all = vec![Actual::new()];
    let mut doubtful = 0;
    for watch in &world.watches.list {
        let Some(file) = asked_about(world, watch) else { continue };
        let Facts { must, may } = world.facts(file);
        let doubt = world.watches.mask(watch.interest).intersects(may);
        if all.iter().any(|actual| actual.contains_key(&file)) && !doubt {
            continue;
        }
        doubtful += usize::from(doubt);
        if doubtful > DOUBTFUL {
            return Err(Beyond);
        }
        let with = |bits| {
            move |actual: &Actual| {
                let mut actual = actual.clone();
                actual.insert(file, bits);
                actual
            }
        };
        let mut both: Vec<Actual> = all.iter().map(with(must)).collect();
        if doubt {
            both.extend(all.iter().map(with(must | may)));
        }
        all = both;
    }
    Ok(all)
}

fn end(mut world: World, line: usize, max: usize, actual: &Actual) -> (World, Vec<Why>) {
    let before = world.clone();
    let now = |file: FileRef| actual.get(&file).copied().unwrap_or_else(|| before.facts(file).must);
    let (cell, found) = match world.watches.mechanism {
        Mechanism::Select | Mechanism::Poll => by_number(&before, now),
        mechanism => {
            let found = world.watches.collect(line, max, now);
            let said = |bits| if mechanism == Mechanism::Mio { in_mio(bits) } else { bits };
            let list = found.iter().filter_map(|found| {
                let watch = before.watches.list.iter().find(|watch| watch.id == found.id)?;
                Some((watch.name.clone(), said(found.bits)))
            });
            (Cell::Reported(list.collect()), found)
        }
    };
    let full = world.watches.kept() && found.len() >= max;
    let why = reason::why(&before, &found, full, &cell, now);
    world.answered = Some(cell);
    (world, why)
}

/// select and poll: what is true now of what each number stands for now.
fn by_number(world: &World, actual: impl Fn(FileRef) -> Bits) -> (Cell, Vec<Found>) {
    let select = world.watches.mechanism == Mechanism::Select;
    let mut list: Vec<&Watch> = world.watches.list.iter().collect();
    if select {
        list.sort_by_key(|watch| watch.number);
    }
    let mut found = Vec::new();
    let mut reported = Vec::new();
    for watch in list {
        let mask = world.watches.mask(watch.interest);
        let bits = match asked_about(world, watch) {
            // A closed number in any of its sets, and select says nothing of the others.
            None if select && !mask.is_none() => return (Cell::Failed("EBADF".to_owned()), Vec::new()),
            None => Bits::NVAL & mask,
            Some(file) if select => in_select(actual(file)) & mask,
            Some(file) => actual(file) & mask,
        };
        if !bits.is_none() {
            found.push(Found { id: watch.id, bits, cause: None });
            reported.push((watch.name.clone(), bits));
        }
    }
    (Cell::Reported(reported), found)
}

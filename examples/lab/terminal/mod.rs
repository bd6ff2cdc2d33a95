//! Lessons on a terminal, or wherever text goes: as timelines, as a table, two mechanisms against each other, a menu.

mod columns;
mod contrast;
mod findings;
mod lane;
mod look;
mod mark;
mod paper;
mod remarks;
mod timeline;

pub(crate) mod diff;
pub(crate) mod list;
pub(crate) mod menu;
pub(crate) mod reasons;
pub(crate) mod table;

pub(crate) use contrast::contrast;
pub(crate) use lane::Lane;
pub(crate) use look::{Look, NARROWEST, WIDEST};
pub(crate) use paper::{Line, Paper, Tone};
pub(crate) use remarks::{after, before};
pub(crate) use timeline::{MARGIN, Sight, draw, indented, number};

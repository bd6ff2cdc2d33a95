//! The suite of the recorder: what it takes down is what has happened, the file can be read, and whatever becomes of the
//! file, the loop goes on.

#[path = "../support/mod.rs"]
mod support;

mod kit;
mod trace;

mod exchange;
mod limits;
mod opened;
mod random;
mod starting;
mod writers;

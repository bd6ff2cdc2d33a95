//! The lab: that lessons are read, played and shown as they are meant.

#[path = "../../examples/lab/kit/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what only the program uses")]
mod kit;

#[path = "../../examples/lab/quiz/dice.rs"]
#[allow(dead_code, reason = "its tests are of interest")]
mod dice;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../examples/lab/terminal/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what only the program uses")]
mod terminal;

mod check;
mod cli;
mod engine;
mod lessons;
mod page;
mod parse;
mod probes;
mod program;
mod property;
mod quiz;
mod random;
mod storms;
mod view;

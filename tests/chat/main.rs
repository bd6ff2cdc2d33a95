//! The chat server and its client as their users meet them: started as programs, talked to, told to end.
//!
//! The binaries are those that Cargo builds before it runs all tests; for this suite alone, `cargo build --examples`
//! comes first.

mod client;
mod client_ends;
mod client_input;
mod commands;
mod conversation;
mod ends;
mod errors;
mod hostile;
mod limits;
mod parts;
mod person;
mod plain;
mod program;
mod slow;
#[path = "../support/mod.rs"]
mod support;
mod sys;

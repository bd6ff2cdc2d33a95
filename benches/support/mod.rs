//! What the benches share: servers in processes of their own, hand-written loops to compare with, load, and figures.
#![allow(dead_code, missing_docs, clippy::print_stdout, clippy::unwrap_used, unreachable_pub)]

pub mod fake;
pub mod floor;
pub mod load;
pub mod machine;
pub mod ours;
pub mod raw;
pub mod server;
pub mod table;

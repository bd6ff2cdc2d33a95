//! The example programs as their users meet them: under load, at their limits, and told to end.
//!
//! The binaries are those that Cargo builds before it runs all tests; for this suite alone, `cargo build --examples`
//! comes first. A load is random and says its seed when it fails; `TRIPOLL_TEST_SEED` repeats it.

mod chat;
mod chat_client;
mod datagrams;
mod descriptors;
mod drive;
mod echo;
mod echo_client;
mod errors;
mod limits;
mod pressure;
mod random;
mod recording;
mod server;
mod shutdown;
#[path = "../support/mod.rs"]
mod support;
mod sys;

use std::sync::{Mutex, MutexGuard, PoisonError};
use tripoll::{Backend, Trigger};

/// What the floors are called on the command line of the echo server.
const FLOORS: [&str; 3] = ["poller", "reactor", "dispatcher"];

/// Held by tests that need a thousand descriptors or all of a processor, so that they come one after the other.
fn heavy() -> MutexGuard<'static, ()> {
    static HEAVY: Mutex<()> = Mutex::new(());
    // A test that failed has let go of everything it held.
    HEAVY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server on one TCP port, on this floor, by this backend and trigger.
fn echo_server(floor: &str, backend: Backend, trigger: Trigger, more: &[&str]) -> server::Server {
    server::Server::start("echo", &[&echo_args(floor, backend, trigger), more].concat())
}

fn echo_args(floor: &str, backend: Backend, trigger: Trigger) -> [&str; 6] {
    ["--floor", floor, "--backend", backend.name(), "--trigger", trigger.name()]
}

//! Tests that change what belongs to the whole process, and so have one to themselves.

use std::env;
use std::process::Command;

/// Set in a process that has been started for one test.
const ALONE: &str = "TRIPOLL_TEST_ALONE";

/// Runs the body of a test in a process of its own: this program, told to run nothing but that test.
///
/// `name` is the full name of the test, as `cargo test` shows it.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if env::var_os(ALONE).is_some() {
        body();
        return;
    }
    let program = env::current_exe().unwrap();
    let output = Command::new(program).args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {said}", output.status);
    // A name that is not quite right would run no test, and all would seem well.
    assert!(said.contains("1 passed"), "{name}: {said}");
}

/// The name of a test of the calling module that has a backend and a trigger.
macro_rules! test_name {
    ($case:expr, $backend:expr, $trigger:expr) => {
        format!("{}::{}::{}::{}", $crate::alone::module(module_path!()), $backend, $trigger, $case)
    };
    ($case:expr, $backend:expr) => {
        format!("{}::{}::{}", $crate::alone::module(module_path!()), $backend, $case)
    };
}
pub(crate) use test_name;

/// Without the crate, which test names do not have.
pub(crate) fn module(path: &str) -> &str {
    path.split_once("::").map_or(path, |(_, module)| module)
}

//! Waiting for what an action has set off: what goes over the loopback device arrives when it likes.

use super::trouble::Trouble;
use std::thread;
use std::time::{Duration, Instant};

/// How long the effect of an action may take. A machine that needs longer is not slow but stuck.
pub(crate) const BOUND: Duration = Duration::from_secs(2);

/// Looks until it is so.
///
/// # Errors
///
/// It was not so within [`BOUND`]; then `effect` says what was waited for.
pub(crate) fn until(effect: impl FnOnce() -> String, arrived: impl FnMut() -> bool) -> Result<(), Trouble> {
    if within(BOUND, arrived) {
        return Ok(());
    }
    Err(Trouble::new(format!("{} did not come within {} s", effect(), BOUND.as_secs())))
}

/// Looks until it is so, or so long.
pub(crate) fn within(limit: Duration, mut arrived: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !arrived() {
        if start.elapsed() > limit {
            return false;
        }
        thread::yield_now();
    }
    true
}

//! What the library has to say goes to standard error: warnings, and with `--verbose` the rest.

use log::{LevelFilter, Log, Metadata, Record};
use std::io::{self, Write};

struct StandardError;

impl Log for StandardError {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // Whoever closed standard error does not want to hear it.
        let _ = writeln!(io::stderr(), "echo: {}: {}", record.level(), record.args());
    }

    fn flush(&self) {}
}

/// To be called once, first.
pub(super) fn start(verbose: bool) {
    let level = if verbose { LevelFilter::Trace } else { LevelFilter::Warn };
    // Fails only if there is a logger already.
    if log::set_logger(&StandardError).is_ok() {
        log::set_max_level(level);
    }
}

//! Which lesson is meant by a word on the command line.

use crate::complaint::Complaint;
use crate::kit::{self, Lesson};
use std::fs::File;
use std::io::Read;

/// What ends so is a file.
const ENDING: &str = ".lab";

/// The shipped lesson of this name or number, or the one in this file.
pub(crate) fn lesson(word: &str) -> Result<Lesson, Complaint> {
    if word.ends_with(ENDING) || word.contains('/') {
        return read(word);
    }
    kit::lessons::named(word).cloned().map_err(Complaint::Usage)
}

/// A user's lesson.
fn read(path: &str) -> Result<Lesson, Complaint> {
    let failed = |e| Complaint::usage(format_args!("{path}: {e}"));
    let limit = u64::try_from(kit::MAX_TEXT).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    // One byte more than is allowed is enough to know that it is too long.
    File::open(path).map_err(failed)?.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > kit::MAX_TEXT {
        return Err(Complaint::Text(format!("{path}:1:1: expected at most {limit} bytes, found more")));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&e.as_bytes()[..valid]).into_owned();
        let (line, column) =
            (before.lines().count().max(1), before.lines().last().map_or(0, |last| last.chars().count()));
        let (line, column) = if before.ends_with('\n') { (line + 1, 0) } else { (line, column) };
        Complaint::Text(format!(
            "{path}:{line}:{}: expected UTF-8, found the byte 0x{:02x}",
            column + 1,
            e.as_bytes()[valid]
        ))
    })?;
    kit::parse(&text).map_err(|e| Complaint::Text(format!("{path}:{}:{}: {}", e.line, e.column, e.message)))
}

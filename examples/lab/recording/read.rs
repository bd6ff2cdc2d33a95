//! The lines of a recording, as they stand in the file.

use serde::Deserialize;

/// An event of the Trace Event Format, as far as a loop's recording uses it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    pub(super) ph: String,
    pub(super) name: String,
    pub(super) cat: String,
    /// The token, of what overlaps with the slices of its lane.
    pub(super) id: String,
    /// Microseconds.
    ts: f64,
    pub(super) tid: u64,
    pub(super) args: Args,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Args {
    pub(super) token: String,
    pub(super) callback: String,
    pub(super) kind: String,
    pub(super) reason: String,
    pub(super) error: String,
    pub(super) interest: String,
    pub(super) events: u64,
    pub(super) asked: u64,
    pub(super) done: u64,
}

impl Line {
    /// Nanoseconds.
    pub(super) fn at(&self) -> u64 {
        (self.ts * 1000.0).round() as u64
    }
}

/// Reads a file; also says whether it was cut off. What a program has written that was killed has no end.
pub(super) fn lines(text: &str) -> Result<(Vec<Line>, bool), String> {
    match serde_json::from_str(text) {
        Ok(lines) => Ok((lines, false)),
        Err(e) if e.is_eof() && text.starts_with('[') => {
            // Each line is an event, of which the last may be half a one; its comma stands before it.
            let whole = text.rfind("}}").map_or("[", |end| &text[..end + 2]);
            let lines = |whole: &str| serde_json::from_str(&format!("{whole}]"));
            let lines = lines(whole).or_else(|_| lines(text.rsplit_once(",\n").map_or("[", |(whole, _)| whole)));
            lines.map(|lines| (lines, true)).map_err(|e| e.to_string())
        }
        Err(e) => Err(e.to_string()),
    }
}

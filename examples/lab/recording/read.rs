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
    /// Microseconds of the loop's clock.
    ts: f64,
    /// Nanoseconds since the recording began.
    #[serde(skip)]
    pub(super) at: u64,
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

/// Reads a file; also says whether it was cut off. What a program has written that was killed has no end.
pub(super) fn lines(text: &str) -> Result<(Vec<Line>, bool), String> {
    let (mut lines, cut_off) = parse(text)?;
    // What only names something has no time.
    lines.retain(|line| line.ph != "M");
    let start = lines.first().map_or(0.0, |line| line.ts);
    for line in &mut lines {
        line.at = ((line.ts - start) * 1000.0).round() as u64;
    }
    Ok((lines, cut_off))
}

fn parse(text: &str) -> Result<(Vec<Line>, bool), String> {
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

//! What a recording says in short.

use super::gaps::Gaps;
use super::story::Story;
use std::fmt::Write;

pub(super) fn of(title: &str, story: &Story, gaps: &Gaps) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut text, title, story, gaps);
    text
}

fn write_all(out: &mut String, title: &str, story: &Story, gaps: &Gaps) -> std::fmt::Result {
    let whole = story.length;
    let waited: u64 = story.waits.iter().map(|(span, _)| span.length()).sum();
    let events: u64 = story.waits.iter().map(|(_, events)| events).sum();
    let most = story.waits.iter().map(|(_, events)| *events).max().unwrap_or(0);
    let empty = story.waits.iter().filter(|(_, events)| *events == 0).count();
    let share = 100.0 * waited as f64 / whole.max(1) as f64;
    writeln!(out, "{title}: {} of a loop, {share:.0} % of it waiting", time(whole))?;
    if story.cut_off {
        writeln!(out, "the file was cut off; what there is of it:")?;
    }
    if story.at_limit {
        writeln!(out, "the recording has reached its limit; what came after it is not in it")?;
    }
    let turns = story.turns.len();
    let per_wait = events as f64 / story.waits.len().max(1) as f64;
    writeln!(out, "turns             {turns}, the longest {}", time(longest(story.turns.iter().map(|t| t.length()))))?;
    writeln!(out, "events per turn   {per_wait:.1}, at most {most}; {empty} waits brought nothing")?;
    writeln!(out, "sources           {}", sources(story))?;
    writeln!(out, "reads and writes  {}, {}", calls(story.reads), calls(story.writes))?;
    match story.calls.iter().max_by_key(|call| (call.span.length(), u64::MAX - call.span.from)) {
        Some(call) => writeln!(
            out,
            "longest callback  {}: {} of {}, at {}",
            time(call.span.length()),
            call.name,
            call.token,
            time(call.span.from)
        )?,
        None => writeln!(out, "longest callback  there was none")?,
    }
    match &gaps.longest_wait {
        Some((token, span)) => {
            let (wait, at) = (time(span.length()), time(span.from));
            writeln!(out, "longest wait      {wait} from ready to its callback: {token}, at {at}")?;
        }
        None => writeln!(out, "longest wait      nobody had to wait for a callback")?,
    }
    if !gaps.told.is_empty() {
        writeln!(out, "\nthe longest gaps, and what they were spent with")?;
    }
    for (index, gap) in gaps.told.iter().enumerate() {
        writeln!(out, "{}. at {}: {} {}", index + 1, time(gap.span.from), gap.token, gap.why)?;
    }
    Ok(())
}

/// `5: 2 listener, 3 tcp`.
fn sources(story: &Story) -> String {
    let mut kinds = std::collections::BTreeMap::new();
    for source in story.sources.values().filter(|source| !source.kind.is_empty() && source.kind != "bell") {
        *kinds.entry(source.kind.as_str()).or_insert(0) += 1;
    }
    let total: usize = kinds.values().sum();
    let list: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if list.is_empty() { "none".to_owned() } else { format!("{total}: {}", list.join(", ")) }
}

fn calls((count, bytes): (u64, u64)) -> String {
    format!("{count} with {bytes} bytes")
}

fn longest(lengths: impl Iterator<Item = u64>) -> u64 {
    lengths.max().unwrap_or(0)
}

/// A time with three digits or so.
pub(super) fn time(nanoseconds: u64) -> String {
    let (value, unit) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (nanoseconds as f64 / 1e3, "us"),
        1_000_000..1_000_000_000 => (nanoseconds as f64 / 1e6, "ms"),
        _ => (nanoseconds as f64 / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

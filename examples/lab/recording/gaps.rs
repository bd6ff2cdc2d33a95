//! How long sources had to wait, and for what.

use super::story::{Call, Source, Span, Story};
use super::summary::time;
use std::collections::BTreeMap;

/// How many are told of.
const TOLD: usize = 5;

/// The callbacks that come of a report. The others have reasons of their own.
const SERVING: [&str; 8] = ["accept", "connect", "read", "eof", "write", "drain", "urgent", "close"];

/// A source had to wait: from the report that it is ready to its callback, or from the first queued byte to the last.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub(super) token: String,
    pub(super) span: Span,
    /// A sentence.
    pub(super) why: String,
}

/// The longest of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    /// The longest first.
    pub(super) told: Vec<Gap>,
    /// From the report to the callback: whose, and when.
    pub(super) longest_wait: Option<(String, Span)>,
}

pub(super) fn longest(story: &Story) -> Gaps {
    let mut calls: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in story.calls.iter().filter(|call| SERVING.contains(&call.name.as_str())) {
        calls.entry(&call.token).or_default().push(call);
    }
    let mut found = Vec::new();
    for (token, source) in &story.sources {
        let own = calls.get(token.as_str()).map_or(&[][..], Vec::as_slice);
        found.extend(until_called(source, own).map(|span| (span, token, source, false)));
        found.extend(source.queued.iter().map(|span| (*span, token, source, true)));
    }
    // The token last, so that the order is the same each time.
    found.sort_by_key(|(span, token, _, is_queue)| (u64::MAX - span.length(), span.from, *is_queue, *token));
    let longest_wait = found.iter().find(|(.., is_queue)| !is_queue).map(|(span, token, ..)| ((*token).clone(), *span));
    let told = found.into_iter().filter(|(span, ..)| span.length() > 0).take(TOLD);
    let told = told.map(|(span, token, source, is_queue)| Gap {
        token: token.clone(),
        span,
        why: if is_queue { why_queued(span, source) } else { why_late(story, span, token, source) },
    });
    Gaps { told: told.collect(), longest_wait }
}

/// From each report to the callback that came of it. Of reports that nothing came of, nobody had to wait.
fn until_called<'a>(source: &'a Source, own: &'a [&Call]) -> impl Iterator<Item = Span> + 'a {
    let reported = source.moments.iter().filter(|moment| moment.category == "event").map(|moment| moment.at);
    let mut served = None;
    reported.filter_map(move |at| {
        let next = own.partition_point(|call| call.span.from < at);
        // A callback serves the first report before it.
        let call = own.get(next).filter(|_| served != Some(next))?;
        served = Some(next);
        Some(Span { from: at, to: call.span.from })
    })
}

fn why_late(story: &Story, span: Span, token: &str, source: &Source) -> String {
    let others: Vec<&Call> = story.calls_in(span).filter(|call| call.token != token).collect();
    let share = |call: &&Call| call.span.within(span);
    let busy: u64 = others.iter().map(share).sum();
    let waited = time(span.length());
    if let Some(longest) = others.iter().max_by_key(|call| share(call)) {
        if share(longest) * 2 >= span.length() {
            return format!("waited {waited} for the callback {} of {} to return", longest.name, longest.token);
        }
        if busy * 2 >= span.length() {
            return format!(
                "waited {waited} for {} callbacks of others to return, the longest {}, {} of {}",
                others.len(),
                time(longest.span.length()),
                longest.name,
                longest.token
            );
        }
    }
    let turns = story.turns.iter().filter(|turn| turn.from > span.from && turn.from <= span.to).count();
    let taken_back = |from| source.moments.iter().any(|m| m.name == "no interest" && m.at >= from && m.at <= span.to);
    let written: u64 = story.saves.iter().map(|save| save.within(span)).sum();
    if turns > 0 && taken_back(span.from) {
        format!("was not listened to for {waited}: it was paused, or held back for a slow receiver")
    } else if turns > 0 {
        format!("was left over for {waited}, {turns} turns: its budget was used up, or it was not to be read")
    } else if written * 2 >= span.length() {
        format!("waited {waited} while the recorder wrote its file")
    } else {
        why_between(span, &others)
    }
}

/// The callbacks of others were short, and what lies between them was not.
fn why_between(span: Span, others: &[&Call]) -> String {
    let waited = time(span.length());
    let mut hole = (0, None);
    let mut from = (span.from, None);
    let ends = others.iter().map(|call| (call.span.from, call.span.to, Some(*call)));
    for (begins, ends, call) in ends.chain([(span.to, span.to, None)]) {
        let length = begins.saturating_sub(from.0);
        if length > hole.0 {
            hole = (length, from.1);
        }
        from = (ends, call);
    }
    let length = time(hole.0);
    match hole.1 {
        _ if hole.0 * 2 < span.length() => {
            format!("waited {waited} for {} callbacks of others and for their answers to be sent", others.len())
        }
        Some(call) => format!(
            "waited {waited}, of these {length} after the callback {} of {}: its answer was sent, or the process did not run",
            call.name, call.token
        ),
        None => format!("waited {waited}, of these {length} before any callback: the process did not run"),
    }
}

fn why_queued(span: Span, source: &Source) -> String {
    let inside = |at| at >= span.from && at <= span.to;
    let full = source.moments.iter().any(|m| m.category == "write" && m.short && inside(m.at));
    let closed = source.moments.iter().find(|m| m.name == "closed" && inside(m.at));
    let waited = time(span.length());
    match (closed, full) {
        (Some(closed), _) => format!("had bytes queued for {waited}, until it was closed: {}", closed.detail),
        (None, true) => format!("had bytes queued for {waited}: the kernel took no more, as the peer did not read"),
        (None, false) => format!("had bytes queued for {waited}, until the turn was over"),
    }
}

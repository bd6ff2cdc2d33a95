//! What happened, put together from the lines: turns, waits, callbacks, and the life of each source.

use super::read::Line;
use std::collections::BTreeMap;

/// The lane of the loop.
const LOOP: u64 = 1;

/// A stretch of time, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Span {
    pub(super) fn length(self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// How much of it lies in another.
    pub(super) fn within(self, other: Self) -> u64 {
        self.to.min(other.to).saturating_sub(self.from.max(other.from))
    }
}

/// A callback: whose, which, when.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) token: String,
    pub(super) name: String,
    pub(super) span: Span,
}

/// Something of a source that takes no time.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) at: u64,
    pub(super) category: String,
    pub(super) name: String,
    /// What is to be said of it in detail.
    pub(super) detail: String,
    /// A system call took or brought less than it was asked for.
    pub(super) short: bool,
}

/// A source, from its beginning to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) kind: String,
    pub(super) moments: Vec<Moment>,
    /// Something was queued for it.
    pub(super) queued: Vec<Span>,
}

#[derive(Debug, Default)]
pub(super) struct Story {
    /// Nanoseconds from the first thing in it to the last.
    pub(super) length: u64,
    pub(super) turns: Vec<Span>,
    /// With the number of events that it brought.
    pub(super) waits: Vec<(Span, u64)>,
    /// In the order in which they ran.
    pub(super) calls: Vec<Call>,
    /// The recorder wrote its file.
    pub(super) saves: Vec<Span>,
    pub(super) sources: BTreeMap<String, Source>,
    pub(super) cut_off: bool,
    pub(super) at_limit: bool,
    /// Calls and bytes, in and out.
    pub(super) reads: (u64, u64),
    pub(super) writes: (u64, u64),
}

impl Story {
    pub(super) fn of(lines: &[Line], cut_off: bool) -> Self {
        let mut story = Self { cut_off, ..Self::default() };
        let mut open: Vec<&Line> = Vec::new();
        let mut queued: BTreeMap<&str, u64> = BTreeMap::new();
        story.length = lines.last().map_or(0, |line| line.at);
        for line in lines {
            match (line.ph.as_str(), line.tid) {
                ("B", LOOP) => open.push(line),
                ("E", LOOP) => {
                    if let Some(begun) = open.pop() {
                        story.end(begun, line.at, line.args.events);
                    }
                }
                ("i", _) => story.moment(line),
                ("b", _) => _ = queued.insert(&line.id, line.at),
                ("e", _) => {
                    if let Some(from) = queued.remove(line.id.as_str()) {
                        story.source(&line.id).queued.push(Span { from, to: line.at });
                    }
                }
                _ => {}
            }
        }
        // What was still going on when the recording ended.
        while let Some(begun) = open.pop() {
            story.end(begun, story.length, 0);
        }
        for (token, from) in queued {
            let to = story.length;
            story.source(token).queued.push(Span { from, to });
        }
        story.calls.sort_by_key(|call| call.span.from);
        story
    }

    fn source(&mut self, token: &str) -> &mut Source {
        self.sources.entry(token.to_owned()).or_default()
    }

    fn end(&mut self, begun: &Line, to: u64, events: u64) {
        let span = Span { from: begun.at, to };
        match (begun.cat.as_str(), begun.name.as_str()) {
            ("callback", _) => {
                let (token, name) = (begun.args.token.clone(), begun.args.callback.clone());
                self.calls.push(Call { token, name, span });
            }
            ("recorder", _) => self.saves.push(span),
            (_, "turn") => self.turns.push(span),
            (_, "wait") => self.waits.push((span, events)),
            _ => {}
        }
    }

    fn moment(&mut self, line: &Line) {
        let args = &line.args;
        if line.cat == "recorder" {
            self.at_limit |= line.name == "limit reached";
            return;
        }
        let mut short = false;
        let detail = match line.cat.as_str() {
            "read" | "write" => {
                let sum = if line.cat == "read" { &mut self.reads } else { &mut self.writes };
                *sum = (sum.0 + 1, sum.1 + args.done);
                short = args.done < args.asked;
                let error = if args.error.is_empty() { String::new() } else { format!(", {}", args.error) };
                format!("{} of {} bytes{error}", args.done, args.asked)
            }
            "interest" if args.interest.is_empty() => "none".to_owned(),
            "interest" => args.interest.clone(),
            "source" if line.name == "closed" => [&*args.reason, &*args.error].join(" ").trim_end().to_owned(),
            "source" => args.kind.clone(),
            _ => String::new(),
        };
        let (category, name) = (line.cat.clone(), line.name.clone());
        let source = self.source(&args.token);
        if category == "source" && !args.kind.is_empty() {
            source.kind.clone_from(&args.kind);
        }
        source.moments.push(Moment { at: line.at, category, name, detail, short });
    }

    /// Those that ran at some time in a span.
    pub(super) fn calls_in(&self, span: Span) -> impl Iterator<Item = &Call> {
        // Callbacks do not overlap, so their ends are in order, too.
        let first = self.calls.partition_point(|call| call.span.to <= span.from);
        self.calls[first..].iter().take_while(move |call| call.span.from < span.to)
    }
}

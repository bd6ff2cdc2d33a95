//! The page: a timeline that can be zoomed, in one file that needs no network.

use super::gaps::Gaps;
use super::story::{Span, Story};
use super::summary::time;
use serde::Serialize;
use std::collections::BTreeMap;

/// Sources that have a lane: the busiest.
const LANES: usize = 40;

/// What is drawn, all lanes together. Beyond that the shortest stretches and the last moments are left out.
const SHAPES: usize = 200_000;

/// What the script draws. Times are in nanoseconds from the beginning.
#[derive(Debug, Serialize)]
struct Data {
    length: u64,
    lanes: Vec<Lane>,
    gaps: Vec<Jump>,
}

#[derive(Debug, Serialize)]
struct Lane {
    name: String,
    /// From, to, the class that gives the colour, and what it is.
    spans: Vec<(u64, u64, &'static str, String)>,
    /// When, the class, and what it is.
    moments: Vec<(u64, &'static str, String)>,
}

/// A place to go to.
#[derive(Debug, Serialize)]
struct Jump {
    from: u64,
    to: u64,
    lane: usize,
}

pub(super) fn render(title: &str, story: &Story, gaps: &Gaps, summary: &str) -> String {
    let (data, left_out) = data(story, gaps);
    let mut notes = String::new();
    let sources = drawn(story).count();
    if sources > LANES {
        notes += &format!("<p>The {LANES} busiest of {sources} sources have a lane.</p>");
    }
    if left_out > 0 {
        notes += &format!("<p>{left_out} of the shortest stretches and latest moments are left out.</p>");
    }
    let mut list = String::new();
    for (index, gap) in gaps.told.iter().enumerate() {
        list += &format!(
            "<li><button type=\"button\" data-gap=\"{index}\">at {}</button> {} {}</li>",
            time(gap.span.from),
            escape(&gap.token),
            escape(&gap.why)
        );
    }
    let body = format!(
        "<header class=\"top\"><h1>{}</h1></header><main class=\"frame\"><pre>{}</pre>{notes}\
         <h2>The longest gaps</h2><ol>{list}</ol><h2>The timeline</h2>{}</main>",
        escape(title),
        // The gaps stand below, where one can go to them.
        escape(summary.split("\n\n").next().unwrap_or(summary)),
        include_str!("timeline.html")
    );
    let json = serde_json::to_string(&data).unwrap_or_default();
    shell(title, &body, &json, include_str!("timeline.js"))
}

fn shell(title: &str, body: &str, json: &str, script: &str) -> String {
    // In JSON it stands in strings only; as it is it could end the element.
    let json = json.replace('<', "\\u003c");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\n<style>{}</style></head>\n<body>{body}\n\
         <script type=\"application/json\" id=\"data\">{json}</script>\n<script>{script}</script></body></html>\n",
        escape(title),
        include_str!("timeline.css")
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn data(story: &Story, gaps: &Gaps) -> (Data, usize) {
    let mut lanes = vec![loop_lane(story)];
    let mut places = BTreeMap::new();
    for token in busiest(story, gaps) {
        places.insert(token, lanes.len());
        lanes.push(source_lane(story, token));
    }
    for call in &story.calls {
        if let Some(place) = places.get(call.token.as_str()) {
            lanes[*place].spans.push(stretch(call.span, "call", call.name.clone()));
        }
    }
    for lane in &mut lanes {
        // What lies in something else is drawn after it.
        lane.spans.sort_by_key(|(from, to, ..)| (*from, u64::MAX - *to));
    }
    let left_out = thin(&mut lanes);
    let jump =
        |token: &str, span: Span| Jump { from: span.from, to: span.to, lane: places.get(token).copied().unwrap_or(0) };
    let gaps = gaps.told.iter().map(|gap| jump(&gap.token, gap.span)).collect();
    (Data { length: story.length.max(1), lanes, gaps }, left_out)
}

fn stretch(span: Span, class: &'static str, what: String) -> (u64, u64, &'static str, String) {
    (span.from, span.to, class, what)
}

fn loop_lane(story: &Story) -> Lane {
    let mut spans: Vec<_> = story.turns.iter().map(|turn| stretch(*turn, "turn", "turn".to_owned())).collect();
    spans.extend(story.waits.iter().map(|(span, events)| stretch(*span, "wait", format!("wait, {events} events"))));
    spans.extend(story.saves.iter().map(|span| stretch(*span, "save", "the recorder writes".to_owned())));
    spans.extend(story.calls.iter().map(|call| stretch(call.span, "call", format!("{} {}", call.name, call.token))));
    Lane { name: "loop".to_owned(), spans, moments: Vec::new() }
}

fn source_lane(story: &Story, token: &str) -> Lane {
    let Some(source) = story.sources.get(token) else {
        return Lane { name: token.to_owned(), spans: Vec::new(), moments: Vec::new() };
    };
    let spans = source.queued.iter().map(|span| stretch(*span, "queued", "bytes are queued".to_owned())).collect();
    let moments = source.moments.iter().map(|moment| {
        let class = match moment.category.as_str() {
            "event" => "event",
            "read" => "read",
            "write" => "write",
            "interest" => "interest",
            _ => "source",
        };
        let colon = if moment.detail.is_empty() { "" } else { ": " };
        (moment.at, class, format!("{}{colon}{}", moment.name, moment.detail))
    });
    Lane { name: format!("{token} {}", source.kind).trim_end().to_owned(), spans, moments: moments.collect() }
}

/// Those that could have a lane: all but the loop itself and its bell.
fn drawn(story: &Story) -> impl Iterator<Item = &str> {
    let own = |token: &str, kind: &str| token == "loop" || kind == "bell";
    story.sources.iter().filter(move |(token, source)| !own(token, &source.kind)).map(|(token, _)| token.as_str())
}

/// Those of the gaps, and beside them those with the most moments; in the order of their places.
fn busiest<'a>(story: &'a Story, gaps: &'a Gaps) -> Vec<&'a str> {
    let mut tokens: Vec<&str> = drawn(story).collect();
    let waits = |token: &str| gaps.told.iter().any(|gap| gap.token == token);
    tokens.sort_by_key(|token| (!waits(token), usize::MAX - story.sources[*token].moments.len(), *token));
    tokens.truncate(LANES);
    let numbers = |token: &str| {
        let (index, generation) = token.split_once('#').unwrap_or((token, ""));
        (index.parse::<u64>().unwrap_or(0), generation.parse::<u64>().unwrap_or(0))
    };
    tokens.sort_by_key(|token| numbers(token));
    tokens
}

/// Leaves out what is too much to be drawn; answers how many.
fn thin(lanes: &mut [Lane]) -> usize {
    let count: usize = lanes.iter().map(|lane| lane.spans.len() + lane.moments.len()).sum();
    if count <= SHAPES {
        return 0;
    }
    let each = SHAPES / lanes.len() / 2;
    for lane in lanes.iter_mut() {
        if lane.spans.len() > each {
            let mut lengths: Vec<u64> = lane.spans.iter().map(|(from, to, ..)| to - from).collect();
            lengths.sort_unstable_by_key(|length| u64::MAX - length);
            let least = lengths[each];
            lane.spans.retain(|(from, to, ..)| to - from > least);
        }
        lane.moments.truncate(each);
    }
    count - lanes.iter().map(|lane| lane.spans.len() + lane.moments.len()).sum::<usize>()
}

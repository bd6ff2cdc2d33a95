//! A recording that is read back: its events, whether they fit together, and what they add up to.

use serde_json::Value;
use std::collections::BTreeMap;
use tripoll::Token;
use tripoll::reactor::Stats;

/// The lane of the loop.
pub(crate) const LOOP: u64 = 1;

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) phase: String,
    pub(crate) name: String,
    pub(crate) category: String,
    /// Nanoseconds.
    pub(crate) at: u64,
    pub(crate) lane: u64,
    pub(crate) args: Value,
}

impl Event {
    fn new(value: &Value) -> Self {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        assert!(value["pid"].is_u64() && value["tid"].is_u64(), "whose is {value}?");
        Self {
            phase: text("ph"),
            name: text("name"),
            category: text("cat"),
            at: (value["ts"].as_f64().unwrap_or(0.0) * 1000.0).round() as u64,
            lane: value["tid"].as_u64().unwrap(),
            args: value["args"].clone(),
        }
    }

    pub(crate) fn token(&self) -> &str {
        self.args["token"].as_str().unwrap_or_default()
    }

    pub(crate) fn number(&self, key: &str) -> u64 {
        self.args[key].as_u64().unwrap_or_else(|| panic!("{key} is no number in {self:?}"))
    }

    pub(crate) fn is(&self, phase: &str, category: &str) -> bool {
        self.phase == phase && self.category == category
    }
}

/// A stretch of time in a lane.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    pub(crate) name: String,
    pub(crate) lane: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// The names of those that it lies in, from the outermost.
    pub(crate) within: Vec<String>,
    pub(crate) args: Value,
}

pub(crate) struct Trace {
    pub(crate) events: Vec<Event>,
    pub(crate) slices: Vec<Slice>,
}

impl Trace {
    /// Reads a recording, and fails if anything in it does not fit together.
    pub(crate) fn read(text: &[u8]) -> Self {
        let values: Vec<Value> =
            serde_json::from_slice(text).unwrap_or_else(|e| panic!("no JSON: {e}: {}", String::from_utf8_lossy(text)));
        let all: Vec<Event> = values.iter().map(Event::new).collect();
        let named: Vec<u64> = all.iter().filter(|event| event.name == "thread_name").map(|event| event.lane).collect();
        let events: Vec<Event> = all.into_iter().filter(|event| event.phase != "M").collect();
        for event in &events {
            assert!(named.contains(&event.lane), "nobody said what lane this is: {event:?}");
        }
        assert!(events.is_sorted_by_key(|event| event.at), "time goes back");
        let mut trace = Self { slices: slices(&events), events };
        trace.slices.sort_by_key(|slice| slice.from);
        trace.check_places();
        trace
    }

    fn check_places(&self) {
        for event in self.events.iter().filter(|event| !event.token().is_empty()) {
            let own = event.token().split_once('#').map_or(LOOP, |(index, _)| index.parse::<u64>().unwrap() + 1);
            let drawn_twice = event.is("B", "callback") && event.lane == LOOP;
            assert!(event.lane == own || drawn_twice, "in the wrong lane: {event:?}");
        }
        for slice in self.slices.iter().filter(|slice| slice.lane == LOOP) {
            let within: Vec<&str> = slice.within.iter().map(String::as_str).collect();
            match slice.name.as_str() {
                "turn" | "wait" => assert!(within.is_empty(), "{slice:?}"),
                "recorder writes" => assert_eq!(within.first(), Some(&"turn"), "{slice:?}"),
                _ => assert_eq!(within, ["turn"], "{slice:?}"),
            }
        }
        // Each callback is there a second time, in the lane of whose it is.
        let ours = self.slices.iter().filter(|slice| slice.lane != LOOP);
        for slice in ours {
            let token = slice.args["token"].as_str().unwrap();
            let name = format!("{} {token}", slice.name);
            let same = |other: &&Slice| other.lane == LOOP && other.name == name && other.from == slice.from;
            assert!(self.slices.iter().any(|other| same(&other) && other.to == slice.to), "not the loop's: {slice:?}");
        }
    }

    pub(crate) fn of(&self, token: Token) -> impl Iterator<Item = &Event> {
        let token = token.to_string();
        self.events.iter().filter(move |event| event.token() == token && event.lane != LOOP)
    }

    pub(crate) fn count(&self, phase: &str, category: &str) -> u64 {
        self.events.iter().filter(|event| event.is(phase, category)).count() as u64
    }

    pub(crate) fn callbacks(&self, name: &str) -> u64 {
        let is_it = |event: &&Event| event.is("B", "callback") && event.lane == LOOP && event.args["callback"] == name;
        self.events.iter().filter(is_it).count() as u64
    }

    fn sum(&self, category: &str, key: &str) -> u64 {
        let data = self.events.iter().filter(|event| event.is("i", category) && !event.name.contains("urgent"));
        data.map(|event| event.number(key)).sum()
    }

    /// Fails unless the recording of a loop's whole life adds up to what the loop has counted.
    pub(crate) fn agrees_with(&self, stats: &Stats) {
        let slices = |name: &str| self.slices.iter().filter(|slice| slice.name == name).count() as u64;
        let named = |category: &str, name: &str| {
            self.events.iter().filter(|event| event.is("i", category) && event.name == name).count() as u64
        };
        let empty = |event: &&Event| event.phase == "E" && event.args["events"] == 0;
        let pairs = [
            // The first is what was before the first wait.
            ("turns", slices("turn"), stats.turns + 1),
            ("empty waits", self.events.iter().filter(empty).count() as u64, stats.empty_waits),
            ("events", self.count("i", "event") - named("event", "still ready"), stats.events),
            ("reads", self.count("i", "read"), stats.reads),
            ("writes", self.count("i", "write"), stats.writes),
            ("bytes in", self.sum("read", "done"), stats.bytes_in),
            ("bytes out", self.sum("write", "done"), stats.bytes_out),
            ("accepted", self.callbacks("accept"), stats.accepted),
            ("timers", self.callbacks("timeout"), stats.timers),
            ("closed", named("source", "closed"), stats.closed),
            ("told of it", self.callbacks("close"), stats.closed),
            ("panics", named("callback", "panicked"), stats.panics),
        ];
        for (what, recorded, counted) in pairs {
            assert_eq!(recorded, counted, "{what}: recorded and counted");
        }
        let waited: u64 =
            self.slices.iter().filter(|slice| slice.name == "wait").map(|slice| slice.to - slice.from).sum();
        assert_eq!(u128::from(waited), stats.waiting.as_nanos(), "time in waits");
        let last = |name: &str| self.events.iter().rfind(|event| event.phase == "C" && event.name == name);
        let open = last("connections").map_or(0, |event| event.number("open"));
        assert_eq!(open, stats.connections as u64, "connections");
        assert_eq!(last("queued bytes").map_or(0, |event| event.number("bytes")), stats.queued as u64, "queued");
    }
}

fn slices(events: &[Event]) -> Vec<Slice> {
    let mut open: BTreeMap<u64, Vec<Slice>> = BTreeMap::new();
    let mut queued: BTreeMap<String, u64> = BTreeMap::new();
    let mut done = Vec::new();
    for event in events {
        let stack = open.entry(event.lane).or_default();
        match event.phase.as_str() {
            "B" => stack.push(Slice {
                name: event.name.clone(),
                lane: event.lane,
                from: event.at,
                to: 0,
                within: stack.iter().map(|slice| slice.name.clone()).collect(),
                args: event.args.clone(),
            }),
            "E" => {
                let slice = stack.pop().unwrap_or_else(|| panic!("an end without a beginning: {event:?}"));
                done.push(Slice { to: event.at, ..slice });
            }
            "b" => assert_eq!(queued.insert(event.lane.to_string(), event.at), None, "queued twice: {event:?}"),
            "e" => assert!(queued.remove(&event.lane.to_string()).is_some(), "not queued: {event:?}"),
            _ => {}
        }
    }
    let open: Vec<&Slice> = open.values().flatten().collect();
    assert!(open.is_empty() && queued.is_empty(), "never ends: {open:?} {queued:?}");
    done
}

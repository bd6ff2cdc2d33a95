//! What is to be seen in a plot, said in a sentence that is made of these samples and of nothing else.

use super::super::contender::{self, Family};
use super::super::report::number;
use super::super::verdict::Beside;
use super::axis::full;
use super::digest::{Group, is_floor};
use super::looks;

/// The backend that select and poll are held against.
const EPOLL: &str = "tripoll-epoll-level";

/// How one stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ahead,
    Same,
    Behind,
}

fn state(beside: &Beside) -> State {
    match beside {
        _ if beside.same => State::Same,
        _ if beside.ratio.median < 1.0 => State::Ahead,
        _ => State::Behind,
    }
}

/// A ratio in words, to be followed by what it is a ratio to.
fn times(ratio: f64) -> String {
    match ratio {
        r if r >= 9.95 => format!("{r:.0} times"),
        r if r >= 1.95 => format!("{r:.1} times"),
        r if r >= 1.0 => format!("{r:.2} times"),
        r if r >= 0.1 => format!("{r:.2} of"),
        r => format!("1/{:.0} of", 1.0 / r),
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Who is ahead of the floor in a cell, who is the same, who is behind.
pub fn standing(group: &Group, key: &str) -> String {
    let beside = |name: &str| group.beside(name, key).map(|beside| (state(&beside), beside.ratio.median));
    let mut all: Vec<(&str, State, f64)> = Vec::new();
    for entry in &group.entries {
        if let Some((state, ratio)) = beside(&entry.name) {
            all.push((&entry.name, state, ratio));
        }
    }
    all.sort_by(|a, b| a.2.total_cmp(&b.2));
    let of = |state: State| all.iter().filter(move |(_, own, _)| *own == state);
    let same: Vec<&str> = of(State::Same).map(|(name, ..)| *name).collect();
    if all.is_empty() {
        return without_floor(group, key);
    }
    if same.len() == all.len() {
        let who = if all.len() == 1 { same[0].to_owned() } else { format!("all {}", all.len()) };
        let differs = if all.len() == 1 { "differs" } else { "differ" };
        let noise = all.iter().filter_map(|(name, ..)| group.noise(name, key)).fold(0.0, f64::max);
        let noise = (100.0 * noise).max(1.0);
        return format!("{who} {differs} from the floor by less than it scatters itself, {noise:.0} %: same");
    }
    let mut parts = Vec::new();
    match same.len() {
        0 => parts.push("none is the same as its floor".to_owned()),
        1 => parts.push(format!("{} is the same as its floor", same[0])),
        2 | 3 => parts.push(format!("{} are the same as their floor", list(&same))),
        count => parts.push(format!("{count} of {} are the same as their floor", all.len())),
    }
    if let Some((name, _, ratio)) = of(State::Ahead).next() {
        let more = others(of(State::Ahead).count());
        parts.push(format!("{name} is ahead at {} its floor{more}", times(*ratio)));
    }
    if let Some((name, _, ratio)) = of(State::Behind).next_back() {
        let furthest = if of(State::Behind).count() == 1 { "behind" } else { "furthest behind" };
        parts.push(format!("{name} is {furthest} at {} its floor", times(*ratio)));
    }
    // "None is the same" says nothing when there is only one.
    if all.len() == 1 {
        parts.remove(0);
    }
    parts.join(", ")
}

fn others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        2 => " and one more with it".to_owned(),
        _ => format!(" and {} more with it", count - 1),
    }
}

/// Without a floor there are no ratios to it, only the least and the most.
fn without_floor(group: &Group, key: &str) -> String {
    let value = |name: &String| group.entry(name).and_then(|entry| entry.spread(key)).map(|spread| spread.median);
    let names = group.entries.iter().map(|entry| &entry.name);
    let mut all: Vec<(&String, f64)> = names.filter_map(|name| Some((name, value(name)?))).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    match all[..] {
        [] => "there are no samples".to_owned(),
        [(name, value)] => format!("there is nobody beside {name}: {}", number(value)),
        [(least, low), .., (most, high)] => {
            format!(
                "{least} has the least, {}, and {most} the most, {}; no ratio to a floor",
                number(low),
                number(high)
            )
        }
    }
}

/// What is to be seen at the right end of a plot, and what happens on the way there.
///
/// `places` are the cells from left to right, `at` says one of them in words: `with 1000 pairs`.
pub fn lines(places: &[(f64, &Group)], key: &str, at: impl Fn(&str) -> String) -> String {
    let Some((last, group)) = places.last() else { return String::new() };
    let always_same = places.iter().all(|(_, group)| {
        let mut states = group.entries.iter().filter_map(|entry| group.beside(&entry.name, key)).peekable();
        states.peek().is_some() && states.all(|beside| beside.same)
    });
    if always_same && places.len() > 1 {
        return sentence("nobody differs from the floor by more than it scatters itself, at any place: same", &[]);
    }
    let first = format!("{}, {}", at(&full(*last)), standing(group, key));
    let mut clauses: Vec<String> =
        ["tripoll-select", "tripoll-poll"].iter().filter_map(|name| crossing(places, key, name)).collect();
    if clauses.is_empty() {
        clauses.extend(growth(places, key));
    }
    sentence(&first, &clauses)
}

pub fn sentence(first: &str, clauses: &[String]) -> String {
    let mut text = first.to_owned();
    for clause in clauses {
        text = format!("{text}; {clause}");
    }
    let mut letters = text.chars();
    // Names of contenders are not written otherwise for standing at the beginning.
    let starts_with_name = contender::ALL.iter().any(|contender| text.starts_with(contender.name));
    match letters.next() {
        Some(letter) if !starts_with_name => format!("{}{}.", letter.to_uppercase(), letters.as_str()),
        _ => text + ".",
    }
}

/// Where select or poll become dearer than epoll.
fn crossing(places: &[(f64, &Group)], key: &str, name: &str) -> Option<String> {
    let own = |(x, group): &(f64, &Group)| Some((*x, group.against(name, EPOLL, key)?));
    let states: Vec<(f64, Beside)> = places.iter().filter_map(own).collect();
    let who = looks::short_name(name);
    let (first_x, first) = states.first()?;
    let (last_x, last) = states.last()?;
    let (from, to) = (times(first.ratio.median), times(last.ratio.median));
    let (first_at, last_at) = (full(*first_x), full(*last_x));
    let behind = states.iter().rev().take_while(|(_, beside)| state(beside) == State::Behind).count();
    let all = |wanted: State| states.iter().all(|(_, beside)| state(beside) == wanted);
    let text = if all(State::Same) {
        format!("{who} is the same as epoll wherever both are")
    } else if states.len() == 1 {
        format!("{who} costs {to} what epoll does, at {last_at}")
    } else if behind == states.len() {
        format!("{who} costs more than epoll everywhere, from {from} its cost at {first_at} to {to} it at {last_at}")
    } else if behind > 0 {
        let (before, after) = (states[states.len() - behind - 1].0, states[states.len() - behind].0);
        let from = if first.same { "the same".to_owned() } else { format!("{from} it") };
        format!(
            "{who} crosses epoll between {} and {}, from {from} at {first_at} to {to} it at {last_at}",
            full(before),
            full(after)
        )
    } else if all(State::Ahead) {
        format!("{who} costs less than epoll everywhere, from {from} its cost at {first_at} to {to} it at {last_at}")
    } else {
        let to = if last.same { "the same".to_owned() } else { format!("{to} its cost") };
        format!("{who} does not stay behind epoll, and is at {to} at {last_at}")
    };
    let bound = contender::named(name).and_then(contender::Contender::descriptor_bound);
    let reaches_end = states.len() == places.len();
    Some(match bound {
        Some(bound) if !reaches_end => format!("{text} (it takes descriptors below {bound} only)"),
        _ => text,
    })
}

/// How the cost changes from the left end to the right, for the floor and for ours.
fn growth(places: &[(f64, &Group)], key: &str) -> Option<String> {
    let ((first_x, first), (last_x, last)) = (places.first()?, places.last()?);
    if first_x == last_x {
        return None;
    }
    let one = |name: &str| {
        let median = |group: &Group| Some(group.entry(name)?.spread(key)?.median);
        let (from, to) = (median(first)?, median(last)?);
        Some(format!("{name} goes from {} to {}", number(from), number(to)))
    };
    let both: Vec<String> = [EPOLL, "floor-level"].iter().filter_map(|name| one(name)).collect();
    if both.is_empty() {
        return None;
    }
    Some(format!("on the way from {}, {}", full(*first_x), both.join(" and ")))
}

/// All of a cell beside their floors, and where ours and the other crates lie.
pub fn ratios(group: &Group, key: &str) -> String {
    let range = |family: Family, who: &str| {
        let own = group.entries.iter().filter(|entry| looks::family(&entry.name) == family);
        let mut ratios: Vec<f64> =
            own.filter_map(|entry| group.beside(&entry.name, key)).map(|beside| beside.ratio.median).collect();
        ratios.sort_by(f64::total_cmp);
        match ratios[..] {
            [low, .., high] => Some(format!("{who} from {low:.2} to {high:.2}")),
            _ => None,
        }
    };
    let ranges = [range(Family::Tripoll, "tripoll's own go"), range(Family::Crate, "other crates")];
    let ranges: Vec<String> = ranges.into_iter().flatten().collect();
    let ranges = if ranges.len() == 2 { vec![ranges.join(", ")] } else { Vec::new() };
    sentence(&standing(group, key), &ranges)
}

/// The least and the most of a plot of values, and how ours stands.
pub fn values(group: &Group, key: &str, unit: &str) -> String {
    let median = |name: &String| Some(group.entry(name)?.spread(key)?.median);
    let names = group.entries.iter().map(|entry| &entry.name).filter(|name| !is_floor(name));
    let mut all: Vec<(&String, f64)> = names.filter_map(|name| Some((name, median(name)?))).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let first = match all[..] {
        [] => return sentence(&without_floor(group, key), &[]),
        [(name, value)] => {
            let standing = standing(group, key);
            let standing = standing.strip_prefix(name.as_str()).unwrap_or(&standing);
            return sentence(&format!("{name} takes {} {unit} and{standing}", number(value)), &[]);
        }
        [(least, low), .., (most, high)] => {
            format!("floors aside, {least} takes least, {} {unit}, and {most} most, {}", number(low), number(high))
        }
    };
    let ours = group.beside(EPOLL, key).map(|beside| match state(&beside) {
        State::Same => format!("{EPOLL} is the same as the floor"),
        _ => format!("{EPOLL} is at {} the floor", times(beside.ratio.median)),
    });
    sentence(&first, &ours.into_iter().collect::<Vec<_>>())
}

//! Whether this machine can carry the run, found out before it begins.

use super::scenario::Cell;
use super::support::machine;
use std::fs;
use std::io;
use tripoll::reactor::limits;

/// Descriptors that a process needs beside those of its connections.
const BESIDE: u64 = 100;

/// The most connections or pairs that a cell has in one process.
fn largest(cells: &[Cell]) -> u64 {
    let names = ["connections", "fan-out", "idle", "idle connections", "at once"];
    let of = |cell: &Cell| -> u64 {
        let connections = names.iter().filter_map(|name| cell.params.get(*name)).max().copied().unwrap_or(0);
        let pairs = cell.params.get("pairs").copied().unwrap_or(0);
        connections.max(2 * pairs)
    };
    cells.iter().map(of).max().unwrap_or(0)
}

fn number(path: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(u64::MAX)
}

/// The versions of the contenders that are crates, from the lock file that this was built with.
fn versions() -> String {
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &&str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        Some(format!("{name} {}", rest.split('"').next()?))
    };
    ["tripoll", "mio", "polling", "calloop", "tokio"].iter().filter_map(version).collect::<Vec<_>>().join(", ")
}

/// Raises what can be raised; an error says what cannot.
pub fn limits(cells: &[Cell]) -> io::Result<Vec<(String, String)>> {
    let needed = largest(cells) + BESIDE + 100;
    let limit = limits::raise_descriptor_limit()?;
    let refuse = |what: String| Err(io::Error::other(what));
    if limit.soft < needed {
        return refuse(format!(
            "this run needs {needed} descriptors in a process and the limit is {}: raise it (ulimit -n {needed}), or \
             choose scenarios with --scenario",
            limit.soft
        ));
    }
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let ports: Vec<u64> = range.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if let [first, last] = ports[..] {
        if last - first < needed {
            return refuse(format!(
                "this run needs {needed} local ports and there are {} (net.ipv4.ip_local_port_range)",
                last - first
            ));
        }
    }
    let backlog = number("/proc/sys/net/core/somaxconn");
    let mut about = vec![
        ("machine".to_owned(), machine::describe()),
        ("versions".to_owned(), versions()),
        ("descriptors".to_owned(), limit.soft.to_string()),
        ("local ports".to_owned(), range.split_whitespace().collect::<Vec<_>>().join(" - ")),
        ("backlog (net.core.somaxconn)".to_owned(), backlog.to_string()),
    ];
    if backlog < 1024 {
        about.push(("note".to_owned(), "the backlog is short: connecting may show pauses of a second".to_owned()));
    }
    if machine::processors().0 == machine::processors().1 {
        about.push(("note on processors".to_owned(), "one processor: server and load share it".to_owned()));
    }
    Ok(about)
}

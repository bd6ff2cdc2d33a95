//! What the figures were taken on, and what the kernel says of a process.

use std::fs;
use std::thread::available_parallelism;

/// The processors for the server and for the load: different ones, if there are two.
pub fn processors() -> (usize, usize) {
    if available_parallelism().map_or(1, usize::from) > 1 { (0, 1) } else { (0, 0) }
}

pub fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let kernel = read("/proc/sys/kernel/osrelease");
    let cpus = available_parallelism().map_or(1, usize::from);
    format!("Linux {}, {cpus} x {model}, tripoll {}", kernel.trim(), env!("CARGO_PKG_VERSION"))
}

/// Nanoseconds that the main thread of a process has run.
pub fn cpu_ns(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// Nanoseconds that a process has run its own code, in steps of a tick: 10 ms.
pub fn user_ns(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program, which stands in brackets, may hold anything; the 14th field is the 12th behind it.
    let ticks = text.rsplit(") ").next().and_then(|rest| rest.split_whitespace().nth(11)?.parse::<u64>().ok());
    ticks.unwrap_or(0) * 10_000_000
}

/// Memory of a process that is in use and not shared, in bytes.
pub fn private_bytes(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let field = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kb| kb.parse().ok()).unwrap_or(0)
    };
    (field("Private_Clean:") + field("Private_Dirty:")) * 1024
}

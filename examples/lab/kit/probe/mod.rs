//! Experiments that no script of steps can describe: with threads, signals, limits and time.
//!
//! Each answers with its findings, a line each, in words that are the same on every run: what is counted is said exactly
//! only where it is exact, and no time that was measured is said at all.

mod arrivals;
mod asleep;
mod call_details;
mod child;
mod ctl_rules;
mod descriptor_limit;
mod echo_rounds;
mod exclusive;
mod large_number;
mod late_registration;
mod pairs;
mod shared_memory;
mod signals;
mod starvation;
mod timeouts;
mod waiter;

use super::mechanism::Mechanism;
use std::io;

pub(crate) use child::probe_child;

/// What an experiment found, a line each.
type Findings = io::Result<Vec<String>>;

/// The experiments, and what they are about.
pub(crate) const NAMES: [(&str, &str); 12] = [
    ("arrivals", "whether new data on unread data is reported, for each type of descriptor"),
    ("call-details", "what select and poll return, and what becomes of a closed descriptor among others"),
    ("ctl-rules", "what a wrong registration is answered with"),
    ("descriptor-limit", "a connection that cannot be accepted since the process has no descriptor left"),
    ("echo-rounds", "what ten rounds of an echo server cost in events, reads and registrations"),
    ("exclusive", "how many of the threads that wait for one listener are woken by one connection"),
    ("large-number", "a descriptor whose number is above 1023"),
    ("late-registration", "a registration by another thread while a wait is under way"),
    ("shared-memory", "whether events pass through memory that is shared with the kernel"),
    ("signals", "a signal before and during the wait"),
    ("starvation", "a peer that sends faster than it is read, and another one that waits"),
    ("timeouts", "timeouts of less than a millisecond, and deadlines cut to whole ones"),
];

/// Does one experiment on this kernel, within seconds; `None` if there is none of this name.
///
/// # Errors
///
/// Why it could not be done here, such as a limit that is too low; of the experiment itself nothing is an error, a call
/// that fails is what it finds.
pub(crate) fn run(name: &str, mechanism: Mechanism) -> Option<Result<String, String>> {
    let probe = match name {
        "arrivals" => arrivals::findings,
        "call-details" => call_details::findings,
        "ctl-rules" => ctl_rules::findings,
        "descriptor-limit" => descriptor_limit::findings,
        "echo-rounds" => echo_rounds::findings,
        "exclusive" => exclusive::findings,
        "large-number" => large_number::findings,
        "late-registration" => late_registration::findings,
        "shared-memory" => shared_memory::findings,
        "signals" => signals::findings,
        "starvation" => starvation::findings,
        "timeouts" => timeouts::findings,
        _ => return None,
    };
    let findings: Findings = probe(mechanism);
    Some(findings.map(|lines| lines.join("\n")).map_err(|error| error.to_string()))
}

//! The lessons that come with the lab.

use super::lesson::Lesson;
use super::nearest::nearest;
use super::parse::parse;
use std::sync::OnceLock;

/// The text of each, in the order of their numbers.
pub(crate) const TEXTS: [&str; 61] = [
    include_str!("../lessons/01-readable.lab"),
    include_str!("../lessons/02-partial-read.lab"),
    include_str!("../lessons/03-more-on-top.lab"),
    include_str!("../lessons/04-drain.lab"),
    include_str!("../lessons/05-three-writes.lab"),
    include_str!("../lessons/06-never-reading.lab"),
    include_str!("../lessons/07-already-readable.lab"),
    include_str!("../lessons/08-starvation.lab"),
    include_str!("../lessons/09-arrivals.lab"),
    include_str!("../lessons/10-peek.lab"),
    include_str!("../lessons/11-blocking-read.lab"),
    include_str!("../lessons/12-echo-rounds.lab"),
    include_str!("../lessons/13-writable.lab"),
    include_str!("../lessons/14-room-tcp.lab"),
    include_str!("../lessons/15-room-pipe.lab"),
    include_str!("../lessons/16-modify-again.lab"),
    include_str!("../lessons/17-backlog.lab"),
    include_str!("../lessons/18-accepted-with-data.lab"),
    include_str!("../lessons/19-exclusive.lab"),
    include_str!("../lessons/20-descriptor-limit.lab"),
    include_str!("../lessons/21-reset-before-accept.lab"),
    include_str!("../lessons/22-defer-accept.lab"),
    include_str!("../lessons/23-listener-shutdown.lab"),
    include_str!("../lessons/24-connect.lab"),
    include_str!("../lessons/25-connect-refused.lab"),
    include_str!("../lessons/26-send-and-close.lab"),
    include_str!("../lessons/27-close-unasked.lab"),
    include_str!("../lessons/28-half-close.lab"),
    include_str!("../lessons/29-both-shut.lab"),
    include_str!("../lessons/30-reset.lab"),
    include_str!("../lessons/31-closed-while-watched.lab"),
    include_str!("../lessons/32-ghost.lab"),
    include_str!("../lessons/33-number-reused.lab"),
    include_str!("../lessons/34-write-to-closed.lab"),
    include_str!("../lessons/35-error-once.lab"),
    include_str!("../lessons/36-shutdown-read.lab"),
    include_str!("../lessons/37-unix-close.lab"),
    include_str!("../lessons/38-slow-receiver.lab"),
    include_str!("../lessons/39-records.lab"),
    include_str!("../lessons/40-pipe-writer-closes.lab"),
    include_str!("../lessons/41-pipe-reader-closes.lab"),
    include_str!("../lessons/42-datagrams.lab"),
    include_str!("../lessons/43-empty-datagram.lab"),
    include_str!("../lessons/44-port-unreachable.lab"),
    include_str!("../lessons/45-urgent.lab"),
    include_str!("../lessons/46-urgent-inline.lab"),
    include_str!("../lessons/47-files.lab"),
    include_str!("../lessons/48-eventfd.lab"),
    include_str!("../lessons/49-terminal.lab"),
    include_str!("../lessons/50-signalfd.lab"),
    include_str!("../lessons/51-disarmed.lab"),
    include_str!("../lessons/52-late-registration.lab"),
    include_str!("../lessons/53-small-batch.lab"),
    include_str!("../lessons/54-timeouts.lab"),
    include_str!("../lessons/55-signals.lab"),
    include_str!("../lessons/56-large-number.lab"),
    include_str!("../lessons/57-order.lab"),
    include_str!("../lessons/58-ctl-rules.lab"),
    include_str!("../lessons/59-call-details.lab"),
    include_str!("../lessons/60-shared-memory.lab"),
    include_str!("../lessons/61-remove-before-close.lab"),
];

/// Every shipped lesson, in the order of their numbers.
///
/// # Panics
///
/// If one of them is no lesson, which the tests rule out.
pub(crate) fn all() -> &'static [Lesson] {
    static ALL: OnceLock<Vec<Lesson>> = OnceLock::new();
    ALL.get_or_init(|| {
        let read = |(text, number)| parse(text).unwrap_or_else(|error| panic!("shipped lesson {number}: {error}"));
        TEXTS.into_iter().zip(1..).map(read).collect()
    })
}

/// The shipped lesson of a name or a number.
///
/// # Errors
///
/// A line that says that there is none, and which one was perhaps meant.
pub(crate) fn named(name: &str) -> Result<&'static Lesson, String> {
    let number = name.parse().unwrap_or(0);
    if let Some(lesson) = all().iter().find(|lesson| lesson.name == name || lesson.number == number) {
        return Ok(lesson);
    }
    let names: Vec<&str> = all().iter().map(|lesson| lesson.name.as_str()).collect();
    let perhaps = nearest(name, &names).map(|near| format!(", perhaps `{near}`")).unwrap_or_default();
    Err(format!(
        "no lesson is called `{name}`{perhaps}; `lab list` names them all, and a file of your own ends in .lab"
    ))
}

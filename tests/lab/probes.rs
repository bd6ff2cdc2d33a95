//! What the experiments of the lab find, on each mechanism: what the kernel was seen to do.

use crate::kit::Mechanism;
use crate::kit::probe::{NAMES, run};

/// Rows as in a lesson: mechanisms, a colon, a line of what is found.
#[track_caller]
fn finds(name: &str, rows: &str) {
    for mechanism in Mechanism::ALL {
        let of_this = |row: &str| {
            let (mechanisms, line) = row.trim().split_once(": ")?;
            let meant = mechanisms.split(' ').any(|word| word == "all" || word == mechanism.short());
            meant.then(|| line.to_owned())
        };
        let expected: Vec<String> = rows.lines().filter_map(of_this).collect();
        assert_eq!(run(name, mechanism), Some(Ok(expected.join("\n"))), "{name}, {mechanism}");
    }
}

#[test]
fn an_experiment_is_known_by_each_of_the_names_and_by_no_other() {
    assert!(NAMES.is_sorted(), "a list for readers");
    for (name, about) in NAMES {
        assert!(!about.is_empty(), "{name}");
        assert!(run(name, Mechanism::Poll).is_some(), "{name}");
    }
    assert_eq!(run("arrival", Mechanism::Poll), None);
}

#[test]
fn edge_reports_each_arrival_on_any_type_of_descriptor_though_nothing_was_read() {
    let kinds = [
        "tcp",
        "unix",
        "datagram",
        "seqpacket",
        "udp",
        "pipe",
        "fifo",
        "pty slave",
        "pty master",
        "eventfd",
        "signalfd",
        "inotify",
        "listener",
    ];
    let rows = kinds.map(|kind| {
        format!(
            "select: {kind}: r / r / r
            poll level: {kind}: IN / IN / IN
            edge: {kind}: IN / IN / -
            oneshot: {kind}: IN / - / -
            mio: {kind}: readable / readable / -"
        )
    });
    finds("arrivals", &rows.join("\n"));
}

#[test]
fn select_counts_bits_and_poll_counts_descriptors() {
    finds(
        "call-details",
        "
        select: a socket that is readable and writable, in both sets: the call returns 2
        select: nfds is the socket's number, one too few: the call returns 0
        select: a closed descriptor in a set: EBADF, and the sets are as they were, a silent one included
        select: nfds above the descriptor limit: the call returns 1
        poll: a socket that is readable and writable, asked for both: the call returns 1
        poll: the same socket in two places: the call returns 2
        poll: a closed descriptor among others: the call returns 2, NVAL for it and IN for the ready one
        poll: more entries than the descriptor limit: EINVAL
        level edge oneshot: a socket that is readable and writable, asked for in: IN
        mio: a socket that is readable and writable, asked for in: readable",
    );
}

#[test]
fn a_wrong_registration_has_its_own_error() {
    finds(
        "ctl-rules",
        "
        select: select has no call to register: what to watch is said with each wait
        poll: poll has no call to register: what to watch is said with each wait
        level edge oneshot: MOD of what was not added: ENOENT
        level edge oneshot: DEL of what was not added: ENOENT
        level edge oneshot: ADD: ok
        level edge oneshot: ADD again: EEXIST
        level edge oneshot: ADD of a number that is not open: EBADF
        level edge oneshot: ADD of the epoll itself: EINVAL
        level edge oneshot: MOD that makes it exclusive: EINVAL
        level edge oneshot: DEL, without an event: ok
        level edge oneshot: ADD with EXCLUSIVE and RDHUP: EINVAL
        level edge oneshot: ADD with EXCLUSIVE and PRI: EINVAL
        level edge: ADD with EXCLUSIVE: ok
        level edge: MOD of what is exclusive: EINVAL
        oneshot: ADD with EXCLUSIVE: EINVAL
        mio: reregister of what was not registered: ENOENT
        mio: deregister of what was not registered: ENOENT
        mio: register: ok
        mio: register again: EEXIST
        mio: register of a number that is not open: EBADF
        mio: deregister: ok",
    );
}

#[test]
fn a_connection_that_cannot_be_accepted_is_a_busy_loop_or_is_forgotten() {
    finds(
        "descriptor-limit",
        "
        all: accept: EMFILE
        select poll level oneshot: reports of the one connection that cannot be accepted: a thousand and more, \
            a busy loop
        select: descriptors are free again: r
        poll level oneshot: descriptors are free again: IN
        edge mio: reports of the one connection that cannot be accepted: 1
        edge mio: descriptors are free again: -",
    );
}

#[test]
fn level_with_interest_in_writing_never_sleeps_and_edge_reads_twice() {
    finds(
        "echo-rounds",
        "
        select poll: in: 40 waits, 10 events, 0 without work, 10 reads, 0 registrations
        select poll: in|out: 40 waits, 40 events, 30 without work, 10 reads, 0 registrations
        level: in: 40 waits, 10 events, 0 without work, 10 reads, 1 registrations
        level: in|out: 40 waits, 40 events, 30 without work, 10 reads, 1 registrations
        edge mio: in: 40 waits, 10 events, 0 without work, 20 reads, 1 registrations
        edge mio: in|out: 40 waits, 10 events, 0 without work, 20 reads, 1 registrations
        oneshot: in: 40 waits, 10 events, 0 without work, 10 reads, 11 registrations
        oneshot: in|out: 40 waits, 40 events, 30 without work, 10 reads, 41 registrations",
    );
}

#[test]
fn a_connection_wakes_every_waiting_thread_unless_the_wait_is_exclusive() {
    finds(
        "exclusive",
        "
        all: 4 threads wait for one listener, 1 connection: 4 of them woken
        select: with EXCLUSIVE: select has no such flag
        poll: with EXCLUSIVE: poll has no such flag
        level edge: with EXCLUSIVE: 1 of them woken
        level edge: with EXCLUSIVE, and both of 2 threads busy when it comes: 2 of them told afterwards
        level edge: with EXCLUSIVE, 3 idle workers, 6 connections one by one: the busiest serves 6
        oneshot: with EXCLUSIVE: registering fails with EINVAL
        mio: with EXCLUSIVE: mio has no such flag",
    );
}

#[test]
fn a_number_above_1023_is_refused_under_select_alone() {
    finds(
        "large-number",
        "
        select: a set has room for the numbers below 1024
        select: tripoll refuses it: too large, the limit is 1024
        poll level edge oneshot: descriptor 1500 or above, with data: IN
        mio: descriptor 1500 or above, with data: readable",
    );
}

#[test]
fn epoll_notices_a_registration_during_the_wait() {
    finds(
        "late-registration",
        "
        select poll: a readable socket is registered by another thread: the wait under way does not see it
        select poll: woken through a descriptor of its own, and called again: it is reported
        level edge oneshot mio: a readable socket is registered by another thread: the wait under way returns \
            with it",
    );
}

#[test]
fn no_mechanism_shares_memory_with_the_kernel() {
    finds(
        "shared-memory",
        "
        all: after a wait with 1 event, mappings shared with the kernel: none",
    );
}

#[test]
fn a_signal_ends_the_wait_whatever_its_handler_asked_for() {
    finds(
        "signals",
        "
        all: a signal during the wait, handled with SA_RESTART: EINTR
        select: a signal is blocked and pending, pselect lets it through: EINTR, and the signal was handled
        select: the same with data to read: it returns 1, and the signal is still pending
        poll: a signal is blocked and pending, ppoll lets it through: EINTR, and the signal was handled
        poll: the same with data to read: it returns 1, and the signal is still pending",
    );
}

#[test]
fn a_fast_peer_starves_the_others_and_a_budget_strands_it_under_edge() {
    finds(
        "starvation",
        "
        select: both have data: fast:r slow:r
        select: fast is read until empty while its peer sends on: no end after 1000 reads, and slow has 4 bytes \
            unread
        select: at most 8 reads each: fast has 2048 bytes unread, slow 0
        select: the peers are quiet, the next wait: fast:r
        poll level edge oneshot: both have data: fast:IN slow:IN
        poll level edge oneshot: fast is read until empty while its peer sends on: no end after 1000 reads, and \
            slow has 4 bytes unread
        poll level edge oneshot: at most 8 reads each: fast has 2048 bytes unread, slow 0
        poll level: the peers are quiet, the next wait: fast:IN
        level: fast registered anew: fast:IN
        edge oneshot: the peers are quiet, the next wait: -
        edge oneshot: fast registered anew: fast:IN
        mio: both have data: fast:readable slow:readable
        mio: fast is read until empty while its peer sends on: no end after 1000 reads, and slow has 4 bytes \
            unread
        mio: at most 8 reads each: fast has 2048 bytes unread, slow 0
        mio: the peers are quiet, the next wait: -
        mio: fast registered anew: fast:readable",
    );
}

#[test]
fn a_timeout_that_is_cut_to_milliseconds_makes_a_busy_loop() {
    finds(
        "timeouts",
        "
        all: timeout 0: returns at once
        select: in microseconds: 0.3 ms not early, 0.9 ms not early, 1 ms not early
        select: a deadline 0.9 ms away, the time left in microseconds: 1 wait
        select: the timeout that the call was given, afterwards: 0: a call that uses it again does not wait
        poll level edge oneshot: cut to whole milliseconds: 0.3 ms early, 0.9 ms early, 1 ms not early
        poll: in nanoseconds, by ppoll: 0.3 ms not early, 0.9 ms not early, 1 ms not early
        poll: a deadline 0.9 ms away, cut to whole milliseconds: 100 waits and more, a busy loop
        poll: a deadline 0.9 ms away, rounded up to whole milliseconds: 1 wait
        level edge oneshot: in nanoseconds, by epoll_pwait2: 0.3 ms not early, 0.9 ms not early, 1 ms not early
        level edge oneshot: a deadline 0.9 ms away, cut to whole milliseconds: 100 waits and more, a busy loop
        level edge oneshot: a deadline 0.9 ms away, rounded up to whole milliseconds: 1 wait
        level edge oneshot: room for 0 events: EINVAL
        mio: rounded up by mio: 0.3 ms not early, 0.9 ms not early, 1 ms not early
        mio: a deadline 0.9 ms away, the time left: 1 wait
        mio: room for 0 events: EINVAL",
    );
}

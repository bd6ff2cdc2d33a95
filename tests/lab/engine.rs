//! The engine: that a lesson is played on real descriptors, that looking at them changes nothing, and that nothing of it
//! is left when it ends.

use crate::kit::{Action, Bits, Cell, Happened, Kind, Lesson, Mechanism, Run, RunError, Truth, check, parse, run};
use nix::sys::signal::{SigSet, Signal};
use std::collections::BTreeSet;
use std::process::Command;
use std::{env, fs, process, thread};

fn lesson(steps: &str) -> Lesson {
    parse(&format!("lesson trial\ntitle A trial\n{steps}")).unwrap_or_else(|error| panic!("{error}\n{steps}"))
}

fn played(steps: &str, mechanism: Mechanism) -> Run {
    run(&lesson(steps), mechanism).unwrap_or_else(|error| panic!("{error}\n{steps}"))
}

fn trouble(steps: &str) -> RunError {
    run(&lesson(steps), Mechanism::Poll).expect_err(steps)
}

/// What the steps answered, but for those that answer nothing.
fn answers(run: &Run) -> Vec<&str> {
    run.steps.iter().filter_map(|step| step.answer.as_deref()).collect()
}

fn truth<'a>(step: &'a Happened, name: &str) -> &'a Truth {
    step.truth.iter().find(|truth| truth.name == name).unwrap_or_else(|| panic!("nothing is known of {name}: {step:?}"))
}

/// Every expectation in the steps, under every mechanism.
fn holds(steps: &str) {
    let lesson = lesson(steps);
    for mechanism in Mechanism::ALL {
        let differences = check(&lesson, mechanism).unwrap_or_else(|error| panic!("{error}\n{steps}"));
        let list: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert!(list.is_empty(), "{}", list.join("\n"));
    }
}

#[test]
fn each_mechanism_speaks_for_itself() {
    holds(
        "tcp c s
watch c in|out|rdhup = ok
wait \"idle\"
    select: w
    poll level edge oneshot: OUT
    mio: writable
reset s = ok
wait \"reset\"
    select: r|w
    poll level edge: IN|OUT|ERR|HUP|RDHUP
    mio: readable|writable|error|read_closed|write_closed
    oneshot: -
rearm c
wait \"armed again\"
    select: r|w
    poll level oneshot: IN|OUT|ERR|HUP|RDHUP
    edge mio: -
read c 1 = ECONNRESET
error c = 0
write c 1 = EPIPE
wait \"the error is taken\"
    select: r|w
    poll level: IN|OUT|HUP|RDHUP
    edge oneshot mio: -
",
    );
}

#[test]
fn only_what_was_asked_is_reported_and_errors_are_not_asked_for() {
    holds(
        "pipe r w
watch w in
wait \"in is nothing for a writer\"
    all: -
close r
wait \"no reader\"
    select: r
    poll level edge oneshot: ERR
    mio: write_closed|error
",
    );
}

#[test]
fn a_closed_number_is_told_four_ways() {
    holds(
        "tcp c s
watch c in = ok
write s 5 = 5
close c = ok
wait \"closed\"
    select: EBADF
    poll: NVAL
    rest: -
read c 1 = EBADF
close c = EBADF
modify c in
    select poll: ok
    rest: EBADF
unwatch c
    select poll: ok
    rest: EBADF
",
    );
}

#[test]
fn a_ghost_is_reported_under_the_name_that_is_closed() {
    holds(
        "unix c s
watch c in = ok
dup c d = ok
close c = ok
write s 5 = 5
wait \"the file lives on\"
    select: EBADF
    poll: NVAL
    level edge oneshot: IN
    mio: readable
unwatch c
    select poll: ok
    rest: EBADF
close d = ok
wait \"now it is gone\"
    all: -
",
    );
}

#[test]
fn a_number_that_is_used_again_is_the_very_number() {
    holds(
        "unix a a-peer
watch a in = ok
close a = ok
reuse a b = ok
write b-peer 4 = 4
wait \"nobody registered b\"
    select: r
    poll: IN
    rest: -
read a 10 = 4
watch b in = ok
write b-peer 2 = 2
wait \"now it is registered\"
    select: a:r b:r
    poll: a:IN b:IN
    level edge oneshot: b:IN
    mio: b:readable
close a = ok
read b 2 = EBADF
"
        .replace("select: r\n", "select: a:r\n")
        .replace("poll: IN\n", "poll: a:IN\n")
        .as_str(),
    );
    let error = trouble("unix a b\nreuse a c\n");
    assert!(error.to_string().contains("is open, so nothing else can get it"), "{error}");
}

#[test]
fn what_is_forgotten_is_stranded() {
    let steps = "tcp c s\nwatch c in\nwrite s 9\nwait \"9\"\nread c 4\nwait \"5 are left\"\n";
    for mechanism in Mechanism::ALL {
        let run = played(steps, mechanism);
        let expected: &[&str] = if mechanism.is_level() { &[] } else { &["c"] };
        assert!(run.steps[3].stranded.is_empty(), "{mechanism}: what was just reported is not stranded");
        assert_eq!(run.steps[5].stranded, expected, "{mechanism}");
    }
}

#[test]
fn what_a_small_report_had_no_room_for_is_not_stranded() {
    let steps = "pipe a a-w\npipe b b-w\nwatch a in\nwatch b in\nwrite a-w 1\nwrite b-w 1\n\
                 wait \"one of two\" max 1\nwait \"the other\" max 1\nwait \"nobody\" max 1\n";
    for mechanism in [Mechanism::Edge, Mechanism::Oneshot, Mechanism::Mio] {
        let run = played(steps, mechanism);
        let reported: Vec<&Cell> = run.steps.iter().filter_map(|step| step.reported.as_ref()).collect();
        assert_eq!(reported[0], &Cell::Reported(vec![("a".to_owned(), Bits::IN)]), "{mechanism}");
        assert_eq!(reported[1], &Cell::Reported(vec![("b".to_owned(), Bits::IN)]), "{mechanism}");
        assert!(reported[2].is_silent(), "{mechanism}");
        assert_eq!(run.steps[6].stranded, [""; 0], "{mechanism}");
        assert_eq!(run.steps[8].stranded, ["a", "b"], "{mechanism}");
    }
}

#[test]
fn the_truth_is_asked_past_the_mechanism() {
    for mechanism in Mechanism::ALL {
        let run = played("tcp c s\nwatch c in\nwrite s 7\nshutdown s write\nread c 3\nclose s\n", mechanism);
        let at = |step: usize| truth(&run.steps[step], "c");
        assert_eq!((at(0).ready, at(0).unread, at(0).watched), (Bits::OUT, Some(0), None));
        assert_eq!((at(2).ready, at(2).unread, at(2).watched), (Bits::IN | Bits::OUT, Some(7), Some(Bits::IN)));
        assert!(at(3).has_fin() && !at(3).has_reset());
        assert_eq!(at(4).unread, Some(4));
        assert_eq!(run.steps[5].truth.len(), 1, "what is closed has no truth");
        let run = played("tcp c s\nlistener l\nreset s\n", mechanism);
        assert!(truth(&run.steps[2], "c").has_reset());
        assert_eq!(truth(&run.steps[2], "l").unread, None);
    }
}

/// 304,000 bytes are more than a socket of this size takes as "writable" and fewer than it takes at all. Who has not met
/// EAGAIN is not woken when there is room, unless somebody has polled the socket in between.
#[test]
fn looking_does_not_make_an_edge() {
    let steps = "tcp c s\nwatch c out\nwait \"idle\"\nwrite c 150000\nwrite c 60000\nwrite c 94000\nwait \"no room\"\n\
                 drain s\nwait \"room\"\n";
    let run = played(steps, Mechanism::Edge);
    assert_eq!(answers(&run)[2..], ["150000", "60000", "94000", "304000"]);
    assert_eq!(truth(&run.steps[5], "c").ready, Bits::NONE, "the buffer is not as full as this test needs it");
    assert_eq!(truth(&run.steps[8], "c").ready, Bits::OUT);
    assert!(run.steps[8].reported.as_ref().is_some_and(Cell::is_silent), "{run:?}");
    assert_eq!(run.steps[8].stranded, ["c"]);
    let met = steps.replace("wait \"no room\"", "fill c\nwait \"no room\"");
    let run = played(&met, Mechanism::Edge);
    assert_eq!(run.steps[9].reported, Some(Cell::Reported(vec![("c".to_owned(), Bits::OUT)])));
}

#[test]
fn full_is_full_and_drained_is_drained() {
    for kind in ["tcp", "unix", "pipe", "fifo"] {
        let (writer, reader) = if kind == "tcp" || kind == "unix" { ("a", "b") } else { ("b", "a") };
        let run = played(
            &format!(
                "{kind} a b\nfill {writer}\nwrite {writer} 1\ndrain {reader}\nread {reader} 1\nwrite {writer} 1\n"
            ),
            Mechanism::Poll,
        );
        let answers = answers(&run);
        assert!(answers[1].parse::<u64>().is_ok_and(|bytes| bytes > 4096), "{kind}: {answers:?}");
        assert_eq!(answers[1], answers[3], "{kind}: what went in comes out");
        assert_eq!([answers[2], answers[4], answers[5]], ["EAGAIN", "EAGAIN", "1"], "{kind}");
        assert!(!truth(&run.steps[2], writer).ready.contains(Bits::OUT), "{kind}");
    }
    let run = played("pipe r w\nfill w\ndrain r by 1024 until w\ndrain r\ndrain r by 1 until w\n", Mechanism::Poll);
    assert_eq!(answers(&run)[2..], ["before empty", "61440", "when empty"]);
    let run = played("eventfd e\nfill e\nwrite e 1\ndrain e\nwrite e 3\nread e 8\n", Mechanism::Poll);
    assert_eq!(answers(&run)[1..], ["18446744073709551614", "EAGAIN", "18446744073709551614", "3", "3"]);
}

#[test]
fn every_kind_can_be_made_and_watched() {
    for mechanism in Mechanism::ALL {
        for (word, kind, names) in Kind::ALL {
            let (made, waits) = if names == 2 { ("a b", "a") } else { ("a", "a") };
            let run = played(&format!("{word} {made}\nwatch {waits} in\n"), mechanism);
            assert_eq!(run.steps[0].truth.len(), names, "{word}");
            let expected = match (kind, mechanism) {
                (_, Mechanism::Select | Mechanism::Poll) => "ok",
                (Kind::File | Kind::Directory | Kind::Null | Kind::Zero, _) => "EPERM",
                (Kind::Opath, _) => "EBADF",
                _ => "ok",
            };
            assert_eq!(run.steps[1].answer.as_deref(), Some(expected), "{word} under {mechanism}");
            assert_eq!(truth(&run.steps[1], "a").watched.is_some(), expected == "ok", "{word} under {mechanism}");
        }
    }
}

#[test]
fn a_read_that_would_wait_for_ever_comes_back() {
    let run = played("unix a b\nset a blocking\nwrite b 1\nread a 5\nread a 5\n", Mechanism::Poll);
    assert_eq!(answers(&run)[3..], ["1", "EAGAIN"]);
    assert!(trouble("pipe r w\nset r blocking\n").trouble.contains("takes no timeout"));
}

#[test]
fn datagrams_are_counted_as_they_come() {
    holds(
        "udp a b
watch a in
write b 0 = 0
write b 5 = 5
write b 7 = 7
wait \"three\"
    select: r
    poll level edge oneshot: IN
    mio: readable
unread a = 0
read a 9 = 0
drain a = 12
read a 9 = EAGAIN
close a
write b 1 = 1
error b = ECONNREFUSED
datagram c d
fill c
read d 3 = 3
fill c = 1
close d
write c 1 = ECONNREFUSED
seqpacket e f
write f 2 = 2
close f
drain e = 2
udp g h
write h 3 = 3
shutdown g read
drain g = 3
",
    );
}

#[test]
fn a_lesson_that_cannot_go_on_says_where() {
    let error = trouble("listener l\naccept l a\nread a 1\n");
    assert_eq!(error.line, 5);
    assert!(error.to_string().starts_with("line 5, under poll: there is no descriptor `a`"), "{error}");
    let mut probing = lesson("pipe r w\n");
    probing.steps[0].action = Action::Probe { name: "no-such".to_owned() };
    let error = run(&probing, Mechanism::Poll).expect_err("there is no such probe");
    assert_eq!(error.trouble, "there is no probe `no-such`");
    assert!(trouble("udp a b\nfill a\n").trouble.contains("it cannot be filled"));
    assert!(trouble("zero z\ndrain z\n").trouble.contains("it cannot be drained"));
}

#[test]
fn lessons_can_be_played_at_the_same_time() {
    let steps = "tcp a s\nunix b t\nwatch a in\nwatch b in\nwrite s 3\nwrite t 3\nwait \"both\"\nclose b\nwait \"one\"\n\
                 reuse b c\nwrite c-peer 4\nread b 9\nwait \"again\"\n";
    for mechanism in Mechanism::ALL {
        let alone = played(steps, mechanism);
        let threads: Vec<_> = (0..12).map(|_| thread::spawn(move || played(steps, mechanism))).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("it does not panic"), alone, "{mechanism}");
        }
    }
}

#[test]
fn a_signal_that_nobody_reads_ends_with_the_lesson() {
    let before = SigSet::thread_get_mask().unwrap();
    played("signalfd s\nwatch s in\nwrite s 1\nwait \"raised\"\n", Mechanism::Edge);
    let after = SigSet::thread_get_mask().unwrap();
    assert_eq!(before.contains(Signal::SIGUSR1), after.contains(Signal::SIGUSR1));
}

/// The numbers that are open in this process, but for the one that reads the list.
fn open() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap());
    let alive = entries.filter(|entry| fs::read_link(entry.path()).is_ok_and(|to| !to.ends_with("fd")));
    alive.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn scratch() -> Vec<String> {
    let own = format!("lab-{}-", process::id());
    let entries = fs::read_dir(env::temp_dir()).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    entries.filter(|name| name.starts_with(&own)).collect()
}

/// Everything that a process has open can be compared only where nothing else runs, so it plays alone in a process of its
/// own: this very test, told so by the environment.
#[test]
fn nothing_is_left_behind() {
    const ALONE: &str = "TRIPOLL_LAB_ALONE";
    if env::var_os(ALONE).is_none() {
        let this = env::current_exe().unwrap();
        let mut child = Command::new(this);
        let child = child.args(["--exact", "engine::nothing_is_left_behind", "--test-threads", "1"]).env(ALONE, "1");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let before = open();
    let made: Vec<String> = Kind::ALL
        .iter()
        .enumerate()
        .map(|(index, (word, _, names))| {
            let second = if *names == 2 { format!(" b{index}") } else { String::new() };
            format!("{word} a{index}{second}\n")
        })
        .collect();
    let steps = format!("{}close a0\nreuse a0 again\nsendto a6\ndup a1 other\nclose a1\nwatch a2 in\n", made.concat());
    for mechanism in Mechanism::ALL {
        played(&steps, mechanism);
        run(&lesson(&format!("{steps}accept a14 nobody\nread nobody 1\n")), mechanism)
            .expect_err("there is no such name");
        assert_eq!(open(), before, "{mechanism}");
        assert_eq!(scratch(), [""; 0], "{mechanism}");
    }
}

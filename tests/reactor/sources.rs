//! Whatever can be watched: terminals, the output of child processes, standard input, urgent data.

use crate::kit::{Family, Rig, Told, noise, tcp_pair};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use tripoll::poller::Refusal;
use tripoll::reactor::{Descriptor, Reason, Source};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    streams_carry_bytes_both_ways,
    the_output_of_a_child_is_read_to_its_end,
    a_child_is_spoken_to_and_answers,
    a_terminal_is_read_line_by_line_and_ends_with_its_other_side,
    a_shared_descriptor_is_left_blocking_and_read_without_blocking,
    urgent_data_is_told_to_who_asks_and_wakes_nobody_else,
    data_behind_urgent_data_is_not_forgotten,
    everything_at_once_in_one_loop,
);

fn streams_carry_bytes_both_ways(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        for round in 0..10 {
            let message = noise(100 + round);
            peer.write_all(&message).unwrap();
            rig.until(|rig| rig.read_of(token).len() == message.len());
            let read = rig.read.remove(&token).unwrap();
            assert_eq!(read, message);
            rig.ledger().send(token, read).unwrap();
            rig.glance();
            peer.expect(&message);
        }
        rig.assert_asleep();
    }
}

fn shell(script: &str) -> Child {
    Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn the_output_of_a_child_is_read_to_its_end(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut child = shell("i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done");
    let token = rig.ledger().adopt(Descriptor::new(child.stdout.take().unwrap())).unwrap();
    rig.until_told(Told::Eof(token));
    let expected: String = (0..2000).map(|number| format!("{number}\n")).collect();
    assert!(rig.read_of(token) == expected.as_bytes());
    assert!(child.wait().unwrap().success());
    rig.ledger().finish(token).unwrap();
    assert!(matches!(rig.end_of(token), Reason::Peer));
    rig.assert_asleep();
}

fn a_child_is_spoken_to_and_answers(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let mut child = shell("exec cat");
    let input = rig.ledger().adopt(Descriptor::new(child.stdin.take().unwrap())).unwrap();
    let output = rig.ledger().adopt(Descriptor::new(child.stdout.take().unwrap())).unwrap();
    let message = noise(300_000);
    rig.ledger().send(input, &message).unwrap();
    rig.until(|rig| rig.read_of(output).len() == message.len());
    assert!(rig.read_of(output) == message);
    rig.assert_asleep();
    // The end of its input is the end of its output.
    rig.ledger().finish(input).unwrap();
    assert!(matches!(rig.end_of(input), Reason::Local));
    rig.until_told(Told::Eof(output));
    assert!(child.wait().unwrap().success());
}

fn a_terminal_is_read_line_by_line_and_ends_with_its_other_side(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (master, slave) = sys::terminal();
    let mut master = File::from(master);
    let program = rig.ledger().adopt(Descriptor::new(slave)).unwrap();
    rig.glance();
    // Half a line is nothing.
    master.write_all(b"first\nsecond\nthi").unwrap();
    rig.until(|rig| rig.read_of(program) == b"first\nsecond\n");
    rig.assert_asleep();
    master.write_all(b"rd\n").unwrap();
    rig.until(|rig| rig.read_of(program).ends_with(b"third\n"));
    // The other way round: what the program prints, and then its end, which is an error (EIO) of the read.
    let watcher = rig.ledger().adopt(Descriptor::new(master)).unwrap();
    rig.ledger().send(program, "bye\n").unwrap();
    rig.until(|rig| rig.read_of(watcher).ends_with(b"bye\r\n"));
    rig.ledger().finish(program).unwrap();
    rig.until_told(Told::Closed(program));
    rig.until_told(Told::Eof(watcher));
    rig.ledger().finish(watcher).unwrap();
    assert!(matches!(rig.end_of(watcher), Reason::Peer));
    rig.assert_asleep();
}

fn a_shared_descriptor_is_left_blocking_and_read_without_blocking(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (reader, mut writer) = sys::pipe();
    let token = rig.ledger().adopt(Descriptor::shared(&reader).unwrap()).unwrap();
    rig.assert_asleep();
    assert!(!sys::is_nonblocking(&reader));
    for message in [&b"one"[..], b"two"] {
        writer.write_all(message).unwrap();
        // Reads until there is no more: a blocking read would stay there.
        rig.until(|rig| rig.read_of(token).ends_with(message));
    }
    drop(writer);
    rig.until_told(Told::Eof(token));
    rig.ledger().finish(token).unwrap();
    rig.end_of(token);
    assert!(!sys::is_nonblocking(&reader));
}

fn urgent_data_is_told_to_who_asks_and_wakes_nobody_else(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (ours, theirs) = tcp_pair();
    let token = rig.ledger().adopt(ours).unwrap();
    rig.ledger().set_wants_urgent(token, true).unwrap();
    rig.glance();
    sys::send_urgent(&theirs, b'!');
    rig.until_with(
        |rig| {
            rig.turn_with(None, |ledger, told| {
                if told == Told::Urgent(token) {
                    assert_eq!(ledger.read_urgent(token).unwrap(), Some(b'!'));
                    assert_eq!(ledger.read_urgent(token).unwrap(), None);
                }
                false
            });
        },
        |rig| rig.times(Told::Urgent(token)) == 1,
    );
    // The mark in the stream stays until something is read across it, and is no news.
    rig.ledger().set_wants_urgent(token, false).unwrap();
    sys::send_urgent(&theirs, b'?');
    (&theirs).write_all(b"plain").unwrap();
    rig.until(|rig| rig.read_of(token) == b"plain");
    assert_eq!(rig.times(Told::Urgent(token)), 1);
    rig.until_asleep();
    rig.ledger().send_urgent(token, b'#').unwrap();
    assert!(rig.ends.is_empty());
}

fn data_behind_urgent_data_is_not_forgotten(backend: Backend, trigger: Trigger) {
    for wanted in [false, true] {
        let mut rig = Rig::new(backend, trigger);
        let (ours, mut theirs) = tcp_pair();
        let token = rig.ledger().adopt(ours).unwrap();
        rig.ledger().set_wants_urgent(token, wanted).unwrap();
        theirs.write_all(b"before").unwrap();
        sys::send_urgent(&theirs, b'!');
        theirs.write_all(b"behind").unwrap();
        rig.until(|rig| rig.read_of(token) == b"beforebehind");
        // One who reads on across the mark has missed it, if it came that late.
        assert!(wanted || !rig.log.contains(&Told::Urgent(token)));
        rig.until_asleep();
    }
}

fn everything_at_once_in_one_loop(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, Settings { trigger, ..Settings::default() });
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    let size = usize::try_from(file.metadata().unwrap().len()).unwrap();
    let file = rig.ledger().adopt(Descriptor::new(file)).unwrap();
    let (reader, writer) = sys::pipe();
    let reader = rig.ledger().adopt(Descriptor::new(reader)).unwrap();
    let writer = rig.ledger().adopt(Descriptor::new(writer)).unwrap();
    let (tcp, mut tcp_peer) = rig.pair(Family::Tcp);
    let (unix, mut unix_peer) = rig.pair(Family::Unix);
    rig.ledger().send(writer, "through the pipe").unwrap();
    tcp_peer.write_all(b"over tcp").unwrap();
    unix_peer.write_all(b"next door").unwrap();
    rig.until_told(Told::Eof(file));
    // The file, which is ready all the time, has not kept the others from their turn.
    for (token, expected) in [(reader, &b"through the pipe"[..]), (tcp, b"over tcp"), (unix, b"next door")] {
        rig.until(|rig| rig.read_of(token) == expected);
    }
    assert_eq!(rig.read_of(file).len(), size);
    rig.assert_asleep();
    let tokens = rig.ledger().tokens().count();
    assert_eq!((tokens, rig.ledger().len()), (5, 5));
    // A descriptor that is in the loop already is refused by no one: a duplicate is another descriptor.
    let duplicate = rig.ledger().descriptor(tcp).unwrap().as_fd().try_clone_to_owned().unwrap();
    let twin = rig.ledger().adopt(Source::Descriptor(Descriptor::new(duplicate))).unwrap();
    rig.glance();
    assert!(rig.ledger().contains(twin));
    let refused = rig.ends.iter().any(|(_, reason)| matches!(reason, Reason::Refused(e) if Refusal::of(e).is_some()));
    assert!(!refused);
}

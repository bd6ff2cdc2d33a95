//! Handlers of descriptors that are no sockets: pipes, files, the ends of a child process.

use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;
use tripoll::dispatcher::Outcome;
use tripoll::reactor::{Descriptor, Missed, Reason};
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    a_pipe_is_read_to_its_end,
    a_child_is_spoken_to_by_its_pipes,
    a_writing_end_whose_reader_is_gone_is_closed,
    a_regular_file_is_read_to_its_end,
    a_shared_descriptor_is_a_duplicate,
    dev_null_is_at_its_end,
);

fn child(program: &str, input: Stdio) -> std::process::Child {
    Command::new(program).stdin(input).stdout(Stdio::piped()).spawn().expect("every system has it")
}

fn a_pipe_is_read_to_its_end(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let mut child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn().unwrap();
    let output = OwnedFd::from(child.stdout.take().unwrap());
    event_loop.adopt(Descriptor::new(output), Probe::new("pipe")).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().received("pipe"), b"hello\n");
    assert_eq!(event_loop.shared().log, ["pipe open", "pipe read", "pipe eof", "pipe close: closed by the peer"]);
    child.wait().unwrap();
}

fn a_child_is_spoken_to_by_its_pipes(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let mut cat = child("cat", Stdio::piped());
    let input = OwnedFd::from(cat.stdin.take().unwrap());
    let output = OwnedFd::from(cat.stdout.take().unwrap());
    // More than a pipe holds.
    let message: Vec<u8> = (0..300_000_u32).map(|i| i as u8).collect();
    let sent = message.clone();
    let writer = Probe::new("in").on(On::Open, move |cx, _| {
        cx.send(&sent)?;
        cx.finish();
        Ok(())
    });
    event_loop.adopt(Descriptor::new(input), writer).unwrap();
    event_loop.adopt(Descriptor::new(output), Probe::new("out")).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().received("out"), message);
    assert!(event_loop.shared().has("in close: closed"), "{:?}", event_loop.shared().log);
    assert!(event_loop.shared().has("out close: closed by the peer"), "{:?}", event_loop.shared().log);
    cat.wait().unwrap();
}

fn a_writing_end_whose_reader_is_gone_is_closed(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let mut cat = child("cat", Stdio::piped());
    let input = OwnedFd::from(cat.stdin.take().unwrap());
    cat.kill().unwrap();
    cat.wait().unwrap();
    // Another test may be about to start a child of its own, which holds a duplicate of the reading end for a moment.
    let writer = Probe::new("in")
        .on(On::Open, |cx, _| cx.set_interval(Duration::from_millis(1), Missed::Skip).map(drop))
        .on(On::Timeout, |cx, _| cx.send("into the void").map(drop).map_err(Into::into));
    event_loop.adopt(Descriptor::new(input), writer).unwrap();
    turn_until_ended(&mut event_loop, "in");
    let end = event_loop.shared().ended("in").unwrap();
    assert!(matches!(&end.reason, Reason::Failed(e) if e.kind() == ErrorKind::BrokenPipe), "{end:?}");
    assert_eq!(end.lost, 13);
}

fn a_regular_file_is_read_to_its_end(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let path = fresh_path();
    let content: Vec<u8> = (0..200_000_u32).map(|i| (i / 7) as u8).collect();
    fs::write(&path, &content).unwrap();
    event_loop.adopt(Descriptor::new(File::open(&path).unwrap()), Probe::new("file")).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert!(event_loop.shared().received("file") == content, "the content has changed on its way");
    assert_eq!(event_loop.shared().log, ["file open", "file read", "file eof", "file close: closed by the peer"]);
}

fn a_shared_descriptor_is_a_duplicate(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let mut cat = child("cat", Stdio::piped());
    let output = cat.stdout.take().unwrap();
    event_loop.adopt(Descriptor::shared(&output).unwrap(), Probe::new("pipe")).unwrap();
    drop(output);
    cat.stdin.take().unwrap().write_all(b"after the original was closed").unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().received("pipe"), b"after the original was closed");
    cat.wait().unwrap();
}

fn dev_null_is_at_its_end(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    event_loop.adopt(Descriptor::new(File::open("/dev/null").unwrap()), Probe::new("null")).unwrap();
    assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    assert_eq!(event_loop.shared().log.last().unwrap(), "null close: closed by the peer");
    assert!(event_loop.shared().received("null").is_empty());
}

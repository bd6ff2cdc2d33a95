//! Pipes: one direction, and an end that pollers tell each in its own way.

use crate::kit::{Rig, Told, noise};
use crate::support::every_backend_and_trigger;
use crate::sys;
use std::fs::File;
use std::io::{self, Read, Write};
use std::thread;
use tripoll::reactor::{Descriptor, Reason, SendError};
use tripoll::{Backend, Token, Trigger};

every_backend_and_trigger!(
    a_pipe_without_a_writer_is_at_its_end,
    what_was_written_before_the_end_is_read,
    a_pipe_takes_what_its_reader_makes_room_for,
    a_pipe_whose_reader_is_gone_ends_with_the_next_write,
    a_pipe_that_is_finished_is_closed_when_all_is_written,
    a_pipe_has_one_direction,
);

fn reading(rig: &mut Rig) -> (Token, File) {
    let (reader, writer) = sys::pipe();
    (rig.ledger().adopt(Descriptor::new(reader)).unwrap(), writer)
}

fn writing(rig: &mut Rig) -> (File, Token) {
    let (reader, writer) = sys::pipe();
    sys::shrink_pipe(&writer);
    (reader, rig.ledger().adopt(Descriptor::new(writer)).unwrap())
}

fn a_pipe_without_a_writer_is_at_its_end(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, writer) = reading(&mut rig);
    rig.assert_asleep();
    drop(writer);
    rig.until_told(Told::Eof(token));
    rig.assert_asleep();
    rig.ledger().finish(token).unwrap();
    assert!(matches!(rig.end_of(token), Reason::Peer));
    // Also one that had none when it came.
    let (reader, writer) = sys::pipe();
    drop(writer);
    let token = rig.ledger().adopt(Descriptor::new(reader)).unwrap();
    rig.until_told(Told::Eof(token));
}

fn what_was_written_before_the_end_is_read(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (token, mut writer) = reading(&mut rig);
    let message = noise(50_000);
    writer.write_all(&message).unwrap();
    drop(writer);
    rig.until_told(Told::Eof(token));
    assert!(rig.read_of(token) == message);
}

fn a_pipe_takes_what_its_reader_makes_room_for(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (mut reader, token) = writing(&mut rig);
    let message = noise(300_000);
    for piece in message.chunks(999) {
        rig.ledger().send(token, piece).unwrap();
    }
    rig.assert_asleep();
    assert!(rig.ledger().queued(token).unwrap() >= message.len() - 8192);
    let length = message.len();
    let thread = thread::spawn(move || {
        let mut read = vec![0; length];
        reader.read_exact(&mut read).unwrap();
        (read, reader)
    });
    rig.until(|rig| rig.stats().queued == 0);
    let (read, _reader) = thread.join().unwrap();
    assert!(read == message);
    rig.assert_asleep();
}

fn a_pipe_whose_reader_is_gone_ends_with_the_next_write(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (reader, token) = writing(&mut rig);
    rig.glance();
    drop(reader);
    // Nobody waits for anything, so nobody is told, and nothing spins.
    rig.assert_asleep();
    rig.ledger().send(token, "hello?").unwrap();
    let reason = rig.end_of(token);
    assert!(matches!(reason, Reason::Failed(e) if e.kind() == io::ErrorKind::BrokenPipe), "{reason}");
    // The same while the queue waits for room.
    let (reader, token) = writing(&mut rig);
    rig.ledger().send(token, noise(100_000)).unwrap();
    rig.assert_asleep();
    drop(reader);
    let reason = rig.end_of(token);
    assert!(matches!(reason, Reason::Failed(e) if e.kind() == io::ErrorKind::BrokenPipe), "{reason}");
    rig.assert_asleep();
}

fn a_pipe_that_is_finished_is_closed_when_all_is_written(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (mut reader, token) = writing(&mut rig);
    let message = noise(100_000);
    rig.ledger().send(token, &message).unwrap();
    rig.ledger().finish(token).unwrap();
    rig.assert_asleep();
    assert!(rig.ledger().contains(token));
    let thread = thread::spawn(move || {
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        read
    });
    assert!(matches!(rig.end_of(token), Reason::Local));
    assert!(thread.join().unwrap() == message);
}

fn a_pipe_has_one_direction(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let (reading, _writer) = reading(&mut rig);
    let (_reader, writing) = writing(&mut rig);
    assert_eq!(rig.ledger().send(reading, "x"), Err(SendError::Gone));
    let error = rig.ledger().shutdown_write(writing).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    rig.assert_asleep();
    assert!(rig.ends.is_empty());
}

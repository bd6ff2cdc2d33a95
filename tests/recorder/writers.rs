//! Writers that fail, and files that were not finished.

use crate::kit::*;
use crate::support::every_backend_and_trigger;
use crate::trace::Trace;
use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tripoll::reactor::Recorder;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(a_writer_that_fails_ends_the_recording_and_not_the_loop, what_is_cut_off_can_be_read);

/// A disk with room for so many pieces.
struct Full {
    room: usize,
    asked: Arc<AtomicUsize>,
}

impl Write for Full {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.room.checked_sub(1) {
            Some(room) => {
                self.room = room;
                Ok(buf.len())
            }
            None => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn a_writer_that_fails_ends_the_recording_and_not_the_loop(backend: Backend, trigger: Trigger) {
    for room in [0, 1, 2] {
        let asked = Arc::new(AtomicUsize::new(0));
        let (mut event_loop, hand) = by_hand(backend, trigger);
        event_loop.record(Recorder::new(Full { room, asked: Arc::clone(&asked) }));
        let (_, mut peer) = client(&mut event_loop);
        for _ in 0..10 {
            // Long enough for what was taken down to be due.
            hand.advance(Duration::from_millis(20));
            exchange(&mut event_loop, &mut peer, b"hello");
        }
        assert_eq!(event_loop.stats().bytes_out, 50, "the loop goes on");
        assert_eq!(asked.load(Ordering::Relaxed), room + 1, "it is not tried again");
        assert!(!event_loop.reactor().ledger().is_recording());
        let recorder = event_loop.stop_recording().unwrap();
        assert_eq!(recorder.error().map(io::Error::kind), Some(io::ErrorKind::StorageFull));
        assert!(recorder.lost() > 0 && recorder.lost() <= recorder.taken());
        assert_eq!(recorder.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(asked.load(Ordering::Relaxed), room + 1);
    }
}

fn what_is_cut_off_can_be_read(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let (mut event_loop, hand) = by_hand(backend, trigger);
    event_loop.record(Recorder::new(memory.clone()));
    let (token, mut peer) = client(&mut event_loop);
    exchange(&mut event_loop, &mut peer, b"one");
    hand.advance(Duration::from_millis(10));
    exchange(&mut event_loop, &mut peer, b"two");
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    // What a process leaves behind that is killed here.
    let mut text = memory.bytes();
    assert!(text.starts_with(b"[\n{") && text.ends_with(b"}"), "each piece is whole lines");
    text.extend_from_slice(b"\n]");
    let events: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let answered = |event: &&serde_json::Value| event["cat"] == "write" && event["args"]["token"] == token.to_string();
    assert!(events.iter().filter(answered).count() > 0, "the first exchange is there");
    finish(&mut event_loop);
    assert!(memory.bytes().starts_with(&text[..text.len() - 2]), "what was written stays");
    memory.trace();
}

#[test]
fn a_file_is_written_also_when_the_loop_is_dropped() {
    let path = std::env::temp_dir().join(format!("tripoll-recorder-{}.json", std::process::id()));
    let mut event_loop = echo_loop(Backend::Epoll, Trigger::Level);
    event_loop.record(Recorder::create(&path).unwrap());
    let (_, mut peer) = client(&mut event_loop);
    exchange(&mut event_loop, &mut peer, b"hello");
    let stats = *event_loop.stats();
    drop(event_loop);
    let text = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    Trace::read(&text).agrees_with(&stats);
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let error = Recorder::create("/nowhere/at/all.json").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("cannot record to /nowhere/at/all.json: "), "{error}");
}

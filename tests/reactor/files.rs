//! Regular files and their like: ready all the time, for every backend, also for one that refuses to watch them.

use crate::kit::{Family, Rig, Told, noise};
use crate::support::every_backend_and_trigger;
use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use tripoll::reactor::{Descriptor, Reason};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(
    a_file_is_read_to_its_end,
    a_file_that_never_ends_leaves_the_others_their_turn,
    a_file_that_is_not_read_for_a_while_wakes_nobody,
    a_file_is_written,
    the_null_device_is_at_its_end_at_once,
    standard_input_from_a_file_is_no_different,
);

/// A file of one's own, gone when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(content: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("tripoll-reactor-{}-{count}.txt", process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn a_file_is_read_to_its_end(backend: Backend, trigger: Trigger) {
    for length in [0, 1, 300_000] {
        let mut rig = Rig::new(backend, trigger);
        let content = noise(length);
        let scratch = Scratch::new(&content);
        let token = rig.ledger().adopt(Descriptor::new(File::open(&scratch.0).unwrap())).unwrap();
        rig.until_told(Told::Eof(token));
        assert!(rig.read_of(token) == content);
        rig.assert_asleep();
        rig.ledger().finish(token).unwrap();
        assert!(matches!(rig.end_of(token), Reason::Peer));
        rig.assert_asleep();
    }
}

fn a_file_that_never_ends_leaves_the_others_their_turn(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::with(backend, Settings { trigger, read_bytes: 5000, ..Settings::default() });
    let zeros = rig.ledger().adopt(Descriptor::new(File::open("/dev/zero").unwrap())).unwrap();
    let (token, mut peer) = rig.pair(Family::Unix);
    rig.glance();
    rig.glance();
    for turn in 1..=20 {
        let read = rig.read_of(zeros).len();
        peer.write_all(b"x").unwrap();
        rig.turn(None);
        assert_eq!(rig.read_of(token).len(), turn);
        assert_eq!(rig.read_of(zeros).len(), read + 5000, "its budget, and no more");
    }
    rig.ledger().abort(zeros).unwrap();
    rig.end_of(zeros);
    rig.assert_asleep();
}

fn a_file_that_is_not_read_for_a_while_wakes_nobody(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let zeros = rig.ledger().adopt(Descriptor::new(File::open("/dev/zero").unwrap())).unwrap();
    rig.ledger().pause(zeros).unwrap();
    rig.assert_asleep();
    rig.ledger().resume(zeros).unwrap();
    rig.until(|rig| !rig.read_of(zeros).is_empty());
    rig.ledger().pause(zeros).unwrap();
    rig.assert_asleep();
}

fn a_file_is_written(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let scratch = Scratch::new(b"");
    let token = rig.ledger().adopt(Descriptor::new(File::create(&scratch.0).unwrap())).unwrap();
    let content = noise(500_000);
    for piece in content.chunks(10_000) {
        rig.ledger().send(token, piece).unwrap();
    }
    rig.ledger().finish(token).unwrap();
    assert!(matches!(rig.end_of(token), Reason::Local));
    assert!(fs::read(&scratch.0).unwrap() == content);
    rig.assert_asleep();
}

fn the_null_device_is_at_its_end_at_once(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    let token = rig.ledger().adopt(Descriptor::new(null)).unwrap();
    rig.ledger().send(token, "whatever").unwrap();
    rig.until_told(Told::Eof(token));
    rig.until(|rig| rig.stats().bytes_out == 8);
    rig.assert_asleep();
}

fn standard_input_from_a_file_is_no_different(backend: Backend, trigger: Trigger) {
    let mut rig = Rig::new(backend, trigger);
    let scratch = Scratch::new(b"line\nline\n");
    let input = File::open(&scratch.0).unwrap();
    let token = rig.ledger().adopt(Descriptor::shared(&input).unwrap()).unwrap();
    rig.until_told(Told::Eof(token));
    assert_eq!(rig.read_of(token), b"line\nline\n");
    rig.assert_asleep();
}

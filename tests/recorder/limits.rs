//! Nothing grows without bound: not the file, not what is kept.

use crate::kit::*;
use crate::support::every_backend_and_trigger;
use std::time::Duration;
use tripoll::reactor::Recorder;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(a_recording_ends_at_its_limit_and_says_so, the_latest_records_are_kept_and_nest,);

fn a_recording_ends_at_its_limit_and_says_so(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let mut event_loop = echo_loop(backend, trigger);
    event_loop.record(Recorder::new(memory.clone()).limit(40));
    let (_, mut peer) = client(&mut event_loop);
    for _ in 0..40 {
        exchange(&mut event_loop, &mut peer, b"hello");
    }
    assert!(!event_loop.reactor().ledger().is_recording(), "there is nothing more to be recorded");
    assert_eq!(event_loop.stats().bytes_in, 200, "the loop goes on");
    let recorder = event_loop.stop_recording().expect("it is given back all the same");
    assert_eq!((recorder.taken(), recorder.lost()), (40, 0));
    assert_eq!(finished(recorder), 40);
    assert!(event_loop.stop_recording().is_none());

    let trace = memory.trace();
    let last = trace.events.iter().rfind(|event| event.phase == "i").unwrap();
    assert_eq!((last.name.as_str(), last.category.as_str()), ("limit reached", "recorder"));
}

fn the_latest_records_are_kept_and_nest(backend: Backend, trigger: Trigger) {
    // Whatever the oldest record is: its end may be there without its beginning.
    for kept in [1, 2, 3, 5, 30, 31, 32, 33, 34, 35, 36, 37, 38, 1000] {
        let memory = Memory::default();
        let (mut event_loop, hand) = by_hand(backend, trigger);
        event_loop.record(Recorder::new(memory.clone()).latest(kept).limit(7));
        let (token, mut peer) = client(&mut event_loop);
        for _ in 0..20 {
            hand.advance(Duration::from_millis(1));
            exchange(&mut event_loop, &mut peer, b"hello");
        }
        assert!(memory.bytes().is_empty(), "it was written before the end");
        let recorder = event_loop.stop_recording().unwrap();
        let (taken, lost) = (recorder.taken(), recorder.lost());
        assert_eq!(taken - lost, taken.min(kept as u64));
        assert_eq!(finished(recorder), taken - lost);

        let trace = memory.trace();
        assert_eq!(trace.events.iter().rfind(|event| event.phase == "i").unwrap().name, "stopped");
        if kept >= 30 {
            assert_eq!(trace.of(token).last().unwrap().at, 20_000_000, "the latest are there");
            assert_eq!(trace.of(token).next().unwrap().at, if kept == 1000 { 0 } else { trace.events[0].at.max(1) });
        }
    }
}

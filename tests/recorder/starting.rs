//! Recordings that begin and end in mid-flight.

use crate::kit::*;
use crate::support::every_backend_and_trigger;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Occurrence, Reactor, Recorder, Stream};
use tripoll::{Backend, Context, Dispatcher, EventLoop, Trigger};

every_backend_and_trigger!(
    a_recording_begins_and_ends_between_turns,
    a_callback_can_begin_and_end_a_recording,
    a_program_on_the_reactor_is_recorded_as_well,
    the_loop_does_the_same_whether_it_is_recorded_or_not,
);

fn a_recording_begins_and_ends_between_turns(backend: Backend, trigger: Trigger) {
    let mut event_loop = echo_loop(backend, trigger);
    let (token, mut peer) = client(&mut event_loop);
    exchange(&mut event_loop, &mut peer, b"before");
    let memories = [Memory::default(), Memory::default()];
    event_loop.record(Recorder::new(memories[0].clone()));
    exchange(&mut event_loop, &mut peer, b"first");
    let first = event_loop.record(Recorder::new(memories[1].clone())).expect("the one before is given back");
    exchange(&mut event_loop, &mut peer, b"second!");
    finish(&mut event_loop);
    exchange(&mut event_loop, &mut peer, b"after");
    finished(first);
    for (memory, bytes) in memories.iter().zip([5, 7]) {
        let trace = memory.trace();
        assert_eq!(trace.of(token).next().unwrap().name, "there already");
        assert!(trace.of(token).any(|event| event.name == "readable"));
        let sent: u64 = trace.of(token).filter(|e| e.category == "write").map(|event| event.number("done")).sum();
        assert_eq!(sent, bytes);
    }
}

/// Begins a recording when it reads `+`, and ends it when it reads `-`.
struct Switch(Memory);

impl Dispatcher for Switch {
    type Shared = Option<Recorder>;
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, recorder: &mut Option<Recorder>) -> io::Result<()> {
        let data = cx.recv()?;
        for byte in data {
            match byte {
                b'+' => _ = cx.ledger().record(Recorder::new(self.0.clone())),
                b'-' => *recorder = cx.ledger().stop_recording(),
                _ => {}
            }
        }
        cx.send(data)?;
        Ok(())
    }
}

fn a_callback_can_begin_and_end_a_recording(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let mut event_loop = EventLoop::on(
        Reactor::with_settings(AnyPoller::new(backend).unwrap(), settings(trigger)).unwrap(),
        None::<Recorder>,
    );
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let token = event_loop.adopt(Stream::from(ours), Switch(memory.clone())).unwrap();
    theirs.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for message in ["before", "+", "during", "-", "after"] {
        theirs.write_all(message.as_bytes()).unwrap();
        event_loop.turn(None).unwrap();
        let mut answer = vec![0; message.len()];
        theirs.read_exact(&mut answer).unwrap();
        assert_eq!(answer, message.as_bytes());
        assert_eq!(event_loop.reactor().ledger().is_recording(), message == "+" || message == "during");
    }
    finished(event_loop.shared_mut().take().expect("it was given back"));
    let trace = memory.trace();
    let sent: u64 = trace.of(token).filter(|e| e.category == "write").map(|event| event.number("done")).sum();
    // That of the callback which began it may be missing, that of the one which ended it must.
    assert!(["during".len() as u64, "+during".len() as u64].contains(&sent), "{sent} bytes");
}

fn a_program_on_the_reactor_is_recorded_as_well(backend: Backend, trigger: Trigger) {
    let memory = Memory::default();
    let mut reactor = Reactor::with_settings(AnyPoller::new(backend).unwrap(), settings(trigger)).unwrap();
    reactor.record(Recorder::new(memory.clone()));
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let token = reactor.ledger().adopt(Stream::from(ours)).unwrap();
    theirs.write_all(b"hello").unwrap();
    reactor.turn(None).unwrap();
    while let Some(occurrence) = reactor.pop() {
        if let Occurrence::Readable(token) = occurrence {
            let mut buf = [0; 64];
            let read = reactor.ledger().read(token, &mut buf).unwrap();
            reactor.ledger().send(token, &buf[..read]).unwrap();
        }
    }
    let stats = *reactor.ledger_ref().stats();
    finished(reactor.stop_recording().unwrap());
    let trace = memory.trace();
    trace.agrees_with(&stats);
    let life: Vec<&str> = trace.of(token).map(|event| event.name.as_str()).collect();
    assert_eq!(life, ["opened", "interest", "readable", "read", "recv", "send answer"]);
    let told = trace.slices.iter().find(|slice| slice.name == "read").unwrap();
    let sent = trace.of(token).last().unwrap().at;
    assert!(sent >= told.to, "the answer is written when the program asks for more");
}

fn the_loop_does_the_same_whether_it_is_recorded_or_not(backend: Backend, trigger: Trigger) {
    let stats = [false, true].map(|recorded| {
        let (mut event_loop, hand) = by_hand(backend, trigger);
        if recorded {
            event_loop.record(Recorder::new(io::sink()));
        }
        let (_, mut peer) = client(&mut event_loop);
        for size in [1, 5, 3000, 1, 100, 4000] {
            hand.advance(Duration::from_millis(7));
            exchange(&mut event_loop, &mut peer, &vec![b'x'; size]);
        }
        drop(peer);
        until(&mut event_loop, |event_loop| event_loop.stats().closed == 1);
        *event_loop.stats()
    });
    assert_eq!(format!("{:?}", stats[0]), format!("{:?}", stats[1]));
}

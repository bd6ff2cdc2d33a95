//! Loops that are recorded into memory, and something for them to do.

use crate::support::BOUND;
use crate::trace::Trace;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Address, Clock, Hand, Reactor, Recorder, Stream};
use tripoll::{Backend, Context, Dispatcher, EventLoop, Settings, Token, Trigger};

/// A file in memory, of which a test keeps a handle.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn trace(&self) -> Trace {
        Trace::read(&self.bytes())
    }
}

impl Write for Memory {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends back what comes; what is not known to be otherwise is a connection.
pub(crate) struct Echo;

impl Dispatcher for Echo {
    type Shared = ();
    type Spawn = Self;

    fn handle_accept(&mut self, stream: Stream, _: Address, cx: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        cx.adopt(stream, Self)?;
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        let data = cx.recv()?;
        cx.send(data)?;
        Ok(())
    }
}

pub(crate) type Loop = EventLoop<Echo>;

pub(crate) fn settings(trigger: Trigger) -> Settings {
    Settings { trigger, ..Settings::default() }
}

pub(crate) fn echo_loop(backend: Backend, trigger: Trigger) -> Loop {
    let poller = AnyPoller::new(backend).unwrap();
    EventLoop::on(Reactor::with_settings(poller, settings(trigger)).unwrap(), ())
}

pub(crate) fn by_hand(backend: Backend, trigger: Trigger) -> (Loop, Hand) {
    let (clock, hand) = Clock::by_hand();
    let poller = AnyPoller::new(backend).unwrap();
    (EventLoop::on(Reactor::with_clock(poller, settings(trigger), clock).unwrap(), ()), hand)
}

/// A connection in the loop, and its peer, which does not block.
pub(crate) fn client(event_loop: &mut Loop) -> (Token, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    (event_loop.adopt(Stream::from(ours), Echo).unwrap(), theirs)
}

/// Makes turns until a condition holds.
pub(crate) fn until(event_loop: &mut Loop, mut met: impl FnMut(&mut Loop) -> bool) {
    let began = Instant::now();
    while !met(event_loop) {
        assert!(began.elapsed() < BOUND, "it did not come to that");
        event_loop.turn(Some(Duration::from_millis(10))).unwrap();
    }
}

/// Sends something and makes turns until it has come back.
pub(crate) fn exchange(event_loop: &mut Loop, peer: &mut UnixStream, message: &[u8]) {
    peer.write_all(message).unwrap();
    let mut answer = Vec::new();
    until(event_loop, |_| {
        let mut buf = [0; 4096];
        while let Ok(read @ 1..) = peer.read(&mut buf) {
            answer.extend_from_slice(&buf[..read]);
        }
        answer.len() >= message.len()
    });
    assert_eq!(answer, message);
}

/// Ends the recording, whatever it was; what was written can then be read.
pub(crate) fn finish(event_loop: &mut Loop) -> u64 {
    finished(event_loop.stop_recording().expect("it was recording"))
}

pub(crate) fn finished(recorder: Recorder) -> u64 {
    recorder.finish().expect("it can be written")
}

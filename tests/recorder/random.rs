//! Whatever happens in whatever order, the recording adds up to what the loop has counted.

use crate::kit::*;
use crate::support::every_backend_and_trigger;
use proptest::prelude::*;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Clock, Reactor, Recorder, Stream};
use tripoll::{Backend, Context, Dispatcher, EventLoop, Settings, Token, Trigger};

every_backend_and_trigger!(whatever_happens_the_recording_adds_up);

/// Obeys what it reads, a byte each; a member of a small room.
struct Obedient;

impl Dispatcher for Obedient {
    type Shared = Vec<Token>;
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, members: &mut Vec<Token>) -> io::Result<()> {
        for byte in cx.recv()? {
            match byte % 12 {
                0 => _ = cx.send(vec![*byte; 300_000]),
                1 | 2 => _ = cx.broadcast(members.iter().copied(), &[*byte; 200]),
                3 => _ = cx.set_timer(Duration::from_millis(u64::from(*byte))),
                4 => cx.finish(),
                5 => cx.abort(),
                6 => return Err(io::ErrorKind::Other.into()),
                7 => cx.pause(),
                _ => _ = cx.send(&[*byte; 50]),
            }
        }
        Ok(())
    }

    fn handle_timeout(
        &mut self,
        _: tripoll::reactor::TimerId,
        cx: &mut Context<'_, Self>,
        _: &mut Vec<Token>,
    ) -> io::Result<()> {
        cx.resume();
        cx.send("tick")?;
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Join,
    /// One of the peers writes so much of this.
    Write(usize, u8, usize),
    Read(usize, usize),
    Leave(usize),
    Advance(u64),
    Turn,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Join),
        5 => (any::<usize>(), any::<u8>(), 1..4_usize).prop_map(|(who, byte, size)| Step::Write(who, byte, size)),
        3 => (any::<usize>(), 1..500_000_usize).prop_map(|(who, size)| Step::Read(who, size)),
        1 => any::<usize>().prop_map(Step::Leave),
        2 => (1..200_u64).prop_map(Step::Advance),
        6 => Just(Step::Turn),
    ]
}

fn whatever_happens_the_recording_adds_up(backend: Backend, trigger: Trigger) {
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 0..80))| {
        let (clock, hand) = Clock::by_hand();
        let settings = Settings { trigger, queue_max: 500_000, ..Settings::default() };
        let reactor = Reactor::with_clock(AnyPoller::new(backend).unwrap(), settings, clock).unwrap();
        let mut event_loop = EventLoop::on(reactor, Vec::new());
        let memory = Memory::default();
        event_loop.record(Recorder::new(memory.clone()));
        let mut peers: Vec<UnixStream> = Vec::new();
        for step in steps {
            let count = peers.len().max(1);
            let pick = |who: usize| who % count;
            match step {
                Step::Join if peers.len() < 6 => {
                    let (ours, theirs) = UnixStream::pair().unwrap();
                    theirs.set_nonblocking(true).unwrap();
                    peers.push(theirs);
                    let token = event_loop.adopt(Stream::from(ours), Obedient).unwrap();
                    event_loop.shared_mut().push(token);
                }
                Step::Write(who, byte, size) => if let Some(peer) = peers.get_mut(pick(who)) {
                    let _ = peer.write(&vec![byte; size]);
                },
                Step::Read(who, size) => if let Some(peer) = peers.get_mut(pick(who)) {
                    let _ = peer.read(&mut vec![0; size]);
                },
                Step::Leave(who) if !peers.is_empty() => drop(peers.swap_remove(pick(who))),
                Step::Advance(by) => hand.advance(Duration::from_millis(by)),
                Step::Turn => event_loop.turn(None).unwrap(),
                _ => {}
            }
        }
        let stats = *event_loop.stats();
        finished(event_loop.stop_recording().unwrap());
        memory.trace().agrees_with(&stats);
    });
}

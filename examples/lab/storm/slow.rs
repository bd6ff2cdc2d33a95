//! A reader that does not read: a queue without a cap takes all the memory there is.

use super::loopback::{PATIENCE, connection, read_some};
use super::meter::{Counts, End, Meter, MeteredLoop, Span, metered};
use super::script::{MARK, Scene, Script, Side, place, possible};
use super::tally::{Outcome, Tally};
use nix::sys::socket::{setsockopt, sockopt};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;
use tripoll::dispatcher::{Context, Dispatcher};
use tripoll::poller::{Events, Poller};
use tripoll::reactor::Reason;
use tripoll::{Interest, Settings, Token, Trigger};

pub(super) const SCRIPT: Script = Script {
    title: "A reader that does not read",
    about: "A thousand messages of 16 KiB go to two readers. One reads at once. The other never does.",
    so_what: "A queue grows at the pace of the sender and shrinks at that of the slowest reader. Without a cap one client \
              that does nothing takes all the memory, and the kernel ends the process for everybody. Say how much may \
              wait for one, and what happens then.",
    mistake: place!("examples/lab/storm/slow.rs", MARK),
    code: place!("src/reactor/ledger/queueing.rs", "fn make_room("),
    test: place!(
        "tests/reactor/overflow.rs",
        "fn one_who_never_reads_is_cut_at_the_cap_and_the_others_notice_nothing("
    ),
    sides: &[
        Side { label: "off", defended: false, trigger: Trigger::Level, play: off },
        Side { label: "on", defended: true, trigger: Trigger::Level, play: on },
    ],
    alone: false,
    impossible: possible,
    seen,
};

const MESSAGE: [u8; 16 * 1024] = [7; 16 * 1024];
/// As many steps of time, with as many messages in each.
const STEPS: u32 = 64;
const MESSAGES: usize = 16;

/// Two readers of one loop, which knows how to send, and how many bytes wait for the slow one.
trait Feed: Counts {
    fn broadcast(&mut self) -> io::Result<()>;
    fn turn(&mut self, left: Duration) -> io::Result<()>;
    fn queued(&mut self) -> usize;
}

/// The reader that reads, and how much it has.
struct Reader {
    client: TcpStream,
    got: u64,
    buf: Vec<u8>,
}

impl Reader {
    fn read_all(&mut self) -> io::Result<()> {
        loop {
            match read_some(&self.client, &mut self.buf)? {
                0 => return Ok(()),
                read => self.got += read as u64,
            }
        }
    }
}

/// Two connections: of the one that reads and of the one that does not. What the kernel buffers for the latter is kept
/// small, since it is the queue that is to be seen.
fn readers() -> io::Result<([TcpStream; 2], Reader, TcpStream)> {
    let (fast, client) = connection()?;
    let (slow, silent) = connection()?;
    setsockopt(&slow, sockopt::SndBuf, &(64 * 1024))?;
    Ok(([fast, slow], Reader { client, got: 0, buf: vec![0; 256 * 1024] }, silent))
}

fn feed(scene: &Scene, mut reader: Reader, looped: &mut impl Feed) -> io::Result<Tally> {
    let (mut queued, mut peak) = (Vec::new(), 0);
    let span = Span::begin(looped)?;
    for _ in 0..STEPS {
        let end = End::after(scene.time / STEPS);
        for _ in 0..MESSAGES {
            looped.broadcast()?;
            peak = peak.max(looped.queued());
        }
        queued.push(looped.queued() as u64);
        while let Some(left) = end.left() {
            looped.turn(left.min(Duration::from_millis(1)))?;
            reader.read_all()?;
        }
        catch_up(&mut reader, looped, queued.len() as u64 * MESSAGES as u64)?;
    }
    let tally = span.end(looped)?;
    let done = reader.got / MESSAGE.len() as u64;
    let tally = Tally { queued, queued_peak: Some(peak as u64), ..tally };
    Ok(tally.with("messages to who reads", done, Some(u64::from(STEPS) * MESSAGES as u64), ""))
}

/// Makes turns until the one who reads has all the messages so far, so that nothing of his is in the queue.
fn catch_up(reader: &mut Reader, looped: &mut impl Feed, messages: u64) -> io::Result<()> {
    let end = End::after(PATIENCE);
    while reader.got < messages * MESSAGE.len() as u64 && !end.has_come() {
        looped.turn(Duration::from_millis(1))?;
        reader.read_all()?;
    }
    Ok(())
}

/// One connection of the loop by hand, and what it is owed.
struct Member {
    stream: TcpStream,
    queue: VecDeque<u8>,
    wanted: Interest,
}

/// A loop that keeps for everybody whatever he has not taken.
struct ByHand {
    poller: Meter,
    events: Events,
    members: Vec<Member>,
}

impl ByHand {
    fn flush(&mut self, index: usize) -> io::Result<()> {
        let Member { stream, queue, wanted } = &mut self.members[index];
        while !queue.is_empty() {
            match self.poller.call(stream.write(queue.as_slices().0)) {
                Ok(written) => drop(queue.drain(..written)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        let want = Interest::READABLE | if queue.is_empty() { Interest::NONE } else { Interest::WRITABLE };
        if *wanted != want {
            *wanted = want;
            self.poller.modify(stream.as_fd(), Token::new(index as u32, 0), want, Trigger::Level)?;
        }
        Ok(())
    }
}

impl Counts for ByHand {
    fn counts(&mut self) -> (u64, u64) {
        self.poller.counts()
    }
}

impl Feed for ByHand {
    fn broadcast(&mut self) -> io::Result<()> {
        for index in 0..self.members.len() {
            self.members[index].queue.extend(&MESSAGE); // the mistake: however much it holds
            self.flush(index)?;
        }
        Ok(())
    }

    fn turn(&mut self, left: Duration) -> io::Result<()> {
        self.poller.wait(&mut self.events, Some(left))?;
        let ready: Vec<_> = self.events.iter().filter(|event| event.is_writable()).collect();
        ready.into_iter().try_for_each(|event| self.flush(event.token().index() as usize))
    }

    fn queued(&mut self) -> usize {
        self.members[1].queue.len()
    }
}

fn off(scene: &Scene) -> io::Result<Tally> {
    let (streams, reader, _silent) = readers()?;
    let mut poller = Meter::new(scene.backend)?;
    let mut members = Vec::new();
    for (index, stream) in streams.into_iter().enumerate() {
        poller.add(stream.as_fd(), Token::new(index as u32, 0), Interest::READABLE, Trigger::Level)?;
        members.push(Member { stream, queue: VecDeque::new(), wanted: Interest::READABLE });
    }
    let mut by_hand = ByHand { poller, events: Events::with_capacity(16), members };
    let tally = feed(scene, reader, &mut by_hand)?;
    let end = format!("{} are queued, and more to come", super::show::bytes(by_hand.queued() as u64));
    Ok(Tally { end, ..tally })
}

/// One connection of tripoll's loop. The loop has the queue.
struct Listens;

/// Everybody, the slow one last, and how his connection ended.
struct Room {
    members: Vec<Token>,
    ended: Option<String>,
}

impl Dispatcher for Listens {
    type Shared = Room;
    type Spawn = Self;

    fn handle_close(&mut self, reason: Reason, cx: &mut Context<'_, Self>, room: &mut Room) {
        let own = cx.token();
        room.members.retain(|member| *member != own);
        room.ended = Some(reason.to_string());
    }
}

impl Feed for MeteredLoop<Listens> {
    fn broadcast(&mut self) -> io::Result<()> {
        self.enter(|scope, room| scope.broadcast(room.members.iter().copied(), &MESSAGE));
        Ok(())
    }

    fn turn(&mut self, left: Duration) -> io::Result<()> {
        Self::turn(self, Some(left))
    }

    fn queued(&mut self) -> usize {
        self.enter(|scope, room| room.members.get(1).map_or(0, |slow| scope.queued_for(*slow).unwrap_or(0)))
    }
}

fn on(scene: &Scene) -> io::Result<Tally> {
    let (streams, reader, _silent) = readers()?;
    let room = Room { members: Vec::new(), ended: None };
    let mut event_loop = metered(scene.backend, Settings::default(), room)?;
    for stream in streams {
        let token = event_loop.adopt(stream, Listens)?;
        event_loop.shared_mut().members.push(token);
    }
    let tally = feed(scene, reader, &mut event_loop)?;
    let end = event_loop.shared_mut().ended.take().unwrap_or_else(|| "the reader was not cut off".to_owned());
    Ok(Tally { end, ..tally })
}

fn seen(outcome: &Outcome) -> String {
    let (off, on) = (&outcome.off, &outcome.on);
    let [most, capped] = [off, on].map(|tally| tally.queued_peak.unwrap_or(0));
    let minute = most as f64 / off.seconds * 60.0;
    format!(
        "The queue by hand grew with every message, to {} in {:.1} s; that is {} a minute. tripoll's did not pass {}: \
         then the reader was cut off ({}). Who reads got everything from both.",
        super::show::bytes(most),
        off.seconds,
        super::show::bytes(minute as u64),
        super::show::bytes(capped),
        on.end,
    )
}

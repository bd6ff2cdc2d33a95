//! A client that sends without end: served until nothing is left, it is served alone.

use super::loopback::{PATIENCE, connection, read_some};
use super::meter::{Counts, End, Meter, Span, metered};
use super::script::{MARK, Scene, Script, Side, place, possible};
use super::tally::{Outcome, Tally};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Context, Dispatcher};
use tripoll::poller::{Events, Poller};
use tripoll::{Interest, Settings, Token, Trigger};

pub(super) const SCRIPT: Script = Script {
    title: "One client hogs the loop",
    about: "One client sends faster than it is read. Another sends one byte, waits for the echo, and sends the next.",
    so_what: "\"Read until EAGAIN\" has no end if the other side writes as fast as you read. Give everybody a share of a \
              turn, and remember who has more.",
    mistake: place!("examples/lab/storm/hog.rs", MARK),
    code: place!("src/reactor/ledger/reading.rs", "slot.enter(self.turn, self.read_bytes)"),
    test: place!("tests/reactor/budgets.rs", "fn one_who_never_stops_sending_leaves_the_others_their_turn("),
    sides: &[
        Side { label: "off", defended: false, trigger: Trigger::Level, play: off },
        Side { label: "on", defended: true, trigger: Trigger::Level, play: on },
    ],
    alone: false,
    impossible: possible,
    seen,
};

const FLOOD: [u8; 16 * 1024] = [7; 16 * 1024];

/// The client that sends without end. It is played by the thread of the loop, before each read, so that it is the faster
/// one on any machine.
struct Flood {
    client: UnixStream,
    end: End,
}

impl Flood {
    /// Fills the socket, as long as the storm lasts.
    fn pour(&mut self) -> io::Result<()> {
        while !self.end.has_come() {
            match self.client.write(&FLOOD) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                result => result.map(drop)?,
            }
        }
        Ok(())
    }
}

/// The client that asks and waits.
struct Asker {
    client: TcpStream,
    asked: Instant,
    waiting: bool,
    answers: u64,
    longest: Duration,
}

impl Asker {
    /// Asks for the first time: before the storm's time begins, so that one who waits for its end waits at least as long.
    fn begin(client: TcpStream) -> io::Result<Self> {
        let mut asker = Self { client, asked: Instant::now(), waiting: false, answers: 0, longest: Duration::ZERO };
        asker.ask()?;
        Ok(asker)
    }

    fn ask(&mut self) -> io::Result<()> {
        (self.asked, self.waiting) = (Instant::now(), true);
        self.client.write_all(b"?")
    }

    /// Sees whether the answer is there.
    fn look(&mut self) -> io::Result<()> {
        if read_some(&self.client, &mut [0; 1])? > 0 {
            self.waiting = false;
            self.longest = self.longest.max(self.asked.elapsed());
        }
        Ok(())
    }
}

/// Both clients before a loop that makes its turns by `turn`.
fn besiege<L: Counts>(
    end: End,
    mut asker: Asker,
    looped: &mut L,
    mut turn: impl FnMut(&mut L, Duration) -> io::Result<()>,
) -> io::Result<Tally> {
    let span = Span::begin(looped)?;
    while let Some(left) = end.left() {
        turn(looped, left)?;
        asker.look()?;
        // An answer that comes when the flood is over is none that was given in it.
        if !asker.waiting && !end.has_come() {
            asker.answers += 1;
            asker.ask()?;
        }
    }
    let tally = span.end(looped)?;
    let patience = End::after(PATIENCE);
    while let Some(left) = patience.left().filter(|_| asker.waiting) {
        turn(looped, left.min(Duration::from_millis(1)))?;
        asker.look()?;
    }
    let end = match asker.answers {
        0 => "answered when the flood was over",
        _ => "answered all the time",
    };
    let tally = Tally { longest_wait: Some(asker.longest.as_secs_f64()), ..tally };
    Ok(tally.with("echoes in the flood", asker.answers, None, end))
}

const HOG: Token = Token::new(0, 0);
const ASKER: Token = Token::new(1, 0);

fn off(scene: &Scene) -> io::Result<Tally> {
    let (mut hog, client) = flooded()?;
    let (mut server, asking) = connection()?;
    let mut poller = Meter::new(scene.backend)?;
    poller.add(hog.as_fd(), HOG, Interest::READABLE, Trigger::Level)?;
    poller.add(server.as_fd(), ASKER, Interest::READABLE, Trigger::Level)?;
    let (mut events, mut buf) = (Events::with_capacity(16), vec![0; FLOOD.len()]);
    let asker = Asker::begin(asking)?;
    let end = End::after(scene.time);
    let mut flood = Flood { client, end };
    flood.pour()?;
    besiege(end, asker, &mut poller, |poller, left| {
        poller.wait(&mut events, Some(left))?;
        // The one who hogs comes first: the other has bad luck, as somebody always has.
        let mut ready: Vec<_> = events.iter().map(|event| event.token()).collect();
        ready.sort();
        for token in ready {
            if token == HOG {
                let budget = usize::MAX; // the mistake: until nothing is left
                for _ in 0..budget {
                    if poller.call(hog.read(&mut buf)).is_err() {
                        break;
                    }
                    flood.pour()?;
                }
            } else {
                let read = poller.call(read_some(&server, &mut buf))?;
                poller.call(server.write_all(&buf[..read]))?;
            }
        }
        Ok(())
    })
}

fn flooded() -> io::Result<(UnixStream, UnixStream)> {
    let (server, client) = UnixStream::pair()?;
    server.set_nonblocking(true)?;
    client.set_nonblocking(true)?;
    Ok((server, client))
}

enum Guest {
    /// Is read until nothing is left, just as by hand.
    Hog(Vec<u8>),
    /// Gets an echo.
    Asker,
}

impl Dispatcher for Guest {
    type Shared = Flood;
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, flood: &mut Flood) -> io::Result<()> {
        match self {
            Self::Hog(buf) => {
                while matches!(cx.read(buf), Ok(1..)) {
                    flood.pour()?;
                }
            }
            Self::Asker => {
                let data = cx.recv()?;
                cx.send(data)?;
            }
        }
        Ok(())
    }
}

fn on(scene: &Scene) -> io::Result<Tally> {
    let (hog, client) = flooded()?;
    let (server, asking) = connection()?;
    let asker = Asker::begin(asking)?;
    let end = End::after(scene.time);
    let mut flood = Flood { client, end };
    flood.pour()?;
    let mut event_loop = metered(scene.backend, Settings::default(), flood)?;
    event_loop.adopt(hog, Guest::Hog(vec![0; FLOOD.len()]))?;
    event_loop.adopt(server, Guest::Asker)?;
    besiege(end, asker, &mut event_loop, |event_loop, left| event_loop.turn(Some(left)))
}

fn seen(outcome: &Outcome) -> String {
    let (off, on) = (&outcome.off, &outcome.on);
    let [starved, served] = [off, on].map(|tally| tally.longest_wait.unwrap_or(0.0));
    format!(
        "Both loops were busy all the time, and both were given the same handler, which reads until nothing is left. By \
         hand that was one turn of {}, for as long as the flood lasted, and the other client waited for its end. \
         tripoll ends the reading when the budget of the turn is used up: some {} echoes, none later than {}.",
        super::show::time(starved),
        super::show::about(on.work.done as f64),
        super::show::time(served),
    )
}

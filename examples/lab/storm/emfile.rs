//! Accepting at the descriptor limit: under level a loop at full speed, under edge clients that are forgotten.
//!
//! The limit belongs to the whole process, so each side is played in one of its own.

use super::loopback::read_some;
use super::meter::{Counts, End, Meter, Span, metered};
use super::script::{MARK, Scene, Script, Side, place, possible};
use super::tally::{Outcome, Tally};
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;
use tripoll::dispatcher::{Context, Dispatcher};
use tripoll::poller::{Events, Poller};
use tripoll::reactor::{AcceptPolicy, Address, Stream, limits};
use tripoll::{Interest, Settings, Token, Trigger};

pub(super) const SCRIPT: Script = Script {
    title: "Accepting at the descriptor limit",
    about: "Twenty clients want to be let in while the process has no descriptor left. Then descriptors become free.",
    so_what: "A connection that cannot be accepted stays in the backlog. Level-triggered the listener is ready for ever, \
              edge-triggered it was reported for the last time. So a listener that met EMFILE must rest, and be tried \
              again later. Or keep a descriptor in reserve, accept with it and close: who waits learns that he waits in \
              vain.",
    mistake: place!("examples/lab/storm/emfile.rs", MARK),
    code: place!("src/reactor/accept.rs", "fn rest("),
    test: place!(
        "tests/reactor/limits.rs",
        "fn at_the_descriptor_limit_the_loop_sleeps_and_everybody_is_served_later("
    ),
    sides: &[
        Side { label: "off", defended: false, trigger: Trigger::Level, play: |scene| off(scene, Trigger::Level) },
        Side { label: "off, edge", defended: false, trigger: Trigger::Edge, play: |scene| off(scene, Trigger::Edge) },
        Side { label: "on", defended: true, trigger: Trigger::Level, play: |scene| on(scene, Settings::default()) },
        Side { label: "on, shed", defended: true, trigger: Trigger::Level, play: |scene| on(scene, shedding()) },
    ],
    alone: true,
    impossible: possible,
    seen,
};

const CLIENTS: usize = 20;

/// Both ends of all connections, the loop, and what a program has open anyway.
const DESCRIPTORS: u64 = 80;

/// How long everybody has to be let in once there are descriptors again. tripoll's longest rest is a second.
const RECOVERY: Duration = Duration::from_millis(1500);

/// A listener of a process that has descriptors enough, so far.
fn listen() -> io::Result<TcpListener> {
    let limit = limits::raise_descriptor_limit()?.soft;
    if limit < DESCRIPTORS {
        let what =
            format!("this storm needs {DESCRIPTORS} descriptors, and the limit is {limit}: allow more by ulimit -n");
        return Err(io::Error::other(what));
    }
    TcpListener::bind("127.0.0.1:0")
}

fn clients(address: SocketAddr) -> io::Result<Vec<TcpStream>> {
    let client = |_| {
        let client = TcpStream::connect(address)?;
        client.set_nonblocking(true)?;
        Ok(client)
    };
    (0..CLIENTS).map(client).collect()
}

/// Lowers the limit and takes every descriptor that is left.
fn exhaust() -> io::Result<Vec<File>> {
    let first = File::open("/dev/null")?;
    let hard = limits::descriptor_limit()?.hard;
    limits::set_descriptor_limit(hard.min(first.as_raw_fd() as u64 + 64))?;
    let mut hoard = vec![first];
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    Ok(hoard)
}

/// Twenty clients before a loop that makes its turns by `turn`, which answers how many are in.
fn besiege<L: Counts>(
    scene: &Scene,
    address: SocketAddr,
    looped: &mut L,
    mut turn: impl FnMut(&mut L, Duration) -> io::Result<usize>,
) -> io::Result<Tally> {
    let clients = clients(address)?;
    let hoard = exhaust()?;
    let (span, full) = (Span::begin(looped)?, End::after(scene.time));
    while let Some(left) = full.left() {
        turn(looped, left)?;
    }
    let tally = span.end(looped)?;
    drop(hoard);
    let is_over = |client: &TcpStream| read_some(client, &mut [0; 1]).is_err();
    let sent_away = clients.iter().filter(|client| is_over(client)).count();
    let (mut inside, recovery) = (0, End::after(RECOVERY));
    while let Some(left) = recovery.left().filter(|_| inside + sent_away < CLIENTS) {
        inside = turn(looped, left.min(Duration::from_millis(50)))?;
    }
    let end = match (inside, sent_away) {
        (CLIENTS, 0) => "let in when descriptors were free".to_owned(),
        (_, CLIENTS) => "all were sent away at once".to_owned(),
        _ => format!("{} still wait, with descriptors free", CLIENTS - inside - sent_away),
    };
    Ok(tally.with("clients let in", inside as u64, Some(CLIENTS as u64), end))
}

fn off(scene: &Scene, trigger: Trigger) -> io::Result<Tally> {
    let listener = listen()?;
    listener.set_nonblocking(true)?;
    let mut poller = Meter::new(scene.backend)?;
    poller.add(listener.as_fd(), Token::new(0, 0), Interest::READABLE, trigger)?;
    let (mut events, mut inside) = (Events::with_capacity(16), Vec::new());
    let address = listener.local_addr()?;
    besiege(scene, address, &mut poller, |poller, left| {
        poller.wait(&mut events, Some(left))?;
        while !events.is_empty() {
            match poller.call(listener.accept()) {
                Ok((stream, _)) => inside.push(stream),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) if e.raw_os_error() == Some(libc::EMFILE) => break, // the mistake: the listener gets no rest
                Err(e) => return Err(e),
            }
        }
        Ok(inside.len())
    })
}

/// Lets everybody in and counts them.
struct Door;

impl Dispatcher for Door {
    type Shared = usize;
    type Spawn = Self;

    fn handle_accept(
        &mut self,
        stream: Stream,
        _: Address,
        cx: &mut Context<'_, Self>,
        inside: &mut usize,
    ) -> io::Result<()> {
        cx.adopt(stream, Self)?;
        *inside += 1;
        Ok(())
    }
}

fn shedding() -> Settings {
    Settings { accept_policy: AcceptPolicy::Shed, ..Settings::default() }
}

fn on(scene: &Scene, settings: Settings) -> io::Result<Tally> {
    let listener = listen()?;
    let address = listener.local_addr()?;
    let mut event_loop = metered(scene.backend, settings, 0)?;
    event_loop.adopt(listener, Door)?;
    event_loop.turn(Some(Duration::ZERO))?;
    besiege(scene, address, &mut event_loop, |event_loop, left| {
        event_loop.turn(Some(left))?;
        Ok(*event_loop.shared())
    })
}

fn seen(outcome: &Outcome) -> String {
    let (off, on) = (&outcome.off, &outcome.on);
    let mut seen = format!(
        "Level-triggered, the loop by hand tried and failed {} times a second, with {:.0} % of a processor.",
        super::show::about(off.wakeups_per_second()),
        100.0 * off.load(),
    );
    if let Some(edge) = outcome.variant("off, edge") {
        let stranded = edge.work.of.unwrap_or(0) - edge.work.done;
        seen += &format!(
            " Edge-triggered it was quiet, and left {stranded} clients waiting with descriptors free again: no new \
             client came, so nothing was new to be reported."
        );
    }
    seen += &format!(
        " tripoll's loop was woken {} in {:.1} s and let {} of {CLIENTS} in afterwards.",
        super::show::times(on.wakeups),
        on.seconds,
        on.work.done
    );
    if let Some(shed) = outcome.variant("on, shed") {
        seen += &format!(" With AcceptPolicy::Shed: {}.", shed.end);
    }
    seen
}

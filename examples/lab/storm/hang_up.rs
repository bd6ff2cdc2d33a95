//! A hang-up on a paused connection: an empty interest does not keep the kernel from reporting it, again and again.

use super::loopback::{PATIENCE, connection, reset};
use super::meter::{Counts, End, Span, metered};
use super::script::{MARK, Scene, Script, Side, place};
use super::tally::{Outcome, Tally};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;
use tripoll::dispatcher::{Context, Dispatcher};
use tripoll::reactor::Reason;
use tripoll::{Backend, Settings, Trigger};

pub(super) const SCRIPT: Script = Script {
    title: "Hang-up on a paused connection",
    about: "A connection is paused: nothing is to be read from it for a while. Its client goes away by a reset. Later \
            reading goes on.",
    so_what: "POLLHUP and POLLERR are reported whether or not one asks, so a registration without interest is not \
              silent. To pause a connection, take it out of the kernel's list.",
    mistake: place!("examples/lab/storm/hang_up.rs", MARK),
    code: place!("src/poller/epoll.rs", "(false, true) => self.delete(number)"),
    test: place!("tests/reactor/pausing.rs", "fn a_paused_connection_whose_peer_leaves_wakes_nobody("),
    sides: &[
        Side { label: "off", defended: false, trigger: Trigger::Level, play: off },
        Side { label: "on", defended: true, trigger: Trigger::Level, play: on },
    ],
    alone: false,
    impossible,
    seen,
};

fn impossible(backend: Backend) -> Option<&'static str> {
    match backend {
        Backend::Select => Some("a descriptor in none of its sets is not watched at all"),
        Backend::Mio => Some("mio has no empty interest"),
        _ => None,
    }
}

/// The kernel's interface without tripoll's poller, which would not be fooled.
struct Bare {
    epoll: Option<Epoll>,
    waits: u64,
    calls: u64,
}

/// What is asked for, if anything is: `POLLIN` and its like have the same numbers in both interfaces.
type Asked = PollFlags;

impl Bare {
    fn watching(backend: Backend, socket: &TcpStream, asked: Asked) -> io::Result<Self> {
        let epoll = match backend {
            Backend::Poll => None,
            _ => {
                let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
                let asked = EpollFlags::from_bits_truncate(asked.bits().into());
                epoll.add(socket, EpollEvent::new(asked, 0))?;
                Some(epoll)
            }
        };
        Ok(Self { epoll, waits: 0, calls: 0 })
    }

    fn wait(&mut self, socket: &TcpStream, asked: Asked, left: Duration) -> io::Result<()> {
        // Up, so that the last fraction is not a storm of another kind.
        let milliseconds = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
        self.waits += 1;
        self.calls += 1;
        let answer = match &self.epoll {
            None => poll(&mut [PollFd::new(socket.as_fd(), asked)], PollTimeout::from(milliseconds)).map(drop),
            Some(epoll) => epoll.wait(&mut [EpollEvent::empty()], EpollTimeout::from(milliseconds)).map(drop),
        };
        match answer {
            Ok(()) | Err(Errno::EINTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

impl Counts for Bare {
    fn counts(&mut self) -> (u64, u64) {
        (self.waits, self.calls)
    }
}

const WORK: &str = "ends noticed on resume";

fn off(scene: &Scene) -> io::Result<Tally> {
    let (mut server, client) = connection()?;
    let paused = Asked::empty(); // the mistake: it stays registered
    let mut bare = Bare::watching(scene.backend, &server, paused)?;
    let (span, end) = (Span::begin(&mut bare)?, End::after(scene.time));
    reset(client)?;
    while let Some(left) = end.left() {
        bare.wait(&server, paused, left)?;
    }
    let tally = span.end(&mut bare)?;
    // It goes on, and the read tells.
    let noticed = matches!(server.read(&mut [0; 64]), Err(e) if e.kind() == io::ErrorKind::ConnectionReset);
    Ok(tally.with(WORK, noticed.into(), Some(1), "the read said that it was reset"))
}

/// A connection that tells whether it has failed.
struct Member;

impl Dispatcher for Member {
    type Shared = bool;
    type Spawn = Self;

    fn handle_close(&mut self, reason: Reason, _: &mut Context<'_, Self>, noticed: &mut bool) {
        *noticed |= matches!(reason, Reason::Failed(e) if e.kind() == io::ErrorKind::ConnectionReset);
    }
}

fn on(scene: &Scene) -> io::Result<Tally> {
    let (server, client) = connection()?;
    let mut event_loop = metered(scene.backend, Settings::default(), false)?;
    let token = event_loop.adopt(server, Member)?;
    event_loop.turn(Some(Duration::ZERO))?;
    event_loop.with(token, |_, cx, _| cx.pause());
    event_loop.turn(Some(Duration::ZERO))?;
    let (span, end) = (Span::begin(&mut event_loop)?, End::after(scene.time));
    reset(client)?;
    while let Some(left) = end.left() {
        event_loop.turn(Some(left))?;
    }
    let tally = span.end(&mut event_loop)?;
    event_loop.with(token, |_, cx, _| cx.resume());
    let end = End::after(PATIENCE);
    while let Some(left) = end.left().filter(|_| !*event_loop.shared()) {
        event_loop.turn(Some(left))?;
    }
    let noticed = *event_loop.shared();
    Ok(tally.with(WORK, noticed.into(), Some(1), "handle_close said that it was reset"))
}

fn seen(outcome: &Outcome) -> String {
    let (off, on) = (&outcome.off, &outcome.on);
    format!(
        "Nothing was asked for, and yet the loop by hand was woken {} times a second to be told of the hang-up, and \
         took what it was given of a processor, {:.0} %. tripoll's was woken {} in {:.1} s. Both learnt of the end when they read again.",
        super::show::about(off.wakeups_per_second()),
        100.0 * off.load(),
        super::show::times(on.wakeups),
        on.seconds,
    )
}

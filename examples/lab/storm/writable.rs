//! Writable interest that is left on: a loop at full speed over a connection on which nothing happens.

use super::loopback::{PATIENCE, connection, read_some};
use super::meter::{Counts, End, Meter, Span, metered};
use super::script::{MARK, Scene, Script, Side, place, possible};
use super::tally::{Outcome, Tally};
use std::io::{self, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;
use tripoll::dispatcher::{Context, Dispatcher};
use tripoll::poller::{Events, Poller};
use tripoll::{Interest, Settings, Token, Trigger};

pub(super) const SCRIPT: Script = Script {
    title: "Writable interest left on",
    about: "A connection is open and nobody says a word. Then the client sends one message, and wants it back.",
    so_what: "A socket with room in its buffer is writable, which is nearly always. Ask for it while there is \
              something to be written, and take the interest back with the last byte.",
    mistake: place!("examples/lab/storm/writable.rs", MARK),
    code: place!("src/reactor/slot.rs", "fn interest("),
    test: place!("tests/dispatcher/pulling.rs", "fn an_idle_connection_costs_no_turns("),
    sides: &[
        Side { label: "off", defended: false, trigger: Trigger::Level, play: off },
        Side { label: "on", defended: true, trigger: Trigger::Level, play: on },
    ],
    alone: false,
    impossible: possible,
    seen,
};

const MESSAGE: &[u8] = b"still there?";

/// An idle connection, then one message, with a loop that makes its turns by `turn`.
fn idle_then_echo<L: Counts>(
    scene: &Scene,
    mut client: TcpStream,
    looped: &mut L,
    mut turn: impl FnMut(&mut L, Duration) -> io::Result<()>,
) -> io::Result<Tally> {
    let (span, idle) = (Span::begin(looped)?, End::after(scene.time));
    while let Some(left) = idle.left() {
        turn(looped, left)?;
    }
    let tally = span.end(looped)?;
    client.write_all(MESSAGE)?;
    let (mut got, mut buf, end) = (0, [0; 64], End::after(PATIENCE));
    while let Some(left) = end.left().filter(|_| got < MESSAGE.len()) {
        turn(looped, left.min(Duration::from_millis(10)))?;
        got += read_some(&client, &mut buf)?;
    }
    Ok(tally.with("messages echoed", u64::from(got == MESSAGE.len()), Some(1), "the message came back"))
}

fn off(scene: &Scene) -> io::Result<Tally> {
    let (mut server, client) = connection()?;
    let mut poller = Meter::new(scene.backend)?;
    let wanted = Interest::READABLE | Interest::WRITABLE; // the mistake: there is nearly always room
    poller.add(server.as_fd(), Token::new(0, 0), wanted, Trigger::Level)?;
    let (mut events, mut buf) = (Events::with_capacity(16), [0; 1024]);
    idle_then_echo(scene, client, &mut poller, |poller, left| {
        poller.wait(&mut events, Some(left))?;
        if events.iter().any(|event| event.is_readable()) {
            let read = poller.call(read_some(&server, &mut buf))?;
            poller.call(server.write_all(&buf[..read]))?;
        }
        Ok(())
    })
}

struct Echo;

impl Dispatcher for Echo {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, _: &mut ()) -> io::Result<()> {
        let data = cx.recv()?;
        cx.send(data)?;
        Ok(())
    }
}

fn on(scene: &Scene) -> io::Result<Tally> {
    let (server, client) = connection()?;
    let mut event_loop = metered(scene.backend, Settings::default(), ())?;
    event_loop.adopt(server, Echo)?;
    idle_then_echo(scene, client, &mut event_loop, |event_loop, left| event_loop.turn(Some(left)))
}

fn seen(outcome: &Outcome) -> String {
    let (off, on) = (&outcome.off, &outcome.on);
    format!(
        "While nothing happened, the loop by hand was woken {} times a second and took what it was given of a \
         processor, {:.0} %; tripoll's was woken {} in {:.1} s. Both echoed the message.",
        super::show::about(off.wakeups_per_second()),
        100.0 * off.load(),
        super::show::times(on.wakeups),
        on.seconds,
    )
}

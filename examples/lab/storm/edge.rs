//! One read per event under edge: what is left over is never reported again, and the client hangs.

use super::loopback::{connection, read_some, unread, until_arrived};
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
    title: "Edge-triggered, and not read to the end",
    about: "A client sends 32 KiB at once and waits to have them back. The server reads 1 KiB for each event and echoes \
            it.",
    so_what: "An edge tells that something has arrived, once. Read until the kernel says EAGAIN, or remember that there \
              is more; tripoll remembers, so that a handler may read as little as it likes.",
    mistake: place!("examples/lab/storm/edge.rs", MARK),
    code: place!("src/reactor/ledger/serving.rs", "fn look_ahead("),
    test: place!("tests/reactor/budgets.rs", "fn a_handler_that_reads_a_little_at_a_time_gets_everything("),
    sides: &[
        Side { label: "off", defended: false, trigger: Trigger::Edge, play: off },
        Side { label: "on", defended: true, trigger: Trigger::Edge, play: on },
    ],
    alone: false,
    impossible: possible,
    seen,
};

/// No more than the kernel takes in before anything is read.
const REQUEST: u64 = 32 * 1024;
const PIECE: usize = 1024;

/// The client's part: it has said everything, and counts what comes back until the time is over.
fn await_echo<L: Counts>(
    scene: &Scene,
    client: &TcpStream,
    looped: &mut L,
    mut turn: impl FnMut(&mut L, Duration) -> io::Result<()>,
) -> io::Result<(Tally, u64)> {
    let (span, end) = (Span::begin(looped)?, End::after(scene.time));
    let (mut back, mut buf) = (0, [0; 4096]);
    while let Some(left) = end.left() {
        turn(looped, left)?;
        back += read_some(client, &mut buf)? as u64;
    }
    let tally = span.end(looped)?;
    loop {
        match read_some(client, &mut buf)? {
            0 => return Ok((tally, back)),
            more => back += more as u64,
        }
    }
}

fn off(scene: &Scene) -> io::Result<Tally> {
    let (mut server, mut client) = connection()?;
    let mut poller = Meter::new(scene.backend)?;
    client.write_all(&[7; REQUEST as usize])?;
    until_arrived(&server, REQUEST)?;
    poller.add(server.as_fd(), Token::new(0, 0), Interest::READABLE, Trigger::Edge)?;
    let (mut events, mut buf) = (Events::with_capacity(16), [0; PIECE]);
    let (tally, back) = await_echo(scene, &client, &mut poller, |poller, left| {
        poller.wait(&mut events, Some(left))?;
        for _ in &events {
            let read = poller.call(read_some(&server, &mut buf))?; // the mistake: one read for an edge
            poller.call(server.write_all(&buf[..read]))?;
        }
        Ok(())
    })?;
    Ok(answered(tally, back, unread(&server)?))
}

/// Reads a little for each event, as one does who has not heard of edges.
struct Sipper;

impl Dispatcher for Sipper {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, _: &mut ()) -> io::Result<()> {
        let mut buf = [0; PIECE];
        let read = cx.read(&mut buf)?;
        cx.send(&buf[..read])?;
        Ok(())
    }
}

fn on(scene: &Scene) -> io::Result<Tally> {
    let (server, mut client) = connection()?;
    let settings = Settings { trigger: Trigger::Edge, ..Settings::default() };
    let mut event_loop = metered(scene.backend, settings, ())?;
    client.write_all(&[7; REQUEST as usize])?;
    until_arrived(&server, REQUEST)?;
    let token = event_loop.adopt(server, Sipper)?;
    let turn = |event_loop: &mut _, left| -> io::Result<()> { super::meter::MeteredLoop::turn(event_loop, Some(left)) };
    let (tally, back) = await_echo(scene, &client, &mut event_loop, turn)?;
    let left = event_loop.enter(|scope, ()| scope.descriptor(token).map(unread))??;
    Ok(answered(tally, back, left))
}

fn answered(tally: Tally, back: u64, left: u64) -> Tally {
    let end = match left {
        0 => "nothing is left unread".to_owned(),
        left => format!("{} lie there unread", super::show::bytes(left)),
    };
    tally.with("bytes answered", back, Some(REQUEST), end)
}

fn seen(outcome: &Outcome) -> String {
    let (off, on) = (&outcome.off, &outcome.on);
    format!(
        "This storm is silent. The loop by hand answered {} and then slept beside the rest while the client waited: \
         {}. With the same reads tripoll answered {}: for the one event it came back {} times without waiting.",
        super::show::bytes(off.work.done),
        off.end,
        super::show::bytes(on.work.done),
        on.wakeups.saturating_sub(2),
    )
}

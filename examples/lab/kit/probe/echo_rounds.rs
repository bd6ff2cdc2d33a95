//! What ten rounds of an echo server cost, with and without interest in writing.

use super::waiter::{BOUND, Waiter};
use super::{Findings, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

const ROUNDS: usize = 10;

/// How often the server waits after its answer, while its client has nothing to say.
const IDLE_WAITS: usize = 3;

const REQUEST: [u8; 5] = *b"hello";

#[derive(Default)]
struct Cost {
    waits: usize,
    events: usize,
    /// Events on which there was nothing to read.
    idle: usize,
    reads: usize,
}

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    [("in", Bits::IN), ("in|out", Bits::IN | Bits::OUT)]
        .map(|(name, interest)| rounds(mechanism, name, interest))
        .into_iter()
        .collect()
}

fn rounds(mechanism: Mechanism, name: &str, interest: Bits) -> io::Result<String> {
    let (server, mut client) = pairs::tcp()?;
    let mut waiter = Waiter::new(mechanism)?;
    let edge = matches!(mechanism, Mechanism::Edge | Mechanism::Mio);
    let mut cost = Cost::default();
    for round in 0..ROUNDS {
        client.write_all(&REQUEST)?;
        pairs::until_arrived(&server, REQUEST.len() as u64)?;
        if round == 0 {
            waiter.add(server.as_fd(), interest)?;
        }
        turn(&mut waiter, &server, edge, &mut cost, BOUND)?;
        pairs::until_arrived(&client, REQUEST.len() as u64)?;
        client.read_exact(&mut [0; REQUEST.len()])?;
        for _ in 0..IDLE_WAITS {
            turn(&mut waiter, &server, edge, &mut cost, Duration::ZERO)?;
        }
    }
    let Cost { waits, events, idle, reads } = cost;
    let registrations = waiter.registrations;
    Ok(format!(
        "{name}: {waits} waits, {events} events, {idle} without work, {reads} reads, {registrations} registrations"
    ))
}

/// One wait, and what a server does about its event: level and one-shot read once, edge until nothing is left.
fn turn(
    waiter: &mut Waiter<'_>,
    mut server: &TcpStream,
    edge: bool,
    cost: &mut Cost,
    limit: Duration,
) -> io::Result<()> {
    cost.waits += 1;
    let Some((place, bits)) = waiter.wait(limit)?.pop() else { return Ok(()) };
    cost.events += 1;
    cost.idle += usize::from(!bits.contains(Bits::IN));
    let mut more = bits.contains(Bits::IN);
    while more {
        cost.reads += 1;
        let mut buffer = [0; 64];
        match server.read(&mut buffer) {
            Ok(count) => server.write_all(&buffer[..count])?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
        more = edge;
    }
    waiter.rearm(place)
}

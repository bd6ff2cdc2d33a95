//! Echo on the reactor: a loop that tells what has happened, and a `match` that answers.
//!
//! The poller made us write by hand: reading, writing and what is left of a partial write; arming and disarming; the end of
//! a stream with something still owed; the backlog that cannot be accepted; the path of the socket. Here these are one
//! word each, and the limits are settings.

use super::options::Options;
use super::setup::{self, Setup};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Descriptor, Ledger, Occurrence, Reactor, SlowPolicy, Source};
use tripoll::{Settings, Token};

/// The longest datagram that IP carries.
const DATAGRAM_MAX: usize = 65_536;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The limits, for this floor and the one above.
pub(super) fn settings(options: &Options) -> Settings {
    let defaults = Settings::default();
    let queue = options.queue as usize;
    Settings {
        trigger: options.trigger,
        max_connections: options.max_connections.map(|count| count as usize),
        max_per_peer: options.max_per_peer.map(|count| count as usize),
        queue_high: queue,
        queue_low: queue / 4,
        // Reading stops above the mark: what was read then in one go must still fit.
        queue_max: queue + defaults.read_bytes,
        queues_max: options.queues.map_or(defaults.queues_max, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        slow_policy: SlowPolicy::PauseProducer,
        close_timeout: options.close_timeout.unwrap_or(CLOSE_TIMEOUT),
        idle_timeout: options.idle_timeout,
        ..defaults
    }
}

/// What has to be told apart when it is readable. Everything else is a connection.
#[derive(Debug)]
struct Known {
    signals: Token,
    datagrams: Vec<Token>,
}

pub(super) fn serve(setup: Setup) -> io::Result<()> {
    let (options, poller, sources, announcement) = setup.into_parts();
    let mut reactor = Reactor::with_settings(poller, settings(&options))?;
    if let Some(recorder) = setup::recorder(&options)? {
        reactor.record(recorder);
    }
    let known = adopt(reactor.ledger(), sources)?;
    announcement.print();
    run(&mut reactor, &known)?;
    setup::finish(&options, reactor.stop_recording())
}

fn adopt(ledger: &mut Ledger, sources: Vec<Source>) -> io::Result<Known> {
    let mut datagrams = Vec::new();
    for source in sources {
        let is_datagram = matches!(source, Source::Datagram(_));
        let token = ledger.adopt(source)?;
        if is_datagram {
            datagrams.push(token);
        }
    }
    let (signals, writer) = UnixStream::pair()?;
    pipe::register(SIGINT, writer.try_clone()?)?;
    pipe::register(SIGTERM, writer)?;
    Ok(Known { signals: ledger.adopt(Descriptor::new(signals))?, datagrams })
}

fn run(reactor: &mut Reactor<AnyPoller>, known: &Known) -> io::Result<()> {
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        reactor.turn(None)?;
        while let Some(occurrence) = reactor.pop() {
            let ledger = reactor.ledger();
            match occurrence {
                Occurrence::Accepted { stream, peer, .. } => {
                    if let Err(e) = ledger.adopt(stream) {
                        eprintln!("echo: a connection of {peer} is closed: {e}");
                    }
                }
                Occurrence::Readable(token) if token == known.signals => return Ok(()),
                Occurrence::Readable(token) if known.datagrams.contains(&token) => {
                    answer_datagrams(ledger, token, &mut buffer);
                }
                Occurrence::Readable(token) => {
                    // What goes wrong here ends the connection; `Closed` tells.
                    if let Ok(read) = ledger.read(token, &mut buffer) {
                        let _ = ledger.send(token, &buffer[..read]);
                    }
                }
                Occurrence::Eof(token) => {
                    // What is queued is still sent.
                    let _ = ledger.finish(token);
                }
                Occurrence::Closed(token, reason) => log::debug!("{token}: {reason}"),
                _ => {}
            }
        }
    }
}

fn answer_datagrams(ledger: &mut Ledger, socket: Token, buffer: &mut [u8]) {
    loop {
        let sent = match ledger.read_datagram(socket, buffer) {
            Ok(Some((len, sender))) => ledger.send_datagram(socket, Some(&sender), &buffer[..len]),
            Ok(None) => return,
            Err(e) => Err(e),
        };
        if let Err(e) = sent {
            // A sender without an address, or one that has gone. The others are still to be served.
            log::debug!("{socket}: {e}");
        }
    }
}

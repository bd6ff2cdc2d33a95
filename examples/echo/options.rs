//! The command line, and what is refused of it.

use clap::{Parser, ValueEnum};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tripoll::poller::{AnyPoller, Features, Poller, Refusal};
use tripoll::{Backend, Endpoint, Trigger};

/// Sends back what it gets, until the client closes.
#[derive(Clone, Debug, Parser)]
#[command(name = "echo")]
pub(super) struct Options {
    /// Where to listen: tcp://HOST:PORT, udp://HOST:PORT, unix:///PATH or unixgram:///PATH; may be repeated. With port 0
    /// the kernel chooses one
    #[arg(long, value_name = "ADDRESS", default_value = "tcp://127.0.0.1:7000")]
    pub(super) listen: Vec<Endpoint>,

    /// What to wait with: select, poll, epoll or mio [default: what the environment variable TRIPOLL_BACKEND says, else
    /// epoll]
    #[arg(long)]
    backend: Option<Backend>,

    /// When readiness is reported: level, edge (epoll and mio only) or oneshot
    #[arg(long, default_value_t)]
    pub(super) trigger: Trigger,

    /// Which floor of the library to stand on
    #[arg(long, value_enum, default_value_t = Floor::Dispatcher)]
    pub(super) floor: Floor,

    /// Connections at a time, 1 or more; further clients wait in the backlog [default: what the descriptor limit allows]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_connections: Option<u32>,

    /// Connections at a time from one IP address, 1 or more; further ones are closed [default: no limit] [floors: reactor,
    /// dispatcher]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_per_peer: Option<u32>,

    /// Bytes to keep for a client that does not read before it is not read from either, 1 to 1073741824; 64 KiB more may
    /// be under way
    #[arg(long, value_name = "BYTES", default_value_t = 65536, value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub(super) queue: u32,

    /// Bytes to keep for all clients together; whoever exceeds it is cut [default: 268435456] [floors: reactor, dispatcher]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) queues: Option<u64>,

    /// Seconds without traffic after which a connection is closed, 0.001 to 31536000 [default: never] [floors: reactor,
    /// dispatcher]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) idle_timeout: Option<Duration>,

    /// Seconds that a client may take to read the rest after it has sent its last byte, 0.001 to 31536000 [default: 30]
    /// [floors: reactor, dispatcher]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) close_timeout: Option<Duration>,

    /// Seconds that clients may take to read the rest after SIGINT or SIGTERM, 0.001 to 31536000 [default: 5] [floors:
    /// dispatcher]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) grace: Option<Duration>,

    /// A file for what the loop has done, written when it ends: the latest 1048576 records, to be opened by the example lab
    /// (`lab open FILE`) or in https://ui.perfetto.dev [default: none] [floors: reactor, dispatcher]
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,

    /// Tell on standard error what happens, not only what goes wrong
    #[arg(long, short)]
    pub(super) verbose: bool,
}

/// The floors of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Floor {
    /// Only who is ready; the rest by hand
    Poller,
    /// A loop that owns the sockets and tells what happens
    Reactor,
    /// A handler for each socket
    Dispatcher,
}

/// Why there is nothing to be served.
#[derive(Debug)]
pub(super) enum Complaint {
    /// Clap's, which may also be the help that was asked for.
    Clap(clap::Error),
    Other(String),
}

impl Complaint {
    /// Prints it; the answer is the exit code.
    pub(super) fn report(self) -> ExitCode {
        let what = match self {
            Self::Clap(e) if !e.use_stderr() => {
                // Whoever closed standard output does not want to read it.
                let _ = e.print();
                return ExitCode::SUCCESS;
            }
            Self::Clap(e) => in_one_line(&e.to_string()),
            Self::Other(what) => what,
        };
        eprintln!("echo: {what}; --help lists what there is");
        ExitCode::from(2)
    }
}

/// The first paragraph, which says what is wrong; how a command line looks in general is left to `--help`.
fn in_one_line(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or(text).trim_start_matches("error: ");
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Options {
    /// The options of this process.
    pub(super) fn read() -> Result<Self, Complaint> {
        let options = Self::try_parse().map_err(Complaint::Clap)?;
        options.check_floor().map_err(Complaint::Other)?;
        options.check_trigger().map_err(Complaint::Other)?;
        Ok(options)
    }

    /// Refuses what the chosen floor does not have, instead of pretending.
    fn check_floor(&self) -> Result<(), String> {
        let higher = [
            ("--max-per-peer", self.max_per_peer.is_some(), &[Floor::Reactor, Floor::Dispatcher][..]),
            ("--queues", self.queues.is_some(), &[Floor::Reactor, Floor::Dispatcher]),
            ("--idle-timeout", self.idle_timeout.is_some(), &[Floor::Reactor, Floor::Dispatcher]),
            ("--close-timeout", self.close_timeout.is_some(), &[Floor::Reactor, Floor::Dispatcher]),
            ("--record", self.record.is_some(), &[Floor::Reactor, Floor::Dispatcher]),
            ("--grace", self.grace.is_some(), &[Floor::Dispatcher]),
        ];
        match higher.into_iter().find(|(_, given, floors)| *given && !floors.contains(&self.floor)) {
            None => Ok(()),
            Some((flag, ..)) => {
                let floor = self.floor.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
                Err(format!("the {floor} floor has no {flag}: leave it out, or take --floor dispatcher"))
            }
        }
    }

    fn check_trigger(&self) -> Result<(), String> {
        let backend = self.backend().map_err(|e| e.to_string())?;
        let poller = AnyPoller::new(backend).map_err(|e| e.to_string())?;
        if self.trigger == Trigger::Edge && !poller.features().contains(Features::EDGE) {
            return Err(Refusal::Trigger { backend: backend.name(), trigger: self.trigger }.to_string());
        }
        Ok(())
    }

    /// The backend that was asked for, by the command line or else by the environment.
    pub(super) fn backend(&self) -> io::Result<Backend> {
        match self.backend {
            Some(backend) => Ok(backend),
            None => Backend::from_env()
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, format!("{}: {e}", Backend::ENV))),
        }
    }
}

/// Reads a duration in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let value: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if !(0.001..=31_536_000.0).contains(&value) {
        return Err("not within 0.001 to 31536000 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(value))
}

//! The command line.

use crate::flood::Rate;
use crate::usage::{connected, seconds};
use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use tripoll::reactor::SlowPolicy;
use tripoll::{Backend, Endpoint, Settings, Trigger};

/// A chat server with rooms and names, for nc, telnet and the example chat-client.
#[derive(Clone, Debug, Parser)]
#[command(name = "chat", max_term_width = 100)]
pub(crate) struct Options {
    /// Where to listen: tcp://HOST:PORT (port 0: any that is free) or unix:///PATH. May be given several times.
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:7000", value_parser = connected)]
    pub(crate) listen: Vec<Endpoint>,

    /// What to wait with: select, poll, epoll or mio [default: $TRIPOLL_BACKEND, or epoll].
    #[arg(long)]
    pub(crate) backend: Option<Backend>,

    /// How to register: level, edge (epoll and mio only) or oneshot. Makes no difference to the chat.
    #[arg(long, default_value_t)]
    pub(crate) trigger: Trigger,

    /// Relay each line to everyone else as it is, and say nothing: no names, rooms or commands. For load tests.
    #[arg(long)]
    pub(crate) plain: bool,

    /// Print a line of counts every so many seconds (0.01 or more; fractions are allowed) [default: never].
    #[arg(long, value_name = "SECONDS", value_parser = period)]
    pub(crate) stats: Option<Duration>,

    /// A file for what the loop has done, written when it ends: the latest 1048576 records, to be opened by the example lab
    /// (`lab open FILE`) or in https://ui.perfetto.dev [default: none].
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,

    /// Bytes that a line may have, without its end: 16 to 1048576. Longer ones are dropped, and their sender is told.
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = number(16, 1 << 20))]
    pub(crate) max_line: usize,

    /// People at a time; more are told so and closed [default: what the descriptor limit allows].
    #[arg(long, value_name = "PEOPLE", value_parser = number(1, usize::MAX))]
    pub(crate) max_members: Option<usize>,

    /// Connections at a time from one IP address; more are closed at once [default: no limit].
    #[arg(long, value_name = "CONNECTIONS", value_parser = number(1, usize::MAX))]
    pub(crate) max_per_peer: Option<usize>,

    /// Rooms at a time, the lobby included: 1 or more.
    #[arg(long, value_name = "ROOMS", default_value_t = 1000, value_parser = number(1, usize::MAX))]
    pub(crate) max_rooms: usize,

    /// Lines of the past that are shown to one who joins a room: 0 to 1000 [default: 20; with --plain 0].
    #[arg(long, value_name = "LINES", value_parser = number(0, 1000))]
    pub(crate) history: Option<usize>,

    /// Seconds after which one who says nothing is put out (fractions are allowed); 0 for never [default: 1800; with
    /// --plain 0, and there it is the connection without traffic in either direction].
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) idle: Option<Duration>,

    /// Lines per second that one may say, and how many at once: LINES or LINES:BURST; 0 for no limit. What is more is
    /// dropped with a warning; who goes on is put out [default: 10:30; with --plain 0].
    #[arg(long, value_name = "LINES[:BURST]")]
    pub(crate) flood: Option<Rate>,

    /// Seconds that everybody has to read the last lines when the server shuts down (fractions are allowed).
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) grace: Duration,

    /// Bytes that may wait to be sent to one who reads slowly: 4096 or more, and four times --max-line or more.
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024, value_parser = number(4096, 1 << 30))]
    pub(crate) queue: usize,

    /// What happens to one who reads so slowly that the queue is full.
    #[arg(long, value_enum, default_value = "close")]
    pub(crate) slow: Slow,
}

/// What to do about one who reads too slowly.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Slow {
    /// The connection is closed, and the others are told what was lost.
    Close,
    /// The oldest lines of the queue are dropped.
    DropOldest,
    /// New lines are dropped, and their senders are told.
    DropNewest,
    /// Those who write are not read from until the queue is shorter, so that everybody waits for the slowest; the queue
    /// must be 65536 or more.
    Pause,
}

/// Under `pause` those who write are stopped when the queue is half full, each after he has been read from once more: so
/// much has to fit in the other half.
const PAUSE_QUEUE: usize = 64 * 1024;
const PAUSE_READ: usize = 4 * 1024;

impl Options {
    pub(crate) fn history_lines(&self) -> usize {
        self.history.unwrap_or(if self.plain { 0 } else { 20 })
    }

    pub(crate) fn idle(&self) -> Option<Duration> {
        let default = if self.plain { Duration::ZERO } else { Duration::from_secs(1800) };
        Some(self.idle.unwrap_or(default)).filter(|idle| !idle.is_zero())
    }

    pub(crate) fn flood(&self) -> Rate {
        let default = if self.plain { Rate::UNLIMITED } else { Rate { per_second: 10.0, burst: 30 } };
        self.flood.unwrap_or(default)
    }

    /// Finds what is wrong with the options together, each being right by itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.queue / 4 < self.max_line {
            return Err(format!(
                "--queue {} is too small for lines of --max-line {}: make it {} or more",
                self.queue,
                self.max_line,
                4 * self.max_line
            ));
        }
        if matches!(self.slow, Slow::Pause) && self.queue < PAUSE_QUEUE {
            return Err(format!("--slow pause needs a --queue of {PAUSE_QUEUE} or more"));
        }
        Ok(())
    }

    /// The limits that the loop itself keeps.
    pub(crate) fn settings(&self) -> Settings {
        let queue_high = (64 * 1024).min(self.queue / 2);
        let default = Settings::default();
        Settings {
            read_bytes: if matches!(self.slow, Slow::Pause) { PAUSE_READ } else { default.read_bytes },
            trigger: self.trigger,
            queue_high,
            queue_low: queue_high / 4,
            queue_max: self.queue,
            max_per_peer: self.max_per_peer,
            // The chat has an idea of its own of who is idle, and says farewell.
            idle_timeout: self.idle().filter(|_| self.plain),
            slow_policy: match self.slow {
                Slow::Close => SlowPolicy::Disconnect,
                Slow::DropOldest => SlowPolicy::DropOldest,
                Slow::DropNewest => SlowPolicy::DropNewest,
                Slow::Pause => SlowPolicy::PauseProducer,
            },
            ..default
        }
    }
}

fn number(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync + 'static {
    move |text| match text.parse::<usize>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ if most == usize::MAX => Err(format!("write a number, {least} or more")),
        _ => Err(format!("write a number from {least} to {most}")),
    }
}

fn period(text: &str) -> Result<Duration, String> {
    seconds(text).and_then(|period| {
        if period < Duration::from_millis(10) { Err("write 0.01 or more seconds".to_owned()) } else { Ok(period) }
    })
}

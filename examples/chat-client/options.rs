//! The command line.

use crate::flood::Rate;
use crate::usage::{connected, seconds};
use clap::Parser;
use std::time::Duration;
use tripoll::reactor::SlowPolicy;
use tripoll::{Backend, Endpoint, Settings, Trigger};

/// A client for the example chat: what is typed goes to the server, what the server says is shown.
///
/// /quit and the end of the input (Ctrl-D) leave once everything was delivered. If the connection is lost it is made
/// again, and what was typed meanwhile is sent then. Input and output may be terminals, pipes or files.
#[derive(Clone, Debug, Parser)]
#[command(name = "chat-client", max_term_width = 100)]
pub(crate) struct Options {
    /// Where the server is: tcp://HOST:PORT or unix:///PATH.
    #[arg(value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:7000", value_parser = connected)]
    pub(crate) server: Endpoint,

    /// Take this name on arrival, also after the connection was lost [default: the one that the server gives].
    #[arg(long, value_name = "NAME")]
    pub(crate) nick: Option<String>,

    /// Go to this room on arrival, also after the connection was lost [default: the server's lobby].
    #[arg(long, value_name = "ROOM")]
    pub(crate) join: Option<String>,

    /// What to wait with: select, poll, epoll or mio [default: $TRIPOLL_BACKEND, or epoll].
    #[arg(long)]
    pub(crate) backend: Option<Backend>,

    /// How to register: level, edge (epoll and mio only) or oneshot. Makes no difference to the chat.
    #[arg(long, default_value_t)]
    pub(crate) trigger: Trigger,

    /// How often in a row to try again if the server cannot be reached or does not stay for 5 seconds. The pauses grow
    /// from a quarter of a second to 5 seconds.
    #[arg(long, value_name = "TIMES", default_value_t = 10)]
    pub(crate) retries: u32,

    /// Bytes of typed text that are kept while there is no connection: 0 or more.
    #[arg(long, value_name = "BYTES", default_value_t = 64 * 1024)]
    pub(crate) keep: usize,

    /// Lines per second that are sent, and how many at once: LINES or LINES:BURST; 0 for no limit. The default is what
    /// the server's own limit lets pass.
    #[arg(long, value_name = "LINES[:BURST]", default_value = "8:20")]
    pub(crate) pace: Rate,

    /// Seconds that the server has to answer when we leave, and the reader of our output to read (fractions are
    /// allowed).
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) grace: Duration,
}

impl Options {
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            trigger: self.trigger,
            connect_timeout: Duration::from_secs(10),
            // Who cannot show any more does not read any more; see `screen`.
            slow_policy: SlowPolicy::PauseProducer,
            ..Settings::default()
        }
    }
}

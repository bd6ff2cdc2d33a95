//! A chat server: rooms, names, private messages, history; for `nc`, `telnet` and the example `chat-client`.
//!
//! | file | what is in it |
//! |---|---|
//! | `main` | listens, shuts down, counts |
//! | `door` | takes people in |
//! | `member` | a person's connection: bytes to lines, limits, ends |
//! | `talk` | what happens when somebody says or wants something |
//! | `chat`, `room` | who is where, under what name; what was said last |
//! | `relay` | the plain mode, for load tests |
//! | `command`, `line`, `telnet`, `name`, `flood` | the parts that know nothing of connections |

mod chat;
mod command;
mod door;
mod flood;
mod line;
mod member;
mod name;
mod options;
mod relay;
mod room;
mod talk;
mod telnet;
mod usage;

use chat::{Chat, Handler};
use door::Door;
use options::Options;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tripoll::dispatcher::signals::{SIGINT, SIGTERM};
use tripoll::dispatcher::{Outcome, Scope};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Listener, Missed, Reactor, Recorder, limits};
use tripoll::{Backend, Endpoint, EventLoop};

fn main() -> ExitCode {
    let options: Options = usage::parse();
    if let Err(what) = options.check() {
        usage::exit(2, what);
    }
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => usage::report(&e),
    }
}

fn serve(options: Options) -> io::Result<()> {
    let backend = options.backend.map_or_else(Backend::from_env, Ok)?;
    let descriptors = limits::raise_descriptor_limit().or_else(|_| limits::descriptor_limit())?.soft;
    let reactor = Reactor::with_settings(AnyPoller::new(backend)?, options.settings())?;
    let mut event_loop = EventLoop::on(reactor, Chat::new(options.clone()));
    if let Some(path) = &options.record {
        // Whoever stops a server because something was odd wants to see the end of the story.
        event_loop.record(Recorder::create(path)?.latest(Recorder::LIMIT));
    }

    let mut endpoints = Vec::new();
    for endpoint in &options.listen {
        let listener = Listener::bind(endpoint)?;
        let endpoint = endpoint.at(&listener.local_address()?);
        event_loop.adopt(listener, Handler::new(Door))?;
        endpoints.push(endpoint);
    }
    for signal in [SIGINT, SIGTERM] {
        let grace = options.grace;
        event_loop.on_signal(signal, move |scope, chat| shut_down(scope, chat, grace))?;
    }
    if let Some(period) = options.stats {
        event_loop.enter(|scope, _| scope.every(period, Missed::Skip, |scope, chat| print(&stats(scope, chat))));
    }

    for endpoint in &endpoints {
        print(&format!("listening on {endpoint}"));
    }
    print(&format!("backend {backend}, trigger {}, descriptor limit {descriptors}", options.trigger));
    for endpoint in &endpoints {
        print(&how_to_talk(endpoint));
    }
    if let Outcome::Shutdown(report) = event_loop.run()? {
        print(&format!(
            "shut down: drained={} cut={} bytes_lost={} took={:.3}s",
            report.drained,
            report.cut,
            report.bytes_lost,
            report.took.as_secs_f64()
        ));
    }
    if let (Some(path), Some(recorder)) = (&options.record, event_loop.stop_recording()) {
        let path = path.display();
        let records = recorder
            .finish()
            .map_err(|e| io::Error::new(e.kind(), format!("the recording in {path} is not complete: {e}")))?;
        print(&format!("recorded: {records} records in {path}, to be opened in https://ui.perfetto.dev"));
    }
    Ok(())
}

/// The first signal lets everybody read what is left; the second does not.
fn shut_down(scope: &mut Scope<'_, Handler>, chat: &mut Chat, grace: Duration) {
    let grace = if chat.closing { Duration::ZERO } else { grace };
    if !chat.closing {
        let (people, seconds) = (chat.members(), grace.as_secs_f64());
        print(&format!("shutting down: members={people} grace={seconds}s; another signal ends it at once"));
    }
    chat.closing = true;
    scope.shutdown(grace);
}

fn stats(scope: &Scope<'_, Handler>, chat: &Chat) -> String {
    let stats = scope.stats();
    let busy = stats.working.as_secs_f64() / (stats.working + stats.waiting).as_secs_f64().max(f64::MIN_POSITIVE);
    format!(
        "stats: members={} rooms={} lines={} turns={} events={} bytes_in={} bytes_out={} queued={} queued_peak={} \
         dropped={} lost={} accepted={} closed={} shed={} busy={:.1}%",
        chat.members(),
        chat.rooms().len(),
        chat.lines,
        stats.turns,
        stats.events,
        stats.bytes_in,
        stats.bytes_out,
        stats.queued,
        stats.queued_peak,
        stats.dropped,
        stats.bytes_lost,
        stats.accepted,
        stats.closed,
        stats.shed,
        100.0 * busy
    )
}

fn how_to_talk(endpoint: &Endpoint) -> String {
    let client = "cargo run --release --example chat-client --";
    match endpoint {
        Endpoint::Tcp(addr) => {
            let addr = reachable(*addr);
            let (ip, port) = (addr.ip(), addr.port());
            format!("talk to it with: nc {ip} {port} | telnet {ip} {port} | {client} tcp://{addr}")
        }
        Endpoint::Unix(path) => format!("talk to it with: nc -U {} | {client} {endpoint}", path.display()),
        _ => String::new(),
    }
}

/// One who listens everywhere is to be found here, among others.
fn reachable(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(_) if addr.ip().is_unspecified() => ([127, 0, 0, 1], addr.port()).into(),
        SocketAddr::V6(_) if addr.ip().is_unspecified() => ([0, 0, 0, 0, 0, 0, 0, 1], addr.port()).into(),
        _ => addr,
    }
}

/// A server does not end because nobody reads what it prints any more.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

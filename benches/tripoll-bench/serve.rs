//! Becoming a contender's server.

use super::contender;
use super::peers;
use super::support::floor;
use super::support::ours::{Echo, Member, count};
use std::io;
use std::net::{SocketAddr, TcpListener};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Reactor, SlowPolicy, limits};
use tripoll::{Backend, Dispatcher, EventLoop, Settings, Trigger};

/// Serves as `ROLE CONTENDER` says, for ever.
pub fn become_contender(name: &str, listener: TcpListener) {
    let (role, name) = name.split_once(' ').expect("a role and a contender");
    if let Err(e) = serve(role, name, listener) {
        eprintln!("{name}: {e}");
    }
}

/// Serves echo at an address of one's choice.
pub fn alone(name: &str, address: SocketAddr) -> io::Result<()> {
    let limit = limits::raise_descriptor_limit()?;
    let listener = TcpListener::bind(address).map_err(|e| io::Error::new(e.kind(), format!("{address}: {e}")))?;
    listener.set_nonblocking(true)?;
    println!("{name} echoes on {}, {} descriptors; end it with Ctrl-C", listener.local_addr()?, limit.soft);
    serve("echo", name, listener)
}

fn serve(role: &str, name: &str, listener: TcpListener) -> io::Result<()> {
    match (role, name) {
        ("chat", "floor-level") => floor::room(&listener),
        (_, "floor-level") => floor::echo(&listener, false),
        (_, "floor-edge") => floor::echo(&listener, true),
        ("chat", _) if name.starts_with("tripoll-") => return room(listener, name),
        _ if name.starts_with("tripoll-") => return echo(listener, name),
        ("chat", _) => return peers::chat(name, listener),
        _ => return peers::echo(name, listener),
    }
    Ok(())
}

/// The backend and the trigger of a contender: `tripoll-epoll-edge`.
pub fn backend(name: &str) -> io::Result<(Backend, Trigger)> {
    let name = name.trim_start_matches("tripoll-");
    let (backend, trigger) = name.split_once('-').unwrap_or((name, if name == "mio" { "edge" } else { "level" }));
    Ok((backend.parse()?, trigger.parse().map_err(io::Error::other)?))
}

/// A loop as its documentation says: the defaults, and of an echo's slow readers no more is read.
pub fn event_loop<H: Dispatcher<Spawn = H>>(name: &str, shared: H::Shared) -> io::Result<EventLoop<H>> {
    debug_assert!(contender::named(name).is_some(), "{name} is a contender");
    let (backend, trigger) = backend(name)?;
    let settings = Settings { trigger, slow_policy: SlowPolicy::PauseProducer, ..Settings::default() };
    Ok(EventLoop::on(Reactor::with_settings(AnyPoller::new(backend)?, settings)?, shared))
}

fn run<H: Dispatcher<Spawn = H>>(mut event_loop: EventLoop<H>) -> io::Result<()> {
    loop {
        event_loop.turn(None)?;
        count(event_loop.stats()).publish();
    }
}

fn echo(listener: TcpListener, name: &str) -> io::Result<()> {
    let mut event_loop = event_loop(name, ())?;
    event_loop.adopt(listener, Echo)?;
    run(event_loop)
}

fn room(listener: TcpListener, name: &str) -> io::Result<()> {
    let mut event_loop = event_loop(name, Vec::new())?;
    event_loop.adopt(listener, Member::default())?;
    run(event_loop)
}

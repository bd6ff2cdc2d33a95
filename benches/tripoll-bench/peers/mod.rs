//! The Rust loops that people would use instead, each as its own documentation shows it.

mod calloop;
mod echo;
mod mio;
mod polling;
mod room;
mod tokio;
mod wakeup;

use super::sample::Figures;
use super::scenario::Cell;
use std::io;
use std::net::TcpListener;

/// A contender that is ready for its rounds.
pub type Round = Box<dyn FnMut(&mut Figures) -> io::Result<()>>;

/// Echoes what comes, for ever.
///
/// Nobody turns the delay of small segments off here: accepted sockets have that from the listener.
pub fn echo(name: &str, listener: TcpListener) -> io::Result<()> {
    match name {
        "mio" => mio::echo(listener),
        "polling" => polling::echo(listener),
        "calloop" => calloop::echo(listener),
        "tokio" => tokio::echo(listener),
        _ => Err(io::Error::other(format!("{name} has no echo"))),
    }
}

/// Passes each line to everyone else, for ever.
pub fn chat(name: &str, listener: TcpListener) -> io::Result<()> {
    match name {
        "mio" => mio::chat(listener),
        "polling" => polling::chat(listener),
        "calloop" => calloop::chat(listener),
        "tokio" => tokio::chat(listener),
        _ => Err(io::Error::other(format!("{name} has no chat"))),
    }
}

/// A scenario without a server.
pub fn prepare(name: &str, cell: &Cell) -> io::Result<Round> {
    match name {
        "mio" => mio::prepare(cell),
        "polling" => polling::prepare(cell),
        "calloop" => calloop::prepare(cell),
        "tokio" => tokio::prepare(cell),
        _ => Err(io::Error::other(format!("{name} has no {cell}"))),
    }
}

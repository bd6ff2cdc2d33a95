//! A hand-rolled I/O multiplexing reactor: `select`, `poll`, `epoll` and mio behind one trait, an event loop on it, and
//! on that an asyncore-like dispatcher.
//!
//! # Floors
//!
//! | floor | what it does | start reading at |
//! |---|---|---|
//! | [`dispatcher`] | calls a handler for each thing that happens | [`Dispatcher`], [`EventLoop`] |
//! | [`reactor`] | owns the sockets, their queues and timers; tells what happens | [`reactor::Reactor`] |
//! | [`poller`] | waits until a descriptor is ready | [`poller::Poller`] |
//! | `sys` | the system calls: all the `unsafe` there is | the source |
//!
//! A floor knows those below it and none above. Each can be used without the ones above it.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `mio` | yes | the backend of that name |
//! | `signals` | no | `EventLoop::on_signal`, by the crate `signal-hook` |
//!
//! Features add; none changes what is there without it.

#![warn(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(target_os = "linux"))]
compile_error!("tripoll is for Linux: select and poll would do elsewhere, but nobody has tried them there");

pub mod dispatcher;
pub mod poller;
pub mod reactor;
mod sys;

pub use dispatcher::{Context, Dispatcher, EventLoop};
pub use poller::{Backend, Interest, Token, Trigger};
pub use reactor::{Endpoint, Settings};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! The suite of the dispatcher floor: who is told what, in which order, and what he may do about it.
//!
//! What asyncore and its heirs promise is promised here as well, with these differences:
//!
//! - A fresh dispatcher answers no to `writable`: answering yes without having anything to say is how a loop comes to idle
//!   at full speed. See `defaults`.
//! - Errors and hang-ups have no callbacks of their own. They end the connection, once everything that was received is
//!   read, and are the reason that `handle_close` is given. See `endings`.
//! - There are no `connected` and `accepting` flags to be read: that a token is contained in the loop, and which of
//!   `handle_connect`, `handle_accept` and `handle_close` was called, says the same and cannot be stale. See `lives`.
//! - There is no exception that means to leave the loop. `stop` does, from every callback, and is no error: see
//!   `product`.
//! - A loop cannot be run from within itself: whoever has a `Context` has no `EventLoop`, and the compiler sees to it.

#[path = "../support/mod.rs"]
mod support;

mod kernel;
mod probe;

mod births;
mod burials;
mod defaults;
mod endings;
mod errors;
mod files;
mod half_close;
mod laws;
mod lives;
mod panics;
mod pausing;
mod product;
mod pulling;
mod random;
mod remote;
mod shapes;
mod sharing;
mod shutdown;
mod signals;
mod slow;
mod timers;

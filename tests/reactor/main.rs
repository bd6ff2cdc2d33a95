//! The suite of the reactor floor: what a turn does, what is told when, what is owed to whom, and how things end.
//!
//! What other loops promise is promised here as well, with these differences:
//!
//! - A loop cannot be run from within itself: whoever runs in a callback has no `EventLoop`, and the compiler sees to it.
//! - A source has no list of handlers, so none is called once only, replaces another or shares its descriptor with another
//!   under a different trigger: the trigger is a setting of the loop. A descriptor belongs to its source; a duplicate of it
//!   is a source of its own, and both are told (see `sources`).
//! - What is queued is not completed message by message. What is promised instead is the sum: bytes that were accepted are
//!   written or counted as lost (see `queue`).
//! - A queue is reported as drained only if it was above its high mark. One who is asked for data whenever the queue is empty
//!   says so by `set_wants` (see `queue`).
//! - Nothing is buffered on the way in, so there are no marks for reading and no vectored reads. `Settings::read_bytes` bounds
//!   what is read in a turn (see `budgets`).
//! - Deadlines have no directions. A connection has one idle limit for both, and whatever else is to be bounded (the time for
//!   a request, however slowly it drips) is a timer of its own (see `deadlines`).
//! - There is no channel beside the closures that are posted, so none that closes. What a sender learns when the loop is gone,
//!   or too much is waiting, is in `remote`.
//! - Socket options but for no-delay, and reading a socket's error, are left to whoever wants them, by the descriptor.
//! - There is no thread in the library, so none to be bounded. What connections leave behind is in `accept`.

#[path = "../support/mod.rs"]
mod support;

mod alone;
mod kit;
mod pollers;
mod sys;

mod accept;
mod budgets;
mod closing;
mod connecting;
mod datagrams;
mod deadlines;
mod files;
mod fork;
mod half_close;
mod limits;
mod net;
mod overflow;
mod pausing;
mod pipes;
mod queue;
mod queue_marks;
mod random;
mod remote;
mod run;
mod sigpipe;
mod sources;
mod spurious;
mod timers;
mod turns;
mod waits;
mod waker;

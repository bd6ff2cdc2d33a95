//! The conformance suite of the poller: each promise of its contract, held against every backend and every trigger.
//!
//! A case is a function of a backend, or of a backend and a trigger, and a test of its own for each of them. The pairs
//! that a backend lacks are shown to be refused. The numbers of the promises are those in the documentation of `Poller`;
//! the names in backquotes that begin with `P-` are those of the checklist that the suite was written along, gathered
//! from the tests of other event loops.
//!
//! | promise | shown in |
//! |---|---|
//! | 1, one registration per descriptor | `registration` |
//! | 2, what is lacking is refused | `refusals` |
//! | 3, no interest, no events | `parking` |
//! | 4, how long a wait lasts | `timeouts`, `signals` |
//! | 5, the list and its room | `capacity` |
//! | 6, hang-up and error are readiness | `readiness` (the table is in `states`), `closing` |
//! | 7, registering looks at what is true | `arming` |
//! | 8, level, edge, one-shot | `triggers`, `arming` |
//! | 9, what is removed is silent | `removal` |
//! | 10, the books agree with the kernel | `books`, `refusals` |
//! | 11, closed on exec | `descriptors` |
//! | all of them at once | `model` |
//! | anybody may write a poller | `own_poller` |
//!
//! # What the checklist has and this suite has not
//!
//! - `P-register-during-wait`, `P-concurrent-registry-ops`: registering from one thread while another waits. Every
//!   operation takes `&mut self`, so that it does not compile. From other threads one wakes the loop and asks it.
//! - `P-uring-cancel-hidden`, and the io_uring column of every other row: there is no such backend. It answers when
//!   something is done, not when it can be done.
//! - The registration that is at once edge-triggered and one-shot: it is the same thing as level-triggered and one-shot,
//!   and `P-oneshot-rearm-pending` is shown of that.
//! - Edges made by the backend itself, by comparing samples: select and poll refuse edges instead, and mio's are the
//!   kernel's. That an edge between two equal samples is not lost is shown all the same, in `triggers`.
//! - Descriptors made non-blocking by registration, and files served though the kernel cannot wait for them: that is the
//!   floor above, which owns its descriptors.
//! - The refusal to go on in a forked child: likewise. A poller can be dropped there, which `descriptors` shows.

mod arming;
mod books;
mod capacity;
mod closing;
mod descriptors;
mod kit;
mod model;
mod own_poller;
mod parking;
mod raw;
mod readiness;
mod refusals;
mod registration;
mod removal;
mod signals;
mod states;
#[path = "../support/mod.rs"]
mod support;
mod timeouts;
mod triggers;

//! The first floor: waiting for readiness, behind one trait.
//!
//! A [`Poller`] is told which descriptors to watch ([`add`](Poller::add), [`modify`](Poller::modify),
//! [`remove`](Poller::remove)) and then asked, again and again, which of them are ready ([`wait`](Poller::wait)). That
//! is all that `select`, `poll` and `epoll` do, and all that a loop needs of them.
//!
//! One backend a file: [`SelectPoller`], [`PollPoller`], [`EpollPoller`], [`MioPoller`]; [`AnyPoller`] chooses among
//! them at run time, by name. Whatever else implements the trait works as well.
//!
//! # Examples
//!
//! Waiting until a socket has something to read:
//!
//! ```
//! use std::io::Write;
//! use std::os::fd::AsFd;
//! use std::os::unix::net::UnixStream;
//! use tripoll::poller::{Events, Poller, PollPoller};
//! use tripoll::{Interest, Token, Trigger};
//!
//! let (reader, mut writer) = UnixStream::pair()?;
//! let mut poller = PollPoller::new();
//! poller.add(reader.as_fd(), Token::new(7, 0), Interest::READABLE, Trigger::Level)?;
//!
//! writer.write_all(b"hello")?;
//! let mut events = Events::with_capacity(16);
//! poller.wait(&mut events, None)?;
//! let event = events.iter().next().expect("the socket is readable");
//! assert!(event.is_readable());
//! assert_eq!(event.token().index(), 7);
//! # Ok::<(), std::io::Error>(())
//! ```

mod backend;
mod bits;
mod epoll;
mod event;
mod features;
mod interest;
#[cfg(feature = "mio")]
mod mio;
mod numbers;
mod poll;
mod refusal;
mod select;
mod table;
mod token;
mod trigger;

#[cfg(feature = "mio")]
pub use self::mio::MioPoller;
pub use backend::{AnyPoller, Backend, BackendError};
pub use epoll::EpollPoller;
pub use event::{Event, Events, Readiness};
pub use features::Features;
pub use interest::Interest;
pub use poll::PollPoller;
pub use refusal::Refusal;
pub use select::SelectPoller;
pub use token::Token;
pub use trigger::{Trigger, UnknownTrigger};

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

/// Waits for descriptors to become ready.
///
/// # The contract
///
/// Every backend keeps these promises, and the conformance suite holds each of them to each, by these numbers.
///
/// 1. **One registration per descriptor.** Adding one that is registered is refused with
///    [`Refusal::AlreadyRegistered`], and the first registration goes on. Modifying or removing one that is not is
///    refused with [`Refusal::NotRegistered`]. Adding a number that is not open is EBADF.
/// 2. **A mode that is lacking is refused**, never replaced: [`Refusal::Trigger`], [`Refusal::TooLarge`],
///    [`Refusal::AlwaysReady`]. [`features`](Self::features) tells beforehand.
/// 3. **No interest, no events.** A registration with [`Interest::NONE`] is parked: it reports nothing, hang-up and
///    errors included, until it is modified.
/// 4. **A wait lasts as long as it is told**: not shorter, unless it has something to report or a signal interrupts it
///    (then it ends early, without events and without an error); zero does not block; `None` waits for ever. Fractions
///    that the system cannot wait for are rounded up.
/// 5. **A wait clears the list first**, and reports each registration in at most one event, at most
///    [`Events::capacity`] of them. What did not fit comes with the next waits, and nothing is passed over for ever.
/// 6. **Hang-up and error are readiness**: they are reported with any interest but none, and come with
///    [`Readiness::READABLE`] or [`Readiness::WRITABLE`], so that one who looks at nothing else finds out by the read or
///    the write. So an event may say more than was asked. A backend without [`Features::CLOSE_KINDS`] can only tell
///    what is readable and writable, so there ask for readable to learn of a hang-up.
/// 7. **`add` and `modify` look at what is true already**: a descriptor that is ready when it is registered is reported
///    by the next wait, under every trigger. `modify` replaces token, interest and trigger together, and arms a
///    one-shot again.
/// 8. **Triggers**: level reports at each wait what is true; edge reports once for any number of arrivals since the
///    last report, on top of unread data too; one-shot reports once and is then deaf until `modify`.
/// 9. **What is removed is silent**: no wait after [`remove`](Self::remove) reports the registration, pending or not.
///    A descriptor may be given back by its number after it was closed, too late as that is.
/// 10. **The books agree with the kernel.** They change after the kernel agreed. If `modify` fails because the
///     descriptor was closed, it is no longer registered; if it is refused for another reason, it is as before. An
///     interface that keeps no registrations in the kernel cannot see that: there `modify` succeeds, and the next wait
///     says [`Readiness::INVALID`].
/// 11. **The poller's own descriptors are closed on exec.**
///
/// # Descriptors must outlive their registration
///
/// Remove a descriptor before it is closed. The reactor, which owns its descriptors, cannot do otherwise; users of this
/// floor can, and each kernel interface answers differently: `poll` and `select` report
/// [`Readiness::INVALID`], or, once the number has been given out again, the readiness of that other file; `epoll`
/// forgets the registration without a word, or goes on reporting it if a duplicate of the descriptor lives. What never
/// happens is worse: a poller does not read, write or close what it watches, so the worst outcome is a readiness that
/// belongs to something else. That is why [`add`](Self::add) is safe.
pub trait Poller {
    /// The backend's name, for messages.
    fn name(&self) -> &'static str;

    /// What this backend can do.
    fn features(&self) -> Features;

    /// The first descriptor number that is too large for this backend, if there is one.
    fn descriptor_bound(&self) -> Option<RawFd> {
        None
    }

    /// Starts watching a descriptor.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] (promises 1 and 2), or what the system call answers: EBADF for a number that is not open, ENOMEM,
    /// ENOSPC above `fs.epoll.max_user_watches`.
    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()>;

    /// Replaces token, interest and trigger of a descriptor that is watched.
    ///
    /// # Errors
    ///
    /// As for [`add`](Self::add). See promise 10 for what holds afterwards.
    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()>;

    /// Stops watching a descriptor, which may have been closed already.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotRegistered`].
    fn remove(&mut self, fd: RawFd) -> io::Result<()>;

    /// Waits until a descriptor is ready, the timeout is over or a signal comes, and lists what is ready.
    ///
    /// # Errors
    ///
    /// What the system call answers, EINTR excepted: ENOMEM, or EINVAL if more descriptors are watched by `poll` than the
    /// process may open.
    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()>;

    /// Forgets every registration, as if the poller were new.
    ///
    /// # Errors
    ///
    /// What making a new poller answers: EMFILE, ENFILE, ENOMEM.
    fn clear(&mut self) -> io::Result<()>;

    /// How many system calls this poller has made, if it counts them.
    fn system_calls(&self) -> u64 {
        0
    }
}

/// Ends a wait that a signal interrupted as promise 4 wants it: early and empty.
fn unless_interrupted<T: Default>(result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(T::default()),
        result => result,
    }
}

macro_rules! forward {
    ($($type:ty),*) => { $(
        /// Whatever holds a poller is one.
        impl<P: Poller + ?Sized> Poller for $type {
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn features(&self) -> Features {
                (**self).features()
            }
            fn descriptor_bound(&self) -> Option<RawFd> {
                (**self).descriptor_bound()
            }
            fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
                (**self).add(fd, token, interest, trigger)
            }
            fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
                (**self).modify(fd, token, interest, trigger)
            }
            fn remove(&mut self, fd: RawFd) -> io::Result<()> {
                (**self).remove(fd)
            }
            fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
                (**self).wait(events, timeout)
            }
            fn clear(&mut self) -> io::Result<()> {
                (**self).clear()
            }
            fn system_calls(&self) -> u64 {
                (**self).system_calls()
            }
        }
    )* };
}

forward!(Box<P>, &mut P);

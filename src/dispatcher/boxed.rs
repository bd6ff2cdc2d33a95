//! Handlers of any type in one loop.

use super::{Context, Dispatcher};
use crate::reactor::{Address, Reason, Stream, TimerId};
use std::fmt;
use std::io;

type AnyDispatcher<S> = dyn Dispatcher<Shared = S, Spawn = Boxed<S>>;

/// A handler of whatever type, for loops whose kinds of handlers are not known beforehand.
///
/// # Examples
///
/// ```
/// use tripoll::dispatcher::{Boxed, Dispatcher, EventLoop};
///
/// struct Logger;
/// impl Dispatcher for Logger {
///     type Shared = ();
///     type Spawn = Boxed<()>;
/// }
///
/// struct Pump;
/// impl Dispatcher for Pump {
///     type Shared = ();
///     type Spawn = Boxed<()>;
/// }
///
/// let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
/// let mut event_loop: EventLoop<Boxed<()>> = EventLoop::new(())?;
/// event_loop.adopt(reader, Boxed::new(Logger))?;
/// event_loop.adopt(writer, Boxed::new(Pump))?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Boxed<S>(Box<AnyDispatcher<S>>);

impl<S> Boxed<S> {
    /// Puts a handler into a box.
    pub fn new(handler: impl Dispatcher<Shared = S, Spawn = Self> + 'static) -> Self {
        Self(Box::new(handler))
    }
}

impl<S> fmt::Debug for Boxed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Boxed").finish_non_exhaustive()
    }
}

macro_rules! pass_on {
    ($($callback:ident)*) => { $(
        fn $callback(&mut self, cx: &mut Context<'_, Self>, shared: &mut S) -> io::Result<()> {
            self.0.$callback(cx, shared)
        }
    )* };
}

impl<S> Dispatcher for Boxed<S> {
    type Shared = S;
    type Spawn = Self;

    pass_on! {
        handle_open handle_connect handle_read handle_eof handle_write handle_drain handle_expt handle_shutdown
    }

    fn readable(&self) -> bool {
        self.0.readable()
    }

    fn writable(&self) -> bool {
        self.0.writable()
    }

    fn handle_accept(
        &mut self,
        stream: Stream,
        peer: Address,
        cx: &mut Context<'_, Self>,
        shared: &mut S,
    ) -> io::Result<()> {
        self.0.handle_accept(stream, peer, cx, shared)
    }

    fn handle_timeout(&mut self, timer: TimerId, cx: &mut Context<'_, Self>, shared: &mut S) -> io::Result<()> {
        self.0.handle_timeout(timer, cx, shared)
    }

    fn handle_error(&mut self, error: io::Error, cx: &mut Context<'_, Self>, shared: &mut S) {
        self.0.handle_error(error, cx, shared);
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Context<'_, Self>, shared: &mut S) {
        self.0.handle_close(reason, cx, shared);
    }
}

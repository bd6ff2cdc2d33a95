//! The third floor: a handler for each source, called when something happens to it.
//!
//! The vocabulary is that of Python's asyncore, which taught many how a server works: one implements [`Dispatcher`], of
//! which `handle_read`, `handle_write`, `handle_accept`, `handle_close` and their like are called by the
//! [`EventLoop`]. What is different is the price: nobody is asked on every turn whether he wants to read or write, so
//! a loop with ten thousand idle connections costs nothing while they are idle.
//!
//! # What a callback may do
//!
//! Everything, through its [`Context`]: read and write its own connection, send to others, adopt, connect, listen, set
//! timers, close itself and others. Callbacks never nest: what concerns other handlers is noted, and happens when the
//! callback has returned. The state that all handlers of a loop share comes as an argument of its own, `&mut`, without
//! cells or locks: so one can iterate over the members of a room while sending to each of them.
//!
//! # One kind of handler, a few, or any
//!
//! A loop stores handlers of one type, [`Dispatcher::Spawn`]. A server with one kind of connection says `Self`. With a
//! few kinds, an enum that passes the calls on is as fast. For an open set there is [`Boxed`].

mod boxed;
mod calls;
mod context;
mod dispatch;
mod event_loop;
mod remote;
mod scope;
mod shutdown;
#[cfg(feature = "signals")]
pub mod signals;

pub use boxed::Boxed;
pub use context::Context;
pub use event_loop::EventLoop;
pub use remote::{PostError, Remote};
pub use scope::Scope;
pub use shutdown::{Outcome, ShutdownReport};

use crate::reactor::{Address, Reason, Stream, TimerId};
use std::io;

/// What handles the events of one source: a connection, a listener, a datagram socket, a pipe.
///
/// Every callback has a default, so that a handler implements what it cares for. An error that a callback returns goes
/// to [`handle_error`](Self::handle_error), which closes the connection unless it is told otherwise; `WouldBlock` is no
/// error here, so that `?` may be put behind any read.
///
/// # Examples
///
/// An echo server, whose listener and connections are handled by the same type:
///
/// ```
/// use std::io;
/// use tripoll::dispatcher::{Context, Dispatcher, EventLoop};
/// use tripoll::reactor::{Address, Listener, Stream};
///
/// struct Echo;
///
/// impl Dispatcher for Echo {
///     type Shared = ();
///     type Spawn = Self;
///
///     fn handle_accept(&mut self, stream: Stream, _: Address, cx: &mut Context<'_, Self>, _: &mut ()) -> io::Result<()> {
///         cx.adopt(stream, Echo)?;
///         Ok(())
///     }
///
///     fn handle_read(&mut self, cx: &mut Context<'_, Self>, _: &mut ()) -> io::Result<()> {
///         let data = cx.recv()?;
///         cx.send(data)?;
///         Ok(())
///     }
/// }
///
/// let mut event_loop = EventLoop::new(())?;
/// event_loop.adopt(Listener::bind(&"tcp://127.0.0.1:0".parse()?)?, Echo)?;
/// # event_loop.stop();
/// event_loop.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Dispatcher {
    /// State that all handlers of one loop share: the chat room, the routing table. `()` if there is none.
    type Shared;

    /// What the loop stores: `Self`, an enum of handlers, or [`Boxed`].
    type Spawn: Dispatcher<Shared = Self::Shared, Spawn = Self::Spawn>;

    /// Whether this handler wants [`handle_read`](Self::handle_read). Asked after each of its callbacks, and on
    /// [`Scope::refresh`].
    fn readable(&self) -> bool {
        true
    }

    /// Whether this handler wants [`handle_write`](Self::handle_write). Asked after each of its callbacks, and on
    /// [`Scope::refresh`].
    ///
    /// While this is true and the queue is empty, `handle_write` is called in each turn, so answer true only while there
    /// is something to produce. (asyncore's default is true; a loop that idles at full speed is the usual consequence.)
    fn writable(&self) -> bool {
        false
    }

    /// The handler has moved into the loop. Called once, first.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_open(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = (cx, shared);
        Ok(())
    }

    /// The outgoing connection is established. If it fails, `handle_close` tells why instead.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_connect(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = (cx, shared);
        Ok(())
    }

    /// The listener took in a connection (asyncore: `handle_accepted`). It is closed unless it is adopted.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), which does not close a listener.
    fn handle_accept(
        &mut self,
        stream: Stream,
        peer: Address,
        cx: &mut Context<'_, Self::Spawn>,
        shared: &mut Self::Shared,
    ) -> io::Result<()> {
        let _ = (stream, shared);
        log::debug!("{}: nobody handles the connection of {peer}", cx.token());
        Ok(())
    }

    /// There is something to read. What is not read now is reported again; one who does not want it for a while says so
    /// by [`readable`](Self::readable) or [`Context::pause`].
    ///
    /// The default throws it away.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_read(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = shared;
        let unread = cx.recv()?.len();
        log::debug!("{}: nobody handles {unread} bytes", cx.token());
        Ok(())
    }

    /// The peer has sent its last byte, and it was read. The other direction is still open.
    ///
    /// The default finishes: what is queued is sent, then the connection is closed. One who still has an answer to make
    /// overrides this, and calls [`Context::finish`] when it is made.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_eof(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = shared;
        cx.finish();
        Ok(())
    }

    /// There is room to write, the queue is empty, and [`writable`](Self::writable) said yes: the moment to produce the
    /// next piece of something long, without queueing all of it.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_write(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = (cx, shared);
        Ok(())
    }

    /// The queue was above its high mark and has fallen to its low mark.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_drain(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = (cx, shared);
        Ok(())
    }

    /// There is urgent data, and [`Context::want_urgent`] asked for it. The default throws it away.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_expt(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = shared;
        cx.recv_urgent()?;
        Ok(())
    }

    /// A timer of this handler has fired.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_timeout(
        &mut self,
        timer: TimerId,
        cx: &mut Context<'_, Self::Spawn>,
        shared: &mut Self::Shared,
    ) -> io::Result<()> {
        let _ = (timer, cx, shared);
        Ok(())
    }

    /// The loop is shutting down. Not called for listeners, which are closed already.
    ///
    /// The default finishes. One who overrides this may say farewell first, or go on until its work is done; when the
    /// grace is over, what is still open is cut.
    ///
    /// # Errors
    ///
    /// Go to [`handle_error`](Self::handle_error), as from every callback.
    fn handle_shutdown(&mut self, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) -> io::Result<()> {
        let _ = shared;
        cx.finish();
        Ok(())
    }

    /// A callback of this handler returned an error.
    ///
    /// The default [fails](Context::fail): it closes a connection, and logs for a listener or a datagram socket, which
    /// serve others as well. Not called for an error of the connection itself (a reset, say), which has closed it already
    /// and comes with [`handle_close`](Self::handle_close).
    fn handle_error(&mut self, error: io::Error, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) {
        let _ = shared;
        cx.fail(error);
    }

    /// The source has ended. Called exactly once, last, for whatever reason; then the handler is dropped.
    ///
    /// Others can still be spoken to. [`Context::queued`] says how many bytes were accepted for sending and are lost.
    fn handle_close(&mut self, reason: Reason, cx: &mut Context<'_, Self::Spawn>, shared: &mut Self::Shared) {
        let _ = (reason, cx, shared);
    }
}

//! What a callback may do about its own source.

use super::{Dispatcher, Scope};
use crate::poller::Token;
use crate::reactor::{Address, Chunk, Missed, SendError, Sent, SlowPolicy, TimerId};
use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// The most that a datagram can hold over IP: [`udp(7)`](https://man7.org/linux/man-pages/man7/udp.7.html).
pub(super) const DATAGRAM_MAX: usize = 65_536;

/// The source that a callback is about, and, by dereference, the whole [`Scope`] of the loop.
///
/// Arguments of the scope's methods cannot borrow the context again: `let own = cx.token();` first, then
/// `cx.broadcast(room.others(own), line)`.
///
/// `H` is the type that the loop stores.
pub struct Context<'a, H: Dispatcher> {
    scope: Scope<'a, H>,
    token: Token,
    /// The loop's buffer, as far as this callback has not used it. Connections have none of their own, so idle ones cost
    /// nothing.
    buffer: &'a mut [u8],
}

impl<H: Dispatcher> fmt::Debug for Context<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("token", &self.token).finish_non_exhaustive()
    }
}

impl<'a, H: Dispatcher> Deref for Context<'a, H> {
    type Target = Scope<'a, H>;

    fn deref(&self) -> &Self::Target {
        &self.scope
    }
}

impl<H: Dispatcher> DerefMut for Context<'_, H> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.scope
    }
}

impl<'a, H: Dispatcher> Context<'a, H> {
    pub(super) fn new(scope: Scope<'a, H>, token: Token, buffer: &'a mut [u8]) -> Self {
        Self { scope, token, buffer }
    }

    /// The name of this source.
    #[must_use]
    pub fn token(&self) -> Token {
        self.token
    }

    /// Receives what has arrived, into the loop's buffer, which is lent until the callback returns.
    ///
    /// Nothing at all means that there is nothing more for now: everything was read, or this connection has used up its
    /// [`read_bytes`](crate::Settings) of this turn and will be called again in the next, or the end was reached, which
    /// `handle_eof` will tell. So one call is enough, and a loop until it is empty does no harm.
    ///
    /// What is lent cannot be kept; a copy can:
    ///
    /// ```compile_fail,E0521
    /// # use std::io;
    /// # use tripoll::dispatcher::{Context, Dispatcher};
    /// struct Keeper;
    ///
    /// impl Dispatcher for Keeper {
    ///     type Shared = Vec<&'static [u8]>;
    ///     type Spawn = Self;
    ///
    ///     fn handle_read(&mut self, cx: &mut Context<'_, Self>, kept: &mut Vec<&'static [u8]>) -> io::Result<()> {
    ///         kept.push(cx.recv()?);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The error that ended the connection. It will be in the reason of `handle_close`, so `?` is the right answer.
    pub fn recv(&mut self) -> io::Result<&'a [u8]> {
        let buffer = std::mem::take(&mut self.buffer);
        match self.scope.ledger.read(self.token, buffer) {
            Ok(read) => {
                let (data, rest) = buffer.split_at_mut(read);
                self.buffer = rest;
                Ok(data)
            }
            Err(e) => {
                self.buffer = buffer;
                if e.kind() == io::ErrorKind::WouldBlock { Ok(&[]) } else { Err(e) }
            }
        }
    }

    /// Reads into a buffer of one's own: 0 is the end.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing more for now; otherwise the error that ended the connection.
    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.scope.ledger.read(self.token, buf)
    }

    /// Receives a datagram and its sender's address; `None` if there is no more for now. To be called until then.
    ///
    /// A datagram longer than 64 KiB, which only Unix sockets carry, is cut.
    ///
    /// # Errors
    ///
    /// What the network said of an earlier datagram, on a connected socket. The socket stays open.
    pub fn recv_from(&mut self) -> io::Result<Option<(&'a [u8], Address)>> {
        if self.buffer.len() < DATAGRAM_MAX {
            return Ok(None);
        }
        let buffer = std::mem::take(&mut self.buffer);
        let received = self.scope.ledger.read_datagram(self.token, buffer);
        let (data, rest) = buffer.split_at_mut(match &received {
            Ok(Some((len, _))) => *len,
            _ => 0,
        });
        self.buffer = rest;
        Ok(received?.map(|(_, sender)| (&*data, sender)))
    }

    /// Takes the urgent byte, if there is one.
    ///
    /// # Errors
    ///
    /// See [`Ledger::read_urgent`](crate::reactor::Ledger::read_urgent).
    pub fn recv_urgent(&mut self) -> io::Result<Option<u8>> {
        self.scope.ledger.read_urgent(self.token)
    }

    /// Sends to the peer. What is sent in one callback is written by one call when it returns, and what the kernel does
    /// not take is queued.
    ///
    /// # Errors
    ///
    /// [`SendError`]: the connection is ending, or its queue is full. Nothing was taken then.
    pub fn send<'c>(&mut self, chunk: impl Into<Chunk<'c>>) -> Result<Sent, SendError> {
        self.scope.ledger.send(self.token, chunk)
    }

    /// Sends a datagram.
    ///
    /// # Errors
    ///
    /// See [`Ledger::send_datagram`](crate::reactor::Ledger::send_datagram).
    pub fn send_datagram(&mut self, to: &Address, data: &[u8]) -> io::Result<Sent> {
        self.scope.ledger.send_datagram(self.token, Some(to), data)
    }

    /// Sends a byte of urgent data, ahead of what is queued.
    ///
    /// # Errors
    ///
    /// See [`Ledger::send_urgent`](crate::reactor::Ledger::send_urgent).
    pub fn send_urgent(&mut self, byte: u8) -> io::Result<()> {
        self.scope.ledger.send_urgent(self.token, byte)
    }

    /// How many bytes are queued. In `handle_close`: how many were accepted for sending and are lost.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.scope.ledger.queued(self.token).unwrap_or(0)
    }

    /// Stops reading until [`resume`](Self::resume). What arrives waits in the kernel, and at last the peer does.
    pub fn pause(&mut self) {
        // These and the next: a source that is on its way out has nothing to be paused or ended any more.
        let _ = self.scope.ledger.pause(self.token);
    }

    /// Goes on reading.
    pub fn resume(&mut self) {
        let _ = self.scope.ledger.resume(self.token);
    }

    /// Ends in an orderly way: sends what is queued and then the end, waits for the peer's end, closes; all that within
    /// [`close_timeout`](crate::Settings). Nothing more is read for the handler.
    pub fn finish(&mut self) {
        let _ = self.scope.ledger.finish(self.token);
    }

    /// Ends at once: what is queued is lost, and the peer gets a reset.
    pub fn abort(&mut self) {
        let _ = self.scope.ledger.abort(self.token);
    }

    /// Sends the end once the queue is written, and goes on reading.
    ///
    /// # Errors
    ///
    /// `Unsupported` if this is not a stream socket.
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        self.scope.ledger.shutdown_write(self.token)
    }

    /// Ends for an error: what [`handle_error`](Dispatcher::handle_error) does unless it is told otherwise. A connection
    /// is closed; a listener or a datagram socket, which serves many, logs the error and goes on.
    pub fn fail(&mut self, error: io::Error) {
        self.scope.fail(self.token, error);
    }

    /// Asks for [`handle_expt`](Dispatcher::handle_expt) when urgent data arrives.
    pub fn want_urgent(&mut self, urgent: bool) {
        let _ = self.scope.ledger.set_wants_urgent(self.token, urgent);
    }

    /// Says what happens when the queue is full.
    pub fn set_slow_policy(&mut self, policy: SlowPolicy) {
        let _ = self.scope.ledger.set_slow_policy(self.token, policy);
    }

    /// Ends the connection when nothing was read or written for this long; `None` for never.
    pub fn set_idle_timeout(&mut self, idle: Option<Duration>) {
        let _ = self.scope.ledger.set_idle_timeout(self.token, idle);
    }

    /// Sets a timer that calls [`handle_timeout`](Dispatcher::handle_timeout) once. It ends with this source.
    ///
    /// # Errors
    ///
    /// `NotConnected` if this source has ended, which it has in `handle_close` only.
    pub fn set_timer(&mut self, after: Duration) -> io::Result<TimerId> {
        Ok(self.scope.ledger.set_timer(self.token, after)?)
    }

    /// Sets a timer that calls [`handle_timeout`](Dispatcher::handle_timeout) again and again, on the beat.
    ///
    /// # Errors
    ///
    /// As for [`set_timer`](Self::set_timer).
    pub fn set_interval(&mut self, period: Duration, missed: Missed) -> io::Result<TimerId> {
        Ok(self.scope.ledger.set_interval(self.token, period, missed)?)
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// See [`Ledger::peer_address`](crate::reactor::Ledger::peer_address).
    pub fn peer_address(&self) -> io::Result<Address> {
        self.scope.ledger.peer_address(self.token)
    }

    /// The address of this side.
    ///
    /// # Errors
    ///
    /// See [`Ledger::local_address`](crate::reactor::Ledger::local_address).
    pub fn local_address(&self) -> io::Result<Address> {
        self.scope.ledger.local_address(self.token)
    }
}

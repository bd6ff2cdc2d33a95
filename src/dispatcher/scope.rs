//! What may be asked of the loop from anywhere in it.

use super::calls::{Call, Calls};
use super::remote::Inbox;
use super::{Dispatcher, Remote};
use crate::poller::Token;
use crate::reactor::{
    Address, Broadcast, Chunk, Gone, Ledger, Missed, Reason, SendError, Sent, SlowPolicy, Source, Stats, TimerId,
};
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What handlers ask of the loop and the loop does once they have returned.
pub(super) struct Desk<H: Dispatcher> {
    /// Handlers that have not moved in yet, in the order of their birth.
    pub(super) newborn: Vec<(Token, H)>,
    pub(super) calls: Calls<H>,
    /// Handlers to be asked anew what they want.
    pub(super) refresh: Vec<Token>,
    pub(super) stop: bool,
    /// A shutdown that was asked for, and its grace.
    pub(super) shutdown: Option<Duration>,
    pub(super) inbox: Arc<Inbox<H>>,
}

impl<H: Dispatcher> Desk<H> {
    pub(super) fn has_wishes(&self) -> bool {
        !self.newborn.is_empty() || !self.refresh.is_empty() || self.shutdown.is_some()
    }
}

/// Those who hold a [`Remote`] learn that nobody is there any more.
impl<H: Dispatcher> Drop for Desk<H> {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

/// The loop, as a callback sees it: everything that does not concern the callback's own source.
///
/// Other sources are named by their tokens, which a program keeps wherever it likes: a token of something that has ended
/// answers [`Gone`], and never reaches a successor.
pub struct Scope<'a, H: Dispatcher> {
    pub(super) ledger: &'a mut Ledger,
    pub(super) desk: &'a mut Desk<H>,
}

impl<H: Dispatcher> fmt::Debug for Scope<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl<H: Dispatcher> Scope<'_, H> {
    /// Takes a source in: a listener, a stream, a datagram socket, a descriptor, or the standard library's types of these.
    /// The token is valid at once; the handler moves in when the callback has returned, and gets `handle_open`.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLarge`](crate::poller::Refusal) if the backend cannot hold the descriptor's number; what `fcntl`
    /// answers if it cannot be made non-blocking.
    pub fn adopt(&mut self, source: impl Into<Source>, handler: impl Into<H>) -> io::Result<Token> {
        let token = self.ledger.adopt(source)?;
        self.desk.newborn.push((token, handler.into()));
        Ok(token)
    }

    /// Starts a connection to a TCP or Unix stream socket. `handle_connect` or `handle_close` tells how it went; what is
    /// sent meanwhile is queued.
    ///
    /// # Errors
    ///
    /// What can be told at once: see [`Ledger::connect`].
    pub fn connect(&mut self, peer: &Address, handler: impl Into<H>) -> io::Result<Token> {
        let token = self.ledger.connect(peer)?;
        self.desk.newborn.push((token, handler.into()));
        Ok(token)
    }

    /// Queues bytes for another connection; they are written before the next wait.
    ///
    /// # Errors
    ///
    /// [`SendError`]: it is gone, or its queue is full. Nothing was taken then.
    pub fn send_to<'c>(&mut self, peer: Token, chunk: impl Into<Chunk<'c>>) -> Result<Sent, SendError> {
        self.ledger.send(peer, chunk)
    }

    /// Queues the same bytes for many. One who cannot take them does not keep the others from theirs.
    pub fn broadcast<'c>(&mut self, peers: impl IntoIterator<Item = Token>, chunk: impl Into<Chunk<'c>>) -> Broadcast {
        self.ledger.broadcast(peers, chunk)
    }

    /// How many bytes are queued for another connection.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn queued_for(&self, peer: Token) -> Result<usize, Gone> {
        self.ledger.queued(peer)
    }

    /// Ends another connection in an orderly way: see [`Context::finish`](super::Context::finish).
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn finish_peer(&mut self, peer: Token) -> Result<(), Gone> {
        self.ledger.finish(peer)
    }

    /// Ends another connection at once: see [`Context::abort`](super::Context::abort).
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn abort_peer(&mut self, peer: Token) -> Result<(), Gone> {
        self.ledger.abort(peer)
    }

    /// Stops reading from another source, also what is ready in this turn already.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn pause_peer(&mut self, peer: Token) -> Result<(), Gone> {
        self.ledger.pause(peer)
    }

    /// Goes on reading from another source.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn resume_peer(&mut self, peer: Token) -> Result<(), Gone> {
        self.ledger.resume(peer)
    }

    /// Has another handler asked again whether it is `readable` and `writable`: for when something that its answer
    /// depends on has changed from outside.
    pub fn refresh(&mut self, peer: Token) {
        self.desk.refresh.push(peer);
    }

    /// Says what happens when another connection's queue is full.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn set_slow_policy_of(&mut self, peer: Token, policy: SlowPolicy) -> Result<(), Gone> {
        self.ledger.set_slow_policy(peer, policy)
    }

    /// Whether the token names something that has not ended.
    #[must_use]
    pub fn contains(&self, token: Token) -> bool {
        self.ledger.contains(token)
    }

    /// The descriptor of a source, to set options on. Do not read, write or close it.
    ///
    /// # Errors
    ///
    /// [`Gone`].
    pub fn descriptor(&self, token: Token) -> Result<BorrowedFd<'_>, Gone> {
        self.ledger.descriptor(token)
    }

    /// Runs a closure once the events and timers of this turn are handled.
    pub fn call_soon(&mut self, call: impl FnOnce(&mut Scope<'_, H>, &mut H::Shared) + 'static) -> TimerId {
        self.call_later(Duration::ZERO, call)
    }

    /// Runs a closure after some time, never before.
    pub fn call_later(
        &mut self,
        after: Duration,
        call: impl FnOnce(&mut Scope<'_, H>, &mut H::Shared) + 'static,
    ) -> TimerId {
        let timer = self.ledger.set_loop_timer(after);
        self.desk.calls.insert(timer, Call::Once(Box::new(call)));
        timer
    }

    /// Runs a closure at a point in time; one that has passed is now.
    pub fn call_at(&mut self, at: Instant, call: impl FnOnce(&mut Scope<'_, H>, &mut H::Shared) + 'static) -> TimerId {
        let timer = self.ledger.set_loop_timer_at(at);
        self.desk.calls.insert(timer, Call::Once(Box::new(call)));
        timer
    }

    /// Runs a closure again and again, on the beat: at multiples of `period` from now, however late single calls are.
    pub fn every(
        &mut self,
        period: Duration,
        missed: Missed,
        call: impl FnMut(&mut Scope<'_, H>, &mut H::Shared) + 'static,
    ) -> TimerId {
        let timer = self.ledger.set_loop_interval(period, missed);
        self.desk.calls.insert(timer, Call::Every(Box::new(call)));
        timer
    }

    /// Takes a timer or a call back; false if it has fired or was cancelled. It will not fire, even if it is due in this
    /// turn.
    pub fn cancel(&mut self, timer: TimerId) -> bool {
        let cancelled = self.ledger.cancel_timer(timer);
        if cancelled {
            self.desk.calls.take(timer);
        }
        cancelled
    }

    /// Gives a timer or a call another time, from now; false if it has fired or was cancelled.
    pub fn reset_timer(&mut self, timer: TimerId, after: Duration) -> bool {
        self.ledger.reset_timer(timer, after)
    }

    /// How long until a timer or a call is due; `None` if it has fired or was cancelled.
    #[must_use]
    pub fn timer_left(&self, timer: TimerId) -> Option<Duration> {
        self.ledger.timer_left(timer)
    }

    /// Ends `run` when this callback has returned. What else is ready in this turn is kept for the next `run`.
    pub fn stop(&mut self) {
        self.desk.stop = true;
    }

    /// Ends `run` in an orderly way: listeners are closed at once, every other handler gets `handle_shutdown`, and what is
    /// still open when the grace is over is cut. Called again, it can only shorten the grace.
    pub fn shutdown(&mut self, grace: Duration) {
        self.desk.shutdown = Some(self.desk.shutdown.map_or(grace, |earlier| earlier.min(grace)));
    }

    /// A handle to this loop for other threads.
    #[must_use]
    pub fn remote(&self) -> Remote<H> {
        Remote::new(&self.desk.inbox)
    }

    /// The time at which the present turn's wait ended: one reading of the clock serves the whole turn.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.ledger.now()
    }

    /// What the loop has counted.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.ledger.stats()
    }

    /// The floor below, for what is not here.
    pub fn ledger(&mut self) -> &mut Ledger {
        self.ledger
    }

    /// Fails a source, as [`Context::fail`](super::Context::fail) does.
    pub(super) fn fail(&mut self, token: Token, error: io::Error) {
        if self.ledger.is_stream(token) {
            log::debug!("{token}: closed for an error of its handler: {error}");
            self.ledger.cut(token, Reason::Failed(error));
        } else {
            log::warn!("{token}: {error}");
        }
    }
}

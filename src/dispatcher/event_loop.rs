//! The loop: whose handler is called when.

use super::calls::{Call, Calls};
use super::context::DATAGRAM_MAX;
use super::remote::Inbox;
use super::scope::Desk;
use super::shutdown::Draining;
use super::{Context, Dispatcher, Outcome, Remote, Scope};
use crate::poller::{AnyPoller, Poller, Token};
use crate::reactor::{Address, Occurrence, PanicPolicy, Reactor, Reason, Settings, Source, Stats, TimerId};
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many turns are timed callback by callback after a slow one.
const TIMED_TURNS: u32 = 1000;

/// A reactor with a handler for each source, and the state that they share.
///
/// See the [module](super) for what handlers may do, and [`Settings`] for the limits.
pub struct EventLoop<H: Dispatcher, P = AnyPoller> {
    pub(super) reactor: Reactor<P>,
    /// By the index of the token. Whether a handler lives there, the ledger knows.
    handlers: Vec<Option<H>>,
    shared: H::Shared,
    pub(super) desk: Desk<H>,
    buffer: Vec<u8>,
    pub(super) draining: Option<Draining>,
    /// Turns to be timed callback by callback.
    timed_turns: u32,
    #[cfg(feature = "signals")]
    pub(super) signals: Vec<super::signals::Watch<H>>,
}

impl<H: Dispatcher, P: fmt::Debug> fmt::Debug for EventLoop<H, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop").field("reactor", &self.reactor).finish_non_exhaustive()
    }
}

impl<H: Dispatcher<Spawn = H>> EventLoop<H> {
    /// A loop with the default settings, on the backend that the environment variable `TRIPOLL_BACKEND` names, epoll if
    /// it is not set.
    ///
    /// # Errors
    ///
    /// An unknown backend; EMFILE, ENFILE, ENOMEM.
    pub fn new(shared: H::Shared) -> io::Result<Self> {
        Self::with_settings(Settings::default(), shared)
    }

    /// The same with settings of one's own.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and those of [`Reactor::with_settings`].
    pub fn with_settings(settings: Settings, shared: H::Shared) -> io::Result<Self> {
        Ok(Self::on(Reactor::with_settings(AnyPoller::from_env()?, settings)?, shared))
    }
}

impl<H: Dispatcher<Spawn = H>, P: Poller> EventLoop<H, P> {
    /// A loop on a reactor, and so on any poller.
    pub fn on(reactor: Reactor<P>, shared: H::Shared) -> Self {
        let settings = reactor.ledger_ref().settings();
        let inbox = Arc::new(Inbox::new(reactor.waker(), settings.posts_max));
        Self {
            buffer: vec![0; settings.read_bytes + DATAGRAM_MAX],
            handlers: Vec::new(),
            shared,
            desk: Desk {
                newborn: Vec::new(),
                calls: Calls::new(),
                refresh: Vec::new(),
                stop: false,
                shutdown: None,
                inbox,
            },
            draining: None,
            timed_turns: 0,
            #[cfg(feature = "signals")]
            signals: Vec::new(),
            reactor,
        }
    }

    /// Takes a source in, and its handler: see [`Scope::adopt`].
    ///
    /// # Errors
    ///
    /// As for [`Scope::adopt`].
    pub fn adopt(&mut self, source: impl Into<Source>, handler: H) -> io::Result<Token> {
        self.enter(|scope, _| scope.adopt(source, handler))
    }

    /// Starts a connection: see [`Scope::connect`].
    ///
    /// # Errors
    ///
    /// As for [`Scope::connect`].
    pub fn connect(&mut self, peer: &Address, handler: H) -> io::Result<Token> {
        self.enter(|scope, _| scope.connect(peer, handler))
    }

    /// Does something from outside with what callbacks have: the loop and the shared state.
    pub fn enter<R>(&mut self, work: impl FnOnce(&mut Scope<'_, H>, &mut H::Shared) -> R) -> R {
        let mut scope = Scope { ledger: self.reactor.ledger(), desk: &mut self.desk };
        let result = work(&mut scope, &mut self.shared);
        self.conclude();
        result
    }

    /// Does something from outside with one handler; `None` if the token names none.
    pub fn with<R>(
        &mut self,
        token: Token,
        work: impl FnOnce(&mut H, &mut Context<'_, H>, &mut H::Shared) -> R,
    ) -> Option<R> {
        if !self.reactor.ledger().contains(token) {
            return None;
        }
        let mut result = None;
        self.reactor.ledger().begin_callback(token);
        self.call(token, |handler, cx, shared| {
            result = Some(work(handler, cx, shared));
            Ok(())
        });
        self.reactor.ledger().end_callback();
        self.conclude();
        result
    }

    /// What the handlers share.
    pub fn shared(&self) -> &H::Shared {
        &self.shared
    }

    /// The same, to be changed.
    pub fn shared_mut(&mut self) -> &mut H::Shared {
        &mut self.shared
    }

    /// Gives up the loop for what the handlers shared. What is open is closed without being told.
    pub fn into_shared(self) -> H::Shared {
        self.shared
    }

    /// What the loop has counted.
    pub fn stats(&self) -> &Stats {
        self.reactor.ledger_ref().stats()
    }

    /// A handle to this loop for other threads.
    pub fn remote(&self) -> Remote<H> {
        Remote::new(&self.desk.inbox)
    }

    /// Has the next [`run`](Self::run) return at once.
    pub fn stop(&mut self) {
        self.desk.stop = true;
    }

    /// The floor below.
    pub fn reactor(&mut self) -> &mut Reactor<P> {
        &mut self.reactor
    }

    /// Runs until there is nothing left to do, `stop` is called, or a shutdown is complete. If `stop` was called
    /// beforehand, that is at once, without a turn.
    ///
    /// # Errors
    ///
    /// As for [`turn`](Self::turn).
    pub fn run(&mut self) -> io::Result<Outcome> {
        loop {
            if std::mem::take(&mut self.desk.stop) {
                return Ok(Outcome::Stopped);
            }
            if let Some(report) = self.concluded() {
                return Ok(Outcome::Shutdown(report));
            }
            if !self.is_alive() {
                return Ok(Outcome::Idle);
            }
            self.turn(None)?;
        }
    }

    /// Makes one turn: waits until something happens, but no longer than this, and calls the handlers.
    ///
    /// # Errors
    ///
    /// What the poller answers, and [`Forked`](crate::reactor::Forked) in a child process. Errors of handlers and
    /// connections are theirs.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.conclude();
        self.reactor.turn(timeout)?;
        if self.reactor.last_turn() > self.reactor.ledger_ref().settings().slow_turn {
            self.timed_turns = TIMED_TURNS;
        }
        let timed = self.timed_turns > 0;
        while !self.desk.stop {
            if !timed {
                if let Some(token) = self.reactor.pop_plain() {
                    self.dispatch(Occurrence::Readable(token));
                    continue;
                }
            }
            match self.reactor.pop() {
                Some(occurrence) if timed => self.dispatch_timed(occurrence),
                Some(occurrence) => self.dispatch(occurrence),
                None => break,
            }
        }
        self.reactor.ledger().end_callback();
        self.timed_turns = self.timed_turns.saturating_sub(1);
        Ok(())
    }

    /// Whether something could still call a handler.
    fn is_alive(&self) -> bool {
        !self.is_empty()
            || self.reactor.has_timers()
            || self.desk.inbox.has_remotes()
            || !self.desk.inbox.is_empty()
    }

    fn dispatch_timed(&mut self, occurrence: Occurrence) {
        let whose = whose(&occurrence);
        let began = Instant::now();
        self.dispatch(occurrence);
        let took = began.elapsed();
        let longest = &mut self.reactor.ledger().stats_mut().longest_callback;
        if longest.is_none_or(|(_, longest)| took > longest) {
            *longest = Some((whose, took));
        }
    }

    fn dispatch(&mut self, occurrence: Occurrence) {
        match occurrence {
            Occurrence::Readable(token) => self.call(token, |handler, cx, shared| handler.handle_read(cx, shared)),
            Occurrence::Accepted { listener, stream, peer } => {
                self.call(listener, |handler, cx, shared| handler.handle_accept(stream, peer, cx, shared));
            }
            Occurrence::Connected(token) => self.call(token, |handler, cx, shared| handler.handle_connect(cx, shared)),
            Occurrence::Eof(token) => self.call(token, |handler, cx, shared| handler.handle_eof(cx, shared)),
            Occurrence::Writable(token) => self.call(token, |handler, cx, shared| handler.handle_write(cx, shared)),
            Occurrence::Drained(token) => self.call(token, |handler, cx, shared| handler.handle_drain(cx, shared)),
            Occurrence::Urgent(token) => self.call(token, |handler, cx, shared| handler.handle_expt(cx, shared)),
            Occurrence::Expired(Token::NONE, timer) => self.run_call(timer),
            Occurrence::Expired(token, timer) => {
                self.call(token, |handler, cx, shared| handler.handle_timeout(timer, cx, shared));
            }
            Occurrence::Woken => self.run_posts(),
            Occurrence::Closed(token, reason) => self.close(token, reason),
        }
        if self.desk.has_wishes() {
            self.conclude();
        }
    }

    /// Calls a handler, survives what it does, and asks it what it wants next.
    #[inline]
    pub(super) fn call(
        &mut self,
        token: Token,
        callback: impl FnOnce(&mut H, &mut Context<'_, H>, &mut H::Shared) -> io::Result<()>,
    ) {
        let Some(Some(handler)) = self.handlers.get_mut(token.index() as usize) else {
            self.without_handler(token);
            return;
        };
        let scope = Scope { ledger: self.reactor.ledger(), desk: &mut self.desk };
        let mut cx = Context::new(scope, token, &mut self.buffer);
        let shared = &mut self.shared;
        let called = catch_unwind(AssertUnwindSafe(|| {
            if let Err(e) = callback(handler, &mut cx, shared) {
                report_error(handler, e, &mut cx, shared);
            }
            (handler.readable(), handler.writable())
        }));
        match called {
            Ok((reads, writes)) => {
                // It is gone if it ended itself, and then wants nothing.
                let _ = self.reactor.ledger().set_wants(token, reads, writes);
            }
            Err(panic) => {
                self.count_panic(token, panic);
                self.reactor.ledger().cut(token, Reason::Panicked);
            }
        }
    }

    #[cold]
    fn count_panic(&mut self, token: Token, panic: Box<dyn std::any::Any + Send>) {
        if self.reactor.ledger().settings().panic_policy == PanicPolicy::Propagate {
            resume_unwind(panic);
        }
        let what = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        log::error!("{token}: a callback panicked: {}", what.unwrap_or("(no message)"));
        self.reactor.ledger().stats_mut().panics += 1;
    }

    /// Does what handlers have asked for while they were running: handlers move in, others are asked what they want.
    fn conclude(&mut self) {
        // Each of these may ask for more.
        while self.desk.has_wishes() {
            for (token, handler) in std::mem::take(&mut self.desk.newborn) {
                self.move_in(token, handler);
            }
            for token in std::mem::take(&mut self.desk.refresh) {
                self.ask(token);
            }
            if let Some(grace) = self.desk.shutdown.take() {
                self.begin_shutdown(grace);
            }
        }
    }

    fn move_in(&mut self, token: Token, handler: H) {
        let place = token.index() as usize;
        if self.handlers.len() <= place {
            self.handlers.resize_with(place + 1, || None);
        }
        self.handlers[place] = Some(handler);
        // It may have been ended before it moved in; then it is told so, and nothing else.
        if self.reactor.ledger().contains(token) {
            self.reactor.ledger().begin_callback(token);
            self.call(token, |handler, cx, shared| handler.handle_open(cx, shared));
        }
    }

    /// Asks a handler what it wants.
    fn ask(&mut self, token: Token) {
        if !self.reactor.ledger().contains(token) {
            return;
        }
        if let Some(Some(handler)) = self.handlers.get(token.index() as usize) {
            let (reads, writes) = (handler.readable(), handler.writable());
            // It is there, as was just seen.
            let _ = self.reactor.ledger().set_wants(token, reads, writes);
        }
    }

    fn close(&mut self, token: Token, reason: Reason) {
        if self.draining.is_some() && !self.reactor.ledger().is_listener(token) {
            let lost = self.reactor.ledger().queued(token).unwrap_or(0);
            if let Some(draining) = &mut self.draining {
                draining.count(&reason, lost);
            }
        }
        self.call(token, |handler, cx, shared| {
            handler.handle_close(reason, cx, shared);
            Ok(())
        });
        if let Some(place) = self.handlers.get_mut(token.index() as usize) {
            *place = None;
        }
    }

    fn run_call(&mut self, timer: TimerId) {
        if self.draining.as_ref().is_some_and(|draining| draining.deadline == timer) {
            self.cut_all();
            return;
        }
        match self.desk.calls.take(timer) {
            Some(Call::Once(call)) => self.run_guarded(call),
            Some(Call::Every(mut call)) => {
                self.run_guarded(|scope: &mut Scope<'_, H>, shared: &mut H::Shared| call(scope, shared));
                if self.reactor.ledger().timer_left(timer).is_some() {
                    self.desk.calls.insert(timer, Call::Every(call));
                }
            }
            None => {}
        }
    }

    fn run_posts(&mut self) {
        if self.desk.inbox.take_stop() {
            self.desk.stop = true;
        }
        let limit = self.reactor.ledger().settings().posts_per_turn;
        let (posts, more) = self.desk.inbox.take(limit);
        if more {
            self.reactor.ledger().wake_again();
        }
        self.reactor.ledger().stats_mut().posts += posts.len() as u64;
        for post in posts {
            self.run_guarded(post);
        }
    }

    /// Runs what belongs to no handler, and survives it.
    pub(super) fn run_guarded(&mut self, work: impl FnOnce(&mut Scope<'_, H>, &mut H::Shared)) {
        let mut scope = Scope { ledger: self.reactor.ledger(), desk: &mut self.desk };
        let shared = &mut self.shared;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&mut scope, shared))) {
            self.count_panic(Token::NONE, panic);
        }
    }

    /// Whether there is no source but the loop's own.
    pub(super) fn is_empty(&self) -> bool {
        #[cfg(feature = "signals")]
        let own = self.signals.len();
        #[cfg(not(feature = "signals"))]
        let own = 0;
        self.reactor.ledger_ref().len() <= own
    }

    /// Whether a source is the loop's own.
    pub(super) fn is_internal(&self, token: Token) -> bool {
        #[cfg(feature = "signals")]
        return self.signals.iter().any(|watch| watch.token == token);
        #[cfg(not(feature = "signals"))]
        return token == Token::NONE;
    }

    /// Closes everything at once, and tells every handler so. For the end of a program that does not want to drain.
    ///
    /// # Errors
    ///
    /// As for [`turn`](Self::turn).
    pub fn close_all(&mut self) -> io::Result<()> {
        self.cut_all();
        while !self.is_empty() {
            self.desk.stop = false;
            self.turn(Some(Duration::ZERO))?;
            // Those who were adopted by a `handle_close`.
            self.cut_all();
        }
        Ok(())
    }
}

#[cfg(not(feature = "signals"))]
impl<H: Dispatcher<Spawn = H>, P: Poller> EventLoop<H, P> {
    /// Every source has a handler, but for the loop's own.
    fn without_handler(&mut self, _: Token) {}
}

/// Gives an error of a callback to the handler, unless it is none, or the connection has ended for it.
fn report_error<H: Dispatcher<Spawn = H>>(
    handler: &mut H,
    error: io::Error,
    cx: &mut Context<'_, H>,
    shared: &mut H::Shared,
) {
    if error.kind() != io::ErrorKind::WouldBlock && cx.contains(cx.token()) {
        handler.handle_error(error, cx, shared);
    }
}

fn whose(occurrence: &Occurrence) -> Token {
    match occurrence {
        Occurrence::Accepted { listener: token, .. }
        | Occurrence::Connected(token)
        | Occurrence::Urgent(token)
        | Occurrence::Readable(token)
        | Occurrence::Eof(token)
        | Occurrence::Writable(token)
        | Occurrence::Drained(token)
        | Occurrence::Expired(token, _)
        | Occurrence::Closed(token, _) => *token,
        Occurrence::Woken => Token::NONE,
    }
}


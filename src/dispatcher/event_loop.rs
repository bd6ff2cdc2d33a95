//! The loop: whose handler is called when.

use super::calls::Calls;
use super::context::DATAGRAM_MAX;
use super::remote::Inbox;
use super::scope::Desk;
use super::shutdown::Draining;
use super::{Context, Dispatcher, Outcome, Remote, Scope};
use crate::poller::{AnyPoller, Poller, Token};
use crate::reactor::{Address, Callback, Reactor, Recorder, Settings, Source, Stats};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How many turns are timed callback by callback after a slow one.
const TIMED_TURNS: u32 = 1000;

/// A reactor with a handler for each source, and the state that they share.
///
/// See the [module](super) for what handlers may do, and [`Settings`] for the limits.
pub struct EventLoop<H: Dispatcher, P = AnyPoller> {
    pub(super) reactor: Reactor<P>,
    /// By the index of the token. Whether a handler lives there, the ledger knows.
    pub(super) handlers: Vec<Option<H>>,
    pub(super) shared: H::Shared,
    pub(super) desk: Desk<H>,
    pub(super) buffer: Vec<u8>,
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

    /// Does something from outside with one handler; `None` if the token names none. A panic in `work` counts as the
    /// handler's own.
    pub fn with<R>(
        &mut self,
        token: Token,
        work: impl FnOnce(&mut H, &mut Context<'_, H>, &mut H::Shared) -> R,
    ) -> Option<R> {
        if !self.reactor.ledger().contains(token) {
            return None;
        }
        let mut result = None;
        self.reactor.ledger().begin_callback(token, Callback::With);
        self.call(token, |handler, cx, shared| {
            result = Some(work(handler, cx, shared));
            Ok(())
        });
        self.reactor.ledger().conclude_callback();
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

    /// Has what the loop does taken down from now on; answers the recorder that did so before. From within a callback:
    /// [`Ledger::record`](crate::reactor::Ledger::record).
    pub fn record(&mut self, recorder: Recorder) -> Option<Recorder> {
        self.reactor.record(recorder)
    }

    /// Ends a recording, and gives the recorder back: [`finish`](Recorder::finish) it.
    pub fn stop_recording(&mut self) -> Option<Recorder> {
        self.reactor.stop_recording()
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
            self.cut_latecomers();
            if let Some(report) = self.concluded() {
                return Ok(Outcome::Shutdown(report));
            }
            if !self.is_alive() {
                // The one who asked for it may have gone since.
                return Ok(if self.desk.inbox.take_stop() { Outcome::Stopped } else { Outcome::Idle });
            }
            self.turn(None)?;
        }
    }

    /// Makes one turn: waits until something happens, but no longer than this, and calls the handlers. After a `stop` no
    /// handler is called until a [`run`](Self::run) has taken notice of it.
    ///
    /// # Errors
    ///
    /// What the poller answers, and [`Forked`](crate::reactor::Forked) in a child process. Errors of handlers and
    /// connections are theirs.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.desk.has_wishes() {
            self.conclude();
        }
        self.reactor.turn(timeout)?;
        if self.reactor.last_turn() > self.reactor.ledger_ref().settings().slow_turn {
            self.timed_turns = TIMED_TURNS;
        }
        let timed = self.timed_turns > 0;
        loop {
            match (timed, self.reactor.ledger_ref().is_recording()) {
                (true, _) => {}
                (false, false) => self.dispatch_plain::<false>(),
                (false, true) => self.dispatch_plain::<true>(),
            }
            if self.desk.stop {
                break;
            }
            // A recording may have begun just now.
            let each = timed || self.reactor.ledger_ref().is_recording();
            let occurrence = if each { self.reactor.pop() } else { self.reactor.pop_unusual() };
            match occurrence {
                Some(occurrence) if timed => self.dispatch_timed(occurrence),
                Some(occurrence) => self.dispatch(occurrence),
                None => break,
            }
        }
        self.reactor.ledger().conclude_callback();
        self.timed_turns = self.timed_turns.saturating_sub(1);
        Ok(())
    }

    /// Whether something could still call a handler.
    fn is_alive(&self) -> bool {
        !self.is_empty() || self.reactor.has_timers() || self.desk.inbox.has_remotes() || !self.desk.inbox.is_empty()
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

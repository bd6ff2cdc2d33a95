//! The orderly end of a loop.

use super::Dispatcher;
use super::event_loop::EventLoop;
use crate::poller::{Poller, Token};
use crate::reactor::{Callback, Reason, TimerId};
use std::time::{Duration, Instant};

/// Why `run` returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// There is nothing left that could ever call a handler: no source, no timer, no [`Remote`](super::Remote).
    Idle,
    /// `stop` was called.
    Stopped,
    /// `shutdown` was called, and everything is closed.
    Shutdown(ShutdownReport),
}

/// What became of the connections that were open at a shutdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Ended with everything sent.
    pub drained: usize,
    /// Ended otherwise: the grace was over, or they failed.
    pub cut: usize,
    /// Bytes that had been accepted for sending and were not sent.
    pub bytes_lost: usize,
    /// How long it took.
    pub took: Duration,
}

/// A shutdown in progress.
#[derive(Debug)]
pub(super) struct Draining {
    began: Instant,
    pub(super) deadline: TimerId,
    report: ShutdownReport,
}

impl Draining {
    /// Counts a connection that has ended, or a pipe or the like.
    pub(super) fn count(&mut self, reason: &Reason, lost: usize) {
        self.report.bytes_lost += lost;
        if lost == 0 && matches!(reason, Reason::Peer | Reason::Local) {
            self.report.drained += 1;
        } else {
            self.report.cut += 1;
        }
    }
}

impl<H: Dispatcher<Spawn = H>, P: Poller> EventLoop<H, P> {
    /// Begins a shutdown, or shortens the grace of the one in progress.
    pub(super) fn begin_shutdown(&mut self, grace: Duration) {
        let ledger = self.reactor.ledger();
        let now = ledger.now();
        if let Some(draining) = &self.draining {
            let left = ledger.timer_left(draining.deadline);
            if left.is_some_and(|left| grace < left) {
                ledger.reset_timer(draining.deadline, grace);
            }
            return;
        }
        let deadline = ledger.set_loop_timer(grace);
        self.draining = Some(Draining { began: now, deadline, report: ShutdownReport::default() });
        let tokens: Vec<Token> = ledger.tokens().collect();
        let (listeners, others): (Vec<_>, Vec<_>) = tokens.into_iter().partition(|token| ledger.is_listener(*token));
        for listener in listeners {
            // It was there just now.
            let _ = ledger.finish(listener);
        }
        for token in others {
            // It, or the farewell of another, may have ended it. What watches for signals has no handler to be told.
            if self.reactor.ledger().is_open(token) && !self.is_internal(token) {
                self.reactor.ledger().take_down_call(token, Callback::Shutdown);
                self.call(token, |handler, cx, shared| handler.handle_shutdown(cx, shared));
                self.reactor.ledger().take_down_return();
            }
        }
    }

    /// The grace is over.
    pub(super) fn cut_all(&mut self) {
        let ledger = self.reactor.ledger();
        let tokens: Vec<Token> = ledger.tokens().collect();
        for token in tokens {
            if !self.is_internal(token) {
                self.reactor.ledger().cut(token, Reason::Shutdown);
            }
        }
    }

    /// Cuts those who were adopted when the grace was over: by a `handle_close`, say, that tries to connect again.
    pub(super) fn cut_latecomers(&mut self) {
        let Some(draining) = &self.draining else { return };
        if self.reactor.ledger_ref().timer_left(draining.deadline).is_none() {
            self.cut_all();
        }
    }

    /// The report, once everything is closed.
    pub(super) fn concluded(&mut self) -> Option<ShutdownReport> {
        if self.draining.is_none() || !self.is_empty() {
            return None;
        }
        let draining = self.draining.take()?;
        let ledger = self.reactor.ledger();
        ledger.cancel_timer(draining.deadline);
        let took = ledger.now().saturating_duration_since(draining.began);
        Some(ShutdownReport { took, ..draining.report })
    }
}

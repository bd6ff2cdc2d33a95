//! Calling the handlers: what happened, whom it concerns, and what they asked for meanwhile.

use super::calls::Call;
use super::event_loop::EventLoop;
use super::{Context, Dispatcher, Scope};
use crate::poller::{Poller, Token};
use crate::reactor::{Callback, Gone, Occurrence, PanicPolicy, Reason, TimerId};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

impl<H: Dispatcher<Spawn = H>, P: Poller> EventLoop<H, P> {
    pub(super) fn dispatch_timed(&mut self, occurrence: Occurrence) {
        let whose = whose(&occurrence);
        let began = Instant::now();
        self.dispatch(occurrence);
        let took = began.elapsed();
        let longest = &mut self.reactor.ledger().stats_mut().longest_callback;
        if longest.is_none_or(|(_, longest)| took > longest) {
            *longest = Some((whose, took));
        }
    }

    /// The short way: calls the handlers of ordinary connections that are readable, until something else is to be told.
    pub(super) fn dispatch_plain<const RECORDED: bool>(&mut self) {
        // One guard serves them all, since a panic leaves behind who was called.
        while let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.dispatch_unguarded::<RECORDED>())) {
            let token = self.reactor.ledger_ref().current();
            self.survive(token, panic);
        }
    }

    fn dispatch_unguarded<const RECORDED: bool>(&mut self) {
        while !self.desk.stop {
            let Some(token) = self.reactor.pop_plain::<RECORDED>() else { return };
            let Some(Some(handler)) = self.handlers.get_mut(token.index() as usize) else {
                self.without_handler(token);
                continue;
            };
            let scope = Scope { ledger: self.reactor.ledger(), desk: &mut self.desk };
            let mut cx = Context::new(scope, token, &mut self.buffer);
            if let Err(e) = handler.handle_read(&mut cx, &mut self.shared) {
                report_error(handler, e, &mut cx, &mut self.shared);
            }
            if !handler.readable() || handler.writable() {
                let (reads, writes) = (handler.readable(), handler.writable());
                // It is gone if it ended itself, and then wants nothing.
                let _ = self.reactor.ledger().set_wants(token, reads, writes);
            }
            if self.desk.has_wishes() {
                self.conclude();
            }
        }
    }

    pub(super) fn dispatch(&mut self, occurrence: Occurrence) {
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
            Err(panic) => self.survive(token, panic),
        }
    }

    /// Ends the connection whose handler panicked. A listener stays, or one client with the right bytes in its address
    /// could end a server; what it had accepted is gone with the panic, so nothing repeats.
    #[cold]
    fn survive(&mut self, token: Token, panic: Box<dyn std::any::Any + Send>) {
        self.count_panic(token, panic);
        if !self.reactor.ledger().is_listener(token) {
            self.reactor.ledger().cut(token, Reason::Panicked);
        }
    }

    #[cold]
    fn count_panic(&mut self, token: Token, panic: Box<dyn std::any::Any + Send>) {
        if self.reactor.ledger().settings().panic_policy == PanicPolicy::Propagate {
            resume_unwind(panic);
        }
        let what = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        log::error!("{token}: a callback panicked: {}", what.unwrap_or("(no message)"));
        self.reactor.ledger().count_panic(token);
    }

    /// Does what handlers have asked for while they were running: handlers move in, others are asked what they want.
    pub(super) fn conclude(&mut self) {
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
            self.reactor.ledger().begin_callback(token, Callback::Open);
            self.call(token, |handler, cx, shared| handler.handle_open(cx, shared));
            self.reactor.ledger().take_down_return();
        }
    }

    /// Asks a handler what it wants.
    fn ask(&mut self, token: Token) {
        if !self.reactor.ledger().contains(token) {
            return;
        }
        if let Some(Some(_)) = self.handlers.get(token.index() as usize) {
            // After each call it is asked.
            self.call(token, |_, _, _| Ok(()));
        }
    }

    fn close(&mut self, token: Token, reason: Reason) {
        if self.draining.is_some() && self.reactor.ledger().is_stream(token) {
            let lost = self.reactor.ledger().queued(token).unwrap_or(0);
            if let Some(draining) = &mut self.draining {
                draining.count(&reason, lost);
            }
        }
        self.call(token, |handler, cx, shared| {
            handler.handle_close(reason, cx, shared);
            Ok(())
        });
        let handler = self.handlers.get_mut(token.index() as usize).and_then(Option::take);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(handler))) {
            self.count_panic(token, panic);
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
}

#[cfg(not(feature = "signals"))]
impl<H: Dispatcher<Spawn = H>, P: Poller> EventLoop<H, P> {
    /// Every source has a handler, but for the loop's own.
    fn without_handler(&mut self, _: Token) {}
}

/// Gives an error of a callback to the handler, unless it is none, or the connection has ended for it.
#[cold]
fn report_error<H: Dispatcher<Spawn = H>>(
    handler: &mut H,
    error: io::Error,
    cx: &mut Context<'_, H>,
    shared: &mut H::Shared,
) {
    // Sending after `finish` is no reason to lose what was sent before.
    let too_late = is_gone(&error) && !cx.ledger.is_open(cx.token());
    if error.kind() != io::ErrorKind::WouldBlock && cx.contains(cx.token()) && !too_late {
        handler.handle_error(error, cx, shared);
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Gone>())
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

//! What the handlers share: whether there is a connection, what waits to be sent, and whether we are leaving.

use crate::link::Link;
use crate::options::Options;
use crate::pace::Pace;
use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::process;
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Boxed, Scope};
use tripoll::reactor::{Address, Backoff, Reason, Sent, TimerId};
use tripoll::{Context, Token};

pub(crate) type Handler = Boxed<Session>;
pub(crate) type Cx<'a> = Context<'a, Handler>;
type View<'a> = Scope<'a, Handler>;

/// A connection that lasted as long as this was a success; a shorter one counts as a failed attempt, so that a server
/// that closes each connection at once is not asked for ever.
const LASTING: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Session {
    options: Options,
    server: Address,
    state: State,
    /// Typed, and not sent yet.
    outgoing: VecDeque<Vec<u8>>,
    outgoing_bytes: usize,
    pace: Pace,
    pace_timer: Option<TimerId>,
    backoff: Backoff,
    failures: u32,
    /// Nothing more will be typed.
    leaving: bool,
    pub(crate) keyboard: Option<Token>,
    pub(crate) output: Token,
    pub(crate) error: Token,
    /// Why the program fails.
    pub(crate) failure: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Between two attempts.
    Offline,
    Connecting {
        link: Token,
    },
    Online {
        link: Token,
        since: Instant,
    },
    /// Everything was sent, and the end as well; the server has yet to say goodbye.
    Leaving {
        link: Token,
    },
    Over,
}

impl Session {
    pub(crate) fn new(options: Options, server: Address) -> Self {
        let seed = u64::from(process::id());
        Self {
            server,
            state: State::Offline,
            outgoing: VecDeque::new(),
            outgoing_bytes: 0,
            pace: Pace::new(options.pace),
            pace_timer: None,
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(5), seed),
            failures: 0,
            leaving: false,
            keyboard: None,
            output: Token::NONE,
            error: Token::NONE,
            failure: None,
            options,
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    pub(crate) fn connect(&mut self, scope: &mut View<'_>) {
        if self.state != State::Offline {
            return;
        }
        match scope.connect(&self.server, Handler::new(Link::new())) {
            Ok(link) => self.state = State::Connecting { link },
            Err(e) => self.failed(scope, &e.to_string()),
        }
    }

    pub(crate) fn connected(&mut self, cx: &mut Cx<'_>) {
        self.state = State::Online { link: cx.token(), since: cx.now() };
        let kept = match self.outgoing.len() {
            lines if lines > 0 && self.failures > 0 => format!("; sending what was typed meanwhile: {lines} line(s)"),
            _ => String::new(),
        };
        self.note(cx, &format!("connected to {}{kept}", self.options.server));
        if let Some(room) = &self.options.join {
            self.outgoing.push_front(format!("/join {room}\n").into_bytes());
        }
        if let Some(name) = &self.options.nick {
            self.outgoing.push_front(format!("/nick {name}\n").into_bytes());
        }
        self.outgoing_bytes = self.outgoing.iter().map(Vec::len).sum();
        self.pump(cx);
    }

    /// The connection ended, or was not made. Some bytes may have been taken for sending and are lost.
    pub(crate) fn disconnected(&mut self, scope: &mut View<'_>, reason: &Reason, lost: usize) {
        let state = std::mem::replace(&mut self.state, State::Offline);
        if lost > 0 {
            self.note(scope, &format!("{lost} bytes were not sent any more"));
        }
        match (state, reason) {
            (State::Over, _) => self.state = State::Over,
            (State::Leaving { .. }, Reason::Peer | Reason::Local) => self.end(scope),
            (State::Leaving { .. }, _) => {
                self.give_up(scope, &format!("the server did not confirm that everything arrived: {reason}"));
            }
            (State::Online { since, .. }, _) => {
                if scope.now().saturating_duration_since(since) >= LASTING {
                    self.failures = 0;
                    self.backoff.reset();
                }
                self.failed(scope, &format!("connection lost: {reason}"));
            }
            (State::Connecting { .. } | State::Offline, Reason::Failed(e)) => self.failed(scope, &e.to_string()),
            (State::Connecting { .. } | State::Offline, _) => self.failed(scope, &reason.to_string()),
        }
    }

    /// Tries again later, unless that was done often enough.
    fn failed(&mut self, scope: &mut View<'_>, why: &str) {
        let server = &self.options.server;
        if self.failures >= self.options.retries {
            let undelivered = self.undelivered();
            self.give_up(
                scope,
                &format!("cannot reach {server}: {why}{undelivered}; start the server, or name another address"),
            );
            return;
        }
        self.failures += 1;
        let pause = self.backoff.next_pause();
        self.note(scope, &format!("{server}: {why}; trying again in {:.1} s", pause.as_secs_f64()));
        scope.call_later(pause, |scope, session| session.connect(scope));
    }

    fn undelivered(&self) -> String {
        match self.outgoing.len() {
            0 => String::new(),
            lines => format!("; not delivered: {lines} line(s)"),
        }
    }

    /// Takes a line that was typed.
    pub(crate) fn typed(&mut self, scope: &mut View<'_>, line: &[u8]) {
        // A person is told what happens to the line; files and pipes wait.
        let stranded = self.failures > 0 && !self.is_online();
        let person = io::stdin().is_terminal();
        if is_quit(line) {
            self.leaving = true;
            if stranded && person {
                return match self.undelivered().as_str() {
                    "" => self.end(scope),
                    undelivered => self.give_up(scope, &format!("left without a connection{undelivered}")),
                };
            }
        }
        self.remember(line);
        if stranded && person && self.is_full() {
            return self.note(scope, "that line was not kept: too much waits for the connection already");
        }
        if stranded && self.outgoing.is_empty() {
            let keep = self.options.keep;
            self.note(scope, &format!("no connection: what you type is kept, up to {keep} bytes, and sent later"));
        }
        self.outgoing_bytes += line.len() + 1;
        self.outgoing.push_back([line, b"\n"].concat());
    }

    /// Keeps in mind under what name and in which room to come back.
    fn remember(&mut self, line: &[u8]) {
        let Ok(line) = std::str::from_utf8(line) else { return };
        match line.split_once(' ') {
            Some(("/nick", name)) => self.options.nick = Some(name.trim().to_owned()),
            Some(("/join", room)) => self.options.join = Some(room.trim().to_owned()),
            _ => {}
        }
    }

    fn is_online(&self) -> bool {
        matches!(self.state, State::Online { .. })
    }

    fn is_full(&self) -> bool {
        self.outgoing_bytes >= self.options.keep
    }

    /// The input has ended: what was typed is still delivered.
    pub(crate) fn leave(&mut self, scope: &mut View<'_>) {
        self.leaving = true;
        self.pump(scope);
    }

    /// Sends what may be sent now, and the end behind the last of it.
    pub(crate) fn pump(&mut self, scope: &mut View<'_>) {
        let State::Online { link, .. } = self.state else { return self.throttle(scope) };
        while let Some(line) = self.outgoing.front() {
            if self.pace_timer.is_some() {
                break;
            }
            if let Err(wait) = self.pace.go(scope.now()) {
                self.pace_timer = Some(scope.call_later(wait, |scope, session| {
                    session.pace_timer = None;
                    session.pump(scope);
                }));
                break;
            }
            let size = line.len();
            // It is on its way out; its close will be told.
            let Ok(sent) = scope.send_to(link, line) else { return };
            self.outgoing.pop_front();
            self.outgoing_bytes -= size;
            if sent == Sent::AboveHigh {
                break;
            }
        }
        if self.leaving && self.outgoing.is_empty() {
            self.half_close(scope, link);
        }
        self.throttle(scope);
    }

    /// Says that nothing more will come, and waits for the server to say goodbye: only then everything has arrived.
    fn half_close(&mut self, scope: &mut View<'_>, link: Token) {
        if scope.ledger().shutdown_write(link).is_err() {
            return;
        }
        self.state = State::Leaving { link };
        scope.call_later(self.options.grace, move |scope, session| {
            if session.state == (State::Leaving { link }) {
                let seconds = session.options.grace.as_secs_f64();
                session.give_up(scope, &format!("the server did not say goodbye within {seconds} s"));
            }
        });
    }

    /// Reads no more of the input than can be kept.
    fn throttle(&self, scope: &mut View<'_>) {
        let Some(keyboard) = self.keyboard else { return };
        let waits = self.is_full() && (self.is_online() || !io::stdin().is_terminal());
        // It may be closing.
        let _ = if waits { scope.pause_peer(keyboard) } else { scope.resume_peer(keyboard) };
    }

    /// Shows what the server says. While it cannot be shown, the loop reads no more of it.
    pub(crate) fn show(&self, scope: &mut View<'_>, text: String) {
        // If it is closed, that is told to its handler.
        let _ = scope.send_to(self.output, text);
    }

    /// Says something of our own.
    pub(crate) fn note(&self, scope: &mut View<'_>, text: &str) {
        let _ = scope.send_to(self.error, format!("-- {text}\n"));
    }

    /// Ends the program with an error.
    pub(crate) fn give_up(&mut self, scope: &mut View<'_>, why: &str) {
        self.failure.get_or_insert_with(|| why.to_owned());
        self.end(scope);
    }

    /// Ends the program, once everything is shown.
    fn end(&mut self, scope: &mut View<'_>) {
        let state = std::mem::replace(&mut self.state, State::Over);
        if let State::Connecting { link } | State::Online { link, .. } | State::Leaving { link } = state {
            // It may be closing.
            let _ = scope.abort_peer(link);
        }
        self.leaving = true;
        scope.shutdown(self.options.grace);
    }
}

fn is_quit(line: &[u8]) -> bool {
    let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    word.eq_ignore_ascii_case(b"/quit")
}

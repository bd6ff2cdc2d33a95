//! A client of the echo server that knows what it sent, and so what has to come back.

use crate::drive::{Act, Conversation};
use crate::random::content;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// A step of a client's plan.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Bytes to send.
    Send(usize),
    /// Send nothing for a while.
    Pause(Duration),
    /// Do not read for a while, whatever comes next.
    Deaf(Duration),
    /// Send the end. What is still owed comes back, and then the end.
    HalfClose,
    /// Wait for what is owed, then close first.
    Close,
    /// Go away in the middle.
    Reset,
}

/// One client and how far it has come.
pub(crate) struct EchoClient {
    stream: usize,
    plan: VecDeque<Step>,
    /// When the pause is over.
    until: Option<Instant>,
    deaf_until: Option<Instant>,
    pub(crate) sent: usize,
    pub(crate) received: usize,
    /// The server may end the conversation once everything has come back,
    may_end: bool,
    /// or before.
    may_end_early: bool,
    /// What to do when so much has come back.
    alarm: Option<(usize, Box<dyn FnOnce()>)>,
}

impl EchoClient {
    /// Number `stream`, whose content is its own.
    pub(crate) fn new(stream: usize, plan: impl IntoIterator<Item = Step>) -> Self {
        let plan = plan.into_iter().collect();
        Self {
            stream,
            plan,
            until: None,
            deaf_until: None,
            sent: 0,
            received: 0,
            may_end: false,
            may_end_early: false,
            alarm: None,
        }
    }

    /// One who goes on until the server ends it, whenever that is.
    pub(crate) fn endless(stream: usize) -> Self {
        Self { may_end_early: true, ..Self::new(stream, [Step::Send(usize::MAX)]) }
    }

    /// Calls this once so many bytes have come back.
    pub(crate) fn when_received(mut self, count: usize, call: impl FnOnce() + 'static) -> Self {
        self.alarm = Some((count, Box::new(call)));
        self
    }

    /// One who has sent so much already, by other means.
    pub(crate) fn having_sent(mut self, count: usize) -> Self {
        self.sent = count;
        self
    }

    fn pause(&mut self, now: Instant, time: Duration) -> Option<Instant> {
        let until = *self.until.get_or_insert(now + time);
        if until > now {
            return Some(until);
        }
        self.until = None;
        self.plan.pop_front();
        None
    }
}

impl Conversation for EchoClient {
    fn next(&mut self, now: Instant) -> Act<'_> {
        loop {
            match self.plan.front() {
                Some(Step::Send(0)) => drop(self.plan.pop_front()),
                Some(Step::Send(len)) => {
                    let data = content(self.stream, self.sent, *len);
                    return match self.deaf_until.filter(|until| now < *until) {
                        Some(until) => Act::SendDeaf(data, until),
                        None => Act::Send(data),
                    };
                }
                Some(Step::Pause(time)) => {
                    if let Some(until) = self.pause(now, *time) {
                        return Act::Pause(until);
                    }
                }
                Some(Step::Deaf(time)) => {
                    self.deaf_until = Some(now + *time);
                    self.plan.pop_front();
                }
                Some(Step::HalfClose) => {
                    self.plan.clear();
                    self.may_end = true;
                    return Act::HalfClose;
                }
                Some(Step::Close) if self.received < self.sent => return Act::Listen,
                Some(Step::Close) => return Act::Close,
                Some(Step::Reset) => return Act::Reset,
                None => return Act::Listen,
            }
        }
    }

    fn sent(&mut self, count: usize) {
        self.sent += count;
        if let Some(Step::Send(left)) = self.plan.front_mut() {
            *left -= count;
        }
    }

    fn received(&mut self, mut data: &[u8]) -> Result<(), String> {
        while !data.is_empty() {
            let expected = content(self.stream, self.received, data.len());
            let (part, rest) = data.split_at(expected.len());
            if self.received + part.len() > self.sent {
                return Err(format!("{} of {} bytes came back: too many", self.received + part.len(), self.sent));
            }
            if part != expected {
                return Err(format!("the content at byte {} of {} is wrong", self.received, self.sent));
            }
            self.received += part.len();
            data = rest;
        }
        if let Some((_, call)) = self.alarm.take_if(|(count, _)| self.received >= *count) {
            call();
        }
        Ok(())
    }

    fn ended(&mut self, error: Option<io::Error>) -> Result<(), String> {
        let (received, sent) = (self.received, self.sent);
        match error {
            Some(e) => Err(format!("{e}, after {received} of {sent} bytes")),
            None if self.may_end_early => Ok(()),
            None if !self.may_end => Err(format!("the server ended it after {received} of {sent} bytes")),
            None if received < sent => Err(format!("the end came after {received} of {sent} bytes")),
            None => Ok(()),
        }
    }
}

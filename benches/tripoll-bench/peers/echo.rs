//! What the echoes of mio, polling and calloop have in common: one buffer to read into, and what a connection could not
//! send yet.

use super::super::support::raw::Counter;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

/// Bytes of the buffer that is read into, as everyone's here.
pub const BUFFER: usize = 64 * 1024;

/// How long accepting rests after it failed for want of descriptors or memory.
pub const RETRY: Duration = Duration::from_millis(100);

/// What reading from a connection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The buffer was filled: there may be more.
    Full,
    /// It was not filled: there was no more, but for the end, if an edge-triggered loop has been told of one.
    Short,
    /// There was nothing.
    Nothing,
    /// Not all could be sent. Until it is, no more is read.
    Blocked,
    /// The connection is over.
    Ended,
}

/// What a connection could not send yet.
#[derive(Default)]
pub struct Unsent {
    bytes: Vec<u8>,
    sent: usize,
}

impl Unsent {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Sends what is left, then reads once and sends that back.
    pub fn serve<S>(&mut self, stream: &S, buf: &mut [u8], count: &mut Counter) -> Outcome
    where
        for<'a> &'a S: Read + Write,
    {
        self.try_serve(stream, buf, count).unwrap_or_else(|e| match e.kind() {
            ErrorKind::WouldBlock if self.is_empty() => Outcome::Nothing,
            ErrorKind::WouldBlock => Outcome::Blocked,
            _ => Outcome::Ended,
        })
    }

    fn try_serve<S>(&mut self, mut stream: &S, buf: &mut [u8], count: &mut Counter) -> io::Result<Outcome>
    where
        for<'a> &'a S: Read + Write,
    {
        if !self.is_empty() {
            count.calls += 1;
            self.sent += stream.write(&self.bytes[self.sent..])?;
            if self.sent < self.bytes.len() {
                return Ok(Outcome::Blocked);
            }
            self.bytes.clear();
            self.sent = 0;
        }
        count.calls += 1;
        let read = stream.read(buf)?;
        if read == 0 {
            return Ok(Outcome::Ended);
        }
        count.calls += 1;
        let sent = stream.write(&buf[..read]).or_else(none_if_full)?;
        if sent < read {
            self.bytes.extend_from_slice(&buf[sent..read]);
            return Ok(Outcome::Blocked);
        }
        Ok(if read == buf.len() { Outcome::Full } else { Outcome::Short })
    }
}

/// A full send buffer takes no bytes.
fn none_if_full(e: io::Error) -> io::Result<usize> {
    if e.kind() == ErrorKind::WouldBlock { Ok(0) } else { Err(e) }
}

/// Accepts all who wait, each with a call of `accept`. False if that has to rest: descriptors or memory are used up.
pub fn accept_all(mut accept: impl FnMut() -> io::Result<()>) -> bool {
    loop {
        let Err(e) = accept() else { continue };
        match e.kind() {
            ErrorKind::WouldBlock => return true,
            // Who waited has gone; the next one may not have.
            ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
            _ => return false,
        }
    }
}

//! The crate mio: epoll as it asks it, and what it makes of the answer.

use super::{Asked, Refusal, Watcher, epoll_lists};
use crate::kit::Bits;
use mio::event::Event;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use nix::errno::Errno;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

pub(super) struct Mio {
    poll: Poll,
}

impl Mio {
    pub(super) fn new() -> io::Result<Self> {
        Poll::new().map(|poll| Self { poll })
    }
}

/// mio cannot be asked for nothing, nor for the end of the peer's data alone, which comes with `READABLE`.
fn interest(bits: Bits) -> Interest {
    let wanted = [(Bits::IN, Interest::READABLE), (Bits::OUT, Interest::WRITABLE), (Bits::PRI, Interest::PRIORITY)];
    let wanted = wanted.into_iter().filter(|(bit, _)| bits.contains(*bit)).map(|(_, interest)| interest);
    wanted.reduce(Interest::add).unwrap_or(Interest::READABLE)
}

fn bits(event: &Event) -> Bits {
    Bits::IN.when(event.is_readable())
        | Bits::OUT.when(event.is_writable())
        | Bits::PRI.when(event.is_priority())
        | Bits::ERR.when(event.is_error())
        | Bits::RDHUP.when(event.is_read_closed())
        | Bits::HUP.when(event.is_write_closed())
}

impl Watcher for Mio {
    fn watch(&mut self, asked: Asked<'_>) -> Result<(), Refusal> {
        let mut source = SourceFd(&asked.fd.as_raw_fd());
        Ok(self.poll.registry().register(&mut source, Token(asked.token), interest(asked.interest))?)
    }

    fn modify(&mut self, asked: Asked<'_>) -> Result<(), Refusal> {
        let mut source = SourceFd(&asked.fd.as_raw_fd());
        Ok(self.poll.registry().reregister(&mut source, Token(asked.token), interest(asked.interest))?)
    }

    fn unwatch(&mut self, fd: BorrowedFd<'_>) -> Result<(), Refusal> {
        Ok(self.poll.registry().deregister(&mut SourceFd(&fd.as_raw_fd()))?)
    }

    fn wait(&mut self, _: &[Asked<'_>], max: usize, timeout: Duration) -> Result<Vec<(usize, Bits)>, Errno> {
        let mut events = Events::with_capacity(max);
        self.poll
            .poll(&mut events, Some(timeout))
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
        Ok(events.iter().map(|event| (event.token().0, bits(event))).collect())
    }

    fn lists(&self, number: RawFd) -> bool {
        epoll_lists(self.poll.as_raw_fd(), number)
    }
}

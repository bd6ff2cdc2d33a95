//! epoll(7): registrations that the kernel keeps, and a queue of those that have something to report.

use super::{Asked, Refusal, Watcher, epoll_lists};
use crate::kit::{Bits, Mechanism};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

pub(super) struct Queue {
    epoll: Epoll,
    /// What is asked for with every registration.
    trigger: EpollFlags,
}

impl Queue {
    pub(super) fn new(mechanism: Mechanism) -> io::Result<Self> {
        let trigger = match mechanism {
            Mechanism::Edge => EpollFlags::EPOLLET,
            Mechanism::Oneshot => EpollFlags::EPOLLONESHOT,
            _ => EpollFlags::empty(),
        };
        Ok(Self { epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?, trigger })
    }

    fn event(&self, asked: Asked<'_>) -> EpollEvent {
        let interest = EpollFlags::from_bits_retain(asked.interest.0.into());
        EpollEvent::new(interest | self.trigger, asked.token as u64)
    }
}

impl Watcher for Queue {
    fn watch(&mut self, asked: Asked<'_>) -> Result<(), Refusal> {
        Ok(self.epoll.add(asked.fd, self.event(asked))?)
    }

    fn modify(&mut self, asked: Asked<'_>) -> Result<(), Refusal> {
        Ok(self.epoll.modify(asked.fd, &mut self.event(asked))?)
    }

    fn unwatch(&mut self, fd: BorrowedFd<'_>) -> Result<(), Refusal> {
        Ok(self.epoll.delete(fd)?)
    }

    fn wait(&mut self, _: &[Asked<'_>], max: usize, timeout: Duration) -> Result<Vec<(usize, Bits)>, Errno> {
        let mut events = vec![EpollEvent::empty(); max];
        let timeout = EpollTimeout::try_from(timeout).unwrap_or(EpollTimeout::MAX);
        let count = self.epoll.wait(&mut events, timeout)?;
        let bits = |event: &EpollEvent| Bits(u16::try_from(event.events().bits()).unwrap_or_default());
        Ok(events[..count]
            .iter()
            .map(|event| (usize::try_from(event.data()).unwrap_or_default(), bits(event)))
            .collect())
    }

    fn lists(&self, number: RawFd) -> bool {
        epoll_lists(self.epoll.0.as_raw_fd(), number)
    }
}

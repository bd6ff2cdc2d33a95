//! Taking connections in, and surviving what keeps one from it.
//!
//! A listener at the descriptor limit is the classic trap: a connection waits, so the listener is ready; it cannot be
//! accepted, so it stays ready. Level-triggered, a loop spins on that at full speed; edge-triggered, it is never told
//! again and the client waits for ever. So a listener from which nothing can be accepted is not watched: it rests until
//! a descriptor is freed, or some time has passed.

use super::ledger::Ledger;
use super::occurrence::Occurrence;
use super::reason::Reason;
use super::settings::{AcceptPolicy, Settings};
use super::source::Stream;
use super::timers::{Deadline, Purpose, TimerId};
use crate::poller::{Readiness, Refusal, Token};
use crate::sys;
use crate::sys::address::Address;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Shutdown};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// How long listeners rest after the first failure for lack of descriptors or memory; doubled at each further one.
const SHORTEST_REST: Duration = Duration::from_millis(50);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// What concerns all listeners.
#[derive(Debug)]
pub(super) struct Accepting {
    pub(super) listeners: Vec<Token>,
    /// At this many connections listeners rest,
    max: usize,
    /// and at this many they go on.
    low: usize,
    full: bool,
    rest: Duration,
    /// Set while listeners rest because something ran out.
    timer: Option<TimerId>,
    /// A descriptor to let go of, so that one connection can be accepted and closed.
    reserve: Option<File>,
    max_per_peer: Option<u32>,
    peers: HashMap<IpAddr, u32>,
}

impl Accepting {
    pub(super) fn new(settings: &Settings, bound: Option<RawFd>) -> io::Result<Self> {
        let max = match settings.max_connections {
            Some(max) => max,
            None => default_max(bound)?,
        };
        Ok(Self {
            listeners: Vec::new(),
            max,
            low: max.saturating_sub(max / 16 + 1),
            full: false,
            rest: SHORTEST_REST,
            timer: None,
            reserve: match settings.accept_policy {
                AcceptPolicy::Pause => None,
                AcceptPolicy::Shed => Some(reserve()?),
            },
            max_per_peer: settings.max_per_peer.map(|max| u32::try_from(max).unwrap_or(u32::MAX)),
            peers: HashMap::new(),
        })
    }

    /// Whether nothing is to be accepted for now.
    pub(super) fn is_resting(&self) -> bool {
        self.full || self.timer.is_some()
    }

    pub(super) fn count_peer(&mut self, ip: IpAddr) {
        *self.peers.entry(ip).or_default() += 1;
    }

    pub(super) fn uncount_peer(&mut self, ip: IpAddr) {
        if let Some(count) = self.peers.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.peers.remove(&ip);
            }
        }
    }
}

/// What the descriptor limit, or the backend's bound, leaves after what is open already and a few to spare.
fn default_max(bound: Option<RawFd>) -> io::Result<usize> {
    const TO_SPARE: usize = 8;
    let soft = usize::try_from(sys::limits::descriptor_limit()?.soft).unwrap_or(usize::MAX);
    let limit = bound.map_or(soft, |bound| soft.min(bound as usize));
    // Where there is no /proc, a guess.
    let open = std::fs::read_dir("/proc/self/fd").map_or(16, Iterator::count);
    Ok(limit.saturating_sub(open + TO_SPARE).max(1))
}

fn reserve() -> io::Result<File> {
    File::open("/dev/null")
}

/// What a failed `accept4` means: [`accept(2)`](https://man7.org/linux/man-pages/man2/accept.2.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// Nobody waits.
    Nobody,
    /// That connection is gone or forbidden; the next one may be well. Network errors of the new socket come here too.
    ThisOne,
    /// Out of descriptors or memory.
    Exhausted,
    /// The listener itself is no good.
    Listener,
}

fn classify(error: &io::Error) -> Failure {
    match error.raw_os_error().unwrap_or(0) {
        libc::EAGAIN => Failure::Nobody,
        libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM => Failure::Exhausted,
        libc::EBADF | libc::EINVAL | libc::ENOTSOCK | libc::EFAULT => Failure::Listener,
        _ => Failure::ThisOne,
    }
}

impl Ledger {
    /// Takes in one connection that waits; what is left is noted.
    pub(super) fn accept(&mut self, listener: Token) -> Option<Occurrence> {
        let per_turn = u32::try_from(self.settings.accepts_per_turn).unwrap_or(u32::MAX);
        let turn = self.turn;
        loop {
            if self.accepting.is_resting() {
                return None;
            }
            let slot = self.slots.get_mut(listener)?;
            slot.enter(turn, per_turn);
            if slot.budget == 0 {
                return None;
            }
            slot.budget -= 1;
            let spent = slot.budget == 0;
            self.stats.accepts += 1;
            let (fd, peer) = match sys::socket::accept(slot.fd.as_fd()) {
                Ok(accepted) => accepted,
                Err(e) => match classify(&e) {
                    Failure::Nobody => {
                        slot.ready = Readiness::NONE;
                        return None;
                    }
                    Failure::ThisOne => {
                        log::debug!("{listener}: a connection failed before it was accepted: {e}");
                        if spent {
                            self.rest(listener, &e);
                        }
                        continue;
                    }
                    Failure::Exhausted => match self.shed(listener) {
                        Ok(()) => continue,
                        Err(Failure::Nobody) => {
                            self.slots.get_mut(listener)?.ready = Readiness::NONE;
                            return None;
                        }
                        Err(_) => {
                            self.rest(listener, &e);
                            continue;
                        }
                    },
                    Failure::Listener => {
                        log::warn!("{listener}: the listener failed: {e}");
                        self.doom(listener, Reason::Failed(e));
                        return None;
                    }
                },
            };
            slot.owed |= super::slot::owed::ACCEPT;
            self.accepting.rest = SHORTEST_REST;
            let Some(stream) = self.admit(fd, &peer) else { continue };
            self.stats.accepted += 1;
            return Some(Occurrence::Accepted { listener, stream, peer });
        }
    }

    /// Refuses a connection that is one too many, or whose number the backend cannot hold.
    fn admit(&mut self, fd: OwnedFd, peer: &Address) -> Option<Stream> {
        let mut stream = Stream::new(fd, peer);
        if let Some(limit) = self.descriptor_bound().filter(|bound| stream.fd.as_raw_fd() >= *bound) {
            log::warn!("a connection of {peer} is closed: {}", Refusal::TooLarge { fd: stream.fd.as_raw_fd(), limit });
            // In an orderly way. Fails only if the peer has gone already.
            let _ = sys::socket::shutdown(stream.as_fd(), Shutdown::Write);
            self.stats.shed += 1;
            return None;
        }
        if let (Some(max), Some(addr)) = (self.accepting.max_per_peer, peer.as_inet()) {
            let ip = addr.ip();
            if self.accepting.peers.get(&ip).is_some_and(|count| *count >= max) {
                log::debug!("a connection of {peer} is closed: it has {max} already");
                self.stats.shed += 1;
                return None;
            }
            stream.counted = Some(ip);
        }
        Some(stream)
    }

    /// Accepts one connection by means of the reserve and closes it. The kernel looks for a descriptor before it looks for a
    /// connection, so without the reserve it would not even say that nobody waits.
    fn shed(&mut self, listener: Token) -> Result<(), Failure> {
        if self.accepting.reserve.take().is_none() {
            return Err(Failure::Exhausted);
        }
        let Some(slot) = self.slots.get_mut(listener) else { return Err(Failure::Listener) };
        self.stats.accepts += 1;
        let accepted = sys::socket::accept(slot.fd.as_fd());
        let result = match &accepted {
            Ok((_, peer)) => {
                log::debug!("out of descriptors: a connection of {peer} is closed");
                self.stats.shed += 1;
                Ok(())
            }
            Err(e) => Err(classify(e)),
        };
        drop(accepted);
        self.accepting.reserve = reserve().ok();
        result
    }

    /// Lets all listeners rest, because one found that something ran out.
    fn rest(&mut self, listener: Token, error: &io::Error) {
        if self.accepting.rest == SHORTEST_REST {
            log::warn!("{listener}: cannot accept: {error}; waiting clients wait");
        }
        self.stats.accept_pauses += 1;
        let at = self.after(self.accepting.rest);
        self.accepting.rest = (self.accepting.rest * 2).min(LONGEST_REST);
        self.accepting.timer = Some(self.timers.arm(Deadline::once(at, Token::NONE, Purpose::Accept)));
        self.touch_listeners();
    }

    /// The rest is over.
    pub(super) fn retry_accept(&mut self) {
        self.accepting.timer = None;
        if self.accepting.reserve.is_none() && self.settings.accept_policy == AcceptPolicy::Shed {
            self.accepting.reserve = reserve().ok();
        }
        self.touch_listeners();
    }

    pub(super) fn connection_opened(&mut self) {
        self.stats.connections += 1;
        self.stats.connections_peak = self.stats.connections_peak.max(self.stats.connections);
        if !self.accepting.full && self.stats.connections >= self.accepting.max {
            self.accepting.full = true;
            self.touch_listeners();
        }
    }

    /// A descriptor was closed, so that there may be one for those who wait.
    pub(super) fn descriptor_freed(&mut self, was_connection: bool) {
        if was_connection {
            self.stats.connections -= 1;
            if self.accepting.full && self.stats.connections <= self.accepting.low {
                self.accepting.full = false;
                self.touch_listeners();
            }
        }
        if let Some(timer) = self.accepting.timer {
            self.timers.cancel(timer);
            self.retry_accept();
        }
    }

    fn touch_listeners(&mut self) {
        for index in 0..self.accepting.listeners.len() {
            self.touch(self.accepting.listeners[index]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_befalls_one_connection_does_not_end_the_listener() {
        let of = |errno| classify(&io::Error::from_raw_os_error(errno));
        assert_eq!(of(libc::EAGAIN), Failure::Nobody);
        for errno in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
            assert_eq!(of(errno), Failure::Exhausted, "{errno}");
        }
        for errno in [
            libc::ECONNABORTED,
            libc::EPROTO,
            libc::EINTR,
            libc::EPERM,
            libc::ENETDOWN,
            libc::ENOPROTOOPT,
            libc::EHOSTDOWN,
            libc::ENONET,
            libc::EHOSTUNREACH,
            libc::EOPNOTSUPP,
            libc::ENETUNREACH,
            libc::ETIMEDOUT,
        ] {
            assert_eq!(of(errno), Failure::ThisOne, "{errno}");
        }
        for errno in [libc::EBADF, libc::EINVAL, libc::ENOTSOCK] {
            assert_eq!(of(errno), Failure::Listener, "{errno}");
        }
    }

    #[test]
    fn listeners_go_on_below_where_they_stopped() {
        for max in [1, 2, 16, 1000] {
            let settings = Settings { max_connections: Some(max), ..Settings::default() };
            let accepting = Accepting::new(&settings, None).unwrap();
            assert!(accepting.low < accepting.max);
        }
        let select = Accepting::new(&Settings::default(), Some(1024)).unwrap();
        assert!(select.max <= 1024 - 8);
    }
}

//! The event bits of poll and epoll, which are the same numbers.

use super::{Interest, Readiness};

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const PRI: u32 = libc::EPOLLPRI as u32;
const ERR: u32 = libc::EPOLLERR as u32;
const HUP: u32 = libc::EPOLLHUP as u32;
const RDHUP: u32 = libc::EPOLLRDHUP as u32;
const NVAL: u32 = libc::POLLNVAL as u32;

const _: () = assert!(IN == libc::POLLIN as u32 && OUT == libc::POLLOUT as u32 && PRI == libc::POLLPRI as u32);
const _: () = assert!(ERR == libc::POLLERR as u32 && HUP == libc::POLLHUP as u32 && RDHUP == libc::POLLRDHUP as u32);

/// What to ask the kernel for. ERR and HUP come without being asked for, RDHUP does not.
pub(super) fn encode(interest: Interest) -> u32 {
    let mut bits = 0;
    if interest.contains(Interest::READABLE) {
        bits |= IN | RDHUP;
    }
    if interest.contains(Interest::WRITABLE) {
        bits |= OUT;
    }
    if interest.contains(Interest::PRIORITY) {
        bits |= PRI;
    }
    bits
}

/// What the kernel's answer means.
///
/// A hang-up or an error makes readable and writable too, so that one who looks at these alone finds out by the read
/// or the write. An empty pipe whose writer is gone, for one, is HUP without IN.
pub(super) fn decode(bits: u32) -> Readiness {
    if bits == IN {
        return Readiness::READABLE;
    }
    let has = |mask: u32| bits & mask != 0;
    Readiness::READABLE.when(has(IN | RDHUP | HUP | ERR))
        | Readiness::WRITABLE.when(has(OUT | HUP | ERR))
        | Readiness::PRIORITY.when(has(PRI))
        | Readiness::ERROR.when(has(ERR))
        | Readiness::READ_CLOSED.when(has(RDHUP | HUP))
        | Readiness::WRITE_CLOSED.when(has(HUP | ERR))
        | Readiness::HANG_UP.when(has(HUP))
        | Readiness::INVALID.when(has(NVAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hang_up_and_errors_are_found_by_those_who_only_read_or_write() {
        assert_eq!(decode(IN), Readiness::READABLE);
        assert!(decode(HUP).contains(Readiness::READABLE | Readiness::WRITABLE | Readiness::HANG_UP));
        assert!(decode(OUT | ERR).contains(Readiness::READABLE | Readiness::ERROR | Readiness::WRITE_CLOSED));
        assert!(!decode(IN | RDHUP).intersects(Readiness::WRITABLE | Readiness::HANG_UP));
        assert_eq!(decode(NVAL), Readiness::INVALID);
    }
}

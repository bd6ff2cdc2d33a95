//! select(2): three sets of numbers, filled anew for each wait.

use super::{Asked, Refusal, Watcher};
use crate::kit::Bits;
use nix::errno::Errno;
use nix::sys::select::{FD_SETSIZE, FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

pub(super) struct Select;

fn check(number: RawFd) -> Result<(), Refusal> {
    let fits = usize::try_from(number).is_ok_and(|number| number < FD_SETSIZE);
    if fits { Ok(()) } else { Err(Refusal::TooHigh(number)) }
}

impl Watcher for Select {
    fn watch(&mut self, asked: Asked<'_>) -> Result<(), Refusal> {
        check(asked.fd.as_raw_fd())
    }

    fn modify(&mut self, asked: Asked<'_>) -> Result<(), Refusal> {
        check(asked.fd.as_raw_fd())
    }

    fn unwatch(&mut self, _: BorrowedFd<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn wait(&mut self, asked: &[Asked<'_>], _: usize, timeout: Duration) -> Result<Vec<(usize, Bits)>, Errno> {
        let (mut read, mut write, mut except) = (FdSet::new(), FdSet::new(), FdSet::new());
        for asked in asked {
            for (bit, set) in [(Bits::IN, &mut read), (Bits::OUT, &mut write), (Bits::PRI, &mut except)] {
                if asked.interest.contains(bit) {
                    set.insert(asked.fd);
                }
            }
        }
        let mut timeout = TimeVal::microseconds(timeout.as_micros().try_into().unwrap_or(i64::MAX));
        select(None, &mut read, &mut write, &mut except, &mut timeout)?;
        // A set has no order but that of the numbers.
        let mut by_number = asked.to_vec();
        by_number.sort_by_key(|asked| asked.fd.as_raw_fd());
        let found = by_number.iter().map(|asked| {
            let bits = Bits::IN.when(read.contains(asked.fd))
                | Bits::OUT.when(write.contains(asked.fd))
                | Bits::PRI.when(except.contains(asked.fd));
            // Two registrations of one number share its bits in the sets.
            (asked.token, bits & asked.interest)
        });
        Ok(found.filter(|(_, bits)| !bits.is_none()).collect())
    }

    fn lists(&self, _: RawFd) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    use std::io;
    use std::os::fd::AsFd;

    #[test]
    fn a_number_that_its_sets_cannot_hold_is_refused() {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, soft.max(1025.min(hard)), hard).unwrap();
        let high = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 1024).unwrap();
        let number = high.as_raw_fd();
        let asked = Asked { token: 0, fd: high.as_fd(), interest: Bits::IN };
        assert_eq!(Select.watch(asked), Err(Refusal::TooHigh(number)));
        assert_eq!(Select.modify(asked), Err(Refusal::TooHigh(number)));
    }
}

//! A descriptor whose number is above 1023.

use super::waiter::{BOUND, Waiter};
use super::{Findings, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::select::FD_SETSIZE;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use tripoll::Trigger;
use tripoll::poller::{Interest, Poller as _, Refusal, SelectPoller, Token};

const NUMBER: i32 = 1500;

/// Numbers that must be allowed: others may hold some above [`NUMBER`].
const NEEDED: u64 = 2048;

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    let (low, mut peer) = pairs::unix()?;
    let high = duplicate(&low)?;
    peer.write_all(b"hello")?;
    if mechanism == Mechanism::Select {
        return Ok(vec![format!("a set has room for the numbers below {FD_SETSIZE}"), refusal(&high)?]);
    }
    let mut waiter = Waiter::new(mechanism)?;
    waiter.add(high.as_fd(), Bits::IN)?;
    Ok(vec![format!("descriptor {NUMBER} or above, with data: {}", waiter.answer(&["high"], BOUND)?)])
}

/// The soft limit is raised if it is in the way, which harms nobody else in the process.
fn duplicate(fd: impl AsFd) -> io::Result<OwnedFd> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if hard < NEEDED {
        return Err(io::Error::other(format!(
            "it needs {NEEDED} descriptors and {hard} are allowed: raise the hard limit (ulimit -Hn)"
        )));
    }
    if soft < NEEDED {
        setrlimit(Resource::RLIMIT_NOFILE, NEEDED, hard)?;
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, NUMBER)?)
}

/// What the library says instead of writing beside the set.
fn refusal(fd: &OwnedFd) -> io::Result<String> {
    let mut poller = SelectPoller::new();
    let Err(error) = poller.add(fd.as_fd(), Token::new(0, 0), Interest::READABLE, Trigger::Level) else {
        return Ok("tripoll registers it".to_owned());
    };
    match Refusal::of(&error) {
        Some(Refusal::TooLarge { limit, .. }) => Ok(format!("tripoll refuses it: too large, the limit is {limit}")),
        _ => Err(error),
    }
}

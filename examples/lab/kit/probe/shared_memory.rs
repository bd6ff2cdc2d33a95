//! Whether events pass through memory that is shared with the kernel: what the process has mapped would say so.

use super::waiter::{BOUND, Waiter};
use super::{Findings, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    let before = shared()?;
    let (watched, mut peer) = pairs::unix()?;
    let mut waiter = Waiter::new(mechanism)?;
    waiter.add(watched.as_fd(), Bits::IN)?;
    peer.write_all(b"hello")?;
    let events = waiter.wait(BOUND)?.len();
    let new = shared()?.into_iter().filter(|mapping| !before.contains(mapping)).count();
    let count = if new == 0 { "none".to_owned() } else { new.to_string() };
    Ok(vec![format!("after a wait with {events} event, mappings shared with the kernel: {count}")])
}

/// The lines of [`maps`](https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html) whose permissions end with `s`.
fn shared() -> io::Result<Vec<String>> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let is_shared = |line: &&str| line.split(' ').nth(1).is_some_and(|permissions| permissions.ends_with('s'));
    Ok(maps.lines().filter(is_shared).map(str::to_owned).collect())
}

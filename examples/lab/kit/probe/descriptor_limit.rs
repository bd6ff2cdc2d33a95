//! A connection that cannot be accepted since the process has no descriptor left.

use super::waiter::{BOUND, Waiter, name_of};
use super::{Findings, child, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs::File;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

/// What the process is left with: little, but more than it has.
const LIMIT: u64 = 256;

/// After so many reports in a row it is a busy loop.
const MANY: usize = 1000;

/// How long a wait that says nothing is given.
const SILENCE: Duration = Duration::from_millis(50);

/// The limit is that of a process, and others in this one need their descriptors.
pub(super) fn findings(mechanism: Mechanism) -> Findings {
    child::alone("descriptor-limit", mechanism)
}

pub(super) fn in_child(mechanism: Mechanism) -> Findings {
    let listener = pairs::listener()?;
    let mut waiter = Waiter::new(mechanism)?;
    waiter.add(listener.as_fd(), Bits::IN)?;
    let _client = TcpStream::connect(listener.local_addr()?)?;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, LIMIT.min(hard), hard)?;
    let taken = take_all()?;
    let mut accepting = String::new();
    let mut reports = 0;
    let mut patience = BOUND;
    while reports < MANY && !waiter.wait(patience)?.is_empty() {
        reports += 1;
        accepting = listener.accept().map_or_else(|error| name_of(&error), |_| "ok".to_owned());
        waiter.rearm(0)?;
        patience = SILENCE;
    }
    drop(taken);
    let then = waiter.answer(&["listener"], SILENCE)?;
    let reports = if reports < MANY { reports.to_string() } else { "a thousand and more, a busy loop".to_owned() };
    Ok(vec![
        format!("accept: {accepting}"),
        format!("reports of the one connection that cannot be accepted: {reports}"),
        format!("descriptors are free again: {then}"),
    ])
}

/// Every descriptor that the limit allows.
fn take_all() -> io::Result<Vec<File>> {
    let mut taken = Vec::new();
    for _ in 0..=LIMIT {
        match File::open("/dev/null") {
            Ok(file) => taken.push(file),
            Err(error) if error.raw_os_error() == Some(Errno::EMFILE as i32) => return Ok(taken),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("the kernel hands out more descriptors than the limit allows"))
}

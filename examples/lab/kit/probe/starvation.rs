//! A peer that sends faster than it is read, and another one that waits.

use super::waiter::{BOUND, Waiter, registers};
use super::{Findings, pairs};
use crate::kit::bits::Bits;
use crate::kit::mechanism::Mechanism;
use rustix::io::ioctl_fionread;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// After so many reads nobody believes in the end any more.
const PATIENCE: usize = 1000;

/// How many reads a descriptor gets in one turn where there is a budget.
const BUDGET: usize = 8;

const PIECE: usize = 256;

const NAMES: [&str; 2] = ["fast", "slow"];

/// How long a wait that says nothing is given.
const SILENCE: Duration = Duration::from_millis(10);

pub(super) fn findings(mechanism: Mechanism) -> Findings {
    let mut findings = until_empty(mechanism)?;
    findings.extend(by_budget(mechanism)?);
    Ok(findings)
}

/// Reading until nothing is left, while the peer sends as much as is read.
fn until_empty(mechanism: Mechanism) -> Findings {
    let ((fast, mut sender), (slow, mut other)) = (pairs::unix()?, pairs::unix()?);
    let mut waiter = Waiter::new(mechanism)?;
    waiter.add(fast.as_fd(), Bits::IN)?;
    waiter.add(slow.as_fd(), Bits::IN)?;
    sender.write_all(&[b'f'; PIECE])?;
    other.write_all(b"slow")?;
    let ready = waiter.answer(&NAMES, BOUND)?;
    let mut reads = 0;
    while reads < PATIENCE && read_piece(&fast)? > 0 {
        reads += 1;
        sender.write_all(&[b'f'; PIECE])?;
    }
    let end = if reads < PATIENCE { "it comes to an end".to_owned() } else { format!("no end after {PATIENCE} reads") };
    let unread = ioctl_fionread(&slow)?;
    Ok(vec![
        format!("both have data: {ready}"),
        format!("fast is read until empty while its peer sends on: {end}, and slow has {unread} bytes unread"),
    ])
}

/// A budget for each, and then the next wait: who was cut off is not forgotten by level alone.
fn by_budget(mechanism: Mechanism) -> Findings {
    let ((fast, mut sender), (slow, mut other)) = (pairs::unix()?, pairs::unix()?);
    let mut waiter = Waiter::new(mechanism)?;
    waiter.add(fast.as_fd(), Bits::IN)?;
    waiter.add(slow.as_fd(), Bits::IN)?;
    sender.write_all(&[b'f'; PIECE * BUDGET * 2])?;
    other.write_all(b"slow")?;
    waiter.wait(BOUND)?;
    for _ in 0..BUDGET {
        read_piece(&fast)?;
        read_piece(&slow)?;
    }
    let unread = [ioctl_fionread(&fast)?, ioctl_fionread(&slow)?];
    let mut findings = vec![
        format!("at most {BUDGET} reads each: fast has {} bytes unread, slow {}", unread[0], unread[1]),
        format!("the peers are quiet, the next wait: {}", waiter.answer(&NAMES, SILENCE)?),
    ];
    if registers(mechanism) {
        waiter.again(0)?;
        findings.push(format!("fast registered anew: {}", waiter.answer(&NAMES, SILENCE)?));
    }
    Ok(findings)
}

/// How many bytes one read took, 0 if there were none.
fn read_piece(mut stream: &UnixStream) -> io::Result<usize> {
    match stream.read(&mut [0; PIECE]) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

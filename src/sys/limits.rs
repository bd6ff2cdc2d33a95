//! How many descriptors this process may have open: `RLIMIT_NOFILE` of
//! [`getrlimit(2)`](https://man7.org/linux/man-pages/man2/getrlimit.2.html).

use super::check;
use std::io;

/// The limit on open descriptors, in descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DescriptorLimit {
    /// What holds now.
    pub soft: u64,
    /// How far an unprivileged process may raise it.
    pub hard: u64,
}

/// Reads the limit on open descriptors.
///
/// # Errors
///
/// Those of `getrlimit`, which on Linux does not fail for this limit.
pub fn descriptor_limit() -> io::Result<DescriptorLimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills `limit`, which lives through the call.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(DescriptorLimit { soft: limit.rlim_cur, hard: limit.rlim_max })
}

/// Raises the soft limit to the hard one, as a server does first, and answers what holds then.
///
/// The soft limit is 1,024 on most systems for the sake of programs that use `select`; a server on another backend has
/// no reason to stay there. Each connection costs one descriptor.
///
/// # Errors
///
/// Those of `setrlimit`. The old limit still holds then.
pub fn raise_descriptor_limit() -> io::Result<DescriptorLimit> {
    let limit = descriptor_limit()?;
    set_descriptor_limit(limit.hard)
}

/// Sets the soft limit, for instance low, to see what a program does when descriptors run out.
///
/// # Errors
///
/// `InvalidInput` if `soft` is above the hard limit.
pub fn set_descriptor_limit(soft: u64) -> io::Result<DescriptorLimit> {
    let DescriptorLimit { hard, .. } = descriptor_limit()?;
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: the kernel reads `limit`, which lives through the call.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(DescriptorLimit { soft, hard })
}

//! [`clock_gettime(2)`](https://man7.org/linux/man-pages/man2/clock_gettime.2.html), which on most machines is no system
//! call but a read of a page that the kernel keeps.

/// Nanoseconds of the monotonic clock, the one behind [`Instant`](std::time::Instant).
pub(crate) fn monotonic() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills `time`, which lives through the call. It cannot fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

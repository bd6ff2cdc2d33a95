//! Telling a forked child from the process that built a loop.
//!
//! After `fork` parent and child share the kernel's interest list: a child that goes on with the loop edits the
//! parent's registrations. `getpid` would tell, at the price of a system call per turn; a page that the kernel wipes in
//! the child ([`madvise(2)`](https://man7.org/linux/man-pages/man2/madvise.2.html), `MADV_WIPEONFORK`, Linux 4.14)
//! tells for a memory read.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A number that differs between a process and its forked children.
pub(crate) fn process() -> u32 {
    static MARK: OnceLock<Option<&'static AtomicU32>> = OnceLock::new();
    let Some(mark) = MARK.get_or_init(wiped_on_fork) else { return std::process::id() };
    match mark.load(Ordering::Relaxed) {
        0 => {
            let process = std::process::id();
            mark.store(process, Ordering::Relaxed);
            process
        }
        process => process,
    }
}

/// A zero that becomes zero again in every child; `None` on kernels that cannot do that.
fn wiped_on_fork() -> Option<&'static AtomicU32> {
    let page = 4096;
    // SAFETY: a new anonymous mapping, at an address of the kernel's choice, touches no existing memory.
    let address = unsafe {
        libc::mmap(
            ptr::null_mut(),
            page,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: `address` is the start of the mapping made above.
    if unsafe { libc::madvise(address, page, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: unmaps exactly the mapping made above, to which no reference exists.
        unsafe { libc::munmap(address, page) };
        return None;
    }
    // SAFETY: the mapping is readable, writable, zeroed, page-aligned, and never unmapped from here on.
    Some(unsafe { &*address.cast::<AtomicU32>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_keeps_its_number() {
        assert_eq!(process(), std::process::id());
        assert_eq!(process(), process());
    }
}

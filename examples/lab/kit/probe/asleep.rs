//! Knowing that another thread is blocked in its call, by what the kernel says of it.

use nix::unistd::{Pid, gettid};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use super::waiter::BOUND;

/// How often in a row it must be found asleep: a thread may nap on its way, in an allocator's lock.
const LOOKS: usize = 3;

const PAUSE: Duration = Duration::from_millis(1);

/// Says from inside a thread that it is about to block. Nothing else that could block may follow.
#[derive(Clone, Debug)]
pub(super) struct Announce(SyncSender<Pid>);

/// Hears it from outside.
#[derive(Debug)]
pub(super) struct Sleepers(Receiver<Pid>);

/// Both ends, for at most this many threads at a time.
pub(super) fn sleepers(threads: usize) -> (Announce, Sleepers) {
    let (sender, receiver) = sync_channel(threads);
    (Announce(sender), Sleepers(receiver))
}

impl Announce {
    pub(super) fn about_to_block(&self) {
        // Nobody hears it only if the experiment has failed already.
        let _ = self.0.try_send(gettid());
    }
}

impl Sleepers {
    /// Until the next thread that announced it is blocked.
    ///
    /// # Errors
    ///
    /// It took longer than [`BOUND`], or the thread has ended.
    pub(super) fn next(&self) -> io::Result<()> {
        let late = |error: RecvTimeoutError| io::Error::other(format!("a thread did not come to its wait: {error}"));
        let thread = self.0.recv_timeout(BOUND).map_err(late)?;
        let start = Instant::now();
        let mut seen = 0;
        while seen < LOOKS {
            seen = if is_asleep(thread)? { seen + 1 } else { 0 };
            if start.elapsed() > BOUND {
                return Err(io::Error::other("a thread did not block in its wait within 2 s"));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// The state is the first word behind the name, which stands in parentheses and may hold anything.
fn is_asleep(thread: Pid) -> io::Result<bool> {
    let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat"))?;
    Ok(stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('S')))
}

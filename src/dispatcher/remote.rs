//! The loop, as other threads see it.

use super::{Dispatcher, Scope};
use crate::reactor::Waker;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) type Post<H> = Box<dyn FnOnce(&mut Scope<'_, H>, &mut <H as Dispatcher>::Shared) + Send>;

/// What other threads have left for the loop.
pub(super) struct Inbox<H: Dispatcher> {
    posts: Mutex<VecDeque<Post<H>>>,
    max: usize,
    stop: AtomicBool,
    /// The loop is gone.
    closed: AtomicBool,
    remotes: AtomicUsize,
    waker: Waker,
}

impl<H: Dispatcher> Inbox<H> {
    pub(super) fn new(waker: Waker, max: usize) -> Self {
        Self {
            posts: Mutex::new(VecDeque::new()),
            max,
            stop: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            remotes: AtomicUsize::new(0),
            waker,
        }
    }

    /// Nothing that holds the lock can panic, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Post<H>>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes at most `count` closures, oldest first; true if some are left.
    pub(super) fn take(&self, count: usize) -> (VecDeque<Post<H>>, bool) {
        let mut posts = self.lock();
        if posts.len() <= count {
            return (std::mem::take(&mut *posts), false);
        }
        let rest = posts.split_off(count);
        (std::mem::replace(&mut *posts, rest), true)
    }

    pub(super) fn take_stop(&self) -> bool {
        self.stop.swap(false, Ordering::AcqRel)
    }

    /// Whether somebody could still post something.
    pub(super) fn has_remotes(&self) -> bool {
        self.remotes.load(Ordering::Acquire) > 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let posts = std::mem::take(&mut *self.lock());
        // Only now, without the lock: what a closure holds may post when it is dropped.
        drop(posts);
    }
}

/// A handle to a loop that other threads may hold: `Send`, `Sync` and cheap to clone.
///
/// All else of a loop stays in its thread, and the compiler sees to it. A loop with a living handle does not end for want
/// of something to do.
///
/// # Examples
///
/// ```
/// use tripoll::dispatcher::{Dispatcher, EventLoop};
///
/// struct Nothing;
/// impl Dispatcher for Nothing {
///     type Shared = Vec<u32>;
///     type Spawn = Self;
/// }
///
/// let mut event_loop: EventLoop<Nothing> = EventLoop::new(Vec::new())?;
/// let remote = event_loop.remote();
/// let worker = std::thread::spawn(move || {
///     remote.post(|scope, results| {
///         results.push(42);
///         scope.stop();
///     })
/// });
/// event_loop.run()?;
/// worker.join().expect("the worker does not panic")?;
/// assert_eq!(event_loop.into_shared(), [42]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Remote<H: Dispatcher>(Arc<Inbox<H>>);

impl<H: Dispatcher> Remote<H> {
    pub(super) fn new(inbox: &Arc<Inbox<H>>) -> Self {
        inbox.remotes.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(inbox))
    }

    /// Has the loop run a closure, in its own thread: in the order of posting, and each once.
    ///
    /// # Errors
    ///
    /// [`PostError`]: the loop is gone, or [`posts_max`](crate::Settings) closures are waiting. The closure is dropped.
    pub fn post(&self, call: impl FnOnce(&mut Scope<'_, H>, &mut H::Shared) + Send + 'static) -> Result<(), PostError> {
        let call = Box::new(call);
        {
            let mut posts = self.0.lock();
            // Looked at under the lock, under which the loop empties the queue for the last time.
            if self.0.closed.load(Ordering::Acquire) {
                return Err(PostError::Closed);
            }
            if posts.len() >= self.0.max {
                return Err(PostError::Full { max: self.0.max });
            }
            posts.push_back(call);
        }
        self.wake().map_err(|_| PostError::Closed)
    }

    /// Ends the present or the next wait of the loop.
    ///
    /// # Errors
    ///
    /// See [`Waker::wake`].
    pub fn wake(&self) -> io::Result<()> {
        self.0.waker.wake()
    }

    /// Ends `run`, as [`Scope::stop`] does.
    ///
    /// # Errors
    ///
    /// See [`Waker::wake`].
    pub fn stop(&self) -> io::Result<()> {
        self.0.stop.store(true, Ordering::Release);
        self.wake()
    }
}

impl<H: Dispatcher> Clone for Remote<H> {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl<H: Dispatcher> Drop for Remote<H> {
    fn drop(&mut self) {
        if self.0.remotes.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The loop may have been kept alive by this handle only, and shall notice. If it cannot be woken it is gone.
            let _ = self.wake();
        }
    }
}

impl<H: Dispatcher> fmt::Debug for Remote<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").finish_non_exhaustive()
    }
}

/// Why a closure was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PostError {
    /// The loop is gone.
    Closed,
    /// Too many are waiting to be run.
    Full {
        /// How many may wait.
        max: usize,
    },
}

impl fmt::Display for PostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the loop is gone"),
            Self::Full { max } => write!(f, "{max} closures are waiting for the loop already"),
        }
    }
}

impl Error for PostError {}

//! Choosing a backend at run time: the one file that knows them all.

use super::{EpollPoller, Events, Features, Interest, PollPoller, Poller, SelectPoller, Token, Trigger};
use std::env;
use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::str::FromStr;
use std::time::Duration;

/// The backends by name, whether or not they were compiled in.
///
/// # Examples
///
/// ```
/// use tripoll::Backend;
///
/// let backend: Backend = "poll".parse()?;
/// assert_eq!(backend, Backend::Poll);
/// assert!(Backend::available().any(|available| available == backend));
/// # Ok::<(), tripoll::poller::BackendError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// [`SelectPoller`]
    Select,
    /// [`PollPoller`]
    Poll,
    /// [`EpollPoller`], the one to use unless there is a reason.
    Epoll,
    /// `MioPoller`, with the feature `mio`.
    Mio,
}

impl Backend {
    /// All of them, the simplest first.
    pub const ALL: [Self; 4] = [Self::Select, Self::Poll, Self::Epoll, Self::Mio];

    /// The environment variable that [`from_env`](Self::from_env) reads.
    pub const ENV: &'static str = "TRIPOLL_BACKEND";

    /// The name that [`FromStr`] reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Poll => "poll",
            Self::Epoll => "epoll",
            Self::Mio => "mio",
        }
    }

    /// Whether it was compiled in.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::Select | Self::Poll | Self::Epoll => true,
            Self::Mio => cfg!(feature = "mio"),
        }
    }

    /// Those that were compiled in.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|backend| backend.is_available())
    }

    /// The one named by the environment variable `TRIPOLL_BACKEND`, or epoll if it is not set.
    ///
    /// # Errors
    ///
    /// If the variable holds something else than the name of a backend that was compiled in.
    pub fn from_env() -> Result<Self, BackendError> {
        match env::var_os(Self::ENV) {
            None => Ok(Self::Epoll),
            Some(name) => name.to_string_lossy().parse(),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Reads `select`, `poll`, `epoll` or `mio`, and refuses the one that was not compiled in.
impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(name: &str) -> Result<Self, BackendError> {
        match Self::ALL.into_iter().find(|backend| backend.name() == name) {
            Some(backend) if backend.is_available() => Ok(backend),
            Some(backend) => Err(BackendError::NotCompiled(backend)),
            None => Err(BackendError::Unknown(name.to_owned())),
        }
    }
}

/// A backend that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendError {
    /// There is none of that name.
    Unknown(String),
    /// It was left out of this build.
    NotCompiled(Backend),
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "unknown backend {name:?}: choose one of")?,
            Self::NotCompiled(backend) => {
                write!(
                    f,
                    "the backend {backend} was not compiled in: build with the feature {backend}, or choose one of"
                )?;
            }
        }
        let mut separator = " ";
        for backend in Backend::available() {
            write!(f, "{separator}{backend}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl std::error::Error for BackendError {}

impl From<BackendError> for io::Error {
    fn from(error: BackendError) -> Self {
        Self::new(io::ErrorKind::Unsupported, error)
    }
}

/// A poller whose backend is chosen at run time.
///
/// # Examples
///
/// ```
/// use tripoll::poller::{AnyPoller, Poller};
/// use tripoll::Backend;
///
/// for backend in Backend::available() {
///     assert_eq!(AnyPoller::new(backend)?.name(), backend.name());
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyPoller {
    /// Over `select`.
    Select(SelectPoller),
    /// Over `poll`.
    Poll(PollPoller),
    /// Over `epoll`.
    Epoll(EpollPoller),
    /// Over mio.
    #[cfg(feature = "mio")]
    Mio(super::MioPoller),
}

impl AnyPoller {
    /// A poller of this backend that watches nothing.
    ///
    /// # Errors
    ///
    /// [`BackendError`] if it was not compiled in; what the system answers otherwise: EMFILE, ENFILE, ENOMEM.
    pub fn new(backend: Backend) -> io::Result<Self> {
        match backend {
            Backend::Select => Ok(Self::Select(SelectPoller::new())),
            Backend::Poll => Ok(Self::Poll(PollPoller::new())),
            Backend::Epoll => EpollPoller::new().map(Self::Epoll),
            #[cfg(feature = "mio")]
            Backend::Mio => super::MioPoller::new().map(Self::Mio),
            #[cfg(not(feature = "mio"))]
            Backend::Mio => Err(BackendError::NotCompiled(backend).into()),
        }
    }

    /// A poller of the backend that the environment variable `TRIPOLL_BACKEND` names, epoll if it is not set.
    ///
    /// # Errors
    ///
    /// Those of [`Backend::from_env`] and [`new`](Self::new).
    pub fn from_env() -> io::Result<Self> {
        Self::new(Backend::from_env()?)
    }
}

macro_rules! each {
    ($self:expr, $poller:ident => $call:expr) => {
        match $self {
            AnyPoller::Select($poller) => $call,
            AnyPoller::Poll($poller) => $call,
            AnyPoller::Epoll($poller) => $call,
            #[cfg(feature = "mio")]
            AnyPoller::Mio($poller) => $call,
        }
    };
}

impl Poller for AnyPoller {
    fn name(&self) -> &'static str {
        each!(self, poller => poller.name())
    }

    fn features(&self) -> Features {
        each!(self, poller => poller.features())
    }

    fn descriptor_bound(&self) -> Option<RawFd> {
        each!(self, poller => poller.descriptor_bound())
    }

    fn add(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        each!(self, poller => poller.add(fd, token, interest, trigger))
    }

    fn modify(&mut self, fd: BorrowedFd<'_>, token: Token, interest: Interest, trigger: Trigger) -> io::Result<()> {
        each!(self, poller => poller.modify(fd, token, interest, trigger))
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        each!(self, poller => poller.remove(fd))
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        each!(self, poller => poller.wait(events, timeout))
    }

    fn clear(&mut self) -> io::Result<()> {
        each!(self, poller => poller.clear())
    }

    fn system_calls(&self) -> u64 {
        each!(self, poller => poller.system_calls())
    }
}

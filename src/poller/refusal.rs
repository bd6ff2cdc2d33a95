//! Why a poller did not take a registration.

use super::Trigger;
use std::fmt;
use std::io;
use std::os::fd::RawFd;

/// Why a poller refused to add, modify or remove a registration.
///
/// Pollers answer with [`io::Error`]; this is what is inside, for a program that wants to react to the kind of refusal.
///
/// # Examples
///
/// ```
/// use std::os::fd::AsFd;
/// use std::os::unix::net::UnixStream;
/// use tripoll::poller::{Poller, Refusal, SelectPoller};
/// use tripoll::{Interest, Token, Trigger};
///
/// let (reader, _writer) = UnixStream::pair()?;
/// let mut poller = SelectPoller::new();
/// let refused = poller.add(reader.as_fd(), Token::new(0, 0), Interest::READABLE, Trigger::Edge).unwrap_err();
/// assert!(matches!(Refusal::of(&refused), Some(Refusal::Trigger { trigger: Trigger::Edge, .. })));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The backend does not have this trigger. `ErrorKind::Unsupported`.
    Trigger {
        /// The backend's name.
        backend: &'static str,
        /// What was asked for.
        trigger: Trigger,
    },
    /// The descriptor's number is too large for the backend. `ErrorKind::InvalidInput`.
    TooLarge {
        /// The number.
        fd: RawFd,
        /// The first number that does not fit: 1,024 for `select`.
        limit: RawFd,
    },
    /// The backend cannot wait for this kind of file, since it is always ready: a regular file, a directory,
    /// `/dev/null`. `ErrorKind::PermissionDenied`, after the kernel's EPERM.
    AlwaysReady {
        /// The number.
        fd: RawFd,
    },
    /// The descriptor is registered already. `ErrorKind::AlreadyExists`.
    AlreadyRegistered {
        /// The number.
        fd: RawFd,
    },
    /// The descriptor is not registered. `ErrorKind::NotFound`.
    NotRegistered {
        /// The number.
        fd: RawFd,
    },
}

impl Refusal {
    /// The refusal inside an error, if that is what it is.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trigger { backend, trigger } => {
                write!(f, "the {backend} backend has no {trigger} trigger: use level, or the epoll backend")
            }
            Self::TooLarge { fd, limit } => write!(
                f,
                "descriptor {fd} is too large: the backend takes numbers below {limit}, so close others or use poll or epoll"
            ),
            Self::AlwaysReady { fd } => {
                write!(
                    f,
                    "descriptor {fd} is a file that is always ready: there is nothing to wait for, so just read it"
                )
            }
            Self::AlreadyRegistered { fd } => {
                write!(f, "descriptor {fd} is registered already: modify it, or remove it first")
            }
            Self::NotRegistered { fd } => write!(f, "descriptor {fd} is not registered: add it first"),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Trigger { .. } => io::ErrorKind::Unsupported,
            Refusal::TooLarge { .. } => io::ErrorKind::InvalidInput,
            Refusal::AlwaysReady { .. } => io::ErrorKind::PermissionDenied,
            Refusal::AlreadyRegistered { .. } => io::ErrorKind::AlreadyExists,
            Refusal::NotRegistered { .. } => io::ErrorKind::NotFound,
        };
        Self::new(kind, refusal)
    }
}

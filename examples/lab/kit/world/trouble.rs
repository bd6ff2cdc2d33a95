//! Why a lesson could not be played on.

use nix::errno::Errno;
use std::fmt;
use std::io;

/// What went wrong, in a line: no answer of a call that the lesson is about, but something without which it makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble(String);

impl Trouble {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Errno> for Trouble {
    fn from(error: Errno) -> Self {
        Self(format!("the system refused a preparation: {error}"))
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self(format!("the system refused a preparation: {error}"))
    }
}

/// What a call answered, as it stands in a lesson: `ok`, or the name of the error.
pub(crate) fn outcome(result: Result<(), Errno>) -> String {
    result.map_or_else(name, |()| "ok".to_owned())
}

/// What a call answered, as it stands in a lesson: a number, or the name of the error.
pub(crate) fn count<T: ToString>(result: Result<T, Errno>) -> String {
    result.map_or_else(name, |number| number.to_string())
}

/// `EAGAIN`, `EPIPE`, ...
pub(crate) fn name(error: Errno) -> String {
    format!("{error:?}")
}

/// The system's number for an error of the standard library.
pub(crate) fn error_of(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

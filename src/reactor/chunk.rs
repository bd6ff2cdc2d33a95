//! What can be sent.

use std::sync::Arc;

/// Bytes to be sent, in whatever form the sender has them.
///
/// Callers of `send` seldom name this type, since everything usual converts to it. Which form is best:
///
/// - a slice is copied, unless the kernel takes it at once;
/// - a `Vec` is moved into the queue and not copied;
/// - an `Arc<[u8]>` is shared by all the queues that hold it, and freed after the last of them: for a long message to
///   many. (A short one is copied all the same, which is cheaper than counting references and gathering.)
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use tripoll::reactor::Chunk;
///
/// assert_eq!(Chunk::from("hello").as_ref(), b"hello");
/// assert_eq!(Chunk::from(vec![1, 2, 3]).as_ref(), [1, 2, 3]);
/// let shared: Arc<[u8]> = Arc::from(&b"to all of you"[..]);
/// assert_eq!(Chunk::from(&shared).as_ref(), b"to all of you");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Chunk<'a> {
    /// Lent by the sender.
    Borrowed(&'a [u8]),
    /// Given by the sender.
    Owned(Vec<u8>),
    /// One of several references.
    Shared(Arc<[u8]>),
}

impl AsRef<[u8]> for Chunk<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl<'a> From<&'a [u8]> for Chunk<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Borrowed(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Chunk<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Borrowed(bytes)
    }
}

impl<'a> From<&'a str> for Chunk<'a> {
    fn from(text: &'a str) -> Self {
        Self::Borrowed(text.as_bytes())
    }
}

impl<'a> From<&'a Vec<u8>> for Chunk<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Borrowed(bytes)
    }
}

impl<'a> From<&'a String> for Chunk<'a> {
    fn from(text: &'a String) -> Self {
        Self::Borrowed(text.as_bytes())
    }
}

impl From<Vec<u8>> for Chunk<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Owned(bytes)
    }
}

impl From<String> for Chunk<'_> {
    fn from(text: String) -> Self {
        Self::Owned(text.into_bytes())
    }
}

impl From<Arc<[u8]>> for Chunk<'_> {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self::Shared(bytes)
    }
}

impl From<&Arc<[u8]>> for Chunk<'_> {
    fn from(bytes: &Arc<[u8]>) -> Self {
        Self::Shared(Arc::clone(bytes))
    }
}

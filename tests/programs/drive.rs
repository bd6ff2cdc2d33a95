//! Many conversations with a server at a time, in one thread, by `poll(2)` and nothing of ours.

use crate::sys::{self, POLLERR, POLLHUP, POLLIN, POLLOUT, question};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a client wants to do next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act<'a> {
    /// Send this, and listen meanwhile.
    Send(&'a [u8]),
    /// Send this, but do not listen until then.
    SendDeaf(&'a [u8], Instant),
    /// Only listen.
    Listen,
    /// Send nothing until then, but listen.
    Pause(Instant),
    /// Send the end.
    HalfClose,
    /// Close in an orderly way, if nothing is unread.
    Close,
    /// Close by a reset.
    Reset,
}

/// One client's side of a conversation. What it does not like is an error.
pub(crate) trait Conversation {
    /// What it wants to do now: the same until something has happened or its time has come, but for `HalfClose`, `Close`
    /// and `Reset`, which are done at once and not answered again.
    fn next(&mut self, now: Instant) -> Act<'_>;

    /// So much of what it wanted to send was sent.
    fn sent(&mut self, count: usize);

    fn received(&mut self, data: &[u8]) -> Result<(), String>;

    /// The server has ended the conversation: in an orderly way, or by an error.
    fn ended(&mut self, error: Option<io::Error>) -> Result<(), String>;

    /// Whether the others need not wait for it.
    fn is_done(&self) -> bool {
        false
    }
}

/// A connection of either kind.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    pub(crate) fn tcp(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self::Tcp(stream)
    }

    pub(crate) fn unix(path: impl AsRef<Path>) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self::Unix(stream)
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buf),
            Self::Unix(stream) => stream.read(buf),
        }
    }

    pub(crate) fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(data),
            Self::Unix(stream) => stream.write(data),
        }
    }

    fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

struct Client<C> {
    /// `None` once it is over.
    socket: Option<Socket>,
    conversation: C,
    /// What a write was answered with.
    error: Option<io::Error>,
}

impl<C: Conversation> Client<C> {
    /// Does what can be done at once; what is to be waited for then, and until when.
    fn prepare(&mut self, now: Instant) -> (i16, Option<Instant>) {
        loop {
            let Some(socket) = &self.socket else { return (0, None) };
            match self.conversation.next(now) {
                Act::Send(_) => return (POLLIN | POLLOUT, None),
                Act::SendDeaf(_, until) => return (POLLOUT, Some(until)),
                Act::Listen => return (POLLIN, None),
                Act::Pause(until) => return (POLLIN, Some(until)),
                // Fails if the server has gone, of which the next read tells.
                Act::HalfClose => drop(socket.shutdown_write()),
                Act::Close => self.socket = None,
                Act::Reset => {
                    sys::reset_on_close(socket.as_fd());
                    self.socket = None;
                }
            }
        }
    }

    fn fd(&self) -> RawFd {
        self.socket.as_ref().map_or(-1, |socket| socket.as_fd().as_raw_fd())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<(), String> {
        let Some(socket) = &mut self.socket else { return Ok(()) };
        match socket.read(buf) {
            Ok(0) => {
                let error = self.error.take();
                self.end(error)
            }
            Ok(read) => self.conversation.received(&buf[..read]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
            Err(e) => self.end(Some(e)),
        }
    }

    fn write(&mut self, now: Instant) {
        let Some(socket) = &mut self.socket else { return };
        // Asked once: the next answer may be one that is not given again.
        let (Act::Send(data) | Act::SendDeaf(data, _)) = self.conversation.next(now) else { return };
        match socket.write(data) {
            Ok(written) => self.conversation.sent(written),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // What the server sent before is still to be read. The kernel tells of the error only once.
            Err(e) => self.error = Some(e),
        }
    }

    fn end(&mut self, error: Option<io::Error>) -> Result<(), String> {
        self.socket = None;
        self.conversation.ended(error)
    }

    fn is_done(&self) -> bool {
        self.socket.is_none() || self.conversation.is_done()
    }
}

/// Keeps the conversations going until all are done, in `time`. Gives them back, or says what went wrong with which.
pub(crate) fn drive<C: Conversation>(clients: Vec<(Socket, C)>, time: Duration) -> Result<Vec<C>, String> {
    let deadline = Instant::now() + time;
    let mut clients: Vec<_> = clients
        .into_iter()
        .map(|(socket, conversation)| Client { socket: Some(socket), conversation, error: None })
        .collect();
    let mut buf = vec![0; 64 * 1024];
    let mut questions = Vec::new();
    loop {
        let now = Instant::now();
        if now > deadline {
            let left: Vec<_> = (0..clients.len()).filter(|index| !clients[*index].is_done()).collect();
            return Err(format!("{} conversations are not done after {time:?}: {left:?}", left.len()));
        }
        let mut until = deadline;
        questions.clear();
        for client in &mut clients {
            let (events, wake) = client.prepare(now);
            until = until.min(wake.unwrap_or(until));
            questions.push(question(client.fd(), events));
        }
        if clients.iter().all(Client::is_done) {
            return Ok(clients.into_iter().map(|client| client.conversation).collect());
        }
        sys::poll(&mut questions, until.saturating_duration_since(now));
        for (index, question) in questions.iter().enumerate() {
            let client = &mut clients[index];
            let about = |e: String| format!("client {index}: {e}");
            if question.revents & (POLLIN | POLLHUP | POLLERR) != 0 {
                client.read(&mut buf).map_err(about)?;
            }
            if question.revents & POLLOUT != 0 {
                client.write(now);
            }
        }
    }
}

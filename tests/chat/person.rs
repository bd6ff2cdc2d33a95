//! One who talks to the server with bare hands, as by `nc`.

use crate::program::Server;
use crate::support::BOUND;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

/// A connection on which every read and write is bounded.
trait Socket: Read + Write + Send {
    fn end(&self);
}

macro_rules! socket {
    ($($socket:ty),*) => { $(
        impl Socket for $socket {
            fn end(&self) {
                self.shutdown(Shutdown::Write).unwrap();
            }
        }
    )* };
}

socket!(TcpStream, UnixStream);

macro_rules! bounded {
    ($socket:expr) => {{
        let socket = $socket.unwrap();
        socket.set_read_timeout(Some(BOUND)).unwrap();
        socket.set_write_timeout(Some(BOUND)).unwrap();
        Box::new(socket)
    }};
}

/// One who is connected.
pub(crate) struct Person {
    socket: BufReader<Box<dyn Socket>>,
    /// Lines heard so far, for messages.
    heard: Vec<String>,
}

impl Person {
    /// Connects, and says and reads nothing yet.
    pub(crate) fn connect(address: &str) -> Self {
        let socket: Box<dyn Socket> = match address.split_once("://") {
            Some(("tcp", at)) => bounded!(TcpStream::connect(at)),
            Some(("unix", path)) => bounded!(UnixStream::connect(path)),
            _ => panic!("{address:?} is no address"),
        };
        Self { socket: BufReader::new(socket), heard: Vec::new() }
    }

    /// Arrives at the first address, and takes a name.
    pub(crate) fn arrive(server: &Server, name: &str) -> Self {
        Self::arrive_at(server.address(), name)
    }

    pub(crate) fn arrive_at(address: &str, name: &str) -> Self {
        let mut person = Self::connect(address);
        let welcome = person.line();
        assert!(welcome.starts_with("* welcome, you are guest"), "{welcome}");
        person.until_contains(" in #lobby: ");
        person.say(&format!("/nick {name}"));
        person.until(&format!("* you are {name} now"));
        person
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.send(format!("{line}\n"));
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// The same, if the server still listens.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Ends speaking, and goes on listening.
    pub(crate) fn end(&mut self) {
        self.socket.get_mut().end();
    }

    /// The next bytes up to and including an LF, `None` at the end; a reset is an end.
    pub(crate) fn raw_line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        match self.socket.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(line),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => None,
            Err(e) => panic!("{e} after {}", self.heard_last()),
        }
    }

    pub(crate) fn next_line(&mut self) -> Option<String> {
        let line = String::from_utf8(self.raw_line()?).expect("what the server says is UTF-8");
        let line = line.strip_suffix('\n').expect("a line ends").to_owned();
        self.heard.push(line.clone());
        Some(line)
    }

    pub(crate) fn line(&mut self) -> String {
        self.next_line().unwrap_or_else(|| panic!("the connection ended after {}", self.heard_last()))
    }

    fn heard_last(&self) -> String {
        let last = self.heard.iter().rev().take(8).rev();
        last.map(|line| format!("\n{line:.100}")).collect()
    }

    /// The next line is this one.
    #[track_caller]
    pub(crate) fn hears(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// What comes before this line.
    pub(crate) fn until(&mut self, line: &str) -> Vec<String> {
        self.until_line(|heard| heard == line).0
    }

    /// The next line with this in it.
    pub(crate) fn until_contains(&mut self, what: &str) -> String {
        self.until_line(|heard| heard.contains(what)).1
    }

    fn until_line(&mut self, is_it: impl Fn(&str) -> bool) -> (Vec<String>, String) {
        let mut before = Vec::new();
        loop {
            let line = self.line();
            if is_it(&line) {
                return (before, line);
            }
            before.push(line);
        }
    }

    /// Everything up to the end of the connection.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next_line()).collect()
    }

    /// What has been said up to now: a message to oneself is behind all of it.
    pub(crate) fn so_far(&mut self, name: &str) -> Vec<String> {
        self.say(&format!("/msg {name} so far"));
        let before = self.until(&format!("[{name} -> you] so far"));
        self.hears(&format!("[you -> {name}] so far"));
        before
    }
}

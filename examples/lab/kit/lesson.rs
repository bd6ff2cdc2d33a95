//! A lesson: a situation, what is done in it, and what each mechanism is expected to answer.
//!
//! Lessons are text, the shipped ones as well as those of users (see `lessons/` and the parser). These are the parts that
//! the text is made of. What is printed, drawn, asserted and asked in the quiz is all taken from here.

use super::bits::Bits;
use super::cell::Cell;
use super::mechanism::Mechanism;

/// One situation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// How it is called on the command line: `partial-read`.
    pub(crate) name: String,
    /// Its place among the shipped lessons, from 1; 0 for a user's.
    pub(crate) number: u32,
    pub(crate) title: String,
    /// The chapter: `Reading`, `Closing`, ...
    pub(crate) group: String,
    /// What a reader has to know before; paragraphs.
    pub(crate) about: Vec<String>,
    /// What it means for who writes a server.
    pub(crate) so_what: String,
    /// What most people expect otherwise; may be empty.
    pub(crate) surprise: String,
    /// Man pages and other sources: `epoll(7)`.
    pub(crate) sources: Vec<String>,
    /// Where tripoll deals with it: a path and what to look for there.
    pub(crate) code: Vec<(String, String)>,
    /// The tests that hold it to that: a path and the test's name.
    pub(crate) tests: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
}

impl Lesson {
    /// The descriptors that it registers, each once, in the order in which they come.
    pub(crate) fn watched(&self) -> Vec<&str> {
        let mut watched: Vec<&str> = Vec::new();
        for step in &self.steps {
            if let Action::Watch { name, .. } = &step.action {
                if !watched.contains(&name.as_str()) {
                    watched.push(name);
                }
            }
        }
        watched
    }

    /// Whether its cells say which descriptor they mean. Where only one is registered they need not.
    pub(crate) fn is_named(&self) -> bool {
        self.watched().len() != 1
    }
}

/// Something that is done, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where it stands in the text, from 1.
    pub(crate) line: usize,
    pub(crate) action: Action,
    /// What it is expected to answer: one entry for each mechanism that the text says something of.
    pub(crate) expected: Vec<(Mechanism, Expected)>,
}

/// What a step is expected to answer under one mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Of a wait: any of these.
    Cells(Vec<Cell>),
    /// Of anything else: the number or the error that the call answered; of a probe, its findings, one a line.
    Answer(String),
}

/// The kinds of descriptors, and how they are made. The first name is the side that is usually watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// `tcp A B`: two ends of a connection over loopback. A was accepted, B connected.
    Tcp,
    /// `unix A B`: two ends of a stream socket pair.
    Unix,
    /// `seqpacket A B`: the same with records.
    Seqpacket,
    /// `datagram A B`: Unix datagrams; A is connected to B, which is bound.
    Datagram,
    /// `udp A B`: two UDP sockets on loopback, connected to each other.
    Udp,
    /// `udp-refused A`: a UDP socket that is connected to a port where nobody is.
    UdpRefused,
    /// `udp-alone A`: a UDP socket that is bound and not connected.
    UdpAlone,
    /// `pipe A B`: A reads, B writes.
    Pipe,
    /// `fifo A B`: the same by a name in the file system.
    Fifo,
    /// `pty A B`: the master and the slave of a pseudo-terminal, in line mode.
    Pty,
    /// `eventfd A`: a counter.
    Eventfd,
    /// `semaphore A`: an eventfd of which each read takes one.
    Semaphore,
    /// `signalfd A`: for SIGUSR1, which is blocked.
    Signalfd,
    /// `inotify A`: watches a directory of its own; `write A` makes a file in it.
    Inotify,
    /// `listener A`: a TCP listener on loopback.
    Listener,
    /// `refused A`: a socket whose non-blocking connect goes to a port where nobody listens.
    Refused,
    /// `file A`: an empty regular file.
    File,
    /// `directory A`.
    Directory,
    /// `null A`: `/dev/null`.
    Null,
    /// `zero A`: `/dev/zero`.
    Zero,
    /// `opath A`: a file opened with `O_PATH`.
    Opath,
}

impl Kind {
    pub(crate) const ALL: [(&'static str, Self, usize); 21] = [
        ("tcp", Self::Tcp, 2),
        ("unix", Self::Unix, 2),
        ("seqpacket", Self::Seqpacket, 2),
        ("datagram", Self::Datagram, 2),
        ("udp", Self::Udp, 2),
        ("udp-refused", Self::UdpRefused, 1),
        ("udp-alone", Self::UdpAlone, 1),
        ("pipe", Self::Pipe, 2),
        ("fifo", Self::Fifo, 2),
        ("pty", Self::Pty, 2),
        ("eventfd", Self::Eventfd, 1),
        ("semaphore", Self::Semaphore, 1),
        ("signalfd", Self::Signalfd, 1),
        ("inotify", Self::Inotify, 1),
        ("listener", Self::Listener, 1),
        ("refused", Self::Refused, 1),
        ("file", Self::File, 1),
        ("directory", Self::Directory, 1),
        ("null", Self::Null, 1),
        ("zero", Self::Zero, 1),
        ("opath", Self::Opath, 1),
    ];
}

/// Which half of a connection is shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Half {
    Read,
    Write,
    Both,
}

/// What a socket can be told to do otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tweak {
    /// `blocking`: takes `O_NONBLOCK` away, and sets a receive timeout of 40 ms so that a read which would block for ever
    /// is found out.
    Blocking,
    /// `oobinline`: urgent data stands among the other.
    OobInline,
    /// `defer-accept`: a listener that is ready only when the first data has come.
    DeferAccept,
}

/// What a step does. Descriptors are named; see the parser for the words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// `tcp A B`, `pipe R W`, ...: makes descriptors, non-blocking ones.
    Make { kind: Kind, names: Vec<String> },
    /// `connect C L`: a client that connects to a listener and stays in its backlog; non-blocking, and told complete.
    Connect { client: String, listener: String },
    /// `connecting C L`: the same without waiting for the outcome: answers what `connect` did (`EINPROGRESS`).
    Connecting { client: String, listener: String },
    /// `accept L A`: takes one out of the backlog.
    Accept { listener: String, name: String },
    /// `dup A B`.
    Dup { of: String, name: String },
    /// `reuse A B`: makes a new socket pair whose first end gets the number that A had before it was closed. A keeps its name
    /// and is that number; the new end is called as given, its peer `B-peer`.
    Reuse { of: String, name: String, peer: String },
    /// `write A N`: N bytes, in one call. Answers how many were taken. To an eventfd: adds N. To a signalfd: raises the
    /// signal. To an inotify descriptor: makes a file. To a pty: N - 1 letters and a newline.
    Write { name: String, bytes: u64 },
    /// `type A N`: N letters without a newline, into a pty.
    Type { name: String, bytes: u64 },
    /// `read A N`: at most N bytes, in one call.
    Read { name: String, bytes: u64 },
    /// `peek A N`: the same without taking them.
    Peek { name: String, bytes: u64 },
    /// `drain A`: reads until nothing is left or the end; answers how much it was.
    Drain { name: String },
    /// `fill A`: writes until the kernel takes no more.
    Fill { name: String },
    /// `drain A by N until B`: reads N bytes at a time from A until B is writable; answers `before empty`,
    /// `when empty`, or `never`.
    MakeRoom { name: String, bytes: u64, until: String },
    /// `urgent A`: sends one urgent byte.
    Urgent { name: String },
    /// `read-urgent A`: takes it.
    ReadUrgent { name: String },
    /// `sendto A`: sends a datagram to a port where nobody is.
    SendToNobody { name: String },
    /// `unread A`: `FIONREAD`.
    Unread { name: String },
    /// `error A`: takes `SO_ERROR`.
    TakeError { name: String },
    /// `set A blocking`, ...
    Set { name: String, tweak: Tweak },
    /// `shutdown A write`, `shutdown A read`, `shutdown A both`.
    Shutdown { name: String, half: Half },
    /// `close A`: without telling the mechanism.
    Close { name: String },
    /// `reset A`: closes it with a linger of zero, so that the peer gets a reset.
    Reset { name: String },
    /// `watch A in|out|rdhup`: registers. Answers `ok` or the error.
    Watch { name: String, interest: Bits },
    /// `modify A in`: registers anew. select and poll just ask otherwise from now on.
    Modify { name: String, interest: Bits },
    /// `rearm A`: registers anew with the same interest, under one-shot only; the others do nothing.
    Rearm { name: String },
    /// `unwatch A`: takes the registration back.
    Unwatch { name: String },
    /// `wait "what happened"`, `wait "..." max 2`, `wait "..." ordered`: one wait, without a timeout to speak of.
    Wait { label: String, max: Option<usize>, ordered: bool },
    /// `probe NAME`: an experiment that no script of steps can describe (threads, signals, limits, time); it answers what
    /// it found, a line each.
    Probe { name: String },
    /// `say TEXT`: a remark for the reader.
    Say { text: String },
}

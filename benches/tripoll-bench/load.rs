//! The load: clients in one thread, in a closed loop or at a fixed rate, and what they see.

use super::support::raw;
use hdrhistogram::Histogram;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

/// What has been seen in a round.
#[derive(Debug)]
pub struct Seen {
    /// Requests answered, or lines delivered.
    pub done: u64,
    pub elapsed: Duration,
    /// In nanoseconds.
    pub latency: Histogram<u64>,
    /// What part of the time the load itself was running: near 1, it is what is being measured.
    pub busy: f64,
}

impl Seen {
    fn start() -> (Instant, u64, Histogram<u64>) {
        let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("the bounds are valid");
        (Instant::now(), thread_cpu_ns(), histogram)
    }

    fn end((began, cpu, latency): (Instant, u64, Histogram<u64>), done: u64) -> Self {
        let elapsed = began.elapsed();
        let busy = (thread_cpu_ns() - cpu) as f64 / elapsed.as_nanos().max(1) as f64;
        Self { done, elapsed, latency, busy }
    }
}

fn thread_cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub bytes: usize,
    /// Requests that a client sends before it waits.
    pub pipeline: usize,
    pub duration: Duration,
    /// Requests per second of all clients together, sent whether or not answers have come; latency then counts from the
    /// moment at which a request was due. `None`: each client waits for its answers.
    pub rate: Option<f64>,
}

struct Client {
    stream: TcpStream,
    /// When the requests were due that are not answered yet.
    due: VecDeque<Instant>,
    /// Bytes of the answer to the first of them that have come.
    received: usize,
    /// Bytes that are still to be sent.
    unsent: usize,
    waits_for_room: bool,
}

/// Clients that are connected.
pub struct Clients {
    clients: Vec<Client>,
    by_fd: Vec<usize>,
    epoll: RawFd,
    events: Vec<raw::epoll_event>,
    buf: Vec<u8>,
}

impl Clients {
    pub fn connect(address: SocketAddr, count: usize) -> io::Result<Self> {
        let epoll = raw::epoll();
        let mut by_fd = Vec::new();
        let mut clients = Vec::with_capacity(count);
        for index in 0..count {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let fd = stream.as_raw_fd();
            raw::add(epoll, fd, raw::EPOLLIN);
            if by_fd.len() <= fd as usize {
                by_fd.resize(fd as usize + 1, usize::MAX);
            }
            by_fd[fd as usize] = index;
            clients.push(Client { stream, due: VecDeque::new(), received: 0, unsent: 0, waits_for_room: false });
        }
        let events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
        Ok(Self { clients, by_fd, epoll, events, buf: vec![b'x'; 256 * 1024] })
    }

    /// Sends requests and counts answers for a while; at the end all that was asked has been answered.
    pub fn run(&mut self, manner: Manner) -> io::Result<Seen> {
        let mut start = Seen::start();
        let end = start.0 + manner.duration;
        let mut pace =
            Pace { next: start.0, sent: 0, gap: manner.rate.map(|rate| Duration::from_secs_f64(1.0 / rate)) };
        let mut done = 0;
        if pace.gap.is_none() {
            for index in 0..self.clients.len() {
                self.ask(index, manner, start.0)?;
            }
        }
        let mut unanswered = self.clients.iter().map(|client| client.due.len()).sum::<usize>();
        let give_up = end + Duration::from_secs(10);
        loop {
            let now = Instant::now();
            while let Some(due) = pace.due(now, end) {
                let index = pace.sent % self.clients.len();
                self.ask(index, Manner { pipeline: 1, ..manner }, due)?;
                unanswered += 1;
            }
            if unanswered == 0 && (pace.gap.is_none() || now >= end) {
                return Ok(Seen::end(start, done));
            }
            if now > give_up {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{unanswered} answers are missing")));
            }
            let timeout = if pace.gap.is_some() && now < end { 0 } else { 1000 };
            let mut events = std::mem::take(&mut self.events);
            for event in raw::wait(self.epoll, &mut events, timeout) {
                let index = self.by_fd[event.u64 as usize];
                if event.events as i32 & raw::EPOLLOUT != 0 {
                    self.push(index)?;
                }
                if event.events as i32 & !raw::EPOLLOUT != 0 {
                    let answered = self.take(index, manner.bytes, &mut start.2)?;
                    done += answered as u64;
                    unanswered -= answered;
                    if pace.gap.is_none() && self.clients[index].due.is_empty() {
                        let now = Instant::now();
                        if now < end {
                            self.ask(index, manner, now)?;
                            unanswered += manner.pipeline;
                        }
                    }
                }
            }
            self.events = events;
        }
    }

    fn ask(&mut self, index: usize, manner: Manner, due: Instant) -> io::Result<()> {
        let client = &mut self.clients[index];
        for _ in 0..manner.pipeline {
            client.due.push_back(due);
        }
        client.unsent += manner.pipeline * manner.bytes;
        self.push(index)
    }

    /// Sends as much as there is room for.
    fn push(&mut self, index: usize) -> io::Result<()> {
        let client = &mut self.clients[index];
        while client.unsent > 0 {
            let chunk = client.unsent.min(self.buf.len());
            match client.stream.write(&self.buf[..chunk]) {
                Ok(sent) => client.unsent -= sent,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        let waits = client.unsent > 0;
        if waits != client.waits_for_room {
            client.waits_for_room = waits;
            let interest = if waits { raw::EPOLLIN | raw::EPOLLOUT } else { raw::EPOLLIN };
            raw::modify(self.epoll, client.stream.as_raw_fd(), interest);
        }
        Ok(())
    }

    /// Takes what has come; answers how many requests that completes.
    fn take(&mut self, index: usize, bytes: usize, latency: &mut Histogram<u64>) -> io::Result<usize> {
        let client = &mut self.clients[index];
        match client.stream.read(&mut self.buf) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed a connection")),
            Ok(read) => client.received += read,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(e) => return Err(e),
        }
        let answered = client.received / bytes;
        client.received %= bytes;
        let now = Instant::now();
        for _ in 0..answered {
            let Some(due) = client.due.pop_front() else {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "more came back than was sent"));
            };
            latency.saturating_record((now - due).as_nanos() as u64);
        }
        Ok(answered)
    }

    /// The first two say lines until everyone has heard the same one of each: whom the server has not taken in when the
    /// others begin would miss what they say.
    pub fn gather(&mut self) -> io::Result<()> {
        let began = Instant::now();
        let mut heard = vec![[0; 2]; self.clients.len()];
        let mut rests: Vec<Vec<u8>> = vec![Vec::new(); self.clients.len()];
        for number in 1.. {
            for (speaker, client) in self.clients.iter_mut().enumerate().take(2) {
                client.stream.write_all(&line(speaker, number, Duration::ZERO))?;
                // Nobody hears oneself.
                heard[speaker][speaker] = number;
            }
            let again = Instant::now() + Duration::from_millis(100);
            while Instant::now() < again {
                for event in raw::wait(self.epoll, &mut self.events, 10) {
                    let index = self.by_fd[event.u64 as usize];
                    let read = self.clients[index].stream.read(&mut self.buf)?;
                    let rest = &mut rests[index];
                    rest.extend_from_slice(&self.buf[..read]);
                    for line in rest.chunks_exact(LINE) {
                        let (speaker, number, _) = read_line(line)?;
                        heard[index][speaker] = number;
                    }
                    rest.drain(..rest.len() / LINE * LINE);
                }
                if heard.iter().all(|last| *last == [number; 2]) {
                    return Ok(());
                }
            }
            if began.elapsed() > Duration::from_secs(10) {
                break;
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "not everyone hears the others"))
    }

    /// After [`gather`](Self::gather): everyone in `speakers` says a line, all wait until everyone has heard it, and so on
    /// for a while. The lines of a speaker must come in order and once.
    pub fn chat(&mut self, speakers: usize, duration: Duration) -> io::Result<Seen> {
        let mut start = Seen::start();
        let end = start.0 + duration;
        let members = self.clients.len();
        let mut heard = vec![0u64; members * speakers];
        let mut rests: Vec<Vec<u8>> = vec![Vec::new(); members];
        let mut done = 0;
        let mut number = 0;
        while Instant::now() < end {
            number += 1;
            for (speaker, client) in self.clients.iter_mut().enumerate().take(speakers) {
                client.stream.write_all(&line(speaker, number, start.0.elapsed()))?;
            }
            let mut left = speakers * (members - 1);
            let give_up = Instant::now() + Duration::from_secs(10);
            while left > 0 {
                if Instant::now() > give_up {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{left} lines were not delivered")));
                }
                let mut events = std::mem::take(&mut self.events);
                for event in raw::wait(self.epoll, &mut events, 1000) {
                    let index = self.by_fd[event.u64 as usize];
                    let read = self.clients[index].stream.read(&mut self.buf)?;
                    if read == 0 {
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed a connection"));
                    }
                    let rest = &mut rests[index];
                    rest.extend_from_slice(&self.buf[..read]);
                    let now = start.0.elapsed();
                    let whole = rest.len() / LINE;
                    for line in rest.chunks_exact(LINE) {
                        let (speaker, number, said) = read_line(line)?;
                        let last = &mut heard[index * speakers + speaker];
                        if number != *last + 1 {
                            let what = format!("line {number} of speaker {speaker} came after line {last}");
                            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
                        }
                        *last = number;
                        start.2.saturating_record(now.saturating_sub(said).as_nanos() as u64);
                    }
                    rest.drain(..whole * LINE);
                    left -= whole;
                    done += whole as u64;
                }
                self.events = events;
            }
        }
        Ok(Seen::end(start, done))
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        raw::close(self.epoll);
    }
}

/// When the next request is due, if a rate was given.
struct Pace {
    next: Instant,
    sent: usize,
    gap: Option<Duration>,
}

impl Pace {
    fn due(&mut self, now: Instant, end: Instant) -> Option<Instant> {
        let due = self.next;
        if due > now || due >= end {
            return None;
        }
        self.next += self.gap?;
        self.sent += 1;
        Some(due)
    }
}

/// Bytes of a line of the chat.
pub const LINE: usize = 64;

fn line(speaker: usize, number: u64, at: Duration) -> Vec<u8> {
    let mut line = format!("{speaker:6} {number:12} {:20} ", at.as_nanos()).into_bytes();
    line.resize(LINE - 1, b'.');
    line.push(b'\n');
    line
}

fn read_line(line: &[u8]) -> io::Result<(usize, u64, Duration)> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let mut fields = text.split_whitespace();
    let mut field = || fields.next()?.parse::<u64>().ok();
    match (field(), field(), field()) {
        (Some(speaker), Some(number), Some(at)) => Ok((speaker as usize, number, Duration::from_nanos(at))),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line came back changed: {text:?}"))),
    }
}

/// Connects, asks once, closes, and again, `at_once` connections at a time.
pub fn churn(address: SocketAddr, at_once: usize, bytes: usize, duration: Duration) -> io::Result<Seen> {
    let mut start = Seen::start();
    let end = start.0 + duration;
    let mut done = 0;
    let mut answer = vec![0; bytes];
    while Instant::now() < end {
        let began = Instant::now();
        let mut streams = Vec::with_capacity(at_once);
        for _ in 0..at_once {
            let mut stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.write_all(&vec![b'x'; bytes])?;
            streams.push(stream);
        }
        for mut stream in streams {
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.read_exact(&mut answer)?;
            start.2.saturating_record(began.elapsed().as_nanos() as u64);
            done += 1;
        }
    }
    Ok(Seen::end(start, done))
}

//! Load: clients in one thread, all of them in a closed loop.

use super::raw;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

/// Clients that are connected.
pub struct Clients {
    streams: Vec<TcpStream>,
    by_fd: Vec<usize>,
    epoll: RawFd,
}

impl Clients {
    pub fn connect(address: SocketAddr, count: usize) -> Self {
        let epoll = raw::epoll();
        let mut by_fd = Vec::new();
        let connect = |index| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            let fd = stream.as_raw_fd();
            raw::add(epoll, fd, raw::EPOLLIN);
            if by_fd.len() <= fd as usize {
                by_fd.resize(fd as usize + 1, usize::MAX);
            }
            by_fd[fd as usize] = index;
            stream
        };
        let streams: Vec<_> = (0..count).map(connect).collect();
        for stream in &streams {
            stream.set_nonblocking(true).unwrap();
        }
        Self { streams, by_fd, epoll }
    }

    /// Each client sends a message and waits for `answers` times as many bytes, `rounds` times. All of a round send first.
    pub fn rounds(&mut self, rounds: usize, message: &[u8], answers: usize) {
        let mut events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
        let mut buf = vec![0; 256 * 1024];
        let expected = message.len() * answers;
        let mut got = vec![0; self.streams.len()];
        for _ in 0..rounds {
            got.fill(0);
            for stream in &mut self.streams {
                send(stream, message);
            }
            let mut left = self.streams.len();
            while left > 0 {
                for event in raw::wait(self.epoll, &mut events, 10_000) {
                    let index = self.by_fd[event.u64 as usize];
                    let read = self.streams[index].read(&mut buf).unwrap_or(0);
                    assert!(read > 0, "the server closed a connection");
                    got[index] += read;
                    assert!(got[index] <= expected, "more came back than was due");
                    if got[index] == expected {
                        left -= 1;
                    }
                }
            }
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        raw::close(self.epoll);
    }
}

/// Sends a message that is small beside the send buffer.
fn send(stream: &mut TcpStream, message: &[u8]) {
    let sent = stream.write(message).unwrap();
    assert_eq!(sent, message.len(), "the send buffer of a client is too small for this bench");
}

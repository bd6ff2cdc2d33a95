//! The loops to compare with, written by hand on epoll: no abstraction, nothing that is not needed.

use super::raw::{self, Counter};
use std::collections::VecDeque;
use std::hint::black_box;
use std::io::IoSlice;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;

/// Bytes of the buffer that is read into, the same as the library's default.
const BUFFER: usize = 64 * 1024;

/// A connection whose peer reads too slowly is closed: the floor has no queue.
pub fn echo(listener: &TcpListener, edge: bool) {
    let epoll = raw::epoll();
    let listener = listener.as_raw_fd();
    raw::add(epoll, listener, raw::EPOLLIN);
    let mode = if edge { raw::EPOLLET } else { 0 };
    let mut events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
    let mut buf = vec![0; BUFFER];
    // What did not fit into a send buffer, by descriptor; empty most of the time.
    let mut rest: Vec<VecDeque<u8>> = Vec::new();
    let mut count = Counter::default();
    loop {
        count.waits += 1;
        count.calls += 1;
        for event in raw::wait(epoll, &mut events, -1) {
            let (fd, bits) = (event.u64 as RawFd, event.events as i32);
            if fd == listener {
                loop {
                    count.calls += 1;
                    let fd = raw::accept(listener);
                    if fd < 0 {
                        break;
                    }
                    count.calls += 1;
                    raw::add(epoll, fd, raw::EPOLLIN | raw::EPOLLRDHUP | mode);
                    if rest.len() <= fd as usize {
                        rest.resize_with(fd as usize + 1, VecDeque::new);
                    }
                }
                continue;
            }
            let queue = &mut rest[fd as usize];
            if bits & raw::EPOLLOUT != 0 && !queue.is_empty() {
                count.calls += 1;
                let written = raw::write(fd, queue.make_contiguous());
                queue.drain(..written.max(0) as usize);
                if !queue.is_empty() {
                    continue;
                }
                count.calls += 1;
                raw::modify(epoll, fd, raw::EPOLLIN | raw::EPOLLRDHUP | mode);
            }
            loop {
                count.calls += 1;
                let read = raw::read(fd, &mut buf);
                if read <= 0 {
                    if read == 0 || !raw::would_block() {
                        queue.clear();
                        count.calls += 1;
                        raw::close(fd);
                    }
                    break;
                }
                let data = &buf[..read as usize];
                count.calls += 1;
                let written = raw::write(fd, data).max(0) as usize;
                if written < data.len() {
                    queue.extend(&data[written..]);
                    count.calls += 1;
                    raw::modify(epoll, fd, raw::EPOLLOUT | mode);
                    break;
                }
                // Level reports again; under edge a short read means that there is no more, unless the end has come.
                if !edge || (data.len() < BUFFER && bits & raw::EPOLLRDHUP == 0) {
                    break;
                }
            }
        }
        count.publish();
    }
}

struct Member {
    fd: RawFd,
    input: Vec<u8>,
    queue: VecDeque<Rc<[u8]>>,
    /// How much of the first line of the queue is written.
    written: usize,
    blocked: bool,
}

/// A room: each line goes to everyone else, through a queue for each member, all lines of a turn by one `writev`.
#[allow(clippy::too_many_lines, reason = "the point of it is to stand in one piece")]
pub fn room(listener: &TcpListener) {
    let epoll = raw::epoll();
    let listener = listener.as_raw_fd();
    raw::add(epoll, listener, raw::EPOLLIN);
    let mut events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
    let mut buf = vec![0; BUFFER];
    let mut members: Vec<Member> = Vec::new();
    let mut by_fd: Vec<usize> = Vec::new();
    let mut count = Counter::default();
    loop {
        count.waits += 1;
        count.calls += 1;
        let mut dirty = false;
        for event in raw::wait(epoll, &mut events, -1) {
            let fd = event.u64 as RawFd;
            if fd == listener {
                loop {
                    count.calls += 1;
                    let fd = raw::accept(listener);
                    if fd < 0 {
                        break;
                    }
                    count.calls += 1;
                    raw::add(epoll, fd, raw::EPOLLIN);
                    if by_fd.len() <= fd as usize {
                        by_fd.resize(fd as usize + 1, usize::MAX);
                    }
                    by_fd[fd as usize] = members.len();
                    let (input, queue) = (Vec::new(), VecDeque::new());
                    members.push(Member { fd, input, queue, written: 0, blocked: false });
                }
                continue;
            }
            let sender = by_fd[fd as usize];
            if event.events as i32 & raw::EPOLLOUT != 0 {
                members[sender].blocked = false;
                dirty = true;
                count.calls += 1;
                raw::modify(epoll, fd, raw::EPOLLIN);
            }
            if event.events as i32 & raw::EPOLLIN == 0 {
                continue;
            }
            count.calls += 1;
            let read = raw::read(fd, &mut buf);
            if read <= 0 {
                if read == 0 || !raw::would_block() {
                    count.calls += 1;
                    raw::close(fd);
                    by_fd[fd as usize] = usize::MAX;
                    members.swap_remove(sender);
                    if let Some(moved) = members.get(sender) {
                        by_fd[moved.fd as usize] = sender;
                    }
                }
                continue;
            }
            members[sender].input.extend_from_slice(&buf[..read as usize]);
            let mut input = std::mem::take(&mut members[sender].input);
            let mut start = 0;
            while let Some(end) = input[start..].iter().position(|byte| *byte == b'\n') {
                let line: Rc<[u8]> = input[start..start + end + 1].into();
                start += end + 1;
                for (index, member) in members.iter_mut().enumerate() {
                    if index != sender {
                        member.queue.push_back(Rc::clone(&line));
                    }
                }
                dirty = true;
            }
            input.drain(..start);
            members[sender].input = input;
        }
        if dirty {
            for member in members.iter_mut().filter(|member| !member.blocked) {
                flush(epoll, member, &mut count);
            }
        }
        count.publish();
    }
}

fn flush(epoll: RawFd, member: &mut Member, count: &mut Counter) {
    while !member.queue.is_empty() {
        let mut slices = [IoSlice::new(&[]); 128];
        let mut used = 0;
        let mut offered = 0;
        for line in member.queue.iter().take(slices.len()) {
            let line = if used == 0 { &line[member.written..] } else { &line[..] };
            slices[used] = IoSlice::new(line);
            offered += line.len();
            used += 1;
        }
        count.calls += 1;
        let written = raw::writev(member.fd, &slices[..used]).max(0) as usize;
        let mut rest = member.written + written;
        while member.queue.front().is_some_and(|line| line.len() <= rest) {
            rest -= member.queue.pop_front().map_or(0, |line| line.len());
        }
        member.written = rest;
        if written < offered {
            member.blocked = true;
            count.calls += 1;
            raw::modify(epoll, member.fd, raw::EPOLLIN | raw::EPOLLOUT);
            return;
        }
    }
}

/// The least that a loop can do for an event: look at its token, find the handler in a table, call it.
pub fn call_by_hand(connections: usize) -> impl FnMut() {
    let mut handlers: Vec<Option<u64>> = vec![Some(0); connections];
    let mut events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
    for (index, event) in events.iter_mut().take(connections).enumerate() {
        *event = raw::epoll_event { events: raw::EPOLLIN as u32, u64: index as u64 };
    }
    move || {
        for event in &black_box(&events)[..connections] {
            let (token, bits) = (event.u64 as usize, event.events as i32);
            if bits & raw::EPOLLIN != 0 {
                if let Some(count) = &mut handlers[token] {
                    *count = black_box(*count + 1);
                }
            }
        }
    }
}

/// Turns of an echo on connections that are there already: wait once, answer all that is ready.
pub fn echo_turn(connections: &[UnixStream], mode: i32) -> impl FnMut() {
    let epoll = raw::epoll();
    for connection in connections {
        raw::add(epoll, connection.as_raw_fd(), raw::EPOLLIN | raw::EPOLLRDHUP | mode);
    }
    let mut events = vec![raw::epoll_event { events: 0, u64: 0 }; 1024];
    let mut buf = vec![0; BUFFER];
    let edge = mode != 0;
    move || {
        for event in raw::wait(epoll, &mut events, -1) {
            let fd = event.u64 as RawFd;
            loop {
                let read = raw::read(fd, &mut buf);
                if read <= 0 {
                    break;
                }
                let data = &buf[..read as usize];
                assert_eq!(raw::write(fd, data), read, "the peer reads");
                // A Unix socket may stop short of what there is.
                if !edge {
                    break;
                }
            }
        }
    }
}

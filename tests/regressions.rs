//! Bugs that were found, each with the test that would find it again.

#[path = "support/mod.rs"]
mod support;

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;
use support::{BOUND, every_backend_and_trigger};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Reactor, Stream};
use tripoll::{Backend, Context, Dispatcher, EventLoop, Settings, Token, Trigger};

struct Member;

impl Dispatcher for Member {
    type Shared = Vec<Token>;
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, members: &mut Vec<Token>) -> io::Result<()> {
        let data = cx.recv()?;
        let own = cx.token();
        cx.broadcast(members.iter().copied().filter(|member| *member != own), data);
        Ok(())
    }
}

/// A member whose own line was told after others had sent to it got what was queued at once, and the rest before the
/// wait: two writes where one would do.
fn lines_of_one_turn_go_out_in_one_write_each(backend: Backend, trigger: Trigger) {
    const MEMBERS: usize = 4;
    let poller = AnyPoller::new(backend).unwrap();
    let settings = Settings { trigger, ..Settings::default() };
    let mut event_loop = EventLoop::on(Reactor::with_settings(poller, settings).unwrap(), Vec::new());
    let mut peers = Vec::new();
    for _ in 0..MEMBERS {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let token = event_loop.adopt(Stream::from(ours), Member).unwrap();
        event_loop.shared_mut().push(token);
        theirs.set_read_timeout(Some(BOUND)).unwrap();
        peers.push(theirs);
    }
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    let before = event_loop.stats().writes;
    for peer in &mut peers {
        peer.write_all(b"line\n").unwrap();
    }
    event_loop.turn(Some(BOUND)).unwrap();
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    for peer in &mut peers {
        let mut lines = [0; 5 * (MEMBERS - 1)];
        peer.read_exact(&mut lines).unwrap();
        assert_eq!(lines, *b"line\n".repeat(MEMBERS - 1));
    }
    assert_eq!(event_loop.stats().writes - before, MEMBERS as u64);
}

every_backend_and_trigger!(lines_of_one_turn_go_out_in_one_write_each);

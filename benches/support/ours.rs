//! What is measured of the library: an echo and a room on the dispatcher, as its documentation writes them, and how their
//! system calls are counted.

use super::raw::Counter;
use std::io;
use tripoll::reactor::{Address, Reason, Stats, Stream};
use tripoll::{Context, Dispatcher, Token};

/// The system calls of a loop.
pub fn calls(stats: &Stats) -> u64 {
    stats.poller_calls + stats.reads + stats.writes + stats.accepts
}

/// The counts of a loop, as the loops by hand count theirs.
pub fn count(stats: &Stats) -> Counter {
    Counter { calls: calls(stats), waits: stats.turns }
}

/// Sends back what comes; the listener is one to whom nothing comes.
pub struct Echo;

impl Dispatcher for Echo {
    type Shared = ();
    type Spawn = Self;

    fn handle_accept(&mut self, stream: Stream, _: Address, cx: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        cx.adopt(stream, Self)?;
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        let data = cx.recv()?;
        cx.send(data)?;
        Ok(())
    }
}

/// A member of a room; the listener is one that never says anything.
#[derive(Default)]
pub struct Member {
    /// A line that has not ended yet.
    input: Vec<u8>,
}

impl Dispatcher for Member {
    type Shared = Vec<Token>;
    type Spawn = Self;

    fn handle_accept(
        &mut self,
        stream: Stream,
        _: Address,
        cx: &mut Context<'_, Self>,
        members: &mut Vec<Token>,
    ) -> io::Result<()> {
        members.push(cx.adopt(stream, Self::default())?);
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, members: &mut Vec<Token>) -> io::Result<()> {
        self.input.extend_from_slice(cx.recv()?);
        let own = cx.token();
        let mut start = 0;
        while let Some(end) = self.input[start..].iter().position(|byte| *byte == b'\n') {
            let line = &self.input[start..=start + end];
            cx.broadcast(members.iter().copied().filter(|member| *member != own), line);
            start += end + 1;
        }
        self.input.drain(..start);
        Ok(())
    }

    fn handle_close(&mut self, _: Reason, cx: &mut Context<'_, Self>, members: &mut Vec<Token>) {
        members.retain(|member| *member != cx.token());
    }
}

//! The plain mode: each line goes to everyone else as it is, and that is all.

use crate::chat::{Chat, Cx, Handler};
use crate::flood::{Account, Verdict};
use crate::line::Lines;
use crate::options::Options;
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tripoll::Dispatcher;
use tripoll::reactor::Reason;

/// A connection in plain mode.
#[derive(Debug)]
pub(crate) struct Relay {
    lines: Lines,
    account: Account,
}

impl Relay {
    pub(crate) fn new(options: &Options, now: Instant) -> Self {
        Self { lines: Lines::new(options.max_line), account: Account::new(options.flood(), now) }
    }
}

impl Dispatcher for Relay {
    type Shared = Chat;
    type Spawn = Handler;

    fn handle_open(&mut self, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        chat.relay.enter(cx.token());
        for line in chat.relay.history() {
            cx.send(line)?;
        }
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        let own = cx.token();
        let mut input = cx.recv()?;
        while let Some(line) = self.lines.next(&mut input) {
            match self.account.pay(cx.now()) {
                Verdict::Pass => {}
                Verdict::Warn | Verdict::Drop => continue,
                Verdict::PutOut => {
                    cx.finish();
                    break;
                }
            }
            // One that is too long is dropped without a word: this mode has none.
            let Ok(line) = line else { continue };
            let line: Arc<[u8]> = line.into();
            chat.lines += 1;
            let history = chat.options.history_lines();
            if history > 0 {
                chat.relay.keep(&line, history, chat.options.queue / 2);
            }
            cx.broadcast(chat.relay.others(own), &line);
        }
        Ok(())
    }

    fn handle_close(&mut self, _: Reason, cx: &mut Cx<'_>, chat: &mut Chat) {
        chat.relay.leave(cx.token());
    }
}

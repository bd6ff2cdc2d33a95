//! A person's connection: from bytes to lines, within limits, and the ways out.

use crate::chat::{Chat, Cx, Handler};
use crate::command::Command;
use crate::flood::{Account, Verdict};
use crate::line::{Lines, TooLong, harmless, without_end};
use crate::options::Options;
use crate::talk;
use crate::telnet::Telnet;
use std::io;
use std::time::Instant;
use tripoll::Dispatcher;
use tripoll::reactor::{Reason, TimerId};

/// The handler of one person's connection. Who that is, and where, is in the [`Chat`], where others can see it.
#[derive(Debug)]
pub(crate) struct Member {
    telnet: Telnet,
    lines: Lines,
    account: Account,
    spoke_at: Instant,
    /// Messages that slow readers had lost when this one was told last.
    dropped_before: u64,
}

impl Member {
    pub(crate) fn new(options: &Options, now: Instant) -> Self {
        Self {
            telnet: Telnet::default(),
            lines: Lines::new(options.max_line),
            account: Account::new(options.flood(), now),
            spoke_at: now,
            dropped_before: 0,
        }
    }

    fn on_line(&mut self, line: Result<&[u8], TooLong>, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        self.spoke_at = cx.now();
        match self.account.pay(cx.now()) {
            Verdict::Pass => {}
            Verdict::Warn => {
                cx.send("* not so fast: your lines are being dropped, and if you go on you are put out\n")?;
                return Ok(());
            }
            Verdict::Drop => return Ok(()),
            Verdict::PutOut => return talk::put_out("flooded the room", cx, chat),
        }
        match line {
            Ok(line) => talk::obey(Command::parse(&harmless(without_end(line))), cx, chat),
            Err(TooLong) => {
                let max = chat.options.max_line;
                cx.send(format!("* that line is too long and was dropped: {max} bytes are allowed\n"))?;
                Ok(())
            }
        }
    }
}

impl Dispatcher for Member {
    type Shared = Chat;
    type Spawn = Handler;

    fn handle_open(&mut self, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        self.dropped_before = cx.stats().dropped;
        if let Some(idle) = chat.options.idle() {
            cx.set_timer(idle)?;
        }
        talk::welcome(cx, chat)
    }

    fn handle_read(&mut self, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        let mut refusals = Vec::new();
        let text = self.telnet.text(cx.recv()?, &mut refusals);
        if !refusals.is_empty() {
            cx.send(refusals)?;
        }
        let mut text = &*text;
        while let Some(line) = self.lines.next(&mut text) {
            self.on_line(line.as_deref().map_err(|e| *e), cx, chat)?;
            if chat.person(cx.token()).is_none() {
                break;
            }
        }
        Ok(())
    }

    /// `printf 'no end' | nc` is a line as well.
    fn handle_eof(&mut self, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        let rest = self.lines.rest();
        if !rest.is_empty() {
            self.on_line(Ok(&rest), cx, chat)?;
        }
        // It may have been a farewell.
        if chat.person(cx.token()).is_some() { talk::quit("", cx, chat) } else { Ok(()) }
    }

    /// Time to look whether the person is idle. Speaking costs nothing: the timer is not moved, but set anew when it fires.
    fn handle_timeout(&mut self, _: TimerId, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        let Some(idle) = chat.options.idle() else { return Ok(()) };
        let left = idle.saturating_sub(cx.now().saturating_duration_since(self.spoke_at));
        if left.is_zero() {
            return talk::put_out(&format!("said nothing for {} s", idle.as_secs_f64()), cx, chat);
        }
        cx.set_timer(left)?;
        Ok(())
    }

    /// This person has read what was waiting. Under the policies that drop, some of it may be gone.
    fn handle_drain(&mut self, cx: &mut Cx<'_>, _: &mut Chat) -> io::Result<()> {
        let dropped = cx.stats().dropped;
        if std::mem::replace(&mut self.dropped_before, dropped) != dropped {
            cx.send("* you read too slowly: some lines may be missing here\n")?;
        }
        Ok(())
    }

    fn handle_shutdown(&mut self, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        if chat.depart(cx.token()).is_some() {
            cx.send("* the server is shutting down: goodbye\n")?;
        }
        cx.finish();
        Ok(())
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Cx<'_>, chat: &mut Chat) {
        let why = match reason {
            Reason::Peer | Reason::Local => String::new(),
            Reason::Overflow => format!("read too slowly: {} bytes were not delivered", cx.queued()),
            _ => "the connection was lost".to_owned(),
        };
        talk::gone(&why, cx, chat);
    }
}

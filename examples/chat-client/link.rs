//! The connection to the server.

use crate::line::{Lines, harmless, without_end};
use crate::session::{Cx, Handler, Session};
use std::io;
use tripoll::Dispatcher;
use tripoll::reactor::Reason;

/// Longer lines of the server are left out.
const LONGEST: usize = 64 * 1024;

/// The handler of the connection.
#[derive(Debug)]
pub(crate) struct Link(Lines);

impl Link {
    pub(crate) fn new() -> Self {
        Self(Lines::new(LONGEST))
    }
}

impl Dispatcher for Link {
    type Shared = Session;
    type Spawn = Handler;

    fn handle_connect(&mut self, cx: &mut Cx<'_>, session: &mut Session) -> io::Result<()> {
        session.connected(cx);
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Cx<'_>, session: &mut Session) -> io::Result<()> {
        let mut input = cx.recv()?;
        let mut text = String::new();
        while let Some(line) = self.0.next(&mut input) {
            match line {
                Ok(line) => text.extend([&*harmless(without_end(&line)), "\n"]),
                Err(_) => text.push_str("(a line that is too long was left out)\n"),
            }
        }
        session.show(cx, text);
        Ok(())
    }

    fn handle_eof(&mut self, cx: &mut Cx<'_>, session: &mut Session) -> io::Result<()> {
        let rest = self.0.rest();
        if !rest.is_empty() {
            session.show(cx, format!("{}\n", harmless(&rest)));
        }
        cx.finish();
        Ok(())
    }

    fn handle_drain(&mut self, cx: &mut Cx<'_>, session: &mut Session) -> io::Result<()> {
        session.pump(cx);
        Ok(())
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Cx<'_>, session: &mut Session) {
        let lost = cx.queued();
        session.disconnected(cx, &reason, lost);
    }
}

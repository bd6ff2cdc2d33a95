//! Standard input: a terminal, a pipe or a file.

use crate::line::{Lines, without_end};
use crate::session::{Cx, Handler, Session};
use std::io;
use tripoll::Dispatcher;
use tripoll::reactor::Reason;

/// Longer lines are left out: no server takes them.
const LONGEST: usize = 64 * 1024;

/// The handler of standard input.
#[derive(Debug)]
pub(crate) struct Keyboard(Lines);

impl Keyboard {
    pub(crate) fn new() -> Self {
        Self(Lines::new(LONGEST))
    }
}

impl Dispatcher for Keyboard {
    type Shared = Session;
    type Spawn = Handler;

    fn handle_read(&mut self, cx: &mut Cx<'_>, session: &mut Session) -> io::Result<()> {
        let mut input = cx.recv()?;
        while let Some(line) = self.0.next(&mut input) {
            match line {
                Ok(line) => session.typed(cx, without_end(&line)),
                Err(_) => session.note(cx, &format!("a line of more than {LONGEST} bytes was left out")),
            }
            if session.is_leaving() {
                cx.finish();
                break;
            }
        }
        session.pump(cx);
        Ok(())
    }

    fn handle_eof(&mut self, cx: &mut Cx<'_>, session: &mut Session) -> io::Result<()> {
        let rest = self.0.rest();
        if !rest.is_empty() {
            session.typed(cx, &rest);
        }
        session.leave(cx);
        cx.finish();
        Ok(())
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Cx<'_>, session: &mut Session) {
        session.keyboard = None;
        if let Reason::Failed(e) | Reason::Refused(e) = reason {
            session.note(cx, &format!("the input failed: {e}"));
            session.leave(cx);
        }
    }
}

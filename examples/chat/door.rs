//! The door: takes people in, or tells them why not.

use crate::chat::{Chat, Cx, Handler};
use crate::member::Member;
use crate::relay::Relay;
use std::io;
use tripoll::Dispatcher;
use tripoll::reactor::{Address, Stream};

/// The handler of a listener.
#[derive(Debug)]
pub(crate) struct Door;

impl Dispatcher for Door {
    type Shared = Chat;
    type Spawn = Handler;

    fn handle_accept(&mut self, stream: Stream, _: Address, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        let max = chat.options.max_members.unwrap_or(usize::MAX);
        let handler = if chat.members() >= max {
            Handler::new(TurnedAway)
        } else if chat.options.plain {
            Handler::new(Relay::new(&chat.options, cx.now()))
        } else {
            Handler::new(Member::new(&chat.options, cx.now()))
        };
        cx.adopt(stream, handler)?;
        Ok(())
    }
}

/// One who is one too many: told so, and closed.
#[derive(Debug)]
struct TurnedAway;

impl Dispatcher for TurnedAway {
    type Shared = Chat;
    type Spawn = Handler;

    fn handle_open(&mut self, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
        if !chat.options.plain {
            cx.send(format!("* the chat is full ({} people): come back later\n", chat.members()))?;
        }
        cx.finish();
        Ok(())
    }
}

//! What happens when somebody says or wants something.

use crate::chat::{Chat, Cx};
use crate::command::{Command, HELP};
use crate::name::Name;
use std::fmt::Write;
use std::io;
use tripoll::reactor::Sent;

/// Names, or rooms, that one answer lists.
const LISTED: usize = 100;

/// Does what a line asks for. Answers to the person begin with `* `, as nothing does that people say.
pub(crate) fn obey(command: Command<'_>, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
    match command {
        Command::Nothing => Ok(()),
        Command::Say(text) => say(text, cx, chat),
        Command::Help => {
            let help: String = HELP.iter().flat_map(|line| ["* ", line, "\n"]).collect();
            answer_with(help, cx)
        }
        Command::Nick(name) => nick(name, cx, chat),
        Command::Join(room) => join(room, cx, chat),
        Command::Who => {
            let text = who(cx, chat);
            answer(&text, cx)
        }
        Command::Rooms => {
            let list = list(chat.rooms().map(|room| format!("#{} ({})", room.title, room.members().len())));
            answer(&format!("rooms ({}): {list}", chat.rooms().len()), cx)
        }
        Command::Msg { to, text } => whisper(to, text, cx, chat),
        Command::Quit(farewell) => quit(farewell, cx, chat),
        Command::Incomplete(usage) => answer(&format!("something is missing: {usage}"), cx),
        Command::Unknown(word) => {
            answer(&format!("there is no command /{word}: see /help, or write // to say a line with a slash"), cx)
        }
    }
}

/// Takes in one who has just connected.
pub(crate) fn welcome(cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
    chat.arrive(cx.token());
    let Some(person) = chat.person(cx.token()) else { return Ok(()) };
    let name = person.name.to_string();
    answer(&format!("welcome, you are {name}: /nick NAME changes that, /help tells the rest"), cx)?;
    chat.tell_others(cx, format!("* {name} has joined\n"));
    show_room(cx, chat)
}

fn say(text: &str, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
    let Some(person) = chat.person(cx.token()) else { return Ok(()) };
    let line = format!("<{}> {text}\n", person.name);
    let told = chat.say(cx, line);
    if told.dropped > 0 {
        answer(&format!("{} of the others read too slowly and did not get that", told.dropped), cx)?;
    }
    Ok(())
}

fn nick(name: &str, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
    match Name::new(name).and_then(|name| Ok((chat.rename(cx.token(), name.clone())?, name))) {
        Ok((old, new)) => {
            answer(&format!("you are {new} now"), cx)?;
            chat.tell_others(cx, format!("* {old} is {new} now\n"));
            Ok(())
        }
        Err(why) => answer(&why, cx),
    }
}

fn join(room: &str, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
    let room = room.strip_prefix('#').unwrap_or(room);
    match Name::new(room).and_then(|room| Ok((chat.move_to(cx.token(), &room)?, room))) {
        Ok((old, room)) => {
            let Some(person) = chat.person(cx.token()) else { return Ok(()) };
            let name = person.name.to_string();
            chat.tell_room(cx, &old, format!("* {name} has gone to #{room}\n"));
            chat.tell_others(cx, format!("* {name} has joined\n"));
            show_room(cx, chat)
        }
        Err(why) => answer(&why, cx),
    }
}

/// Shows one who has just come what was said before, and who is there.
fn show_room(cx: &mut Cx<'_>, chat: &Chat) -> io::Result<()> {
    let Some(room) = chat.room_of(cx.token()) else { return Ok(()) };
    for line in room.history() {
        cx.send(line)?;
    }
    answer(&who(cx, chat), cx)
}

fn who(cx: &Cx<'_>, chat: &Chat) -> String {
    let Some(room) = chat.room_of(cx.token()) else { return "you are nowhere".to_owned() };
    let names = room.members().iter().filter_map(|member| Some(&chat.person(*member)?.name));
    format!("{} in #{}: {}", room.members().len(), room.title, list(names))
}

/// The first of them, so that no answer gets too long.
fn list(items: impl Iterator<Item = impl ToString>) -> String {
    let mut items = items.map(|item| item.to_string());
    let mut first: Vec<String> = items.by_ref().take(LISTED).collect();
    first.sort_unstable();
    let mut text = first.join(", ");
    let left = items.count();
    if left > 0 {
        // Writing to a string does not fail.
        let _ = write!(text, " and {left} more");
    }
    text
}

fn whisper(to: &str, text: &str, cx: &mut Cx<'_>, chat: &Chat) -> io::Result<()> {
    let Some(person) = chat.person(cx.token()) else { return Ok(()) };
    let Some((token, receiver)) = chat.find(to) else {
        return answer(&format!("nobody here is called {to}: see /who"), cx);
    };
    let sent = cx.send_to(token, format!("[{} -> you] {text}\n", person.name));
    match sent {
        Ok(Sent::Queued | Sent::AboveHigh) => answer_with(format!("[you -> {}] {text}\n", receiver.name), cx),
        _ => answer(&format!("{} reads too slowly and did not get that", receiver.name), cx),
    }
}

/// The person leaves, and is answered so. The others are told now: the connection may take some time to end.
pub(crate) fn quit(farewell: &str, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
    answer("goodbye", cx)?;
    gone(farewell, cx, chat);
    cx.finish();
    Ok(())
}

/// The person has to leave.
pub(crate) fn put_out(why: &str, cx: &mut Cx<'_>, chat: &mut Chat) -> io::Result<()> {
    answer(&format!("you are put out: you {why}"), cx)?;
    gone(why, cx, chat);
    cx.finish();
    Ok(())
}

/// Tells the others that somebody is gone, unless they were told before.
pub(crate) fn gone(why: &str, cx: &mut Cx<'_>, chat: &mut Chat) {
    let Some(person) = chat.depart(cx.token()) else { return };
    if !chat.closing {
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        chat.tell_room(cx, &person.room, format!("* {} has left{why}\n", person.name));
    }
}

fn answer(text: &str, cx: &mut Cx<'_>) -> io::Result<()> {
    answer_with(format!("* {text}\n"), cx)
}

fn answer_with(lines: String, cx: &mut Cx<'_>) -> io::Result<()> {
    cx.send(lines)?;
    Ok(())
}

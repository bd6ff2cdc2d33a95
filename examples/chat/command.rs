//! What a person may type.

/// One line, understood. The texts are as they were typed; nothing was looked up yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// An empty line.
    Nothing,
    Say(&'a str),
    Help,
    Nick(&'a str),
    Join(&'a str),
    Who,
    Rooms,
    Msg {
        to: &'a str,
        text: &'a str,
    },
    Quit(&'a str),
    /// A command that is known, with something missing: how it is written.
    Incomplete(&'static str),
    /// The word that is none of the commands.
    Unknown(&'a str),
}

/// The answer to `/help`, line by line.
pub(crate) const HELP: &[&str] = &[
    "/nick NAME         call yourself so",
    "/join ROOM         go to another room; it is made if there is none",
    "/who               who is in this room",
    "/rooms             what rooms there are",
    "/msg NAME TEXT     say something to one person only",
    "/quit [FAREWELL]   leave",
    "//TEXT             say a line that begins with a slash",
];

impl<'a> Command<'a> {
    pub(crate) fn parse(line: &'a str) -> Self {
        let line = line.trim_end();
        let Some(rest) = line.strip_prefix('/') else {
            return if line.is_empty() { Self::Nothing } else { Self::Say(line) };
        };
        if rest.starts_with('/') {
            return Self::Say(rest);
        }
        let (word, text) = first_word(rest);
        match word.to_ascii_lowercase().as_str() {
            "help" => Self::Help,
            "nick" if text.is_empty() => Self::Incomplete("/nick NAME"),
            "nick" => Self::Nick(text),
            "join" if text.is_empty() => Self::Incomplete("/join ROOM"),
            "join" => Self::Join(text),
            "who" => Self::Who,
            "rooms" => Self::Rooms,
            "msg" => match first_word(text) {
                ("", _) | (_, "") => Self::Incomplete("/msg NAME TEXT"),
                (to, text) => Self::Msg { to, text },
            },
            "quit" => Self::Quit(text),
            _ => Self::Unknown(word),
        }
    }
}

fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_said_and_commands_are_not() {
        for (line, command) in [
            ("", Command::Nothing),
            ("  ", Command::Nothing),
            ("  hello /who ", Command::Say("  hello /who")),
            ("//usr/bin", Command::Say("/usr/bin")),
            ("/NICK  anna ", Command::Nick("anna")),
            ("/nick", Command::Incomplete("/nick NAME")),
            ("/join\troom", Command::Join("room")),
            ("/join ", Command::Incomplete("/join ROOM")),
            ("/who", Command::Who),
            ("/rooms", Command::Rooms),
            ("/msg bob  hello there", Command::Msg { to: "bob", text: "hello there" }),
            ("/msg bob", Command::Incomplete("/msg NAME TEXT")),
            ("/msg", Command::Incomplete("/msg NAME TEXT")),
            ("/quit", Command::Quit("")),
            ("/quit so long", Command::Quit("so long")),
            ("/help me", Command::Help),
            ("/", Command::Unknown("")),
            ("/whom", Command::Unknown("whom")),
        ] {
            assert_eq!(Command::parse(line), command, "{line:?}");
        }
    }
}

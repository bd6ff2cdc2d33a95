//! What a telnet client mixes into its text: commands that begin with the byte 255
//! ([RFC 854](https://www.rfc-editor.org/rfc/rfc854)). No I/O here.
//!
//! UTF-8 never holds that byte, so taking the commands out does no harm to others.

use std::borrow::Cow;

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    /// After IAC.
    Command,
    /// After IAC and one of the four verbs.
    Option(u8),
    /// Between IAC SB and IAC SE.
    Parameters,
    /// The same, after an IAC.
    ParametersCommand,
}

/// Takes the commands of one connection out of its text.
#[derive(Debug, Default)]
pub(crate) struct Telnet(State);

impl Telnet {
    /// The text, and in `answer` a refusal of each option that the client asks for or offers: without one some clients
    /// wait, and after Ctrl-C telnet shows nothing more.
    pub(crate) fn text<'a>(&mut self, input: &'a [u8], answer: &mut Vec<u8>) -> Cow<'a, [u8]> {
        if matches!(self.0, State::Text) && !input.contains(&IAC) {
            return Cow::Borrowed(input);
        }
        let mut text = Vec::with_capacity(input.len());
        for &byte in input {
            self.0 = match (self.0, byte) {
                (State::Text, IAC) => State::Command,
                (State::Text, _) => {
                    text.push(byte);
                    State::Text
                }
                (State::Command, WILL | WONT | DO | DONT) => State::Option(byte),
                (State::Command, SB) => State::Parameters,
                (State::Command, IAC) => {
                    text.push(IAC);
                    State::Text
                }
                (State::Command, SE..) => State::Text,
                (State::Command, _) => {
                    // No command: bytes in some other encoding.
                    text.extend([IAC, byte]);
                    State::Text
                }
                (State::Option(verb), option) => {
                    match verb {
                        WILL => answer.extend([IAC, DONT, option]),
                        DO => answer.extend([IAC, WONT, option]),
                        _ => {}
                    }
                    State::Text
                }
                (State::Parameters, IAC) => State::ParametersCommand,
                (State::ParametersCommand, SE) => State::Text,
                (State::Parameters | State::ParametersCommand, _) => State::Parameters,
            };
        }
        Cow::Owned(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text and answer when the input comes in these pieces.
    fn strip<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<u8>, Vec<u8>) {
        let (mut telnet, mut text, mut answer) = (Telnet::default(), Vec::new(), Vec::new());
        for piece in pieces {
            text.extend_from_slice(&telnet.text(piece, &mut answer));
        }
        (text, answer)
    }

    #[test]
    fn commands_vanish_and_options_are_refused_wherever_the_stream_is_cut() {
        let stream = b"a\xff\xfb\x1fb\xff\xfd\x01c\xff\xfc\x01\xff\xfe\x01d\xff\xfa\x1f\0\x50\xff\xff\x18\xff\xf0e\xff\xf4f\xff\xffg";
        let expected = (b"abcdef\xffg".to_vec(), b"\xff\xfe\x1f\xff\xfc\x01".to_vec());
        assert_eq!(strip([&stream[..]]), expected);
        assert_eq!(strip(stream.chunks(1)), expected);
        for cut in 0..stream.len() {
            assert_eq!(strip([&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn text_in_another_encoding_keeps_its_bytes_and_its_end() {
        assert_eq!(strip([&b"\xff\ny\xff \n"[..]]), (b"\xff\ny\xff \n".to_vec(), vec![]));
    }

    #[test]
    fn text_without_commands_is_not_copied() {
        assert!(matches!(Telnet::default().text(b"text", &mut Vec::new()), Cow::Borrowed(b"text")));
    }
}

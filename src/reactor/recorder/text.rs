//! Numbers and strings as JSON has them, without the detour by `core::fmt`, which would take half of the time of a recording.

use crate::poller::Token;

/// Text that is put together. It is made of strings and digits only, so nobody has to check that it is text.
#[derive(Debug, Default)]
pub(super) struct Text(Vec<u8>);

impl Text {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends what comes after the first so many bytes of another text.
    #[inline]
    pub(super) fn push_rest(&mut self, other: &Self, from: usize) {
        self.0.extend_from_slice(&other.0[from..]);
    }

    /// The digits of a number.
    pub(super) fn number(&mut self, value: u64) {
        let mut digits = [0; 20];
        let start = digits_before(&mut digits, 20, value);
        self.0.extend_from_slice(&digits[start..]);
    }

    /// Nanoseconds as microseconds, which is what the format counts in.
    pub(super) fn microseconds(&mut self, nanoseconds: u64) {
        let mut digits = [0; 24];
        let fraction = nanoseconds % 1000;
        digits[20] = b'.';
        digits[21] = b'0' + (fraction / 100) as u8;
        digits[22..].copy_from_slice(&pair(fraction % 100));
        let start = digits_before(&mut digits, 20, nanoseconds / 1000);
        self.0.extend_from_slice(&digits[start..]);
    }

    /// `3#17`, as tokens are written everywhere; `loop` for nobody's.
    pub(super) fn token(&mut self, token: Token) {
        if token == Token::NONE {
            self.push("loop");
            return;
        }
        self.number(token.index().into());
        self.push("#");
        self.number(token.generation().into());
    }

    /// A string in quotes, with everything escaped that
    /// [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259#section-7) wants so.
    pub(super) fn string(&mut self, text: &str) {
        self.push("\"");
        let mut bytes = [0; 4];
        for character in text.chars() {
            match character {
                '"' => self.push("\\\""),
                '\\' => self.push("\\\\"),
                '\n' => self.push("\\n"),
                '\t' => self.push("\\t"),
                c if u32::from(c) < 0x20 => self.push(&format!("\\u{:04x}", u32::from(c))),
                c => self.push(c.encode_utf8(&mut bytes)),
            }
        }
        self.push("\"");
    }
}

/// Two digits.
fn pair(value: u64) -> [u8; 2] {
    [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]
}

/// Writes the digits of a number in front of a place; answers where they begin.
fn digits_before(digits: &mut [u8], end: usize, mut value: u64) -> usize {
    let mut start = end;
    while value >= 100 {
        start -= 2;
        digits[start..start + 2].copy_from_slice(&pair(value % 100));
        value /= 100;
    }
    if value >= 10 {
        start -= 2;
        digits[start..start + 2].copy_from_slice(&pair(value));
    } else {
        start -= 1;
        digits[start] = b'0' + value as u8;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Text)) -> String {
        let mut text = Text::default();
        write(&mut text);
        String::from_utf8(text.0).unwrap()
    }

    proptest! {
        #[test]
        fn whatever_is_written_reads_the_same(bits in 0..64_u32, value in any::<u64>(), text in ".*") {
            let value = value >> bits;
            prop_assert_eq!(written(|out| out.number(value)), value.to_string());
            prop_assert_eq!(written(|out| out.microseconds(value)), format!("{}.{:03}", value / 1000, value % 1000));
            let string = written(|out| out.string(&text));
            prop_assert_eq!(serde_json::from_str::<String>(&string).unwrap(), text);
        }
    }

    #[test]
    fn control_characters_and_quotes_are_escaped() {
        let string = written(|out| out.string("a\"b\\c\n\t\u{1}\u{7f}é"));
        assert_eq!(string, "\"a\\\"b\\\\c\\n\\t\\u0001\u{7f}é\"");
    }
}

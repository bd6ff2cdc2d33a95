//! Lines out of a stream of bytes, however it is cut, and text that does a terminal no harm. No I/O here.

use std::borrow::Cow;

/// A line that was longer than allowed. What is left of it, up to its end, will be skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Puts lines together from pieces.
#[derive(Debug)]
pub(crate) struct Lines {
    /// A line that has not ended yet: empty, and without memory, most of the time.
    partial: Vec<u8>,
    /// Bytes that a line may have, not counting its LF or CR LF.
    max: usize,
    skipping: bool,
}

impl Lines {
    pub(crate) fn new(max: usize) -> Self {
        Self { partial: Vec::new(), max, skipping: false }
    }

    /// Takes the next line, with its end, from the front of `input`; `None` if there is no whole one, and then all of
    /// `input` was taken.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Option<Result<Cow<'a, [u8]>, TooLong>> {
        while !input.is_empty() {
            // Only what is new is searched: one who sends a long line byte by byte shall not cost more than another.
            let end = input.iter().position(|byte| *byte == b'\n');
            let (piece, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
            *input = rest;
            let ended = end.is_some();
            if self.skipping {
                self.skipping = !ended;
            } else if self.length_with(piece) > self.max {
                self.partial = Vec::new();
                self.skipping = !ended;
                return Some(Err(TooLong));
            } else if !ended {
                self.partial.extend_from_slice(piece);
            } else if self.partial.is_empty() {
                return Some(Ok(Cow::Borrowed(piece)));
            } else {
                self.partial.extend_from_slice(piece);
                return Some(Ok(Cow::Owned(std::mem::take(&mut self.partial))));
            }
        }
        None
    }

    /// What came after the last line, once nothing more will come.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.partial)
    }

    /// How long the line would be with this piece, not counting its end, nor a CR that may turn out to belong to it.
    fn length_with(&self, piece: &[u8]) -> usize {
        let mut bytes = self.partial.iter().chain(piece).rev();
        let mut last = bytes.next();
        let mut end = 0;
        if last == Some(&b'\n') {
            end += 1;
            last = bytes.next();
        }
        if last == Some(&b'\r') {
            end += 1;
        }
        self.partial.len() + piece.len() - end
    }
}

/// The line without its LF or CR LF.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Text that can be shown on any terminal: what is no UTF-8 is replaced by U+FFFD, and what a terminal would obey instead
/// of showing it by a picture of it.
pub(crate) fn harmless(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    if text.chars().any(|c| shown(c) != c) { text.chars().map(shown).collect() } else { text }
}

fn shown(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        // C1, among them a one-character escape; ends of lines beyond ASCII; what changes the direction of the text and
        // can make a line look like another.
        '\u{80}'..='\u{9f}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            char::REPLACEMENT_CHARACTER
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 8;

    /// What comes out when the input comes in these pieces; `None` is a line that was too long.
    fn lines<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(MAX);
        let mut out = Vec::new();
        for mut piece in pieces {
            while let Some(line) = lines.next(&mut piece) {
                out.push(line.ok().map(|line| without_end(&line).to_vec()));
            }
        }
        out
    }

    fn texts(lines: &[Option<&str>]) -> Vec<Option<Vec<u8>>> {
        lines.iter().map(|line| line.map(|line| line.as_bytes().to_vec())).collect()
    }

    #[test]
    fn lines_are_the_same_wherever_the_stream_is_cut() {
        let stream = b"one\r\n\ntwo\n12345678\r\n123456789\nlast\n12345678\n123456789012345\r\n\xc3\xa4\r\n";
        let expected = texts(&[
            Some("one"),
            Some(""),
            Some("two"),
            Some("12345678"),
            None,
            Some("last"),
            Some("12345678"),
            None,
            Some("\u{e4}"),
        ]);
        assert_eq!(lines([&stream[..]]), expected);
        assert_eq!(lines(stream.chunks(1)), expected);
        for cut in 0..stream.len() {
            assert_eq!(lines([&stream[..cut], &stream[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_told_at_once_and_once() {
        let mut lines = Lines::new(MAX);
        assert_eq!(lines.next(&mut &b"123456789"[..]), Some(Err(TooLong)));
        for _ in 0..1000 {
            assert_eq!(lines.next(&mut &[b'x'; 100][..]), None);
        }
        assert!(lines.partial.capacity() <= 2 * MAX);
        let mut input = &b"end\nnext\n"[..];
        assert_eq!(lines.next(&mut input), Some(Ok(Cow::Borrowed(&b"next\n"[..]))));
    }

    #[test]
    fn a_lonely_cr_belongs_to_the_line() {
        assert_eq!(lines([&b"a\rb\r\r\n"[..]]), texts(&[Some("a\rb\r")]));
    }

    #[test]
    fn what_has_not_ended_is_the_rest() {
        let mut lines = Lines::new(MAX);
        assert_eq!(lines.next(&mut &b"half"[..]), None);
        assert_eq!(lines.rest(), b"half");
        assert_eq!(lines.rest(), b"");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(harmless(b"\x1b[31mred\x1b]0;title\x07"), "\u{241b}[31mred\u{241b}]0;title\u{2407}");
        assert_eq!(harmless(b"\0\r\x7f"), "\u{2400}\u{240d}\u{2421}");
        assert_eq!(harmless("\u{9b}31m \u{202e}txet \u{2028}".as_bytes()), "\u{fffd}31m \u{fffd}txet \u{fffd}");
        let every_control: Vec<u8> = (0..0x20).chain([0x7f]).collect();
        assert!(!harmless(&every_control).contains(|c: char| c.is_control() && c != '\t'));
    }

    #[test]
    fn good_text_is_passed_on_uncopied_and_bad_bytes_are_replaced() {
        let good = "\u{e4}\u{20ac}\u{1f600}\tx";
        assert!(matches!(harmless(good.as_bytes()), Cow::Borrowed(text) if text == good));
        assert_eq!(harmless(b"a\xffb\xc3"), "a\u{fffd}b\u{fffd}");
    }
}

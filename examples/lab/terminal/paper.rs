//! Lines of coloured text, and how they become what is written.
//!
//! Colours, the letters of a poor terminal and what a lesson's text may try to do to a terminal are all dealt with here,
//! when a line is written; whoever makes lines counts letters and nothing else.

use super::look::{Look, in_ascii};
use std::io::{self, Write};

/// What a piece of text is, which decides about its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// Headings.
    Strong,
    /// What one may skip.
    Faint,
    /// Something was reported.
    Told,
    /// Something is ready and nobody will be told, or an answer is not the expected one.
    Alarm,
    /// What the program was asked to do.
    Deed,
}

impl Tone {
    const fn escape(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Told => "\x1b[32m",
            Self::Alarm => "\x1b[1;31m",
            Self::Deed => "\x1b[36m",
        }
    }
}

/// A line, in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pieces: Vec<(Tone, String)>,
}

impl Line {
    pub(crate) fn of(tone: Tone, text: impl Into<String>) -> Self {
        Self { pieces: vec![(tone, text.into())] }
    }

    pub(crate) fn push(&mut self, tone: Tone, text: impl Into<String>) {
        self.pieces.push((tone, text.into()));
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    /// How many columns it takes.
    pub(crate) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// Makes it so wide, if it is not.
    pub(crate) fn pad(&mut self, width: usize) {
        let missing = width.saturating_sub(self.width());
        if missing > 0 {
            self.push(Tone::Plain, " ".repeat(missing));
        }
    }

    fn write(&self, look: Look, text: &mut String) {
        // Blanks at the end would wrap on a terminal of exactly this width.
        let full = self.pieces.iter().rposition(|(_, piece)| !piece.trim_end().is_empty()).map_or(0, |last| last + 1);
        for (index, (tone, piece)) in self.pieces[..full].iter().enumerate() {
            let piece = if index + 1 == full { piece.trim_end() } else { piece };
            let escape = if look.color { tone.escape() } else { "" };
            text.push_str(escape);
            // A lesson is somebody's text: what is no letter would be a command to the terminal.
            let letters = piece.chars().map(|letter| if letter.is_control() { '?' } else { letter });
            text.extend(letters.map(|letter| if look.ascii { in_ascii(letter) } else { letter }));
            if !escape.is_empty() {
                text.push_str("\x1b[0m");
            }
        }
        text.push('\n');
    }
}

/// Of what stands below a head that has a line for itself.
const INDENT: usize = 2;

/// What is to be written, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paper {
    pub(crate) look: Look,
    lines: Vec<Line>,
}

impl Paper {
    pub(crate) const fn new(look: Look) -> Self {
        Self { look, lines: Vec::new() }
    }

    pub(crate) fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// An empty line, unless there is one already.
    pub(crate) fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    /// A line in one tone, or several if it is too long: the first begins with `head`, the others are indented as far.
    pub(crate) fn text(&mut self, tone: Tone, head: &str, text: &str) {
        self.headed(Line::of(tone, head), tone, text);
    }

    /// The same with a head in a tone of its own. On a screen where it would take most of the line, it has one for itself.
    pub(crate) fn headed(&mut self, head: Line, tone: Tone, text: &str) {
        let width = self.look.width;
        let mut indent = head.width();
        let mut head = Some(head);
        if indent > width / 2 {
            let whole: String =
                head.take().map(|head| head.pieces.into_iter().map(|(_, text)| text).collect()).unwrap_or_default();
            let blanks = whole.chars().take_while(|letter| *letter == ' ').count().min(width / 4);
            self.text(Tone::Strong, &" ".repeat(blanks), &whole);
            indent = blanks + INDENT;
        }
        if text.is_empty() && head.is_none() {
            return;
        }
        for part in wrap(text, width.saturating_sub(indent)) {
            let mut line = head.take().unwrap_or_default();
            line.pad(indent);
            line.push(tone, part);
            self.lines.push(line);
        }
    }

    pub(crate) fn display(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            line.write(self.look, &mut text);
        }
        text
    }

    /// Writes it to standard output.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(self.display().as_bytes())?;
        out.flush()
    }
}

/// Breaks a text between words, and within those that are too long by themselves. At least one line comes of it.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        let gap = usize::from(used > 0);
        if used + gap + letters.len() > width && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for (index, part) in parts(&letters, width).into_iter().enumerate() {
            if index > 0 {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                if used > 0 {
                    line.push(' ');
                    used += 1;
                }
                line.extend(part);
                used += part.len();
            }
        }
    }
    lines
}

/// A word that is too long is broken at a place where a reader would, if there is one.
fn parts(word: &[char], width: usize) -> Vec<&[char]> {
    let mut parts = Vec::new();
    let mut rest = word;
    while rest.len() > width {
        let joint = rest[..width].iter().rposition(|letter| matches!(letter, '_' | '/' | '-' | '.' | '|'));
        let end = joint.map_or(width, |joint| joint + 1);
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOR: Look = Look { width: 20, color: false, ascii: true };

    #[test]
    fn a_text_is_broken_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible a", 6), ["incomp", "rehens", "ible a"]);
        assert_eq!(wrap("tests/reactor/main.rs", 9), ["tests/", "reactor/", "main.rs"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn what_is_no_letter_does_not_reach_the_terminal() {
        let mut paper = Paper::new(POOR);
        paper.text(Tone::Alarm, "● ", "\x1b[2J über");
        assert_eq!(paper.display(), "* ?[2J ?ber\n");
    }

    #[test]
    fn blanks_at_the_end_are_not_written() {
        let mut line = Line::of(Tone::Plain, "a  ");
        line.pad(9);
        let mut paper = Paper::new(Look { color: true, ..POOR });
        paper.line(line);
        assert_eq!(paper.display(), "a\n");
    }
}

//! A line, word by word, with the columns in which they stand.

use super::super::nearest::nearest;
use super::ParseError;
use std::fmt;

/// What is left of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    line: usize,
    text: &'a str,
    /// Where the rest begins, in bytes.
    at: usize,
}

/// A word and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
    pub(super) text: &'a str,
}

impl<'a> Word<'a> {
    /// The error that something else was expected here.
    pub(super) fn unlike(&self, expected: impl fmt::Display) -> ParseError {
        ParseError::new(self.line, self.column, expected, Quoted(self.text))
    }

    /// The error that none of `words` stands here, with the one that was perhaps meant.
    pub(super) fn none_of(&self, what: &str, words: &[&str]) -> ParseError {
        match nearest(self.text, words) {
            Some(near) => self.unlike(format!("{what} (perhaps `{near}`)")),
            None => self.unlike(format!("{what}: {}", words.join(", "))),
        }
    }

    /// The pieces between the separators, each with its own place.
    pub(super) fn split(self, separator: &'a str) -> impl Iterator<Item = Self> {
        let mut column = self.column;
        self.text.split(separator).map(move |text| {
            let piece = Self { line: self.line, column, text };
            column += text.chars().count() + separator.chars().count();
            piece
        })
    }

    /// The words in it, each with its own place.
    pub(super) fn words(self) -> impl Iterator<Item = Self> {
        let mut column = self.column;
        let pieces = self.text.split(char::is_whitespace).map(move |text| {
            let piece = Self { line: self.line, column, text };
            column += text.chars().count() + 1;
            piece
        });
        pieces.filter(|piece| !piece.text.is_empty())
    }

    /// Without the blanks around it.
    pub(super) fn trimmed(self) -> Self {
        let before = self.text.chars().take_while(|character| character.is_whitespace()).count();
        Self { column: self.column + before, text: self.text.trim(), ..self }
    }
}

/// A found text: in backquotes, cut short if it is long, or said to be missing.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONG: usize = 40;
        match self.0.char_indices().nth(LONG) {
            _ if self.0.is_empty() => f.write_str("the end of the line"),
            Some((end, _)) => write!(f, "`{}...`", &self.0[..end]),
            None => write!(f, "`{}`", self.0),
        }
    }
}

impl<'a> Words<'a> {
    pub(super) const fn new(line: usize, text: &'a str) -> Self {
        Self { line, text, at: 0 }
    }

    /// The first control character, which a terminal would obey, with its column.
    pub(super) fn control(&self) -> Option<(usize, char)> {
        let mut characters = self.text.chars().zip(1..);
        characters.find(|(character, _)| character.is_control() && *character != '\t').map(|(c, column)| (column, c))
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn word(&self, text: &'a str) -> Word<'a> {
        Word { line: self.line, column: self.text[..self.at].chars().count() + 1, text }
    }

    pub(super) fn peek(&self) -> Option<Word<'a>> {
        let mut ahead = *self;
        ahead.next()
    }

    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let word = self.word(&rest[..end]);
        self.at += end;
        (end > 0).then_some(word)
    }

    /// The next word.
    ///
    /// # Errors
    ///
    /// That `expected` stood here instead of nothing.
    pub(super) fn expect(&mut self, expected: impl fmt::Display) -> Result<Word<'a>, ParseError> {
        self.next().ok_or_else(|| self.word("").unlike(expected))
    }

    /// Takes a word that has to be this one.
    pub(super) fn keyword(&mut self, keyword: &str) -> Result<(), ParseError> {
        let word = self.expect(format!("`{keyword}`"))?;
        if word.text == keyword { Ok(()) } else { Err(word.unlike(format!("`{keyword}`"))) }
    }

    /// All that is left, without blanks around it.
    pub(super) fn rest(&mut self) -> Word<'a> {
        self.skip_blanks();
        let word = self.word(self.text[self.at..].trim_end());
        self.at = self.text.len();
        word
    }

    /// All that is left, if it is something.
    pub(super) fn text(&mut self) -> Result<Word<'a>, ParseError> {
        let rest = self.rest();
        if rest.text.is_empty() { Err(rest.unlike("text")) } else { Ok(rest) }
    }

    /// What stands up to the next `end`, which is taken too.
    pub(super) fn until(&mut self, end: char) -> Option<Word<'a>> {
        let (text, _) = self.text[self.at..].split_once(end)?;
        let word = self.word(text);
        self.at += text.len() + end.len_utf8();
        Some(word)
    }

    /// Takes the text in quotes that comes next.
    pub(super) fn quoted(&mut self, what: &str) -> Result<Word<'a>, ParseError> {
        let expected = format!("{what} in double quotes");
        self.skip_blanks();
        if !self.text[self.at..].starts_with('"') {
            return Err(self.rest().unlike(expected));
        }
        self.at += 1;
        match self.until('"') {
            Some(word) if !word.text.trim().is_empty() => Ok(word),
            Some(word) => Err(word.unlike(expected)),
            None => Err(self.rest().unlike(format!("{expected}, ended by a quote"))),
        }
    }
}

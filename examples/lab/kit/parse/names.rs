//! The names that a lesson gives to descriptors.

use super::super::lesson::Kind;
use super::super::nearest::nearest;
use super::words::{Word, Words};
use super::{MAX_DESCRIPTORS, MAX_NAME, ParseError};

/// Every descriptor that was made so far, with its kind where a step of its own made it.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<(String, Option<Kind>)>);

impl Names {
    /// The name of a new descriptor.
    pub(super) fn new_one(&mut self, words: &mut Words<'_>, kind: Option<Kind>) -> Result<String, ParseError> {
        let word = words.expect("a name for the descriptor")?;
        self.add(&word, word.text, kind)
    }

    /// Adds a name, which stands at `word` or follows from what stands there.
    pub(super) fn add(&mut self, word: &Word<'_>, name: &str, kind: Option<Kind>) -> Result<String, ParseError> {
        if !is_name(name, MAX_NAME, false) {
            let expected = format!("a name: a letter, then letters, digits or `-`, all small, at most {MAX_NAME}");
            return Err(Word { text: name, ..*word }.unlike(expected));
        }
        if self.0.iter().any(|(known, _)| known == name) {
            return Err(Word { text: name, ..*word }.unlike("a name that no descriptor has yet"));
        }
        if self.0.len() == MAX_DESCRIPTORS {
            return Err(Word { text: name, ..*word }.unlike(format!("at most {MAX_DESCRIPTORS} descriptors")));
        }
        self.0.push((name.to_owned(), kind));
        Ok(name.to_owned())
    }

    /// The name of a descriptor that was made before, closed or not.
    pub(super) fn old_one(&self, words: &mut Words<'_>) -> Result<String, ParseError> {
        let word = words.expect("the name of a descriptor")?;
        if self.0.iter().any(|(known, _)| known == word.text) {
            return Ok(word.text.to_owned());
        }
        let known: Vec<&str> = self.0.iter().map(|(known, _)| known.as_str()).collect();
        let near = nearest(word.text, &known).map(|near| format!(" (perhaps `{near}`)")).unwrap_or_default();
        Err(word.unlike(format!("the name of a descriptor that a step above makes{near}")))
    }

    /// Whether what is written to it are not bytes but a number that is added.
    pub(super) fn is_counter(&self, name: &str) -> bool {
        let kind = self.0.iter().find(|(known, _)| known == name).and_then(|(_, kind)| *kind);
        matches!(kind, Some(Kind::Eventfd | Kind::Semaphore))
    }
}

/// Whether a text is made of small letters, digits and `-`; a descriptor's begins with a letter.
pub(super) fn is_name(text: &str, max: usize, any_first: bool) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || any_first && byte.is_ascii_digit());
    first && text.len() <= max && text.bytes().all(allowed)
}

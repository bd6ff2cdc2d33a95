//! Why a text is no lesson.

use std::fmt;

/// The place where a text is not what the format asks for, and what it asks for there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParseError {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// `expected ..., found ...`.
    pub(crate) message: String,
}

impl ParseError {
    pub(super) fn new(line: usize, column: usize, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self { line, column, message: format!("expected {expected}, found {found}") }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

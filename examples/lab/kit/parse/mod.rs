//! From text to a lesson: the format of `.lab` files, which `lessons/README.md` describes.

mod error;
mod header;
mod names;
mod rows;
mod step;
mod words;

pub(crate) use error::ParseError;

use super::lesson::{Lesson, Step};
use names::Names;
use rows::Row;
use words::Words;

/// The longest text that is read, in bytes.
pub(crate) const MAX_TEXT: usize = 64 * 1024;
/// The most steps of a lesson.
pub(crate) const MAX_STEPS: usize = 400;
/// The most descriptors that a lesson may make.
pub(crate) const MAX_DESCRIPTORS: usize = 64;
/// The longest name of a descriptor, in characters.
pub(crate) const MAX_NAME: usize = 16;
/// The longest name of a lesson, in characters.
pub(crate) const MAX_LESSON_NAME: usize = 40;
/// The most bytes that one step may write or read.
pub(crate) const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The lesson that a text describes.
///
/// # Errors
///
/// The first place where the text is not what the format asks for.
pub(crate) fn parse(text: &str) -> Result<Lesson, ParseError> {
    if text.len() > MAX_TEXT {
        return Err(ParseError::new(1, 1, format!("at most {MAX_TEXT} bytes"), format!("{} bytes", text.len())));
    }
    let mut reader = Reader::default();
    let mut last = 1;
    for (index, line) in text.lines().enumerate() {
        last = index + 1;
        reader.line(last, line)?;
    }
    reader.finish(last)
}

/// What has been read so far.
#[derive(Default)]
struct Reader<'a> {
    lesson: Lesson,
    names: Names,
    /// The rows below each step. They are understood at the end: whether a cell needs names is known only then.
    rows: Vec<Vec<Row<'a>>>,
}

impl<'a> Reader<'a> {
    fn line(&mut self, number: usize, line: &'a str) -> Result<(), ParseError> {
        let mut words = Words::new(number, line);
        if let Some((column, control)) = words.control() {
            let found = format!("the control character U+{:04X}", u32::from(control));
            return Err(ParseError::new(number, column, "text", found));
        }
        let Some(first) = words.peek() else { return Ok(()) };
        if first.text.starts_with('#') {
            return Ok(());
        }
        if first.column > 1 {
            let Some(rows) = self.rows.last_mut() else {
                let expected = "a header or a step at the beginning of the line: only what a step answers is indented";
                return Err(first.unlike(expected));
            };
            rows.push(Row::read(words)?);
            return Ok(());
        }
        if header::is_one(first.text) {
            if self.lesson.steps.is_empty() {
                return header::read(&mut words, &mut self.lesson);
            }
            return Err(first.unlike("a step: the header ends where the steps begin"));
        }
        if self.lesson.steps.len() == MAX_STEPS {
            return Err(first.unlike(format!("at most {MAX_STEPS} steps")));
        }
        let action = step::read(&mut words, &mut self.names)?;
        self.lesson.steps.push(Step { line: number, action, expected: Vec::new() });
        // What stands behind `=` is a row for all.
        self.rows.push(Row::behind(words)?.into_iter().collect());
        Ok(())
    }

    fn finish(mut self, last: usize) -> Result<Lesson, ParseError> {
        let line = self.lesson.steps.first().map_or(last, |step| step.line);
        for (missing, what) in
            [(self.lesson.name.is_empty(), "lesson NAME"), (self.lesson.title.is_empty(), "title TEXT")]
        {
            if missing {
                return Err(ParseError::new(line, 1, format!("a line `{what}` before the steps"), "none"));
            }
        }
        if self.lesson.steps.is_empty() {
            return Err(ParseError::new(last, 1, "a step, such as `tcp a b`", "the end of the text"));
        }
        let watched: Vec<String> = self.lesson.watched().into_iter().map(str::to_owned).collect();
        for (step, rows) in self.lesson.steps.iter_mut().zip(self.rows) {
            step.expected = rows::expected(&step.action, &rows, &watched)?;
        }
        Ok(self.lesson)
    }
}

//! What stands before the steps.

use super::super::lesson::Lesson;
use super::names::is_name;
use super::words::Words;
use super::{MAX_LESSON_NAME, ParseError};

pub(super) const WORDS: [&str; 10] =
    ["lesson", "number", "title", "group", "about", "so-what", "surprise", "source", "code", "test"];

pub(super) fn is_one(word: &str) -> bool {
    WORDS.contains(&word)
}

/// Reads a header line, which begins with one of [`WORDS`].
pub(super) fn read(words: &mut Words<'_>, lesson: &mut Lesson) -> Result<(), ParseError> {
    let key = words.expect("a header")?;
    if has(lesson, key.text) {
        return Err(key.unlike(format!("one line `{}` only", key.text)));
    }
    let value = *words;
    let text = words.text()?;
    match key.text {
        "lesson" if is_name(text.text, MAX_LESSON_NAME, true) => text.text.clone_into(&mut lesson.name),
        "lesson" => {
            let expected = format!("a name of small letters, digits and `-`, at most {MAX_LESSON_NAME} characters");
            return Err(text.unlike(expected));
        }
        "number" => {
            let number = text.text.parse().ok().filter(|number| (1..=MAX_NUMBER).contains(number));
            lesson.number = number.ok_or_else(|| text.unlike(format!("a number from 1 to {MAX_NUMBER}")))?;
        }
        "title" => text.text.clone_into(&mut lesson.title),
        "group" => text.text.clone_into(&mut lesson.group),
        "about" => lesson.about.push(text.text.to_owned()),
        "so-what" => text.text.clone_into(&mut lesson.so_what),
        "surprise" => text.text.clone_into(&mut lesson.surprise),
        "source" => lesson.sources.push(text.text.to_owned()),
        "code" => lesson.code.push(pointer(value, "what to look for there")?),
        _ => lesson.tests.push(pointer(value, "the name of a test there")?),
    }
    Ok(())
}

const MAX_NUMBER: u32 = 9999;

/// Whether a line that may stand only once was there already.
fn has(lesson: &Lesson, key: &str) -> bool {
    match key {
        "lesson" => !lesson.name.is_empty(),
        "number" => lesson.number != 0,
        "title" => !lesson.title.is_empty(),
        "group" => !lesson.group.is_empty(),
        "so-what" => !lesson.so_what.is_empty(),
        "surprise" => !lesson.surprise.is_empty(),
        _ => false,
    }
}

/// A path, and what to look for in that file.
fn pointer(mut words: Words<'_>, what: &str) -> Result<(String, String), ParseError> {
    let path = words.expect("a path")?;
    let place = words.rest();
    if place.text.is_empty() {
        return Err(place.unlike(what));
    }
    Ok((path.text.to_owned(), place.text.to_owned()))
}

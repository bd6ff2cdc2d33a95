//! What a step is expected to answer: the rows below it, and what stands behind its `=`.

use super::super::bits::Bits;
use super::super::cell::Cell;
use super::super::lesson::{Action, Expected};
use super::super::mechanism::Mechanism;
use super::ParseError;
use super::words::{Word, Words};

/// What a wait can fail with.
const WAIT_ERRORS: [&str; 5] = ["EBADF", "EFAULT", "EINTR", "EINVAL", "ENOMEM"];

/// A row: of whom, and what they answer.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Before the colon; nothing where the answer stands behind `=`, which is said of all.
    who: Option<Word<'a>>,
    what: Word<'a>,
}

impl<'a> Row<'a> {
    /// The row that a line holds.
    pub(super) fn read(mut words: Words<'a>) -> Result<Self, ParseError> {
        let Some(who) = words.until(':').map(Word::trimmed) else {
            return Err(words.rest().unlike("a row of what the step answers, such as `select: r`"));
        };
        if who.text.is_empty() {
            return Err(Word { text: ":", ..who }.unlike("a mechanism before the colon"));
        }
        let what = words.rest();
        if what.text.is_empty() {
            return Err(what.unlike("what they answer"));
        }
        Ok(Self { who: Some(who), what })
    }

    /// The answer that stands behind a step, after `=`.
    pub(super) fn behind(mut words: Words<'a>) -> Result<Option<Self>, ParseError> {
        match words.next() {
            None => Ok(None),
            Some(word) if word.text == "=" => {
                let what = words.rest();
                if what.text.is_empty() { Err(what.unlike("an answer")) } else { Ok(Some(Self { who: None, what })) }
            }
            Some(word) => Err(word.unlike("the end of the step, or `=` and its answer")),
        }
    }

    /// The mechanisms that the row is about.
    fn mechanisms(&self, named: &[Mechanism], again: bool) -> Result<Vec<Mechanism>, ParseError> {
        let Some(who) = self.who else { return Ok(Mechanism::ALL.to_vec()) };
        let mut all = Vec::new();
        for word in who.words() {
            let these: Vec<Mechanism> = match word.text {
                "all" => Mechanism::ALL.to_vec(),
                "rest" => Mechanism::ALL.into_iter().filter(|one| !named.contains(one) && !all.contains(one)).collect(),
                name => Mechanism::named(name).into_iter().collect(),
            };
            if these.is_empty() {
                let words: Vec<&str> =
                    Mechanism::ALL.into_iter().map(Mechanism::short).chain(["all", "rest"]).collect();
                return Err(match word.text {
                    "rest" => word.unlike("a mechanism: the rows above name them all"),
                    _ => word.none_of("a mechanism", &words),
                });
            }
            if these.iter().any(|one| all.contains(one) || !again && named.contains(one)) {
                return Err(word.unlike("a mechanism that has no answer here yet"));
            }
            all.extend(these);
        }
        Ok(all)
    }
}

/// What the rows of a step say of each mechanism, in the order of the mechanisms.
pub(super) fn expected(
    action: &Action,
    rows: &[Row<'_>],
    watched: &[String],
) -> Result<Vec<(Mechanism, Expected)>, ParseError> {
    let mut all: Vec<(Mechanism, Expected)> = Vec::new();
    for row in rows {
        let named: Vec<Mechanism> = all.iter().map(|(mechanism, _)| *mechanism).collect();
        if let Action::Say { .. } = action {
            return Err(row.what.unlike("no answer: this step has none"));
        }
        for mechanism in row.mechanisms(&named, matches!(action, Action::Probe { .. }))? {
            let before = all.iter_mut().find(|(other, _)| *other == mechanism);
            match (action, before) {
                (Action::Probe { .. }, Some((_, Expected::Answer(before)))) => {
                    before.push('\n');
                    before.push_str(row.what.text);
                }
                (Action::Wait { .. }, _) => {
                    all.push((mechanism, Expected::Cells(cells(row.what, mechanism, watched)?)))
                }
                _ => all.push((mechanism, Expected::Answer(row.what.text.to_owned()))),
            }
        }
    }
    all.sort_by_key(|(mechanism, _)| *mechanism);
    Ok(all)
}

/// The alternatives of a cell.
fn cells(what: Word<'_>, mechanism: Mechanism, watched: &[String]) -> Result<Vec<Cell>, ParseError> {
    what.split(" or ").map(|cell| one(cell.trimmed(), mechanism, watched)).collect()
}

fn one(cell: Word<'_>, mechanism: Mechanism, watched: &[String]) -> Result<Cell, ParseError> {
    if cell.text == "-" {
        return Ok(Cell::SILENT);
    }
    if WAIT_ERRORS.contains(&cell.text) {
        return Ok(Cell::Failed(cell.text.to_owned()));
    }
    let mut list: Vec<(String, Bits)> = Vec::new();
    for word in cell.words() {
        let mut pieces = word.split(":");
        let (name, set) = match (pieces.next(), pieces.next(), watched) {
            (Some(name), Some(set), _) => (name, set),
            (Some(set), None, [only]) => (Word { text: only, ..set }, set),
            _ => return Err(word.unlike("NAME:BITS, since this lesson does not watch exactly one descriptor")),
        };
        if !watched.iter().any(|one| one == name.text) {
            return Err(name.unlike("the name of a descriptor that the lesson watches"));
        }
        if list.iter().any(|(one, _)| one == name.text) {
            return Err(name.unlike("each descriptor once"));
        }
        list.push((name.text.to_owned(), bits(set, mechanism)?));
    }
    if list.is_empty() { Err(cell.unlike("a cell: `-`, bits or an error")) } else { Ok(Cell::Reported(list)) }
}

fn bits(set: Word<'_>, mechanism: Mechanism) -> Result<Bits, ParseError> {
    let vocabulary = mechanism.vocabulary();
    set.split("|").try_fold(Bits::NONE, |all, word| {
        let bit = Bits::parse(word.text, vocabulary);
        bit.map(|bit| all | bit).map_err(|_| {
            let words = Bits::words(vocabulary).join(", ");
            word.unlike(format!("`-`, an error such as EBADF, or what {} says ({words})", mechanism.name()))
        })
    })
}

//! A step: its word and what belongs to it.

use super::super::bits::Bits;
use super::super::lesson::{Action, Half, Kind, Tweak};
use super::super::probe;
use super::names::Names;
use super::words::{Word, Words};
use super::{MAX_BYTES, MAX_DESCRIPTORS, ParseError};

/// The words of steps, without those that make descriptors of a kind.
const WORDS: [&str; 27] = [
    "connect",
    "connecting",
    "accept",
    "dup",
    "reuse",
    "write",
    "type",
    "read",
    "peek",
    "drain",
    "fill",
    "urgent",
    "read-urgent",
    "sendto",
    "unread",
    "error",
    "set",
    "shutdown",
    "close",
    "reset",
    "watch",
    "modify",
    "rearm",
    "unwatch",
    "wait",
    "probe",
    "say",
];

/// What can be waited for, and its bit.
const INTERESTS: [(&str, Bits); 4] = [("in", Bits::IN), ("out", Bits::OUT), ("pri", Bits::PRI), ("rdhup", Bits::RDHUP)];

const HALVES: [(&str, Half); 3] = [("read", Half::Read), ("write", Half::Write), ("both", Half::Both)];

const TWEAKS: [(&str, Tweak); 3] =
    [("blocking", Tweak::Blocking), ("oobinline", Tweak::OobInline), ("defer-accept", Tweak::DeferAccept)];

/// Reads a step, up to `=` or the end of the line.
pub(super) fn read(words: &mut Words<'_>, names: &mut Names) -> Result<Action, ParseError> {
    let word = words.expect("a step")?;
    if let Some((_, kind, count)) = Kind::ALL.into_iter().find(|(name, ..)| *name == word.text) {
        let new: Result<Vec<String>, ParseError> = (0..count).map(|_| names.new_one(words, Some(kind))).collect();
        return Ok(Action::Make { kind, names: new? });
    }
    match word.text {
        "connect" | "connecting" | "accept" | "dup" | "reuse" => making(word, words, names),
        "watch" | "modify" => {
            let (name, interest) = (names.old_one(words)?, interest(words)?);
            let watch = word.text == "watch";
            Ok(if watch { Action::Watch { name, interest } } else { Action::Modify { name, interest } })
        }
        "write" | "type" | "read" | "peek" => {
            let name = names.old_one(words)?;
            let bytes = count(words, if names.is_counter(&name) { u64::MAX } else { MAX_BYTES })?;
            Ok(match word.text {
                "write" => Action::Write { name, bytes },
                "type" => Action::Type { name, bytes },
                "read" => Action::Read { name, bytes },
                _ => Action::Peek { name, bytes },
            })
        }
        "wait" => wait(words),
        "probe" => {
            let word = words.expect("the name of a probe")?;
            let known = probe::NAMES.map(|(name, _)| name);
            let found = known.contains(&word.text).then(|| Action::Probe { name: word.text.to_owned() });
            found.ok_or_else(|| word.none_of("the name of a probe", &known))
        }
        "say" => Ok(Action::Say { text: words.text()?.text.to_owned() }),
        _ => with_one(word, words, names),
    }
}

/// The steps that make descriptors out of others.
fn making(word: Word<'_>, words: &mut Words<'_>, names: &mut Names) -> Result<Action, ParseError> {
    if let "connect" | "connecting" = word.text {
        let client = names.new_one(words, None)?;
        let listener = names.old_one(words)?;
        let connect = word.text == "connect";
        return Ok(if connect {
            Action::Connect { client, listener }
        } else {
            Action::Connecting { client, listener }
        });
    }
    let of = names.old_one(words)?;
    let new = words.peek();
    let name = names.new_one(words, None)?;
    Ok(match (word.text, new) {
        ("accept", _) => Action::Accept { listener: of, name },
        ("reuse", Some(new)) => {
            let peer = names.add(&new, &format!("{name}-peer"), None)?;
            Action::Reuse { of, name, peer }
        }
        _ => Action::Dup { of, name },
    })
}

/// The steps that do something to one descriptor, which comes first.
fn with_one(word: Word<'_>, words: &mut Words<'_>, names: &Names) -> Result<Action, ParseError> {
    let one = |words: &mut Words<'_>| names.old_one(words);
    Ok(match word.text {
        "drain" => {
            let name = one(words)?;
            if words.peek().is_none_or(|next| next.text != "by") {
                return Ok(Action::Drain { name });
            }
            words.keyword("by")?;
            let bytes = count(words, MAX_BYTES)?;
            words.keyword("until")?;
            Action::MakeRoom { name, bytes, until: one(words)? }
        }
        "fill" => Action::Fill { name: one(words)? },
        "urgent" => Action::Urgent { name: one(words)? },
        "read-urgent" => Action::ReadUrgent { name: one(words)? },
        "sendto" => Action::SendToNobody { name: one(words)? },
        "unread" => Action::Unread { name: one(words)? },
        "error" => Action::TakeError { name: one(words)? },
        "set" => Action::Set { name: one(words)?, tweak: choice(words, &TWEAKS)? },
        "shutdown" => Action::Shutdown { name: one(words)?, half: choice(words, &HALVES)? },
        "close" => Action::Close { name: one(words)? },
        "reset" => Action::Reset { name: one(words)? },
        "rearm" => Action::Rearm { name: one(words)? },
        "unwatch" => Action::Unwatch { name: one(words)? },
        _ => {
            let kinds = Kind::ALL.into_iter().map(|(name, ..)| name);
            let all: Vec<&str> = WORDS.into_iter().chain(kinds).chain(super::header::WORDS).collect();
            return Err(word.none_of("a step, such as `tcp a b`, `watch a in` or `wait \"now\"`", &all));
        }
    })
}

fn wait(words: &mut Words<'_>) -> Result<Action, ParseError> {
    let label = words.quoted("what happened")?.text.to_owned();
    let (mut max, mut ordered) = (None, false);
    while let Some(next) = words.peek() {
        match next.text {
            "max" if max.is_none() => {
                words.keyword("max")?;
                let number = words.expect("a number")?;
                let parsed = number.text.parse().ok().filter(|max| (1..=MAX_DESCRIPTORS).contains(max));
                max = Some(parsed.ok_or_else(|| number.unlike(format!("a number from 1 to {MAX_DESCRIPTORS}")))?);
            }
            "ordered" if !ordered => {
                words.keyword("ordered")?;
                ordered = true;
            }
            _ => break,
        }
    }
    Ok(Action::Wait { label, max, ordered })
}

/// A number of bytes.
fn count(words: &mut Words<'_>, max: u64) -> Result<u64, ParseError> {
    let expected = format!("a number of bytes, at most {max}");
    let word = words.expect(&expected)?;
    let digits = word.text.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.text.parse().ok().filter(|number| digits && *number <= max);
    number.ok_or_else(|| word.unlike(expected))
}

/// What is asked for: `in|out`.
fn interest(words: &mut Words<'_>) -> Result<Bits, ParseError> {
    let expected = "`in`, `out`, `pri`, `rdhup`, or several with `|` between them";
    let word = words.expect(expected)?;
    word.split("|").try_fold(Bits::NONE, |all, piece| {
        let bit = INTERESTS.iter().find(|(name, _)| *name == piece.text);
        bit.map(|(_, bit)| all | *bit).ok_or_else(|| piece.unlike(expected))
    })
}

/// One of a few words.
fn choice<T: Copy>(words: &mut Words<'_>, choices: &[(&str, T)]) -> Result<T, ParseError> {
    let all: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let expected = format!("one of {}", all.join(", "));
    let word = words.expect(&expected)?;
    choices.iter().find(|(name, _)| *name == word.text).map(|(_, choice)| *choice).ok_or_else(|| word.unlike(expected))
}

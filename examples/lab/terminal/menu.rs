//! The menu: a person chooses lessons by number, one after the other.

use super::list;
use super::look::Look;
use super::paper::{Paper, Tone};
use crate::kit::{Lesson, nearest};
use std::io::{self, BufRead, Write};

/// The longest line that is read from a person; the rest of a longer one is taken for the next.
const LONGEST: u64 = 1024;

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Show(usize),
    List,
    Quit,
}

/// Shows the list and then what is chosen, until there is enough of it. `show` writes a lesson.
pub(crate) fn serve(
    lessons: &[Lesson],
    look: Look,
    mut input: impl BufRead,
    show: impl Fn(&Lesson) -> Paper,
) -> io::Result<()> {
    let mut paper = Paper::new(look);
    paper.text(Tone::Strong, "", "The lab: what select, poll, epoll and mio report on this kernel");
    list::draw(&mut paper, lessons);
    paper.gap();
    paper.print()?;
    let mut shown = None;
    loop {
        ask(look, lessons, shown)?;
        let Some(line) = read_line(&mut input)? else {
            writeln!(io::stdout())?;
            return Ok(());
        };
        match wish(line.trim(), lessons, shown) {
            Ok(Wish::Quit) => return Ok(()),
            Ok(Wish::List) => {
                let mut paper = Paper::new(look);
                list::draw(&mut paper, lessons);
                paper.gap();
                paper.print()?;
            }
            Ok(Wish::Show(index)) => {
                shown = Some(index);
                let mut paper = show(&lessons[index]);
                paper.gap();
                paper.print()?;
            }
            Err(complaint) => {
                let mut paper = Paper::new(look);
                paper.text(Tone::Alarm, "", &complaint);
                paper.print()?;
            }
        }
    }
}

fn ask(look: Look, lessons: &[Lesson], shown: Option<usize>) -> io::Result<()> {
    let next = match shown {
        None => "Enter for the first, ".to_owned(),
        Some(last) => match lessons.get(last + 1) {
            Some(lesson) => format!("Enter for {} ({}), ", lesson.number, lesson.name),
            None => String::new(),
        },
    };
    let mut paper = Paper::new(look);
    paper.text(Tone::Plain, "", &format!("A number or a name, {next}l for the list, q to quit:"));
    paper.print()
}

fn wish(line: &str, lessons: &[Lesson], shown: Option<usize>) -> Result<Wish, String> {
    match line {
        "q" | "quit" | "exit" => Ok(Wish::Quit),
        "l" | "list" => Ok(Wish::List),
        "" => {
            let next = shown.map_or(0, |last| last + 1);
            if next < lessons.len() { Ok(Wish::Show(next)) } else { Err("That was the last lesson.".to_owned()) }
        }
        word => {
            let number: Option<u32> = word.parse().ok();
            let found = lessons.iter().position(|lesson| lesson.name == word || Some(lesson.number) == number);
            found.map(Wish::Show).ok_or_else(|| {
                let names: Vec<&str> = lessons.iter().map(|lesson| lesson.name.as_str()).collect();
                let meant = nearest(word, &names).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
                format!("There is no lesson {word}: the numbers go from 1 to {}{meant}", lessons.len())
            })
        }
    }
}

/// A line of what a person types; `None` at the end.
pub(crate) fn read_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let count = io::Read::take(input, LONGEST).read_until(b'\n', &mut bytes)?;
    Ok((count > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

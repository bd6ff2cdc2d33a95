//! The lessons by chapter.

use super::paper::{Line, Paper, Tone};
use crate::kit::Lesson;

/// Writes a line for each lesson: its number, its name, what it is about.
pub(crate) fn draw(paper: &mut Paper, lessons: &[Lesson]) {
    let longest = lessons.iter().map(|lesson| lesson.name.chars().count()).max().unwrap_or_default();
    let mut group = "";
    for lesson in lessons {
        if lesson.group != group {
            group = &lesson.group;
            paper.gap();
            paper.text(Tone::Strong, "", group);
        }
        let mut head = Line::of(Tone::Faint, format!("{:>3}  ", lesson.number));
        head.push(Tone::Deed, lesson.name.clone());
        // On a narrow screen the title stands below.
        if paper.look.width < 5 + longest + 20 {
            paper.line(head);
            paper.text(Tone::Plain, "     ", &lesson.title);
        } else {
            head.pad(5 + longest + 2);
            paper.headed(head, Tone::Plain, &lesson.title);
        }
    }
}

/// How to go on from the list.
pub(crate) fn how_to_go_on(paper: &mut Paper) {
    paper.gap();
    let lines = [
        ("lab run NAME", "play one on this kernel, under all six mechanisms"),
        ("lab diff NAME epoll-level epoll-edge", "where two mechanisms part, and why"),
        ("lab quiz", "say what the next wait will report"),
        ("lab --help", "everything else"),
    ];
    for (command, what) in lines {
        let mut head = Line::of(Tone::Deed, command);
        head.pad(38);
        paper.headed(head, Tone::Plain, what);
    }
}

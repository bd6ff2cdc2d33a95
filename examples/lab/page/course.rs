//! The lessons as a course: the list of them all, and one after the other.

use super::article;
use super::data::{Data, LessonShown};
use super::html::escape;
use std::fmt::Write as _;

pub(super) fn view(data: &Data) -> String {
    let mut html = format!(
        "<div class=\"view shown course\" id=\"lessons\">{}<div class=\"jump\"><label><small>Lesson</small><select \
         id=\"jump\">{}</select></label></div>",
        list(data),
        options(data)
    );
    html += "<main id=\"main\" tabindex=\"-1\">";
    for (index, lesson) in data.lessons.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| data.lessons.get(index));
        html += &article::of(lesson, before, data.lessons.get(index + 1), data);
    }
    html + "</main></div>\n"
}

/// Neighbours of one group, in the order of the lessons.
fn groups(data: &Data) -> impl Iterator<Item = &[LessonShown]> {
    data.lessons.chunk_by(|one, other| one.lesson.group == other.lesson.group)
}

fn list(data: &Data) -> String {
    let mut html = "<nav id=\"course\" aria-label=\"Lessons\">".to_owned();
    for group in groups(data) {
        let _ = write!(html, "<h3>{}</h3><ol>", escape(&group[0].lesson.group));
        for lesson in group {
            let number = number(lesson);
            let _ = write!(
                html,
                "<li><a href=\"#{}\"><span>{number}</span>{}</a></li>",
                lesson.name,
                escape(&lesson.title)
            );
        }
        html += "</ol>";
    }
    html + "</nav>"
}

fn options(data: &Data) -> String {
    let mut html = String::new();
    for group in groups(data) {
        let _ = write!(html, "<optgroup label=\"{}\">", escape(&group[0].lesson.group));
        for lesson in group {
            let number = number(lesson);
            let gap = if number.is_empty() { "" } else { " " };
            let _ = write!(html, "<option value=\"{}\">{number}{gap}{}</option>", lesson.name, escape(&lesson.title));
        }
        html += "</optgroup>";
    }
    html
}

/// A user's own lesson has none.
fn number(lesson: &LessonShown) -> String {
    if lesson.lesson.number == 0 { String::new() } else { lesson.lesson.number.to_string() }
}

/// What the keys do; it is shown on asking.
pub(super) fn keys() -> String {
    let keys = [
        ("← →", "a step back, a step on"),
        ("Home End", "the first step, the last one"),
        ("n p", "the next lesson, the previous one"),
        ("↑ ↓", "the same while the list or the lanes have the focus; elsewhere they scroll"),
        ("c", "compare two mechanisms, or stop doing so"),
        ("g", "guess before you see, or stop doing so"),
        ("1 to 9", "while guessing: this answer; 0 shows it without a guess"),
        ("r", "the rules"),
        ("?", "this list; Esc closes it"),
    ];
    let mut html = "<dialog id=\"keys\" aria-labelledby=\"keys-title\"><h2 id=\"keys-title\">Keys</h2><dl>".to_owned();
    for (key, what) in keys {
        let _ = write!(html, "<dt><kbd>{key}</kbd></dt><dd>{what}</dd>");
    }
    html + "</dl><form method=\"dialog\"><button>Close</button></form></dialog>"
}

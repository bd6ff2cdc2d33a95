//! What is said about a lesson before and after its steps.

use super::paper::{Line, Paper, Tone};
use crate::kit::Lesson;

/// Title and what has to be known.
pub(crate) fn before(paper: &mut Paper, lesson: &Lesson) {
    let number = if lesson.number > 0 { format!("{}. ", lesson.number) } else { String::new() };
    paper.text(Tone::Strong, &number, &lesson.title);
    let place = [lesson.group.as_str(), lesson.name.as_str()];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    paper.text(Tone::Faint, "", &place.join(" · "));
    for about in &lesson.about {
        paper.gap();
        paper.text(Tone::Plain, "", about);
    }
}

/// What follows from it, and where to read more.
pub(crate) fn after(paper: &mut Paper, lesson: &Lesson) {
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(path, what)| format!("{path}: {what}")).collect();
    let parts: [(&str, Tone, Vec<String>); 5] = [
        ("so what   ", Tone::Plain, vec![lesson.so_what.clone()]),
        ("surprise  ", Tone::Plain, vec![lesson.surprise.clone()]),
        ("sources   ", Tone::Faint, vec![lesson.sources.join(", ")]),
        ("code      ", Tone::Faint, pairs(&lesson.code)),
        ("test      ", Tone::Faint, pairs(&lesson.tests)),
    ];
    for (name, tone, texts) in parts {
        for text in texts.iter().filter(|text| !text.is_empty()) {
            if tone == Tone::Plain || name.starts_with("sources") {
                paper.gap();
            }
            paper.headed(Line::of(Tone::Strong, name), tone, text);
        }
    }
}

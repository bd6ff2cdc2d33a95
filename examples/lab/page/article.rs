//! One lesson in words and as a table; the lanes are put between the two by the script.

use super::data::{CellShown, Data, LessonShown, StepShown};
use super::html::escape;
use crate::kit::Mechanism;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

pub(super) fn of(shown: &LessonShown, before: Option<&LessonShown>, next: Option<&LessonShown>, data: &Data) -> String {
    let lesson = &shown.lesson;
    let place = match lesson.number {
        0 => String::new(),
        number => format!(", lesson {number} of {}", data.lessons.len()),
    };
    let mut html = format!(
        "<article class=\"lesson\" id=\"{}\"><p class=\"where\">{}{place} <span class=\"mono\">{0}</span></p><h2 \
         tabindex=\"-1\">{}</h2>",
        lesson.name,
        escape(&lesson.group),
        escape(&lesson.title)
    );
    for (mechanism, why) in &shown.failed {
        let _ = write!(html, "<p class=\"warn\">Not played under {mechanism}: {}</p>", escape(why));
    }
    for paragraph in &lesson.about {
        let _ = write!(html, "<p>{}</p>", escape(paragraph));
    }
    html += "<div class=\"here wants-script\"></div><p class=\"no-answers about\">The table and what follows from it \
    are hidden \
             while you predict.</p><div class=\"answers\">";
    if !lesson.surprise.is_empty() {
        let _ = write!(html, "<p class=\"surprise\"><b>What surprises:</b> {}</p>", escape(&lesson.surprise));
    }
    html += &table(shown);
    html += &so_what(shown);
    html += "</div>";
    html += &neighbours(before, next);
    html + "</article>\n"
}

fn table(shown: &LessonShown) -> String {
    let mut html =
        "<h3>The whole table</h3><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\
                    <caption>What each wait reported</caption><thead><tr><th scope=\"col\">step</th>"
            .to_owned();
    for mechanism in Mechanism::ALL {
        let _ = write!(html, "<th scope=\"col\" class=\"k-{mechanism}\">{mechanism}</th>");
    }
    html += "</tr></thead><tbody>";
    for (index, step) in shown.steps.iter().enumerate() {
        html += &row(shown, step, index);
    }
    html + "</tbody></table></div>"
}

fn row(shown: &LessonShown, step: &StepShown, index: usize) -> String {
    let head =
        if step.kind == "wait" { escape(&step.label) } else { format!("<code>{}</code>", escape(&step.command)) };
    let mut html =
        format!("<tr class=\"{}\" data-step=\"{index}\"><th scope=\"row\">{}. {head}</th>", step.kind, index + 1);
    if let Some(answer) = &step.answer {
        let wrong = step.cells.iter().find_map(|cell| cell.wrong.as_deref()).map(wrong).unwrap_or_default();
        let _ = write!(html, "<td colspan=\"{}\">{}{wrong}</td>", Mechanism::ALL.len(), escape(answer));
        return html + "</tr>";
    }
    // Neighbours that answer the same share a cell.
    for same in step.cells.chunk_by(|one, other| one == other && step.kind == "probe") {
        let span = if same.len() > 1 { format!(" colspan=\"{}\"", same.len()) } else { String::new() };
        let class = if step.kind == "probe" { " class=\"probe\"" } else { "" };
        let _ = write!(html, "<td{span}{class}>{}</td>", cell(shown, step, &same[0]));
    }
    html + "</tr>"
}

fn cell(shown: &LessonShown, step: &StepShown, cell: &CellShown) -> String {
    if cell.skipped {
        return "<small>nothing to do</small>".to_owned();
    }
    let mut html = match step.kind {
        "wait" => escape(cell.found()).replace('|', "|<wbr>"),
        _ => escape(cell.answer.as_deref().unwrap_or_default()),
    };
    if !cell.stuck.is_empty() {
        let who = if shown.named { format!("{}: ", escape(&cell.stuck.join(", "))) } else { String::new() };
        let _ = write!(html, " <span class=\"never\">! {who}ready, not told</span>");
    }
    html + &cell.wrong.as_deref().map(wrong).unwrap_or_default()
}

fn wrong(shipped: &str) -> String {
    format!(" <span class=\"warn\">(shipped table: {})</span>", escape(shipped))
}

/// What it means for a server, and where tripoll has dealt with it.
fn so_what(shown: &LessonShown) -> String {
    let lesson = &shown.lesson;
    let mut html = String::new();
    if !lesson.so_what.is_empty() {
        let _ = write!(
            html,
            "<div class=\"so-what\"><h3>So what, for a server</h3><p>{}</p></div>",
            escape(&lesson.so_what)
        );
    }
    let place = |(path, what): &(String, String)| {
        let line = line_of(path, what).map(|line| format!(":{line}")).unwrap_or_default();
        format!("<code>{}{line}</code>: <code>{}</code>", escape(path), escape(what))
    };
    let mut list = String::new();
    for (name, entries) in [("in tripoll", &lesson.code), ("held by the test", &lesson.tests)] {
        for entry in entries {
            let _ = write!(list, "<dt>{name}</dt><dd>{}</dd>", place(entry));
        }
    }
    if !lesson.sources.is_empty() {
        let sources: Vec<String> = lesson.sources.iter().map(|source| escape(source)).collect();
        let _ = write!(list, "<dt>man pages and sources</dt><dd>{}</dd>", sources.join(", "));
    }
    let _ =
        write!(list, "<dt>by yourself</dt><dd><code>cargo run --release --example lab run {}</code></dd>", lesson.name);
    html + &format!("<dl>{list}</dl>")
}

/// Where it stands now, if the checkout that this was built from is still there: where it is defined, else where it is
/// first named.
fn line_of(path: &str, what: &str) -> Option<usize> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()?;
    let line = |what: &str| text.lines().position(|line| line.contains(what));
    let defined = ["fn", "struct", "enum", "const"].iter().find_map(|word| line(&format!("{word} {what}")));
    defined.or_else(|| line(what)).map(|index| index + 1)
}

fn neighbours(before: Option<&LessonShown>, next: Option<&LessonShown>) -> String {
    let link = |lesson: &LessonShown, words: &str| {
        format!("<a href=\"#{}\">{words}: {}</a>", lesson.name, escape(&lesson.title))
    };
    format!(
        "<nav class=\"nexts\" aria-label=\"Neighbours\"><span>{}</span><span>{}</span></nav>",
        before.map(|lesson| link(lesson, "Previous")).unwrap_or_default(),
        next.map(|lesson| link(lesson, "Next")).unwrap_or_default()
    )
}

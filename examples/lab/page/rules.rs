//! The rules of readiness, each with the lessons in which it is at work.

use super::data::{Data, RuleShown};
use super::html::escape;
use std::fmt::Write as _;

pub(super) fn view(data: &Data) -> String {
    let (spoken, right) = data.forecasts();
    let waits: usize =
        data.lessons.iter().map(|lesson| lesson.steps.iter().filter(|step| step.kind == "wait").count()).sum();
    let mut html = format!(
        "<section class=\"view\" id=\"rules\"><h2>The rules behind it</h2><p>From these rules the answers can be \
         foretold. In the \
         lessons of this page there are {waits} waits, each under {} mechanisms. Of {spoken} answers the rules had \
         something to \
         say, and they were right in {right}.</p>",
        data.mechanisms.len()
    );
    for rule in &data.rules {
        html += &one(rule, data);
    }
    html + "</section>\n"
}

fn one(shown: &RuleShown, data: &Data) -> String {
    let RuleShown { title, rule, .. } = shown;
    let mut html = format!(
        "<div class=\"rule\" id=\"rule-{}\" tabindex=\"-1\"><h3>{}</h3><p>{}</p><p class=\"about\">{}</p>",
        shown.id,
        escape(title),
        escape(rule.text()),
        escape(rule.man())
    );
    let mut links = String::new();
    for lesson in &data.lessons {
        let at_work = |cell: &super::data::CellShown| cell.why.iter().any(|why| why.rule == shown.id);
        let waits = lesson.steps.iter().enumerate().filter(|(_, step)| step.cells.iter().any(at_work));
        if let Some((first, _)) = waits.clone().next() {
            let _ = write!(
                links,
                "<li><a href=\"#{}/{}\">{}</a> <small>{}</small></li>",
                lesson.name,
                first + 1,
                escape(&lesson.title),
                {
                    let count = waits.count();
                    if count == 1 { "1 wait".to_owned() } else { format!("{count} waits") }
                }
            );
        }
    }
    if links.is_empty() {
        html += "<p class=\"about\">At work in no lesson of this page.</p>";
    } else {
        let _ = write!(html, "<h4>At work in</h4><ul>{links}</ul>");
    }
    html + "</div>\n"
}

//! The page: that everything is on it, that it is whole, and that it asks nothing of the network.

#[path = "../../examples/lab/page/mod.rs"]
#[allow(dead_code, reason = "what only the program uses")]
mod lab_page;

use crate::kit::{self, Action, Bits, Cell, Expected, Happened, Lesson, Mechanism, Rule, Run};
use lab_page::{Machine, Played, Side, Storm};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "wbr", "br", "input"];

/// As if every step had answered what the lesson expects.
fn as_expected(lesson: &Lesson, mechanism: Mechanism) -> Run {
    let step = |step: &kit::Step| {
        let mut happened = Happened::default();
        match step.expected.iter().find(|(it, _)| *it == mechanism).map(|(_, expected)| expected) {
            Some(Expected::Answer(answer)) => happened.answer = Some(answer.clone()),
            Some(Expected::Cells(cells)) => happened.reported = cells.first().cloned(),
            None => {}
        }
        happened
    };
    Run { mechanism, steps: lesson.steps.iter().map(step).collect() }
}

fn played(lesson: &Lesson) -> Played {
    Played {
        lesson: lesson.clone(),
        runs: Mechanism::ALL.map(|mechanism| as_expected(lesson, mechanism)).into(),
        forecasts: Mechanism::ALL.map(|mechanism| (mechanism, kit::forecast(lesson, mechanism))).into(),
        failed: Vec::new(),
    }
}

fn all() -> Vec<Played> {
    kit::lessons::all().iter().map(played).collect()
}

fn of(name: &str) -> Played {
    let lesson = kit::lessons::all().iter().find(|lesson| lesson.name == name);
    played(lesson.unwrap_or_else(|| panic!("there is no lesson {name}")))
}

fn page() -> &'static str {
    static PAGE: OnceLock<String> = OnceLock::new();
    PAGE.get_or_init(|| lab_page::render(&all(), &[storm()], &Machine::here()))
}

fn storm() -> Storm {
    let side = |label: &str, defended, wakeups, done| Side {
        label: label.to_owned(),
        defended,
        wakeups,
        seconds: 0.3,
        work: (done, "messages echoed".to_owned()),
        end: String::new(),
    };
    Storm {
        name: "a-storm".to_owned(),
        title: "A <storm>".to_owned(),
        about: "It blows.".to_owned(),
        backend: "epoll".to_owned(),
        sides: vec![side("off", false, 250_000, 5), side("on", true, 10, 10)],
    }
}

/// What stands between the tags, and the tags, without what is inside scripts and styles.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let end =
            rest[start..].find('>').unwrap_or_else(|| panic!("a tag without end: {:.60}", &rest[start..])) + start;
        let tag = &rest[start + 1..end];
        tags.push(tag);
        rest = &rest[end + 1..];
        for raw in ["script", "style"] {
            if name(tag) == raw && !tag.starts_with('/') {
                rest = &rest[rest.find(&format!("</{raw}>")).expect("it has an end")..];
            }
        }
    }
    tags
}

fn name(tag: &str) -> &str {
    tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default()
}

fn attribute<'tag>(tag: &'tag str, name: &str) -> Option<&'tag str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn data(html: &str) -> Value {
    let (_, rest) = html.split_once("id=\"data\">").expect("there is a block of data");
    let (block, _) = rest.split_once("</script>").expect("it has an end");
    serde_json::from_str(block).expect("it is JSON")
}

#[test]
fn every_lesson_is_there_with_all_that_belongs_to_it() {
    let text = page();
    for lesson in kit::lessons::all() {
        let name = &lesson.name;
        let (_, article) = text.split_once(&format!("<article class=\"lesson\" id=\"{name}\">")).expect("its article");
        let (article, _) = article.split_once("</article>").expect("its end");
        let escaped =
            |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        for part in lesson.about.iter().chain([&lesson.title, &lesson.so_what, &lesson.surprise]) {
            assert!(article.contains(&escaped(part)), "{name}: {part}");
        }
        for (path, what) in lesson.code.iter().chain(&lesson.tests) {
            assert!(article.contains(&escaped(path)) && article.contains(&escaped(what)), "{name}: {path} {what}");
        }
        let shown = lesson.steps.iter().filter(|step| !matches!(step.action, Action::Say { .. })).count();
        assert_eq!(article.matches("<tr class=").count(), shown, "{name}: a row for each step");
        assert!(
            text.contains(&format!("<li><a href=\"#{name}\">")) && text.contains(&format!("<option value=\"{name}\">")),
            "{name}"
        );
    }
}

#[test]
fn each_element_ends_where_it_should() {
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(page()) {
        let name = name(tag);
        if let Some(ended) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(ended), "within {open:?}");
        } else if !tag.starts_with('!') && !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "what is left open");
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    for forbidden in ["http:", "https:", " src=", "@import", "url(", "fetch(", "XMLHttpRequest", "<link", "<iframe"] {
        assert!(!page().contains(forbidden), "{forbidden}");
    }
    assert!(page().contains("default-src 'none'"), "and the browser is told so");
    assert!(page().len() < 3_000_000, "{} bytes", page().len());
}

#[test]
fn ids_are_unique_and_links_lead_somewhere() {
    let mut ids: HashSet<&str> = HashSet::new();
    for id in tags(page()).into_iter().filter_map(|tag| attribute(tag, "id")) {
        assert!(ids.insert(id), "{id} is there twice");
    }
    let data = data(page());
    let lessons = data["lessons"].as_array().expect("a list");
    let steps = |lesson: &Value| Some((lesson["name"].as_str()?.to_owned(), lesson["steps"].as_array()?.len()));
    let steps: HashMap<String, usize> = lessons.iter().filter_map(steps).collect();
    let mut links = 0;
    for link in tags(page()).into_iter().filter_map(|tag| attribute(tag, "href")) {
        let target = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads away"));
        match target.split_once('/') {
            Some((lesson, step)) => assert!((1..=steps[lesson]).contains(&step.parse().expect("a step")), "{link}"),
            None => assert!(ids.contains(target), "{link}"),
        }
        links += 1;
    }
    assert!(links > 200, "only {links} links were found");
}

#[test]
fn the_script_finds_what_it_looks_for() {
    let ids: HashSet<&str> = tags(page()).into_iter().filter_map(|tag| attribute(tag, "id")).collect();
    let script = include_str!("../../examples/lab/page/script.js");
    let wanted: HashSet<&str> = script.split("$('").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    assert!(wanted.contains("keys") && wanted.contains("course"), "{wanted:?}");
    assert!(wanted.is_subset(&ids), "missing: {:?}", wanted.difference(&ids));
}

#[test]
fn the_data_says_what_was_found_and_why() {
    let data = data(page());
    assert_eq!(data["mechanisms"].as_array().expect("a list").len(), Mechanism::ALL.len());
    assert_eq!(data["rules"].as_array().expect("a list").len(), Rule::ALL.len());
    let lessons = data["lessons"].as_array().expect("a list");
    let lesson = lessons.iter().find(|lesson| lesson["name"] == "partial-read").expect("the lesson");
    let steps = lesson["steps"].as_array().expect("a list");
    let wait = steps.iter().find(|step| step["label"] == "4 of 10 are read").expect("the wait");
    let edge = &wait["cells"][3];
    assert_eq!(edge["text"], Value::Null, "silent: {edge}");
    assert_eq!(edge["why"][0]["rule"], "edge-once");
    let why = edge["why"][0]["text"].as_str().expect("a sentence");
    assert!(why.contains("at step 4") && !why.contains("line"), "{why}");
    assert_eq!(wait["cells"][0]["list"][0], serde_json::json!(["c", "r", Bits::IN.0]));
}

/// What a person wrote into a lesson is text, wherever it goes.
#[test]
fn text_stays_text() {
    let hostile = "</script><b id='x'>\"&\\<!--<script>";
    let mut one = of("partial-read");
    one.lesson.title = hostile.to_owned();
    one.lesson.about = vec![hostile.to_owned()];
    for step in &mut one.lesson.steps {
        if let Action::Wait { label, .. } = &mut step.action {
            *label = hostile.to_owned();
        }
    }
    one.failed.push((Mechanism::Mio, hostile.to_owned()));
    let machine = Machine { facts: vec![("kernel".to_owned(), hostile.to_owned())] };
    let html = lab_page::render(&[one], &[], &machine);
    assert_eq!(html.matches("</script>").count(), 2, "the data's and the script's own");
    assert!(!html.contains("<b id='x'>") && !html.contains("<!--"), "not as an element, nor as a comment");
    assert_eq!(data(&html)["lessons"][0]["title"], hostile);
}

#[test]
fn what_differs_from_the_shipped_table_is_said() {
    assert!(page().contains("Everything here is as in the shipped table."));
    let mut one = of("partial-read");
    let index = one.lesson.steps.iter().position(|step| matches!(step.action, Action::Wait { .. })).expect("a wait");
    let edge = one.runs.iter_mut().find(|run| run.mechanism == Mechanism::Edge).expect("it was played");
    edge.steps[index].reported = Some(Cell::Reported(vec![("c".to_owned(), Bits::PRI)]));
    one.failed.push((Mechanism::Mio, "no more descriptors".to_owned()));
    one.runs.retain(|run| run.mechanism != Mechanism::Mio);
    let html = lab_page::render(&[one], &[], &Machine::here());
    for said in [
        "1 answer differs from the shipped table",
        "(shipped table: IN)",
        "Not everything could be played",
        "no more descriptors",
    ] {
        assert!(html.contains(said), "{said}");
    }
    assert!(html.contains("they were right in"), "and how often the rules were right");
}

#[test]
fn pictures_show_what_was_found() {
    let html = page();
    for id in
        ["picture-kinds", "picture-ends", "picture-wakeups", "picture-storms", "picture-ghost", "picture-number-reused"]
    {
        assert!(html.contains(&format!("<figure id=\"{id}\"")), "{id}");
    }
    assert!(html.contains("the second arrival was reported for every type"));
    assert!(html.contains(">50k (250k in 0.3 s)<") && html.contains("A &lt;storm&gt;"));
    let mut one = of("arrivals");
    for run in &mut one.runs {
        for answer in run.steps.iter_mut().filter_map(|happened| happened.answer.as_mut()) {
            *answer = answer.replace("pipe: IN / IN / -", "pipe: IN / - / -");
        }
    }
    let html = lab_page::render(&[one], &[], &Machine::here());
    assert!(html.contains("Under edge the second arrival was not reported for pipe."));
    assert!(!html.contains("picture-storms"), "none was played");
}

#[test]
fn pictures_have_a_description_or_are_decoration() {
    let pictures: Vec<&str> =
        tags(page()).into_iter().filter(|tag| name(tag) == "svg" && !tag.starts_with('/')).collect();
    assert!(pictures.len() >= 6, "only {} pictures", pictures.len());
    for tag in pictures {
        assert!(tag.contains("role=\"img\" aria-labelledby=") || tag.contains("aria-hidden=\"true\""), "{tag}");
    }
}

#[test]
fn a_page_without_lessons_is_a_page() {
    let html = lab_page::render(&[], &[], &Machine::here());
    assert!(html.contains("0 lessons") && html.contains("None of the lessons of this page gives one."));
    assert_eq!(data(&html)["lessons"], serde_json::json!([]));
}

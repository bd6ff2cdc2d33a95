//! The command line: what is shown where, what is refused, and with which exit code.

use crate::kit::{lessons, parse};
use crate::program::{Own, at_a_screen, at_a_terminal, finish, lab, run};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// A lesson of a user, without and with an expectation that is wrong.
const OWN: &str = "lesson mine
title Mine
eventfd e
watch e in
write e 1
wait \"one\"
    poll: IN
wait \"again\"
";

#[test]
fn a_lesson_is_shown_with_all_its_parts() {
    let text = run(&["run", "partial-read"]).well();
    let lesson = lessons::named("partial-read").unwrap();
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in
        [&lesson.title, &lesson.about[0], &lesson.so_what, &lesson.surprise, &lesson.sources[0], &lesson.tests[0].1]
    {
        assert!(flat.contains(part.as_str()), "{part:?} is not in:\n{text}");
    }
    for part in ["unread", "oneshot", "read c 4 = 4", "● IN", "○!", "● readable"] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(!text.contains('\x1b'), "there is no terminal: {text}");
    assert_eq!(run(&["run", "2"]).well(), text, "by its number");
}

#[test]
fn one_mechanism_alone_has_its_reasons() {
    let text = run(&["run", "partial-read", "--backend", "epoll", "--trigger", "edge"]).well();
    assert!(text.contains("edge") && !text.contains("oneshot   mio") && !text.contains("select"), "{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(crate::kit::Rule::EdgeOnce.title()), "{text}");
    assert!(!run(&["run", "partial-read"]).well().contains(crate::kit::Rule::EdgeOnce.title()));
    let flat = run(&["run", "partial-read", "--why", "--width", "200"]).well();
    assert!(flat.contains(crate::kit::Rule::LevelRepeats.title()), "{flat}");
}

#[test]
fn a_backend_has_the_triggers_that_it_has() {
    for (backend, triggers) in
        [("select", "level"), ("poll", "level"), ("epoll", "level edge oneshot"), ("mio", "edge")]
    {
        for trigger in ["level", "edge", "oneshot"] {
            let ended = run(&["run", "partial-read", "--backend", backend, "--trigger", trigger]);
            if triggers.contains(trigger) {
                ended.well();
            } else {
                ended.failed_with(2, "leave --trigger out");
            }
        }
    }
    let text = run(&["run", "partial-read", "--trigger", "edge", "--table"]).well();
    assert!(text.contains("edge") && text.contains("mio") && !text.contains("poll "), "{text}");
}

#[test]
fn wrong_usage_is_named_in_one_line_and_ends_with_code_2() {
    for (args, what) in [
        (&["--bogus"][..], "'--bogus'"),
        (&["runn"], "'run'"),
        (&["run"], "NAME|NUMBER|FILE.lab"),
        (&["run", "partail-read"], "partial-read"),
        (&["run", "999"], "999"),
        (&["run", "0"], "`0`"),
        (&["run", ""], "no lesson is called"),
        (&["run", "nowhere.lab"], "nowhere.lab: No such file"),
        (&["run", "/"], "Is a directory"),
        (&["run", "partial-read", "--backend", "kqueue"], "select, poll, epoll, mio"),
        (&["run", "partial-read", "--trigger", "hair"], "level, edge, oneshot"),
        (&["run", "partial-read", "--width", "19"], "a number from 20 to 200"),
        (&["run", "partial-read", "--width", "wide"], "a number from 20 to 200"),
        (&["diff", "partial-read", "epoll-edge"], "MECHANISM"),
        (&["diff", "partial-read", "epoll-edge", "epol-level"], "perhaps epoll-level"),
        (&["diff", "partial-read", "poll", "poll"], "poll does not part from itself"),
        (&["quiz", "--seed", "x"], "'x'"),
        (&["quiz", "--questions", "0"], "1..=1000"),
        (&["quiz", "--mechanism", "kqueue"], "choose one of select, poll, epoll-level"),
        (&["check", "--jobs", "0"], "1..=64"),
        (&["check", "no-such-lesson"], "no-such-lesson"),
        (&["all"], "--html"),
    ] {
        let ended = run(args);
        assert_eq!(ended.stdout, "", "{args:?}");
        ended.failed_with(2, what);
    }
}

#[test]
fn help_is_no_error_and_has_examples() {
    for args in [&["--help"][..], &["run", "--help"], &["quiz", "--help"], &["check", "--help"], &["diff", "--help"]] {
        let text = run(args).well();
        assert!(text.contains("Usage: lab"), "{text}");
    }
    let text = run(&["--help"]).well();
    for part in ["lab run partial-read", "lab diff", "lab quiz", "lab check", "exit code 2"] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(run(&["run", "--help"]).well().contains("wait \"10 bytes arrived\""), "the format");
}

#[test]
fn the_example_of_the_help_is_a_lesson() {
    let text = run(&["run", "--help"]).well();
    let example =
        text.lines().skip_while(|line| !line.starts_with("  lesson mine")).take_while(|line| line.starts_with("  "));
    let example: String = example.map(|line| line[2..].to_owned() + "\n").collect();
    let text = run(&["run", Own::lesson(&example).path()]).well();
    assert!(text.contains("wait: 4 of 10 read"), "{text}");
}

#[test]
fn a_lesson_of_ones_own_runs_like_the_others() {
    let own = Own::lesson(OWN);
    let text = run(&["run", own.path()]).well();
    assert!(text.contains("wait: again") && text.contains("● IN"), "{text}");
    let wrong = Own::lesson(OWN.replace("poll: IN", "poll: OUT"));
    let ended = run(&["run", wrong.path()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("poll: expected OUT, found IN"), "{ended:?}");
    assert!(ended.stdout.contains("≠ 1 answer is not what"), "{ended:?}");
    // Of the others nothing was expected.
    run(&["run", wrong.path(), "--backend", "epoll"]).well();
}

#[test]
fn a_text_that_is_no_lesson_is_refused_with_the_place() {
    for (text, place) in [
        (&b"lesson mine\ntitle Mine\npipe r\n"[..], ":3:"),
        (b"lesson mine\ntitle Mine\nwait \"x\n", ":3:"),
        (b"lesson mine\ntitle Mine\n  \xff\n", ":3:3: expected UTF-8, found the byte 0xff"),
        (b"\xff", ":1:1: expected UTF-8"),
        (b"", ":1:1: expected"),
        (&[b'#'; 70_000], ":1:1: expected at most 65536 bytes"),
    ] {
        let own = Own::lesson(text);
        for args in [
            &["run", own.path()][..],
            &["check", own.path()],
            &["quiz", own.path()],
            &["diff", own.path(), "poll", "mio"],
        ] {
            run(args).failed_with(2, &format!("{}{place}", own.path()));
        }
    }
}

#[test]
fn a_lesson_that_cannot_go_on_says_so_and_is_no_success() {
    let own = Own::lesson("lesson mine\ntitle Mine\npipe r w\nrearm r\n");
    let ended = run(&["run", own.path(), "--width", "200"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("✗ not played: line 4, under epoll-oneshot"), "{ended:?}");
}

#[test]
fn the_text_of_a_lesson_is_a_lesson() {
    for lesson in lessons::all() {
        let text = run(&["text", &lesson.name]).well();
        assert_eq!(parse(&text).unwrap().title, lesson.title);
    }
}

#[test]
fn the_list_has_every_lesson_and_says_how_to_go_on() {
    let text = run(&["list"]).well();
    for lesson in lessons::all() {
        assert!(text.contains(&lesson.name) && text.contains(&lesson.title), "{}", lesson.name);
    }
    assert!(text.contains("lab run NAME"), "{text}");
    assert_eq!(run(&[]).well(), text, "without a terminal there is nobody to choose");
}

#[test]
fn only_ascii_is_written_where_the_locale_has_no_more() {
    for (name, value) in [("LC_ALL", "C"), ("LC_CTYPE", "POSIX"), ("LANG", "de_DE.ISO-8859-1"), ("LANG", "")] {
        let text = finish(lab(&["run", "partial-read"]).env(name, value), "").well();
        assert!(text.is_ascii() && text.contains("o!") && text.contains("* IN"), "{name}={value}: {text}");
    }
}

/// What a terminal shows in colours.
fn has_colours(args: &[&str], name: &str, value: &str) -> bool {
    let (text, code) = at_a_terminal(lab(args).env(name, value), "");
    assert_eq!(code, Some(0), "{text}");
    text.contains("\x1b[")
}

#[test]
fn a_terminal_gets_colours_unless_somebody_does_not_want_them() {
    assert!(has_colours(&["run", "partial-read"], "NO_COLOR", ""));
    assert!(!has_colours(&["run", "partial-read"], "NO_COLOR", "1"));
    assert!(!has_colours(&["run", "partial-read"], "TERM", "dumb"));
    assert!(!has_colours(&["run", "partial-read", "--no-color"], "NO_COLOR", ""));
    assert!(!has_colours(&["--no-color", "run", "partial-read"], "NO_COLOR", ""));
}

#[test]
fn the_width_is_that_of_the_terminal_as_far_as_one_can_read_it() {
    // No width at all is what some terminals say who do not know theirs.
    for (columns, width) in [(50, 50), (80, 80), (400, 110), (7, 20), (0, 80)] {
        let (text, code) = at_a_screen(&mut lab(&["run", "partial-read", "--no-color"]), columns, "");
        assert_eq!(code, Some(0), "{text}");
        let longest = text.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!((width - width / 4..=width).contains(&longest), "{longest} on {columns}: {text}");
    }
    let (text, _) = at_a_screen(&mut lab(&["run", "partial-read", "--no-color", "--width", "60"]), 100, "");
    assert!(text.lines().all(|line| line.trim_end().chars().count() <= 60), "{text}");
}

#[test]
fn the_storms_are_listed() {
    let text = run(&["storm"]).well();
    assert!(text.contains("writable-left-on"), "{text}");
    run(&["storm", "no-such-storm"]).failed_with(2, "no-such-storm");
}

#[test]
fn who_reads_no_further_is_no_error() {
    for args in
        [&["list"][..], &["run", "partial-read"], &["text", "partial-read"], &["--help"], &["diff", "2", "poll", "mio"]]
    {
        let mut child = lab(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::with_capacity(16, child.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        drop(output);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn nothing_is_written_into_a_closed_output() {
    let mut child = lab(&["quiz"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_menu_shows_what_is_chosen_then_the_next_and_ends_at_q() {
    let (text, code) = at_a_terminal(&mut lab(&["--no-color"]), "2\n\nq\n");
    assert_eq!(code, Some(0), "{text}");
    for number in [2, 3] {
        let lesson = &lessons::all()[number - 1];
        assert!(text.contains(&format!("{number}. {}", lesson.title)), "{text}");
        assert!(text.contains(&lesson.so_what[..40]), "{text}");
    }
    assert!(!text.contains(&format!("4. {}", lessons::all()[3].title)), "{text}");
}

#[test]
fn the_menu_takes_names_and_says_what_it_does_not_understand() {
    let (text, code) = at_a_terminal(&mut lab(&["--no-color"]), "partail-read\n999\npartial-read\nl\n\u{4}");
    assert_eq!(code, Some(0), "{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("did you mean partial-read?") && flat.contains("There is no lesson 999"), "{text}");
    assert!(text.contains(&format!("2. {}", lessons::all()[1].title)), "{text}");
}

#[test]
fn after_the_last_lesson_there_is_none() {
    let (text, code) = at_a_terminal(&mut lab(&["--no-color"]), &format!("{}\n\nq\n", lessons::all().len()));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("That was the last lesson."), "{text}");
}

#[test]
fn two_mechanisms_are_told_apart_with_the_rules() {
    let text = run(&["diff", "partial-read", "epoll-level", "edge", "--width", "200"]).well();
    assert!(text.contains("epoll-level and epoll-edge part in 3 of 5 waits"), "{text}");
    assert!(text.contains(crate::kit::Rule::EdgeOnce.title()), "{text}");
    let text = run(&["diff", "partial-read", "level", "poll"]).well();
    assert!(text.contains("say the same") && !text.contains('≠'), "{text}");
}

#[test]
fn all_lessons_become_one_page() {
    let page = Own::fresh("html");
    let text = run(&["all", "--no-storms", "--html", page.path()]).well();
    assert!(text.contains(page.path()), "{text}");
    let html = std::fs::read_to_string(page.path()).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") || html.starts_with("<!doctype html>"), "{}", &html[..80]);
    for lesson in lessons::all() {
        assert!(html.contains(&lesson.name), "{}", lesson.name);
    }
    run(&["all", "--html", "/nowhere/page.html"]).failed_with(1, "/nowhere/page.html: No such file");
}

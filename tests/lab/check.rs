//! `lab check`: that it finds the one answer that is not as a lesson says, and no other.

use crate::kit::lessons;
use crate::program::{Own, run};
use std::fs;

#[test]
fn all_lessons_are_true_of_this_kernel() {
    let text = run(&["check"]).well();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert!(text.lines().next().unwrap().contains(kernel.trim()), "the kernel is named first: {text}");
    let summary =
        format!("{} lessons under 6 mechanisms: 0 differences, 0 that could not be played", lessons::all().len());
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(&summary), "{text}");
}

/// A shipped lesson, with this row instead of that one at the first place where it stands.
fn with(name: &str, row: &str, other: &str) -> Own {
    let text = run(&["text", name]).well();
    assert!(text.contains(row), "{row:?} is not in:\n{text}");
    Own::lesson(text.replacen(row, other, 1))
}

#[test]
fn a_cell_that_is_wrong_is_named_with_its_place_and_its_mechanism() {
    let wrong = with("partial-read", "poll level edge oneshot: IN", "poll level oneshot: IN\n    edge: IN|RDHUP");
    let ended = run(&["check", wrong.path(), "--jobs", "2", "--width", "200"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""), "{ended:?}");
    let differences: Vec<&str> = ended.stdout.lines().filter(|line| line.contains('≠')).collect();
    assert_eq!(differences.len(), 1, "{ended:?}");
    for part in ["partial-read", "line ", "epoll-edge", "expected IN|RDHUP, found IN"] {
        assert!(differences[0].contains(part), "{part:?} is not in {differences:?}");
    }
    assert!(ended.stdout.contains("1 lesson under 6 mechanisms: 1 difference, 0"), "{ended:?}");
    assert!(ended.stdout.contains("To report this"), "{ended:?}");
}

#[test]
fn an_answer_of_a_call_that_is_wrong_is_named_too() {
    let wrong = with("partial-read", "read c 4 = 4", "read c 4 = 5");
    let ended = run(&["check", wrong.path(), "--width", "200"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout.matches("expected 5, found 4").count(), 6, "{ended:?}");
}

#[test]
fn lessons_are_chosen_by_name_number_and_file() {
    let own = Own::lesson("lesson mine\ntitle Mine\neventfd e\nwatch e in\nwrite e 1\nwait \"one\"\n    poll: IN\n");
    let text = run(&["check", "partial-read", "1", own.path(), "--jobs", "64"]).well();
    assert!(text.contains("3 lessons under 6 mechanisms: 0 differences"), "{text}");
}

#[test]
fn a_lesson_that_cannot_be_played_is_no_success() {
    let own = Own::lesson("lesson mine\ntitle Mine\npipe r w\nrearm r\n");
    let ended = run(&["check", own.path(), "--width", "200"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("mine: not played: line 4"), "{ended:?}");
}

//! `lab quiz`: that its questions can be repeated, that what it calls right is right, and that it ends when one wants.

use crate::kit::{Expected, Mechanism, lessons};
use crate::program::{Ended, Own, finish, lab};

fn quiz(args: &[&str], input: &str) -> Ended {
    finish(&mut lab(&[&["quiz", "--width", "200"], args].concat()), input)
}

/// For each question, its choices; in the words of `lab quiz`, by their numbers.
fn choices(text: &str) -> Vec<Vec<String>> {
    let mut questions: Vec<Vec<String>> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("What does") {
            questions.push(Vec::new());
        } else if let (Some(choices), Some((number, text))) = (questions.last_mut(), line.trim_start().split_once("  "))
        {
            if line.starts_with("     ") && number.parse() == Ok(choices.len() + 1) {
                choices.push(text.to_owned());
            }
        }
    }
    questions
}

/// What the kernel is said to have reported, question by question.
fn truths(text: &str) -> Vec<String> {
    let said = text
        .lines()
        .filter_map(|line| line.strip_prefix("Right: ").or_else(|| line.strip_prefix("No. The kernel says: ")));
    said.map(|truth| truth.trim_end_matches('.').to_owned()).collect()
}

#[test]
fn a_seed_asks_the_same_again_and_another_one_does_not() {
    let of = |seed: &str| quiz(&["--seed", seed, "--questions", "5"], &"1\n".repeat(5)).well();
    assert_eq!(of("7"), of("7"));
    assert_ne!(of("7"), of("8"));
}

#[test]
fn what_it_calls_right_is_what_the_lesson_says_of_this_mechanism() {
    for mechanism in Mechanism::ALL {
        let lesson = lessons::named("partial-read").unwrap();
        let text = quiz(&["partial-read", "--seed", "1", "--mechanism", mechanism.name()], &"1\n".repeat(9)).well();
        let expected: Vec<String> = lesson
            .steps
            .iter()
            .flat_map(|step| step.expected.iter().filter(|(of, _)| *of == mechanism))
            .filter_map(|(_, expected)| match expected {
                Expected::Cells(cells) if cells[0].is_silent() => Some("nothing: it waits in vain".to_owned()),
                Expected::Cells(cells) => Some(cells[0].display(mechanism, false)),
                Expected::Answer(_) => None,
            })
            .collect();
        assert_eq!(truths(&text), expected, "{mechanism}: {text}");
    }
}

#[test]
fn each_question_has_several_different_answers_and_the_right_one_is_among_them() {
    let text = quiz(&["--seed", "3", "--questions", "40"], &"1\n".repeat(40)).well();
    let (choices, truths) = (choices(&text), truths(&text));
    assert_eq!((choices.len(), truths.len()), (40, 40), "{text}");
    for (choices, truth) in choices.iter().zip(&truths) {
        let mut different = choices.clone();
        different.sort();
        different.dedup();
        assert!((2..=4).contains(&different.len()) && different.len() == choices.len(), "{choices:?}");
        assert_eq!(choices.iter().filter(|choice| *choice == truth).count(), 1, "{truth} among {choices:?}");
    }
}

#[test]
fn whoever_knows_it_gets_all_of_them_right_and_every_answer_is_explained() {
    let args = ["partial-read", "--seed", "5", "--mechanism", "epoll-edge"];
    let blind = quiz(&args, &"1\n".repeat(5)).well();
    let known: String = choices(&blind)
        .iter()
        .zip(truths(&blind))
        .map(|(choices, truth)| format!("{}\n", choices.iter().position(|choice| *choice == truth).unwrap() + 1))
        .collect();
    let text = quiz(&args, &known).well();
    assert!(text.contains("5 of 5 right"), "{text}");
    assert!(!text.contains("No. The kernel"), "{text}");
    let rules = crate::kit::Rule::ALL.map(|rule| text.matches(rule.title()).count());
    assert!(rules.iter().sum::<usize>() >= 5, "a reason for each answer: {text}");
    let wrong: String = known.lines().map(|line| if line == "1" { "2\n" } else { "1\n" }).collect();
    assert!(quiz(&args, &wrong).well().contains("0 of 5 right"));
}

#[test]
fn it_ends_at_the_end_of_the_input_at_q_and_after_the_last_question() {
    let args = ["partial-read", "--seed", "5"];
    for (input, end) in
        [("", "No question was answered."), ("q\n", "No question was answered."), ("1\n", " of 1 right.")]
    {
        let text = quiz(&args, input).well();
        assert!(text.lines().last().unwrap().contains(end), "{input:?}: {text}");
    }
}

#[test]
fn what_is_no_answer_is_asked_again_but_not_for_ever() {
    let text = quiz(&["partial-read", "--seed", "5"], "0\n5\n99999999999999999999\nIN\n\n1\nq\n").well();
    assert_eq!(text.matches("A number from 1 to").count(), 5, "{text}");
    assert!(text.lines().last().unwrap().contains(" of 1 right."), "{text}");
    let nonsense = "x".repeat(100_000) + "\n";
    let text = quiz(&["partial-read", "--seed", "5"], &nonsense).well();
    assert!(text.contains("No question was answered."), "{text}");
}

#[test]
fn easy_ones_come_first_and_so_many_as_were_asked_for() {
    let text = quiz(&["--seed", "2", "--questions", "3"], &"1\n".repeat(9)).well();
    assert_eq!(truths(&text).len(), 3, "{text}");
    assert!(text.starts_with("3 questions"), "{text}");
}

#[test]
fn a_lesson_of_ones_own_can_be_asked_about_and_one_without_a_wait_cannot() {
    let own = Own::lesson("lesson mine\ntitle Mine\neventfd e\nwatch e in\nwrite e 1\nwait \"one\"\n");
    let text = quiz(&[own.path(), "--mechanism", "poll", "--seed", "1"], "1\n").well();
    assert_eq!(truths(&text), ["IN"], "{text}");
    let none = Own::lesson("lesson mine\ntitle Mine\neventfd e\n");
    quiz(&[none.path()], "").failed_with(2, "there is nothing to guess");
}

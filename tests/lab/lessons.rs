//! The shipped lessons: whole, pointing at what exists, and true of this machine's kernel; and that a lesson which is not
//! true is found out.

use crate::kit::{Action, Bits, Cell, Expected, Lesson, Mechanism, check, compare, lessons, parse, run};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The chapters, in their order.
const GROUPS: [&str; 13] = [
    "Reading",
    "Writing",
    "Listening",
    "Connecting",
    "Closing",
    "Unix sockets",
    "Pipes",
    "UDP",
    "Special descriptors",
    "One-shot",
    "Sharing",
    "Waiting",
    "Removing",
];

/// Fails with everything that was found, not only the first.
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

fn answers_as_it_says(mechanism: Mechanism) {
    let differences = lessons::all().iter().flat_map(|lesson| match check(lesson, mechanism) {
        Ok(differences) => differences.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("{}, {error}", lesson.name)],
    });
    none("lessons that are not true here", &differences.collect::<Vec<String>>());
}

macro_rules! under {
    ($($name:ident $mechanism:ident),*) => {
        mod every_lesson_is_true_under {
            $(#[test]
            fn $name() {
                super::answers_as_it_says(crate::kit::Mechanism::$mechanism);
            })*
        }
    };
}

under!(select Select, poll Poll, level Level, edge Edge, oneshot Oneshot, mio Mio);

#[test]
fn the_files_are_the_lessons_in_their_order() {
    let directory = root().join("examples/lab/lessons");
    let mut names: Vec<String> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".lab"))
        .collect();
    names.sort();
    let expected = lessons::all().iter().map(|lesson| format!("{:02}-{}.lab", lesson.number, lesson.name));
    assert_eq!(names, expected.collect::<Vec<String>>());
    for (name, text) in names.iter().zip(lessons::TEXTS) {
        let same = fs::read_to_string(directory.join(name)).unwrap() == text;
        assert!(same, "{name} is not what stands at its place in the program");
    }
    assert!(lessons::all().iter().map(|lesson| lesson.number).eq(1..=61));
    let groups: Vec<&str> = lessons::all().iter().map(|lesson| lesson.group.as_str()).collect();
    let places = groups.iter().map(|group| GROUPS.iter().position(|known| known == group).expect(group));
    assert!(places.is_sorted(), "the lessons of a chapter stand together");
}

#[test]
fn a_lesson_says_what_it_is_about_and_what_each_mechanism_answers() {
    let mut found = Vec::new();
    for lesson in lessons::all() {
        let name = &lesson.name;
        let header = [
            ("about", (1..=3).contains(&lesson.about.len())),
            ("so-what", !lesson.so_what.is_empty()),
            ("source", !lesson.sources.is_empty()),
            ("code", !lesson.code.is_empty()),
            ("test", !lesson.tests.is_empty()),
        ];
        found.extend(header.iter().filter(|(_, there)| !there).map(|(what, _)| format!("{name}: {what}")));
        for step in &lesson.steps {
            let told = matches!(step.action, Action::Wait { .. } | Action::Probe { .. } | Action::Watch { .. });
            if told && step.expected.len() != Mechanism::ALL.len() {
                found.push(format!("{name}, line {}: not every mechanism", step.line));
            }
        }
    }
    none("lessons that are not whole", &found);
}

#[test]
fn what_lessons_point_at_exists() {
    let mut missing = Vec::new();
    for lesson in lessons::all() {
        for (path, word) in &lesson.code {
            let text = fs::read_to_string(root().join(path)).unwrap_or_default();
            let ours = path.starts_with("src/") || path.starts_with("examples/");
            if !ours || !has_word(&text, word) {
                missing.push(format!("{}: {word} in {path}", lesson.name));
            }
        }
        for (path, test) in &lesson.tests {
            let text = fs::read_to_string(root().join(path)).unwrap_or_default();
            if !path.starts_with("tests/") || !is_test(&text, test) {
                missing.push(format!("{}: test {test} in {path}", lesson.name));
            }
        }
    }
    none("lessons that point at nothing", &missing);
}

/// Whether a text has these letters, and not as a part of a longer name.
fn has_word(text: &str, word: &str) -> bool {
    let part = |character: Option<char>| character.is_some_and(|one| one.is_alphanumeric() || one == '_');
    let mut places = text.match_indices(word);
    places.any(|(at, _)| !part(text[..at].chars().next_back()) && !part(text[at + word.len()..].chars().next()))
}

/// Whether a file of tests has a test of this name: a function with `#[test]` above it, or one that a macro is given.
fn is_test(text: &str, name: &str) -> bool {
    let Some(at) = text.find(&format!("fn {name}(")) else { return false };
    let (before, behind) = text.split_at(at);
    let attributes = before.lines().rev().map(str::trim).take_while(|line| line.starts_with("#[") || line.is_empty());
    attributes.take(3).any(|line| line == "#[test]") || has_word(&behind["fn ".len() + name.len()..], name) || {
        has_word(before, name)
    }
}

#[test]
fn a_name_is_found_as_a_whole_and_a_test_as_a_test() {
    assert!(has_word("fn read_nothing(", "read_nothing") && !has_word("fn read_nothing_more(", "read_nothing"));
    let text = "fn helper() {}\n#[test]\nfn one() {}\n\nfn two(a: A) {}\neach!(two, three);\n";
    assert!(is_test(text, "one") && is_test(text, "two"));
    assert!(!is_test(text, "helper") && !is_test(text, "three"));
}

/// Each way in which an expectation can be wrong by one thing.
fn broken(expected: &Expected, mechanism: Mechanism, ordered: bool, watched: &str) -> Vec<Expected> {
    match expected {
        Expected::Answer(answer) => {
            let lines: Vec<&str> = answer.lines().collect();
            let other = |place: usize| {
                let lines = lines.iter().enumerate();
                let lines =
                    lines.map(|(index, line)| if index == place { format!("{line}0") } else { (*line).to_owned() });
                Expected::Answer(lines.collect::<Vec<String>>().join("\n"))
            };
            (0..lines.len()).map(other).collect()
        }
        Expected::Cells(cells) => {
            cells.iter().flat_map(|cell| other_cells(cell, mechanism, ordered, watched)).collect()
        }
    }
}

fn other_cells(cell: &Cell, mechanism: Mechanism, ordered: bool, watched: &str) -> Vec<Expected> {
    let mut others = vec![Cell::Failed("EINVAL".to_owned())];
    match cell {
        Cell::Reported(list) if !list.is_empty() => {
            others.push(Cell::SILENT);
            for (place, (_, bits)) in list.iter().enumerate() {
                let with = |bits| {
                    let mut list = list.clone();
                    list[place].1 = bits;
                    Cell::Reported(list)
                };
                let words = Bits::words(mechanism.vocabulary()).into_iter();
                let all = words.filter_map(|word| Bits::parse(word, mechanism.vocabulary()).ok());
                others.extend(all.map(|bit| with(if bits.contains(bit) { *bits - bit } else { *bits | bit })));
                let without = list.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, one)| one.clone());
                others.push(Cell::Reported(without.collect()));
            }
            if ordered && list.len() > 1 {
                others.push(Cell::Reported(list.iter().rev().cloned().collect()));
            }
        }
        _ => others.push(Cell::Reported(vec![(watched.to_owned(), Bits::IN)])),
    }
    others.into_iter().map(|cell| Expected::Cells(vec![cell])).collect()
}

/// Every copy of a lesson with one expectation changed, with the step in which it is.
fn copies(lesson: &Lesson, mechanism: Mechanism) -> Vec<(usize, Lesson)> {
    let mut copies = Vec::new();
    for (place, step) in lesson.steps.iter().enumerate() {
        let Some(at) = step.expected.iter().position(|(one, _)| *one == mechanism) else { continue };
        let ordered = matches!(step.action, Action::Wait { ordered: true, .. });
        let watched = lesson.watched().first().copied().unwrap_or("x");
        for wrong in broken(&step.expected[at].1, mechanism, ordered, watched) {
            let mut copy = lesson.clone();
            copy.steps[place].expected[at].1 = wrong;
            copies.push((place, copy));
        }
    }
    copies
}

#[test]
fn any_one_expectation_that_is_wrong_is_the_one_that_is_named() {
    let mut tried = 0;
    for lesson in lessons::all().iter().filter(|lesson| !is_probe(lesson)) {
        for mechanism in Mechanism::ALL {
            let run = run(lesson, mechanism).unwrap_or_else(|error| panic!("{}, {error}", lesson.name));
            assert_eq!(compare(lesson, &run), [], "{} as it stands", lesson.name);
            for (place, copy) in copies(lesson, mechanism) {
                let found = compare(&copy, &run);
                let [one] = found.as_slice() else { panic!("{}, step {place}: {found:?}", lesson.name) };
                let step = &copy.steps[place];
                assert_eq!((one.step, one.line, one.mechanism), (place, step.line, mechanism), "{one}");
                assert!(one.expected != one.found && one.lesson == lesson.name, "{one}");
                tried += 1;
            }
        }
    }
    assert!(tried > 5000, "only {tried} wrong lessons were tried");
}

fn is_probe(lesson: &Lesson) -> bool {
    lesson.steps.iter().any(|step| matches!(step.action, Action::Probe { .. }))
}

#[test]
fn a_wrong_lesson_is_found_out_when_it_is_played() {
    for lesson in lessons::all() {
        // One mechanism for each lesson, and one place in each: to play all of them takes minutes.
        let number = usize::try_from(lesson.number).unwrap();
        let mechanism = Mechanism::ALL[number % Mechanism::ALL.len()];
        let copies = copies(lesson, mechanism);
        let (place, copy) = &copies[number * 7919 % copies.len()];
        let found = check(copy, mechanism).unwrap();
        let [one] = found.as_slice() else { panic!("{}, step {place}: {found:?}", lesson.name) };
        assert_eq!((one.step, one.mechanism), (*place, mechanism), "{one}");
    }
}

#[test]
fn a_difference_is_told_with_its_place() {
    let text = "lesson tried\ntitle Tried\ntcp c s\nwatch c in\nwrite s 5 = 6\nwait \"here\"\n    level: OUT\n    edge: IN or -\n";
    let lesson = parse(text).unwrap();
    let told: Vec<String> = check(&lesson, Mechanism::Level).unwrap().iter().map(ToString::to_string).collect();
    let expected = [
        "tried, line 5, write s 5, under epoll-level: expected 6, found 5",
        "tried, line 6, wait \"here\", under epoll-level: expected OUT, found IN",
    ];
    assert_eq!(told, expected);
    assert_eq!(check(&lesson, Mechanism::Edge).unwrap().len(), 1, "any of the alternatives will do");
}

/// The examples of one's own that the README of the lessons shows.
fn own_examples() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join("examples/lab/lessons/own"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "lab"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn the_examples_of_the_readme_are_files_that_run() {
    let readme = fs::read_to_string(root().join("examples/lab/lessons/README.md")).unwrap();
    let examples = own_examples();
    assert_eq!(examples.len(), 3);
    for (path, text) in examples {
        assert!(
            readme.contains(&format!("```text\n{text}```")),
            "{} is not in the README as it stands",
            path.display()
        );
        let lesson = parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for mechanism in Mechanism::ALL {
            let run = run(&lesson, mechanism).unwrap_or_else(|error| panic!("{}, {error}", path.display()));
            assert_eq!(compare(&lesson, &run), [], "{}", path.display());
            let waits = run.steps.iter().filter(|step| step.reported.is_some()).count();
            assert!(waits >= 1, "{} has a wait", path.display());
        }
    }
}

//! The format of lessons: what it takes, what it refuses and how it says so, its limits, and that what is printed is read
//! again.

use crate::kit::{Action, Bits, Cell, Expected, Kind, Lesson, Mechanism, Step, lessons, parse, print};
use proptest::prelude::*;

/// The shortest lesson, and what comes behind it.
fn lesson(steps: &str) -> String {
    format!("lesson tried\ntitle Tried\n{steps}")
}

fn read(steps: &str) -> Lesson {
    parse(&lesson(steps)).unwrap_or_else(|error| panic!("{error} in\n{steps}"))
}

/// A lesson without what depends on the lines it stands in.
fn unplaced(mut lesson: Lesson) -> Lesson {
    lesson.steps.iter_mut().for_each(|step| step.line = 0);
    lesson
}

#[test]
fn a_lesson_is_read_as_it_is_written() {
    let text = "# A remark.\nlesson partial-read\nnumber 2\n\ntitle  A title: with = and |\ngroup Reading\nabout One.\nabout Two.\n\
                so-what So.\nsurprise Oh.\nsource epoll(7)\nsource poll(2)\ncode src/lib.rs two words\ntest tests/a.rs name\n\
                \n  # Another.\ntcp c s\r\nwatch c in|rdhup = ok\nwrite s 10 = 10\nwait \"it = came\"\n\tselect:\tr\n    poll level: \
                IN or IN|RDHUP\n    edge: -\n    rest: EINTR\nclose c\n    select poll: ok\n    level: EBADF\n";
    let lesson = parse(text).unwrap();
    assert_eq!(
        (lesson.name.as_str(), lesson.number, lesson.title.as_str()),
        ("partial-read", 2, "A title: with = and |")
    );
    assert_eq!((lesson.group.as_str(), lesson.about.len(), lesson.sources.len()), ("Reading", 2, 2));
    assert_eq!((lesson.so_what.as_str(), lesson.surprise.as_str()), ("So.", "Oh."));
    assert_eq!(lesson.code, [("src/lib.rs".to_owned(), "two words".to_owned())]);
    assert_eq!(lesson.tests, [("tests/a.rs".to_owned(), "name".to_owned())]);
    let lines: Vec<usize> = lesson.steps.iter().map(|step| step.line).collect();
    assert_eq!(lines, [17, 18, 19, 20, 25]);
    assert_eq!(lesson.watched(), ["c"]);
    let cell = |bits| Cell::Reported(vec![("c".to_owned(), bits)]);
    let told = vec![cell(Bits::IN), cell(Bits::IN | Bits::RDHUP)];
    let cells = [
        (Mechanism::Select, Expected::Cells(vec![cell(Bits::IN)])),
        (Mechanism::Poll, Expected::Cells(told.clone())),
        (Mechanism::Level, Expected::Cells(told)),
        (Mechanism::Edge, Expected::Cells(vec![Cell::SILENT])),
        (Mechanism::Oneshot, Expected::Cells(vec![Cell::Failed("EINTR".to_owned())])),
        (Mechanism::Mio, Expected::Cells(vec![Cell::Failed("EINTR".to_owned())])),
    ];
    assert_eq!(lesson.steps[3].expected, cells);
    let wait = Action::Wait { label: "it = came".to_owned(), max: None, ordered: false };
    assert_eq!(lesson.steps[3].action, wait);
    let answer = |text: &str| Expected::Answer(text.to_owned());
    assert_eq!(lesson.steps[2].expected, Mechanism::ALL.map(|mechanism| (mechanism, answer("10"))));
    let closed = [(Mechanism::Select, "ok"), (Mechanism::Poll, "ok"), (Mechanism::Level, "EBADF")];
    assert_eq!(lesson.steps[4].expected, closed.map(|(mechanism, text)| (mechanism, answer(text))));
}

#[test]
fn a_step_without_an_expectation_expects_nothing() {
    let lesson = read("tcp a b\nwatch a in\nwait \"now\"\n");
    assert!(lesson.steps.iter().all(|step| step.expected.is_empty()));
}

#[test]
fn the_answers_of_a_probe_are_lines() {
    let lesson = read("probe signals\n  all: one\n  select poll: two: three\n  edge: two\n");
    let [Step { expected, .. }] = lesson.steps.as_slice() else { panic!("{lesson:?}") };
    let answers: Vec<&str> = expected.iter().map(|(_, expected)| text_of(expected)).collect();
    assert_eq!(answers, ["one\ntwo: three", "one\ntwo: three", "one", "one\ntwo", "one", "one"]);
}

fn text_of(expected: &Expected) -> &str {
    match expected {
        Expected::Answer(answer) => answer,
        Expected::Cells(cells) => panic!("{cells:?} is no answer"),
    }
}

/// Every word of the language, each in a step that is right.
const EVERY_STEP: &str = "tcp t t2\nunix u u2\nseqpacket q q2\ndatagram d d2\nudp p p2\nudp-refused ur\nudp-alone ua\n\
    pipe r w\nfifo fr fw\npty m sl\neventfd e\nsemaphore se\nsignalfd si\ninotify i\nlistener l\nrefused re\nfile f\n\
    directory dir\nnull n\nzero z\nopath o\nconnect c1 l\nconnecting c2 l\naccept l a1\ndup t t3\nreuse u u4\nwrite t 5\n\
    write e 18446744073709551614\ntype m 2\nread t 16777216\npeek t 1\ndrain t\nfill w\ndrain r by 1024 until w\nurgent t\n\
    read-urgent t2\nsendto ua\nunread t\nerror t\nset t blocking\nset t oobinline\nset l defer-accept\nshutdown t read\n\
    shutdown t write\nshutdown t both\nclose t\nreset t2\nwatch t in|out|pri|rdhup\nmodify t out\nrearm t\nunwatch t\n\
    wait \"a\"\nwait \"a b\" max 2\nwait \"a\" ordered\nwait \"a\" max 64 ordered\nprobe signals\nsay what: = \"that\"\n";

#[test]
fn every_step_is_read_and_printed_in_the_same_words() {
    let lesson = read(EVERY_STEP);
    let text = print(&lesson);
    let (_, steps) = text.split_once("\n\n").unwrap();
    assert_eq!(steps, EVERY_STEP.replace("    ", ""));
    for (word, kind, _) in Kind::ALL {
        let made = |step: &&Step| matches!(&step.action, Action::Make { kind: one, .. } if *one == kind);
        assert!(lesson.steps.iter().any(|step| made(&step)), "{word} is missing");
    }
}

/// What is wrong, where, and what is said of it: the line counts from the one behind the title.
const WRONG: [(&str, usize, usize, &str); 50] = [
    ("tpc a b", 1, 1, "a step, such as `tcp a b`, `watch a in` or `wait \"now\"` (perhaps `tcp`), found `tpc`"),
    ("frobnicate a", 1, 1, "found `frobnicate`"),
    ("tcp a", 1, 6, "a name for the descriptor, found the end of the line"),
    ("tcp a a", 1, 7, "a name that no descriptor has yet, found `a`"),
    ("tcp a B", 1, 7, "a name: a letter, then letters, digits or `-`, all small, at most 16, found `B`"),
    ("tcp a 1b", 1, 7, "found `1b`"),
    ("tcp a abcdefghijklmnopq", 1, 7, "at most 16, found `abcdefghijklmnopq`"),
    ("tcp a b c", 1, 9, "the end of the step, or `=` and its answer, found `c`"),
    ("say a\n  all: b", 2, 8, "no answer: this step has none, found `b`"),
    ("tcp a b\nread c 1", 2, 6, "the name of a descriptor that a step above makes, found `c`"),
    ("tcp client b\nread cleint 1", 2, 6, "above makes (perhaps `client`), found `cleint`"),
    ("tcp a b\nread a", 2, 7, "a number of bytes, at most 16777216, found the end of the line"),
    ("tcp a b\nread a x", 2, 8, "a number of bytes, at most 16777216, found `x`"),
    ("tcp a b\nread a +1", 2, 8, "found `+1`"),
    ("tcp a b\nread a 16777217", 2, 8, "found `16777217`"),
    ("eventfd e\nwrite e 18446744073709551616", 2, 9, "at most 18446744073709551615, found"),
    ("tcp a b\nwrite a 1 =", 2, 12, "an answer, found the end of the line"),
    ("tcp a b\nwrite a 1 10", 2, 11, "the end of the step, or `=` and its answer, found `10`"),
    (
        "tcp a b\nwatch a",
        2,
        8,
        "`in`, `out`, `pri`, `rdhup`, or several with `|` between them, found the end of the line",
    ),
    ("tcp a b\nwatch a in|aus", 2, 12, "found `aus`"),
    ("tcp a b\nwatch a in|", 2, 12, "found the end of the line"),
    ("tcp a b\nset a loud", 2, 7, "one of blocking, oobinline, defer-accept, found `loud`"),
    ("tcp a b\nshutdown a all", 2, 12, "one of read, write, both, found `all`"),
    ("tcp a b\ndrain a by 5 till b", 2, 14, "`until`, found `till`"),
    ("unix a b\nreuse a abcdefghijkl", 2, 9, "at most 16, found `abcdefghijkl-peer`"),
    ("wait", 1, 5, "what happened in double quotes, found the end of the line"),
    ("wait now", 1, 6, "what happened in double quotes, found `now`"),
    ("wait \"now", 1, 7, "what happened in double quotes, ended by a quote, found `now`"),
    ("wait \" \"", 1, 7, "what happened in double quotes, found ` `"),
    ("wait \"now\" max", 1, 15, "a number, found the end of the line"),
    ("wait \"now\" max 0", 1, 16, "a number from 1 to 64, found `0`"),
    ("wait \"now\" max 1 max 1", 1, 18, "the end of the step"),
    ("wait \"now\" soon", 1, 12, "the end of the step, or `=` and its answer, found `soon`"),
    ("probe startvation", 1, 7, "the name of a probe (perhaps `starvation`), found `startvation`"),
    ("say", 1, 4, "text, found the end of the line"),
    ("  tcp a b", 1, 3, "a header or a step at the beginning of the line"),
    ("tcp a b\ntitle Again", 2, 1, "a step: the header ends where the steps begin, found `title`"),
    ("wait \"now\"\n    select r", 2, 5, "a row of what the step answers, such as `select: r`, found `select r`"),
    ("wait \"now\"\n    : -", 2, 5, "a mechanism before the colon, found `:`"),
    ("wait \"now\"\n    poll, level: -", 2, 5, "a mechanism (perhaps `poll`), found `poll,`"),
    ("wait \"now\"\n    poll eppoll: -", 2, 10, "a mechanism: select, poll, level, edge, oneshot, mio, all, rest"),
    ("wait \"now\"\n    poll poll: -", 2, 10, "a mechanism that has no answer here yet, found `poll`"),
    ("wait \"now\"\n    poll: -\n    all: -", 3, 5, "a mechanism that has no answer here yet, found `all`"),
    ("wait \"now\"\n    all: -\n    rest: -", 3, 5, "a mechanism: the rows above name them all, found `rest`"),
    ("wait \"now\"\n    select:", 2, 12, "what they answer, found the end of the line"),
    (
        "tcp a b\nwatch a in\nwait \"now\"\n    poll: IN|r",
        4,
        14,
        "what poll says (IN, PRI, OUT, ERR, HUP, RDHUP, NVAL), found `r`",
    ),
    ("tcp a b\nwatch a in\nwait \"now\"\n    select: - or q", 4, 18, "what select says (r, x, w), found `q`"),
    (
        "tcp a b\nwait \"now\"\n    poll: IN",
        3,
        11,
        "NAME:BITS, since this lesson does not watch exactly one descriptor",
    ),
    (
        "tcp a b\nwatch a in\nwait \"now\"\n    poll: b:IN",
        4,
        11,
        "the name of a descriptor that the lesson watches, found `b`",
    ),
    ("tcp a b\nwatch a in\nwait \"now\"\n    poll: a:IN a:OUT", 4, 16, "each descriptor once, found `a`"),
];

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (steps, line, column, message) in WRONG {
        let error = parse(&lesson(steps)).expect_err(steps);
        assert!(error.message.contains(message), "{steps}\n  says {}\n  and not {message}", error.message);
        assert_eq!((error.line, error.column), (line + 2, column), "{steps}: {error}");
        let words = error.message.starts_with("expected ") && error.message.contains(", found ");
        assert!(words && !error.message.contains('\n'), "{error}");
    }
}

#[test]
fn what_is_wrong_in_the_header_is_named_with_its_place() {
    let cases = [
        ("", 1, 1, "a line `lesson NAME` before the steps"),
        ("lesson a\ntitle b\n", 2, 1, "a step, such as `tcp a b`, found the end of the text"),
        ("title b\ntcp a b\n", 2, 1, "a line `lesson NAME` before the steps, found none"),
        ("lesson a\ntcp a b\n", 2, 1, "a line `title TEXT` before the steps, found none"),
        ("lesson A\n", 1, 8, "a name of small letters, digits and `-`, at most 40 characters, found `A`"),
        ("lesson a b\n", 1, 8, "found `a b`"),
        ("lesson\n", 1, 7, "text, found the end of the line"),
        ("lesson a\nlesson b\n", 2, 1, "one line `lesson` only"),
        ("lesson a\ntitle b\ntitle c\n", 3, 1, "one line `title` only"),
        ("number 0\n", 1, 8, "a number from 1 to 9999, found `0`"),
        ("number two\n", 1, 8, "a number from 1 to 9999, found `two`"),
        ("code src/lib.rs\n", 1, 16, "what to look for there, found the end of the line"),
        ("test tests/a.rs  \n", 1, 18, "the name of a test there, found the end of the line"),
        ("titel b\n", 1, 1, "(perhaps `title`), found `titel`"),
        ("title \u{1b}[2J\n", 1, 7, "text, found the control character U+001B"),
        ("title äöü\u{7}\n", 1, 10, "text, found the control character U+0007"),
    ];
    for (text, line, column, message) in cases {
        let error = parse(text).expect_err(text);
        assert!(error.message.contains(message), "{text}\n  says {}\n  and not {message}", error.message);
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
    }
    let shown = parse("lesson A\n").unwrap_err().to_string();
    assert!(shown.starts_with("line 1, column 8: expected a name of small letters"), "{shown}");
}

#[test]
fn the_limits_are_reached_and_not_passed() {
    let steps = |count: usize| lesson(&"say a\n".repeat(count));
    assert_eq!(parse(&steps(400)).unwrap().steps.len(), 400);
    let error = parse(&steps(401)).unwrap_err();
    assert_eq!((error.line, error.column), (403, 1));
    assert_eq!(error.message, "expected at most 400 steps, found `say`");

    let descriptors = |count: usize| lesson(&(0..count).map(|n| format!("eventfd e{n}\n")).collect::<String>());
    assert!(parse(&descriptors(64)).is_ok());
    let error = parse(&descriptors(65)).unwrap_err();
    assert_eq!((error.line, error.column), (67, 9));
    assert_eq!(error.message, "expected at most 64 descriptors, found `e64`");

    let long = |bytes: usize| {
        let text = lesson("say a\n# ");
        format!("{text}{}", "x".repeat(bytes - text.len()))
    };
    assert!(parse(&long(64 * 1024)).is_ok());
    let error = parse(&long(64 * 1024 + 1)).unwrap_err();
    assert_eq!(error.message, "expected at most 65536 bytes, found 65537 bytes");
    assert!(read("unix u v\nreuse u abcdefghijk\n").steps.len() == 2, "a name and its peer's may be 16 long");
    assert!(parse(&format!("lesson {}\ntitle a\nsay a\n", "a".repeat(40))).is_ok());
    assert!(parse(&format!("lesson {}\ntitle a\nsay a\n", "a".repeat(41))).is_err());
}

#[test]
fn a_lesson_is_found_by_name_or_number_and_a_slip_is_understood() {
    assert_eq!(lessons::named("partial-read").map(|lesson| lesson.number), Ok(2));
    assert_eq!(lessons::named("2").map(|lesson| lesson.name.as_str()), Ok("partial-read"));
    let error = lessons::named("partail-read").unwrap_err();
    assert!(error.starts_with("no lesson is called `partail-read`, perhaps `partial-read`; `lab list`"), "{error}");
    assert!(!lessons::named("0").unwrap_err().contains("perhaps"));
}

#[test]
fn the_shipped_lessons_are_printed_and_read_again() {
    for lesson in lessons::all() {
        let again = parse(&print(lesson)).unwrap_or_else(|error| panic!("{}: {error}", lesson.name));
        assert_eq!(unplaced(again), unplaced(lesson.clone()), "{}", lesson.name);
    }
}

/// A word or a break of the format, or anything.
fn scrap() -> impl Strategy<Value = String> {
    let words = EVERY_STEP.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    prop_oneof![
        4 => prop::sample::select(words),
        2 => prop::sample::select(vec!["\n", "\n    ", " ", ":", "|", " = ", "\"", "\n    all: ", "title a", "lesson b"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(scraps in prop::collection::vec(scrap(), 0..80), gap in "[ \n]?") {
        let text = scraps.join(&gap);
        match parse(&text) {
            Ok(lesson) => prop_assert!(!lesson.steps.is_empty()),
            Err(error) => {
                let lines = text.lines().count().max(1);
                prop_assert!((1..=lines).contains(&error.line), "{error} in a text of {lines} lines");
                let width = text.lines().nth(error.line - 1).map_or(0, |line| line.chars().count());
                prop_assert!((1..=width + 1).contains(&error.column), "{error} in a line of {width}");
            }
        }
    }

    #[test]
    fn a_shipped_lesson_that_was_damaged_makes_no_panic(
        which in 0..lessons::TEXTS.len(),
        at in any::<prop::sample::Index>(),
        length in 0usize..8,
        scrap in scrap(),
    ) {
        let mut characters: Vec<char> = lessons::TEXTS[which].chars().collect();
        let at = at.index(characters.len());
        let end = characters.len().min(at + length);
        characters.splice(at..end, scrap.chars());
        let _ = parse(&characters.into_iter().collect::<String>());
    }
}

/// A lesson out of numbers, whatever they are, with every kind of expectation.
fn made_of(numbers: &[(usize, u64, Vec<u8>)], texts: &[String]) -> Lesson {
    let text = |at: usize| texts[at % texts.len()].clone();
    let mut lesson = Lesson {
        name: "made".to_owned(),
        number: u32::try_from(numbers.len()).unwrap(),
        title: text(0),
        group: text(1),
        about: texts.to_vec(),
        so_what: text(2),
        surprise: text(3),
        sources: vec![text(4)],
        code: vec![("src/lib.rs".to_owned(), text(5))],
        tests: vec![("tests/tidy.rs".to_owned(), text(6))],
        steps: Vec::new(),
    };
    for (which, number, answers) in numbers {
        let name = "w0".to_owned();
        let action = match which % 5 {
            0 => Action::Probe { name: "signals".to_owned() },
            1 => Action::Say { text: text(*which) },
            2 => Action::Write { name, bytes: number % (16 * 1024 * 1024) },
            3 => Action::Close { name },
            _ => {
                let max = usize::try_from(number % 64).ok().filter(|max| *max > 0);
                Action::Wait { label: text(*which), max, ordered: number % 3 == 0 }
            }
        };
        lesson.steps.push(Step { line: 0, expected: expectations(&action, answers, texts), action });
    }
    let make = |action| Step { line: 0, action, expected: Vec::new() };
    let watch = |name: &str| make(Action::Watch { name: name.to_owned(), interest: Bits::IN | Bits::RDHUP });
    let names = vec!["w0".to_owned(), "w1".to_owned()];
    let mut steps = vec![make(Action::Make { kind: Kind::Unix, names }), watch("w0")];
    // With one that is watched cells are written without names, with two they have them.
    if numbers.len() % 2 == 1 {
        steps.push(watch("w1"));
    }
    lesson.steps.splice(0..0, steps);
    if numbers.len() % 2 == 0 {
        lesson.steps.retain(|step| step.expected.iter().all(|(_, expected)| !names_second(expected)));
    }
    lesson
}

fn names_second(expected: &Expected) -> bool {
    matches!(expected, Expected::Cells(cells) if cells.iter().any(|cell| !cell.of("w1").is_none()))
}

fn expectations(action: &Action, answers: &[u8], texts: &[String]) -> Vec<(Mechanism, Expected)> {
    let one = |(mechanism, answer): (Mechanism, &u8)| {
        let answer = usize::from(*answer);
        let bits = |salt: usize| {
            let words = Bits::words(mechanism.vocabulary());
            Bits::parse(words[(answer + salt) % words.len()], mechanism.vocabulary()).unwrap()
        };
        let cells = [
            Cell::SILENT,
            Cell::Failed("EBADF".to_owned()),
            Cell::Reported(vec![("w0".to_owned(), bits(0) | bits(1))]),
            Cell::Reported(vec![("w1".to_owned(), bits(2)), ("w0".to_owned(), bits(3))]),
        ];
        let expected = match action {
            Action::Say { .. } => return None,
            Action::Wait { .. } if answer % 5 == 0 => Expected::Cells(cells[..2].to_vec()),
            Action::Wait { .. } => Expected::Cells(vec![cells[answer % 4].clone()]),
            Action::Probe { .. } if answer % 2 == 0 => Expected::Answer(texts.join("\n")),
            _ => Expected::Answer(texts[answer % texts.len()].clone()),
        };
        (answer % 7 != 0).then_some((mechanism, expected))
    };
    Mechanism::ALL.into_iter().zip(answers).filter_map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_again(
        numbers in prop::collection::vec((any::<usize>(), any::<u64>(), prop::collection::vec(any::<u8>(), 6)), 1..40),
        texts in prop::collection::vec("[a-zA-Z0-9:|=#-][a-zA-Z0-9 :|=,.ä#-]{0,20}[a-z0-9:|=]", 7),
    ) {
        let lesson = made_of(&numbers, &texts);
        let text = print(&lesson);
        let again = parse(&text).map_err(|error| TestCaseError::fail(format!("{error} in\n{text}")))?;
        prop_assert_eq!(unplaced(again), lesson);
    }
}

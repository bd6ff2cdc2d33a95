//! What is shown on a terminal: that it fits, that nothing is missing, and that what matters can be seen without colours.

use crate::kit::{self, Action, Bits, Cell, Expected, Happened, Lesson, Mechanism, Run, Truth, lessons, parse};
use crate::terminal::{self, Look, Paper, Sight};
use std::sync::OnceLock;

const PLAIN: Look = Look { width: 80, color: false, ascii: false };

/// All lessons as the oracle says that they go, which takes no time; where it does not know, as their tables say.
fn all_runs() -> &'static Vec<(Lesson, Vec<Run>)> {
    static RUNS: OnceLock<Vec<(Lesson, Vec<Run>)>> = OnceLock::new();
    RUNS.get_or_init(|| lessons::all().iter().map(|lesson| (lesson.clone(), as_written(lesson))).collect())
}

/// What a lesson's own table says, as if it had been played.
fn as_written(lesson: &Lesson) -> Vec<Run> {
    let step_of = |mechanism: Mechanism, step: &kit::Step| {
        let expected = step.expected.iter().find(|(of, _)| *of == mechanism).map(|(_, expected)| expected.clone());
        let mut happened = Happened::default();
        match (&step.action, expected) {
            (Action::Wait { .. }, Some(Expected::Cells(cells))) => happened.reported = cells.into_iter().next(),
            (Action::Wait { .. }, _) => happened.reported = Some(Cell::SILENT),
            (_, Some(Expected::Answer(answer))) => happened.answer = Some(answer),
            _ => {}
        }
        let everyone =
            lesson.watched().into_iter().map(|name| truth(name, 307_232, Bits::IN | Bits::OUT | Bits::RDHUP));
        happened.truth = everyone.collect();
        if happened.reported == Some(Cell::SILENT) {
            happened.stranded = lesson.watched().into_iter().map(str::to_owned).collect();
        }
        happened
    };
    let run = |mechanism| Run { mechanism, steps: lesson.steps.iter().map(|step| step_of(mechanism, step)).collect() };
    Mechanism::ALL.into_iter().map(run).collect()
}

fn truth(name: &str, unread: u64, ready: Bits) -> Truth {
    Truth { name: name.to_owned(), ready, unread: Some(unread), watched: Some(Bits::IN | Bits::OUT) }
}

/// A lesson on paper: the whole of what `lab run` shows.
fn shown(lesson: &Lesson, runs: &[Run], look: Look) -> String {
    let mechanisms: Vec<Mechanism> = runs.iter().map(|run| run.mechanism).collect();
    let forecasts: Vec<_> = mechanisms.iter().map(|one| (*one, kit::forecast(lesson, *one))).collect();
    let mut paper = Paper::new(look);
    terminal::before(&mut paper, lesson);
    terminal::draw(&mut paper, &Sight::new(lesson, runs, &forecasts));
    terminal::after(&mut paper, lesson);
    paper.display()
}

fn table(lesson: &Lesson, runs: &[Run], look: Look) -> String {
    let mut paper = Paper::new(look);
    terminal::table::draw(&mut paper, &Sight::new(lesson, runs, &[]));
    paper.display()
}

fn diff(lesson: &Lesson, runs: &[Run], look: Look) -> String {
    let mechanisms: Vec<Mechanism> = runs.iter().map(|run| run.mechanism).collect();
    let forecasts: Vec<_> = mechanisms.iter().map(|one| (*one, kit::forecast(lesson, *one))).collect();
    let mut paper = Paper::new(look);
    terminal::diff::draw(&mut paper, &Sight::new(lesson, runs, &forecasts));
    paper.display()
}

/// One descriptor, two waits, of which edge hears nothing in the second.
const PARTIAL: &str = "lesson partial
title A part is read
tcp c s
watch c in
write s 10 = 10
wait \"ten bytes\"
    select: r
    poll level edge oneshot: IN
    mio: readable
read c 4 = 4
wait \"six are left\"
    select: r
    poll level: IN
    edge oneshot mio: -
";

fn partial() -> (Lesson, Vec<Run>) {
    let lesson = parse(PARTIAL).unwrap();
    let mut runs = as_written(&lesson);
    for run in &mut runs {
        for (index, happened) in run.steps.iter_mut().enumerate() {
            let unread = [0, 0, 10, 10, 6, 6][index];
            happened.truth = vec![truth("c", unread, Bits::IN.when(unread > 0) | Bits::OUT)];
            happened.stranded.retain(|_| index == 5);
        }
    }
    (lesson, runs)
}

#[track_caller]
fn line_with<'a>(text: &'a str, part: &str) -> &'a str {
    text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("{part:?} is not in:\n{text}"))
}

#[test]
fn nothing_is_wider_than_the_screen() {
    for (lesson, runs) in all_runs() {
        for width in [20, 33, 50, 64, 80, 100, 200] {
            let look = Look { width, ..PLAIN };
            let views = [shown(lesson, runs, look), table(lesson, runs, look), diff(lesson, &runs[2..4], look)];
            for line in views.iter().flat_map(|view| view.lines()) {
                assert!(line.chars().count() <= width, "{} at {width} columns: {line:?}", lesson.name);
            }
        }
    }
}

#[test]
fn without_colours_there_is_no_escape_and_without_utf8_there_is_only_ascii() {
    for (lesson, runs) in all_runs() {
        let text = shown(lesson, runs, Look { ascii: true, ..PLAIN });
        assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text}");
        let coloured = shown(lesson, runs, Look { color: true, ..PLAIN });
        assert_eq!(without_escapes(&coloured), shown(lesson, runs, PLAIN), "colours change nothing else");
    }
}

fn without_escapes(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

#[test]
fn the_same_signs_stand_for_the_same_things_in_ascii() {
    let (lesson, runs) = partial();
    let (full, poor) = (shown(&lesson, &runs, PLAIN), shown(&lesson, &runs, Look { ascii: true, ..PLAIN }));
    for (left, right) in full.lines().zip(poor.lines()) {
        assert_eq!(left.chars().count(), right.chars().count(), "columns stay columns: {left:?} {right:?}");
    }
    assert!(line_with(&poor, "c ===== 10").contains("* IN"), "{poor}");
}

#[test]
fn every_report_of_every_wait_is_to_be_found() {
    for (lesson, runs) in all_runs() {
        let text: String = shown(lesson, runs, Look { width: 200, ..PLAIN });
        for (run, (step, happened)) in
            runs.iter().flat_map(|run| lesson.steps.iter().zip(&run.steps).map(move |s| (run, s)))
        {
            let Some(Cell::Reported(list)) = &happened.reported else { continue };
            for (name, bits) in list {
                let words = bits.display(run.mechanism.vocabulary());
                let words = if lesson.is_named() { format!("{name}:{words}") } else { words };
                assert!(text.contains(&words), "{}, line {}: {words} is not in:\n{text}", lesson.name, step.line);
            }
        }
    }
}

#[test]
fn six_mechanisms_stand_beside_each_other_on_80_columns() {
    let (lesson, runs) = partial();
    let text = shown(&lesson, &runs, PLAIN);
    let heading = line_with(&text, "unread");
    let row = line_with(&text, "██ 10");
    for mechanism in Mechanism::ALL {
        // Each name stands above its own marks.
        let column = heading.find(&format!(" {}", mechanism.short())).unwrap() + 1;
        let mark: String = row.chars().skip(column).take_while(|letter| *letter != '\u{0}').collect();
        assert!(mark.starts_with('●'), "{mechanism}: {mark:?} in\n{text}");
    }
}

#[test]
fn what_is_ready_and_will_not_be_told_is_marked_even_without_colours() {
    let (lesson, runs) = partial();
    let text = shown(&lesson, &runs, PLAIN);
    let (told, left) = (line_with(&text, "██ 10"), line_with(&text, "·· 6"));
    assert_eq!((told.matches('!').count(), told.matches('●').count()), (0, 6), "{told}");
    assert_eq!((left.matches("○!").count(), left.matches('●').count()), (3, 3), "{left}");
    assert!(text.contains("! something is ready"), "the sign is explained: {text}");
    let coloured = shown(&lesson, &runs, Look { color: true, ..PLAIN });
    assert_eq!(coloured.matches("\x1b[1;31m○\x1b[0m\x1b[1;31m!").count(), 3, "in red: {coloured}");
}

#[test]
fn who_was_told_just_now_is_not_lost() {
    let (lesson, mut runs) = partial();
    runs[3].steps[3].stranded = vec!["c".to_owned()];
    let text = shown(&lesson, &runs[3..4], PLAIN);
    assert!(!line_with(&text, "██ 10").contains('!'), "{text}");
}

#[test]
fn an_answer_that_is_not_expected_is_marked_and_the_expected_one_is_named() {
    let (lesson, mut runs) = partial();
    runs[3].steps[5].reported = Some(Cell::Reported(vec![("c".to_owned(), Bits::IN)]));
    runs[1].steps[2].answer = Some("EPIPE".to_owned());
    let text = shown(&lesson, &runs, PLAIN);
    assert_eq!(line_with(&text, "·· 6").matches('≠').count(), 1, "{text}");
    line_with(&text, "edge: expected -, found IN");
    line_with(&text, "poll: expected 10, found EPIPE");
    let right = partial();
    assert!(!shown(&right.0, &right.1, PLAIN).contains('≠'));
}

#[test]
fn a_wait_that_fails_is_not_one_that_is_silent() {
    let (lesson, mut runs) = partial();
    runs[0].steps[5].reported = Some(Cell::Failed("EBADF".to_owned()));
    assert!(line_with(&shown(&lesson, &runs, PLAIN), "·· 6").contains("✗≠EBADF"));
}

#[test]
fn a_narrow_screen_has_the_mechanisms_below_each_other() {
    let (lesson, runs) = partial();
    let text = shown(&lesson, &runs, Look { width: 40, ..PLAIN });
    line_with(&text, "● poll level edge oneshot: IN");
    line_with(&text, "○!edge oneshot mio");
}

#[test]
fn the_lost_are_named_where_there_are_several() {
    let lesson = parse("lesson two\ntitle Two\npipe a b\npipe c d\nwatch a in\nwatch c in\nwait \"now\"\n").unwrap();
    let mut run = as_written(&lesson).remove(3);
    run.steps[4].reported = Some(Cell::Reported(vec![("a".to_owned(), Bits::IN)]));
    run.steps[4].stranded = vec!["c".to_owned()];
    let text = shown(&lesson, std::slice::from_ref(&run), PLAIN);
    assert!(line_with(&text, "a:IN").contains("● a:IN"), "{text}");
    line_with(&text, " !c");
    run.steps[4].reported = Some(Cell::SILENT);
    line_with(&shown(&lesson, &[run], PLAIN), "○!c");
}

#[test]
fn a_state_that_others_do_not_share_is_said_apart() {
    let (lesson, mut runs) = partial();
    runs[4].steps[5].truth[0].unread = Some(3);
    let text = shown(&lesson, &runs, PLAIN);
    line_with(&text, "but under oneshot:");
    line_with(&text, "█···· 3");
}

#[test]
fn two_mechanisms_part_where_one_of_them_is_silent_and_the_reason_is_said() {
    let (lesson, runs) = partial();
    let text = diff(&lesson, &[runs[2].clone(), runs[3].clone()], PLAIN);
    assert!(!line_with(&text, "ten bytes").contains('≠'), "{text}");
    assert!(line_with(&text, "six are left").contains('≠'), "{text}");
    assert!(text.contains("part in 1 of 2 waits"), "{text}");
    for rule in [kit::Rule::LevelRepeats, kit::Rule::EdgeOnce] {
        assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" ").matches(rule.title()).count(), 1, "{text}");
    }
}

#[test]
fn other_words_for_the_same_are_no_difference() {
    let (lesson, mut runs) = partial();
    let report = |bits| Some(Cell::Reported(vec![("c".to_owned(), bits)]));
    for (left, right, apart) in [
        (Mechanism::Poll, Bits::IN | Bits::HUP | Bits::RDHUP, 1),
        (Mechanism::Select, Bits::IN, 0),
        (Mechanism::Select, Bits::OUT, 1),
        (Mechanism::Mio, Bits::IN | Bits::HUP | Bits::RDHUP, 0),
        (Mechanism::Mio, Bits::IN | Bits::RDHUP, 1),
        (Mechanism::Level, Bits::IN | Bits::HUP, 0),
    ] {
        let index = Mechanism::ALL.iter().position(|mechanism| *mechanism == left).unwrap();
        runs[index].steps[3].reported = report(right);
        let mut other = runs[3].clone();
        other.steps[3].reported = report(Bits::IN | Bits::HUP);
        let text = diff(&lesson, &[runs[index].clone(), other], PLAIN);
        assert_eq!(line_with(&text, "ten bytes").matches('≠').count(), apart, "{left} {right:?}:\n{text}");
    }
}

#[test]
fn findings_that_are_words_become_a_table_and_sentences_stay_below_each_other() {
    let lesson = parse("lesson probing\ntitle Probing\nprobe arrivals\n").unwrap();
    let mut runs = as_written(&lesson);
    for run in &mut runs {
        let word = if run.mechanism.is_level() { "yes" } else { "no" };
        run.steps[0].answer = Some(format!("tcp: {word}\npipe: {word}"));
    }
    let text = shown(&lesson, &runs, PLAIN);
    assert!(line_with(&text, "tcp").contains("yes") && line_with(&text, "tcp").contains("no"), "{text}");
    for run in &mut runs {
        run.steps[0].answer = Some(format!("{} found this out\nand that", run.mechanism));
    }
    let text = shown(&lesson, &runs, PLAIN);
    assert_eq!(text.matches("· and that").count(), Mechanism::ALL.len(), "{text}");
}

/// The lane beside the one wait of a lesson in which c is watched so, and this is true of it.
fn lane(kind: &str, interest: &str, ready: Bits, unread: Option<u64>) -> String {
    let text = format!("lesson lane\ntitle Lane\n{kind}\nwatch c {interest}\nwait \"now\"\n");
    let lesson = parse(&text).unwrap();
    let mut runs = as_written(&lesson);
    for run in &mut runs {
        run.steps.iter_mut().for_each(|happened| happened.truth.clear());
        run.steps[2].truth = vec![Truth { unread, ..truth("c", 0, ready) }];
    }
    let text = shown(&lesson, &runs, PLAIN);
    let row = text.lines().skip_while(|line| !line.contains("wait: now")).nth(1).unwrap();
    row.split('○').next().unwrap().trim().to_owned()
}

#[test]
fn the_lane_says_what_was_true_whoever_was_told() {
    let end = Bits::IN | Bits::RDHUP;
    assert_eq!(lane("tcp c s", "in", Bits::IN | Bits::OUT, Some(7)), "c █████ 7");
    assert_eq!(lane("tcp c s", "in|out", Bits::OUT, Some(0)), "c ····· 0, room");
    assert_eq!(lane("tcp c s", "in", end, Some(0)), "c ····· 0, FIN");
    assert_eq!(lane("tcp c s", "in", end | Bits::HUP, Some(0)), "c ····· 0, over");
    assert_eq!(lane("tcp c s", "in", end | Bits::HUP | Bits::ERR, Some(0)), "c ····· 0, RST");
    assert_eq!(lane("udp c s", "in", Bits::ERR, Some(0)), "c ····· 0, error");
    assert_eq!(lane("tcp c s", "in", Bits::PRI, Some(0)), "c ····· 0, urgent");
    assert_eq!(lane("listener c", "in", Bits::IN, None), "c ready");
}

//! The storms: that the undefended side is one, and the other is not, on every backend. By counts, whatever the machine
//! is busy with.

#[path = "../../examples/lab/storm/mod.rs"]
#[allow(dead_code, unused_imports, reason = "what only the program uses")]
mod storm;

use clap::{Parser, ValueEnum};
use std::env;
use std::io;
use std::process::Command;
use std::time::Duration;
use storm::{Error, Options, Outcome, Scene, Storm, Tally};
use tripoll::poller::{AnyPoller, Features, Poller};
use tripoll::{Backend, Settings};

/// Long enough for a thread that gets a hundredth of a processor.
const TIME: Duration = Duration::from_millis(200);

/// The side that a process was started for: the arguments that the program itself would get.
const INSIDE: &str = "TRIPOLL_TEST_STORM";

/// As the program has it, below its own options.
#[derive(Debug, Parser)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

fn parse(arguments: &str) -> Result<Options, clap::Error> {
    let words = ["storm"].into_iter().chain(arguments.split_whitespace());
    CommandLine::try_parse_from(words).map(|line| line.options)
}

/// This very program, told to play one side.
fn launch(storm: Storm, index: usize, scene: &Scene) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--exact", "storms::a_side_in_a_process_of_its_own", "--ignored", "--nocapture"]);
    let (name, backend, seconds) = (storm.name(), scene.backend, scene.time.as_secs_f64());
    command.env(INSIDE, format!("{name} --inside {index} --backend {backend} --seconds {seconds}"));
    Ok(command)
}

#[test]
#[ignore = "started by the tests that need a process to themselves"]
fn a_side_in_a_process_of_its_own() {
    if let Ok(arguments) = env::var(INSIDE) {
        storm::run(&parse(&arguments).unwrap(), &mut io::stdout()).unwrap();
    }
}

fn try_play(storm: Storm, backend: Backend) -> Result<Outcome, Error> {
    storm.play(&Scene { backend, time: TIME, launch }, &mut |_| Ok(()))
}

/// The storm on all backends, where it has to be possible but on these.
fn play(storm: Storm, impossible: &[Backend]) -> Vec<(Backend, Outcome)> {
    let mut outcomes = Vec::new();
    for backend in Backend::available() {
        match try_play(storm, backend) {
            Ok(outcome) => outcomes.push((backend, outcome)),
            Err(e @ Error::Impossible { .. }) => assert!(impossible.contains(&backend), "{e}"),
            Err(e) => panic!("{backend}: {e}"),
        }
    }
    assert_eq!(outcomes.len() + impossible.len(), Backend::available().count());
    outcomes
}

/// Woken again and again for nothing, for as long as it had a processor. On a busy machine that may be a moment.
fn assert_spins(tally: &Tally) {
    assert!(tally.wakeups > 30 && tally.system_calls >= tally.wakeups, "{tally:?}");
    assert!(tally.wakeups as f64 > 30_000.0 * tally.cpu_seconds, "{tally:?}");
}

/// Woken a few times, as any loop is.
fn assert_sleeps(tally: &Tally) {
    assert!(tally.wakeups < 30 && tally.system_calls < 100, "{tally:?}");
}

fn assert_all_done(tally: &Tally) {
    assert_eq!(Some(tally.work.done), tally.work.of, "{tally:?}");
}

#[test]
fn writable_interest_that_is_left_on_spins() {
    for (_, outcome) in play(Storm::WritableLeftOn, &[]) {
        assert_spins(&outcome.off);
        assert_sleeps(&outcome.on);
        assert_all_done(&outcome.off);
        assert_all_done(&outcome.on);
    }
}

#[test]
fn accepting_at_the_limit_spins_or_strands() {
    for (backend, outcome) in play(Storm::AcceptAtEmfile, &[]) {
        assert_spins(&outcome.off);
        assert_all_done(&outcome.off);
        assert_sleeps(&outcome.on);
        assert_all_done(&outcome.on);
        let edges = AnyPoller::new(backend).unwrap().features().contains(Features::EDGE);
        let edge = outcome.variant("off, edge");
        assert_eq!(edge.is_some(), edges, "{backend}");
        if let Some(edge) = edge {
            assert_sleeps(edge);
            assert_eq!((edge.work.done, edge.work.of), (0, Some(20)), "{edge:?}");
        }
        let shed = outcome.variant("on, shed").unwrap();
        assert_sleeps(shed);
        assert_eq!((shed.work.done, shed.end.as_str()), (0, "all were sent away at once"));
    }
}

#[test]
fn a_hang_up_on_a_paused_connection_spins() {
    for (_, outcome) in play(Storm::HangUpOnPaused, &[Backend::Select, Backend::Mio]) {
        assert_spins(&outcome.off);
        assert_sleeps(&outcome.on);
        assert_all_done(&outcome.off);
        assert_all_done(&outcome.on);
    }
}

#[test]
fn an_edge_that_is_not_drained_leaves_the_client_waiting() {
    for (_, outcome) in play(Storm::UndrainedEdge, &[Backend::Select, Backend::Poll]) {
        assert_sleeps(&outcome.off);
        assert_eq!(outcome.off.work.done, 1024, "{:?}", outcome.off);
        assert_all_done(&outcome.on);
        assert_eq!(outcome.on.work.done, 32 * 1024);
    }
}

#[test]
fn a_queue_without_a_cap_takes_everything() {
    let cap = Settings::default().queue_max as u64;
    for (_, outcome) in play(Storm::SlowReader, &[]) {
        let peak = |tally: &Tally| tally.queued_peak.unwrap();
        assert!(peak(&outcome.off) > 8 * cap, "{:?}", outcome.off);
        assert!(outcome.off.queued.is_sorted(), "{:?}", outcome.off);
        assert!(peak(&outcome.on) <= cap && peak(&outcome.on) > cap / 2, "{:?}", outcome.on);
        assert_eq!(outcome.on.queued.last(), Some(&0));
        assert!(outcome.on.end.contains("read too slowly"), "{:?}", outcome.on);
        assert_all_done(&outcome.off);
        assert_all_done(&outcome.on);
    }
}

#[test]
fn who_hogs_a_loop_without_a_budget_has_it_for_himself() {
    for (_, outcome) in play(Storm::Hog, &[]) {
        let waited = |tally: &Tally| tally.longest_wait.unwrap();
        assert_eq!(outcome.off.work.done, 0, "{:?}", outcome.off);
        assert!(waited(&outcome.off) >= TIME.as_secs_f64(), "{:?}", outcome.off);
        assert!(outcome.on.work.done > 0, "{:?}", outcome.on);
        // Every few turns an echo, each of which read no more than the budget of the hog.
        assert!(outcome.on.wakeups < 4 * outcome.on.work.done + 10, "{:?}", outcome.on);
        assert!(outcome.off.wakeups < 10, "{:?}", outcome.off);
    }
}

#[test]
fn a_timeout_that_is_rounded_down_spins() {
    for (_, outcome) in play(Storm::RoundedDown, &[]) {
        assert_spins(&outcome.off);
        assert!(outcome.off.wakeups > 10 * outcome.off.work.done, "{:?}", outcome.off);
        assert!(outcome.on.work.done > 0);
        assert!(outcome.on.wakeups <= 2 * outcome.on.work.done + 10, "{:?}", outcome.on);
    }
}

#[test]
fn what_a_storm_points_at_exists() {
    for storm in Storm::ALL {
        let script = storm.script();
        for place in [&script.mistake, &script.code, &script.test] {
            assert!(place.line().is_some(), "{}: nothing like {:?} in {}", storm.name(), place.find, place.path);
        }
        let (code, wrong) = script.mistaken_line();
        assert!(!code.is_empty() && !wrong.is_empty() && !code.contains("//"), "{code} // {wrong}");
        assert_eq!(script.mistake.path.split('/').next(), Some("examples"));
        assert_eq!(script.code.path.split('/').next(), Some("src"));
        assert_eq!(script.test.path.split('/').next(), Some("tests"));
    }
}

#[test]
fn the_list_names_every_storm_and_each_can_be_asked_for_by_its_name() {
    let mut out = Vec::new();
    storm::run(&parse("").unwrap(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    for storm in Storm::ALL {
        assert!(out.contains(storm.name()) && out.contains(storm.script().title), "{out}");
        assert_eq!(parse(storm.name()).unwrap().name, Some(storm));
        assert_eq!(serde_json::to_value(storm).unwrap(), storm.name());
    }
    assert_eq!(Storm::value_variants(), Storm::ALL);
}

#[test]
fn a_storm_is_shown_within_80_columns() {
    for arguments in ["hang-up-on-paused --backend poll --seconds 0.1", "slow-reader --seconds 0.1"] {
        let mut out = Vec::new();
        storm::run(&parse(arguments).unwrap(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let long: Vec<_> = out.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{long:?}");
        for part in ["defence ", "wake-ups", "of a processor", "Seen ", "So what ", "Mistake ", "Defence ", "Test "] {
            assert!(out.contains(part), "{part:?} is missing: {out}");
        }
        assert!(!out.contains('\u{1b}'));
    }
}

#[test]
fn the_figures_are_there_for_programs_too() {
    let mut out = Vec::new();
    storm::run(&parse("undrained-edge --json --backend epoll --seconds 0.1").unwrap(), &mut out).unwrap();
    let outcome: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&outcome["name"], &outcome["backend"]), (&"undrained-edge".into(), &"epoll".into()));
    assert_eq!((&outcome["off"]["defended"], &outcome["on"]["defended"]), (&false.into(), &true.into()));
    assert_eq!(outcome["on"]["work"]["done"], 32 * 1024);
}

#[test]
fn what_cannot_be_played_is_refused_in_one_line() {
    let refusal = |backend| try_play(Storm::UndrainedEdge, backend).unwrap_err().to_string();
    assert_eq!(
        refusal(Backend::Poll),
        "the storm undrained-edge cannot happen on poll: it reports no edges; try --backend epoll"
    );
    let mut out = Vec::new();
    let options = parse("hang-up-on-paused --backend select").unwrap();
    assert!(matches!(storm::run(&options, &mut out), Err(Error::Impossible { .. })));
    assert!(out.is_empty(), "nothing is begun that cannot be played");
    for (arguments, what) in [
        ("hog --seconds 0.01", "0.1 to 10 seconds"),
        ("hog --seconds 11", "0.1 to 10 seconds"),
        ("hog --seconds NaN", "0.1 to 10 seconds"),
        ("hog --seconds soon", "a number of seconds"),
        ("hog --backend kqueue", "choose one of select, poll, epoll, mio"),
        ("tornado", "invalid value 'tornado'"),
    ] {
        let error = parse(arguments).unwrap_err().to_string();
        assert!(error.contains(what), "{arguments}: {error}");
    }
}

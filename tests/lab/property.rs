//! Random sequences of steps, played on the kernel: every wait has to answer what the oracle has forecast.
//!
//! The oracle is also held to what is true of each descriptor after each step, whether anybody waits for it or not: a
//! disagreement there is found where it arises, and not at the wait that shows it.

use crate::kit::{self, Action, Bits, Cell, Expected, Lesson, Mechanism, Oracle, Rule, Run, print};
use crate::random::{self, Gene};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::Cell as Counter;
use std::collections::BTreeSet;
use std::fmt;

/// So many steps has a lesson at most.
const STEPS: usize = 80;

/// A number from the environment: `LAB_STEPS`, how many steps the long run has; `LAB_SEED`, which random lessons it plays.
fn chosen(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// What was played.
#[derive(Debug, Default)]
struct Played {
    steps: Counter<usize>,
    waits: Counter<usize>,
    /// Waits of which the oracle forecast that they report something.
    reports: Counter<usize>,
    /// Waits of which it forecast more than one answer.
    open: Counter<usize>,
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [steps, waits, reports, open] = [&self.steps, &self.waits, &self.reports, &self.open].map(Counter::get);
        write!(
            f,
            "{steps} steps, {waits} waits, of which {reports} with a report, and {open} that may end in several ways"
        )
    }
}

fn add(counter: &Counter<usize>, count: usize) {
    counter.set(counter.get() + count);
}

/// Plays random lessons until they have had this many steps.
fn play(mechanism: Mechanism, steps: usize, seed: usize) -> Played {
    let config =
        Config { failure_persistence: None, max_shrink_iters: 2000, max_shrink_time: 20_000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(seed as u64).to_le_bytes());
    let rng = TestRng::from_seed(config.rng_algorithm, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let played = Played::default();
    let strategy = random::genes(STEPS);
    while played.steps.get() < steps {
        let tree = strategy.new_tree(&mut runner).expect("there are no rejected values");
        match runner.run_one(tree, |genes: Vec<Gene>| check(&genes, mechanism, &played)) {
            Ok(_) => {}
            // The steps say more than the numbers that they were made of.
            Err(TestError::Fail(reason, _)) => panic!("{reason}"),
            Err(error) => panic!("{error}"),
        }
    }
    played
}

fn check(genes: &[Gene], mechanism: Mechanism, played: &Played) -> Result<(), TestCaseError> {
    let lesson = random::lesson(genes, mechanism);
    let fail = |what: String| TestCaseError::fail(format!("under {mechanism}: {what}\n{}", print(&lesson)));
    let run = kit::run(&lesson, mechanism).map_err(|error| fail(error.to_string()))?;
    compare(&lesson, &run, played).map_err(fail)
}

/// What the run saw, against what the oracle says when it is told step by step what the run saw.
fn compare(lesson: &Lesson, run: &Run, played: &Played) -> Result<(), String> {
    let mut oracle = Oracle::new(run.mechanism);
    for (step, happened) in lesson.steps.iter().zip(&run.steps) {
        let words = kit::words(&step.action);
        let forecast = oracle.at(step.line).step(&step.action);
        if let (Some(found), Action::Wait { ordered, .. }) = (&happened.reported, &step.action) {
            let Some(forecast) = forecast else {
                return Err(format!("step {}, {words}: nothing is forecast", step.line));
            };
            add(&played.waits, 1);
            add(&played.reports, usize::from(!forecast.cells[0].is_silent()));
            add(&played.open, usize::from(forecast.cells.len() > 1));
            if !oracle.observe(found, *ordered) {
                let shown = |cell: &Cell| cell.display(run.mechanism, true);
                let expected: Vec<String> = forecast.cells.iter().map(shown).collect();
                let why: Vec<&str> = forecast.why.iter().map(|why| why.text.as_str()).collect();
                return Err(format!(
                    "step {}, {words}: expected {}, found {}\n{}",
                    step.line,
                    expected.join(" or "),
                    shown(found),
                    why.join("\n"),
                ));
            }
        }
        add(&played.steps, 1);
        let worlds = oracle.truth();
        let agrees = |world: &Vec<(String, kit::Facts)>| {
            happened.truth.iter().all(|truth| {
                let named = world.iter().find(|(name, _)| *name == truth.name);
                named.is_some_and(|(_, facts)| is_so(facts, truth.ready))
            })
        };
        if !worlds.iter().any(agrees) {
            let found: Vec<String> =
                happened.truth.iter().map(|truth| format!("{}: {:?}", truth.name, truth.ready)).collect();
            return Err(format!(
                "step {}, {words}: it is true that {found:?}, the oracle holds {:?}",
                step.line,
                worlds.first()
            ));
        }
    }
    Ok(())
}

/// Whether what the run saw is what has to be. A full TCP socket is not polled, since that would change what it does next;
/// then nothing is known of urgent data.
fn is_so(facts: &kit::Facts, seen: Bits) -> bool {
    let unseen = Bits::PRI.when(!seen.contains(Bits::OUT));
    seen.contains(facts.must - unseen) && (facts.must | facts.may).contains(seen)
}

macro_rules! on_every_mechanism {
    ($($name:ident: $mechanism:expr;)*) => {
        mod agree {
            $(
                #[test]
                fn $name() {
                    super::play($mechanism, 2_000, 0);
                }
            )*
        }

        mod agree_for_long {
            $(
                #[test]
                #[ignore = "100,000 steps take minutes; .ci/run runs a tenth of them"]
                fn $name() {
                    let start = std::time::Instant::now();
                    let played = super::play($mechanism, super::chosen("LAB_STEPS", 100_000), super::chosen("LAB_SEED", 0));
                    println!("{}: {played}; {:.0?}", $mechanism, start.elapsed());
                }
            )*
        }
    };
}

use Mechanism::{Edge, Level, Mio, Oneshot, Poll, Select};

on_every_mechanism! {
    select: super::Select;
    poll: super::Poll;
    epoll_level: super::Level;
    epoll_edge: super::Edge;
    epoll_oneshot: super::Oneshot;
    mio: super::Mio;
}

/// What the oracle forecasts of the shipped lessons is what stands in them.
#[test]
fn the_oracle_knows_the_shipped_lessons() {
    let mut wrong = Vec::new();
    let mut unknown = Vec::new();
    let mut known = 0;
    for lesson in kit::lessons::all() {
        let probes = lesson.steps.iter().any(|step| matches!(step.action, Action::Probe { .. }));
        for mechanism in Mechanism::ALL {
            let forecasts = kit::forecast(lesson, mechanism);
            for (step, forecast) in lesson.steps.iter().zip(forecasts) {
                let Action::Wait { ordered, .. } = step.action else { continue };
                let expected = step.expected.iter().find(|(expecting, _)| *expecting == mechanism);
                let Some((_, Expected::Cells(cells))) = expected else { continue };
                let place = format!("{} line {} under {mechanism}", lesson.name, step.line);
                let Some(forecast) = forecast else {
                    if !probes {
                        unknown.push(place);
                    }
                    continue;
                };
                known += 1;
                let in_it = |cell: &Cell| cells.iter().any(|expected| expected.agrees(cell, ordered));
                // Nothing vaguer than what stands there, and nothing else.
                if !forecast.cells.iter().all(in_it) {
                    let shown = |cell: &Cell| cell.display(mechanism, true);
                    let said: Vec<String> = forecast.cells.iter().map(shown).collect();
                    let stands: Vec<String> = cells.iter().map(shown).collect();
                    wrong.push(format!("{place}: forecast {said:?}, stands {stands:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(known > 1000, "only {known} waits are known");
    assert!(unknown.is_empty(), "{} waits are not covered:\n{}", unknown.len(), unknown.join("\n"));
}

/// Each reason is a sentence that names its descriptor, and no rule is there in vain.
#[test]
fn the_shipped_lessons_show_every_rule() {
    let mut shown = BTreeSet::new();
    for lesson in kit::lessons::all() {
        for mechanism in Mechanism::ALL {
            for forecast in kit::forecast(lesson, mechanism).into_iter().flatten() {
                for why in forecast.why {
                    let place = format!("{} under {mechanism}: {why:?}", lesson.name);
                    assert!(why.text.ends_with('.') && why.text.contains(&why.name), "{place}");
                    shown.insert(why.rule);
                }
            }
        }
    }
    let missing: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| !shown.contains(rule)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Whoever looks into the queue of an epoll after a wait that was full takes out of it who has nothing to report yet.
#[test]
fn a_full_wait_leaves_the_queue_as_it_is() {
    let text = "lesson queue\ntitle A queue\nunix a b\nwatch b pri\nwatch a in|out\nshutdown a write\n\
                wait \"one of two\" max 1\nshutdown a read\nwait \"both\" ordered\n";
    let lesson = kit::parse(text).unwrap();
    for mechanism in Mechanism::ALL {
        let run = kit::run(&lesson, mechanism).unwrap();
        compare(&lesson, &run, &Played::default()).unwrap_or_else(|error| panic!("{mechanism}: {error}"));
    }
}

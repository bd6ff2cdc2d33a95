//! What the bench makes of its samples: the page, the verdicts, the comparison of two runs.

#[allow(dead_code)]
#[path = "../benches/tripoll-bench/main.rs"]
mod bench;

use serde_json::{Value, json};

/// Samples of a contender in a cell, one for each figure.
fn samples(scenario: &str, params: &Value, contender: &str, key: &str, figures: &[f64]) -> Vec<Value> {
    let sample = |(round, figure): (usize, &f64)| {
        let figures = json!({ key: figure });
        json!({"scenario": scenario, "params": params, "contender": contender, "round": round, "figures": figures})
    };
    figures.iter().enumerate().map(sample).collect()
}

fn page_with(absent: &Value, samples: &[Vec<Value>]) -> String {
    let run = json!({"about": {"machine": "a machine"}, "absent": absent, "samples": samples.concat()});
    bench::page::of_json(&run.to_string()).expect("the run is read")
}

fn page(samples: &[Vec<Value>]) -> String {
    page_with(&json!({}), samples)
}

/// One token in a ring of so many pairs.
fn dispatch(pairs: u64, contender: &str, figures: &[f64]) -> Vec<Value> {
    samples("dispatch", &json!({"active": 1, "pairs": pairs}), contender, "ns", figures)
}

fn echo(contender: &str, figures: &[f64]) -> Vec<Value> {
    samples("echo", &json!({"connections": 100, "bytes": 64, "pipeline": 1}), contender, "cpu_ns", figures)
}

const STEADY: [f64; 5] = [100.0, 101.0, 99.0, 100.0, 100.0];

fn times(factor: f64) -> Vec<f64> {
    STEADY.iter().map(|figure| figure * factor).collect()
}

#[track_caller]
fn says(page: &str, text: &str) {
    let sentences: Vec<&str> =
        page.split("<figcaption>").skip(1).filter_map(|part| part.split("</p>").next()).collect();
    assert!(sentences.iter().any(|sentence| sentence.contains(text)), "{text:?} is not in {sentences:#?}");
}

#[test]
fn where_poll_crosses_epoll_is_said_with_the_numbers_of_the_run() {
    let run = |dear: f64| {
        let mut all = Vec::new();
        for (pairs, factor) in [(100, 1.0), (1000, 1.0), (9000, dear)] {
            all.push(dispatch(pairs, "floor-level", &STEADY));
            all.push(dispatch(pairs, "tripoll-epoll-level", &STEADY));
            all.push(dispatch(pairs, "tripoll-poll", &times(factor)));
        }
        page(&all)
    };
    says(&run(40.0), "poll crosses epoll between 1000 and 9000, from the same at 100 to 40 times it at 9000");
    says(&run(0.5), "poll does not stay behind epoll, and is at 0.50 of its cost at 9000");
    says(&run(1.0), "Nobody differs from the floor by more than it scatters itself");
}

#[test]
fn a_difference_that_is_smaller_than_the_scatter_of_the_floor_is_called_same() {
    let wild = [100.0, 130.0, 70.0, 120.0, 80.0];
    let page = page(&[echo("floor-level", &wild), echo("tripoll-poll", &wild.map(|figure| figure * 1.2))]);
    says(&page, "tripoll-poll differs from the floor by less than it scatters itself");
}

#[test]
fn the_same_difference_beside_a_steady_floor_is_called_one() {
    let page = page(&[echo("floor-level", &STEADY), echo("tripoll-poll", &times(1.2))]);
    says(&page, "tripoll-poll is behind at 1.20 times its floor");
}

#[test]
fn who_is_ahead_and_who_is_behind_is_named() {
    let ours = [("floor-level", 1.0), ("tripoll-poll", 0.8), ("tripoll-epoll-level", 1.0)];
    let others = [("polling", 1.3), ("asyncio", 12.0)];
    let all = ours.iter().chain(&others).map(|(name, factor)| echo(name, &times(*factor)));
    let page = page(&all.collect::<Vec<_>>());
    says(&page, "tripoll-epoll-level is the same as its floor, tripoll-poll is ahead at 0.80 of its floor");
    says(&page, "asyncio is furthest behind at 12 times its floor");
}

#[test]
fn without_a_floor_there_are_figures_and_no_ratios() {
    let page = page(&[echo("tripoll-poll", &STEADY), echo("tokio", &times(2.0))]);
    says(&page, "tripoll-poll takes least, 100 CPU ns/request, and tokio most, 200");
    assert!(!page.contains("ratio to its floor, log"), "a plot of ratios to nothing");
}

#[test]
fn a_floor_of_zero_makes_no_numbers_that_are_none() {
    let memory = |name, figures: &[f64]| samples("memory", &json!({"idle connections": 1000}), name, "bytes", figures);
    let page = page(&[memory("floor-level", &[0.0; 3]), memory("tripoll-poll", &[0.0, 400.0, 410.0])]);
    for wrong in ["NaN", ">inf", "\"inf", " inf"] {
        assert!(!page.contains(wrong), "{wrong:?} is on the page");
    }
}

#[test]
fn a_contender_that_was_held_up_by_the_load_is_marked() {
    let figures = json!({"cpu_ns": 100.0, "load_busy": 1.0, "server_busy": 0.5});
    let params = json!({"connections": 1, "bytes": 64, "pipeline": 1});
    let sample = |name: &str| {
        vec![json!({"scenario": "echo", "params": params, "contender": name, "round": 0, "figures": figures})]
    };
    let bound = page(&[sample("floor-level"), sample("tripoll-poll")]);
    assert_eq!(bound.matches("class=\"ring\"").count(), 2);
    assert!(bound.contains("<td>floor <small class=\"bound\">load was the limit</small></td>"));
    let free = page(&[echo("floor-level", &STEADY), echo("tripoll-poll", &STEADY)]);
    assert!(!free.contains("class=\"ring\""));
}

#[test]
fn select_is_said_to_end_where_its_descriptors_do() {
    let mut all = Vec::new();
    for pairs in [100, 1000] {
        all.push(dispatch(pairs, "floor-level", &STEADY));
        all.push(dispatch(pairs, "tripoll-epoll-level", &STEADY));
    }
    all.push(dispatch(100, "tripoll-select", &times(3.0)));
    let page = page(&all);
    says(&page, "select costs 3.0 times what epoll does, at 100 (it takes descriptors below 1024 only)");
    assert!(page.contains("<small>to 100</small>"), "the legend does not say where select's line ends");
}

#[test]
fn every_plot_has_a_title_a_description_and_a_table() {
    let mut all = vec![echo("floor-level", &STEADY), echo("tokio", &times(2.0))];
    all.extend([100, 1000].map(|pairs| dispatch(pairs, "floor-level", &STEADY)));
    let page = page(&all);
    let figures: Vec<&str> = page.split("<figure>").skip(1).collect();
    assert_eq!(figures.len(), 2);
    for figure in figures {
        for part in ["<h3>", "<title id=", "<desc id=", "role=\"img\"", "<table>", "scope=\"row\""] {
            assert!(figure.contains(part), "{part} is missing in {figure}");
        }
    }
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let page = page(&[echo("floor-level", &STEADY), dispatch(100, "floor-level", &STEADY)]);
    for wrong in ["http:", "https:", "<script", "<link", "url(", "@import", "src="] {
        assert!(!page.contains(wrong), "{wrong:?} is on the page");
    }
}

#[test]
fn what_programs_say_cannot_become_markup() {
    let absent = json!({"libuv <b>": "it said <script>alert(\"x\")</script> & ended"});
    let page = page_with(&absent, &[echo("<i>someone</i>", &STEADY), echo("floor-level", &STEADY)]);
    assert!(page.contains("it said &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; ended"));
    assert!(page.contains("&lt;i&gt;someone&lt;/i&gt;"));
    assert!(!page.contains("<script") && !page.contains("<i>someone"));
}

#[test]
fn every_element_is_closed() {
    let page =
        page(&[echo("floor-level", &STEADY), dispatch(100, "tripoll-poll", &STEADY), dispatch(300, "mio", &STEADY)]);
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).filter_map(|part| part.split('>').next()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed in another order than opened");
        } else if !tag.ends_with('/') && !matches!(name, "meta" | "!DOCTYPE") {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "still open: {open:?}");
}

#[test]
fn a_run_without_samples_is_a_page_all_the_same() {
    assert!(page(&[]).ends_with("</html>\n"));
}

#[test]
fn what_is_no_run_is_refused() {
    let error = bench::page::of_json("{}").expect_err("there are no samples in it");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

fn run(samples: &[Vec<Value>]) -> bench::sample::Run {
    serde_json::from_value(json!({"samples": samples.concat(), "about": {}, "absent": {}})).expect("it is a run")
}

/// A run on a machine that is so many times as slow, of a build that is.
fn measured(machine: f64, build: f64) -> bench::sample::Run {
    let wobble = [1.0, 1.02, 0.98, 1.01, 0.99];
    let own = wobble.map(|wobble| 100.0 * machine * build * wobble);
    run(&[echo("floor-level", &STEADY.map(|figure| figure * machine)), echo("tripoll-epoll-level", &own)])
}

#[test]
fn a_slower_build_is_worse_in_one_order_and_better_in_the_other() {
    let (old, new) = (measured(1.0, 1.0), measured(1.0, 1.2));
    let there = bench::compare::Comparison::of(&old, &new);
    assert_eq!((there.same, there.better, there.worse), (0, 0, 1), "{there:?}");
    let back = bench::compare::Comparison::of(&new, &old);
    assert_eq!((back.same, back.better, back.worse), (0, 1, 0), "{back:?}");
}

#[test]
fn the_same_build_is_the_same_on_a_slower_machine_too() {
    for machine in [1.0, 3.0] {
        let comparison = bench::compare::Comparison::of(&measured(1.0, 1.0), &measured(machine, 1.0));
        assert_eq!((comparison.same, comparison.lines.len()), (1, 0), "{comparison:?}");
    }
}

#[test]
fn runs_that_have_nothing_in_common_cannot_be_compared() {
    let comparison = bench::compare::Comparison::of(&run(&[]), &measured(1.0, 1.0));
    assert_eq!((comparison.same, comparison.better, comparison.worse), (0, 0, 0));
}

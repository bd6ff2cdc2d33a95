//! The house rules that no compiler checks: floors, file sizes, where `unsafe` may stand, what may be depended on.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A file that is longer holds more than one noun.
const LINES: usize = 400;

/// From the lowest up. A floor uses those before it and none after it.
const FLOORS: [&str; 4] = ["sys", "poller", "reactor", "dispatcher"];

/// What the library may depend on, `signal-hook` only with the feature `signals`.
const DEPENDENCIES: [&str; 5] = ["libc", "log", "mio", "signal-hook", "slab"];

struct File {
    /// From the root of the checkout.
    path: String,
    text: String,
}

impl File {
    /// The lines with their numbers, without those that are comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn floor(&self) -> Option<usize> {
        let below = self.path.strip_prefix("src/")?;
        let floor = below.split('/').next()?;
        FLOORS.iter().position(|name| *name == floor)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(directory: &Path, ending: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the directory is readable") {
        let path = entry.expect("the entry is readable").path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() && !hidden && !path.ends_with("target") {
            collect(&path, ending, files);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
}

fn files(ending: &str) -> Vec<File> {
    let mut paths = Vec::new();
    collect(root(), ending, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("the file is text");
        let path = path.strip_prefix(root()).expect("it lies in the checkout").to_string_lossy().into_owned();
        File { path, text }
    };
    paths.into_iter().map(read).collect()
}

fn sources() -> Vec<File> {
    let files = files("rs");
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

/// Fails with everything that was found, not only the first.
fn none(what: &str, found: impl IntoIterator<Item = String>) {
    let list = found.into_iter().fold(String::new(), |mut list, finding| {
        let _ = write!(list, "\n  {finding}");
        list
    });
    assert!(list.is_empty(), "{what}:{list}");
}

/// Each line of code in `files` for which `wrong` holds, with its place.
fn lines<'a>(files: impl IntoIterator<Item = &'a File>, wrong: impl Fn(&File, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.code() {
            if wrong(file, line) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    found
}

#[test]
fn every_file_says_at_its_top_what_it_is() {
    let silent = sources().into_iter().filter(|file| !file.text.starts_with("//! "));
    none("files that do not begin with `//! `", silent.map(|file| file.path));
}

#[test]
fn every_file_is_short() {
    let long = sources().into_iter().filter(|file| file.text.lines().count() >= LINES);
    none("files of 400 lines or more", long.map(|file| format!("{}: {}", file.path, file.text.lines().count())));
}

#[test]
fn arrows_point_down() {
    let files = sources();
    let up = lines(&files, |file, line| {
        let Some(floor) = file.floor() else { return false };
        FLOORS[floor + 1..]
            .iter()
            .any(|above| line.contains(&format!("crate::{above}")) || line.contains(&format!("super::{above}")))
    });
    none("a floor that uses one above it", up);
    let shortcuts = lines(&files, |file, line| {
        file.floor().is_some() && (line.contains("crate::EventLoop") || line.contains("crate::Context"))
    });
    none("a floor that goes through the crate's front door", shortcuts);
}

#[test]
fn unsafe_stands_in_sys_alone() {
    let files = sources();
    let library = files.iter().filter(|file| file.path.starts_with("src/") && !file.path.starts_with("src/sys/"));
    let unsafe_code = lines(library, |_, line| {
        line.contains("unsafe") && !line.contains("unsafe_code") && !line.contains("unsafe_op")
    });
    none("`unsafe` outside src/sys", unsafe_code);
    let examples = files.iter().filter(|file| file.path.starts_with("examples/"));
    none("`unsafe` in an example", lines(examples, |_, line| line.contains("unsafe ")));
}

#[test]
fn a_backend_is_known_to_its_own_file_and_to_the_one_that_chooses() {
    let files = sources();
    let pollers = ["SelectPoller", "PollPoller", "EpollPoller", "MioPoller"];
    let knowing = lines(files.iter().filter(|file| file.path.starts_with("src/")), |file, line| {
        let chooses = ["src/poller/mod.rs", "src/poller/backend.rs"].contains(&file.path.as_str());
        let own = |poller: &str| {
            let name = poller.trim_end_matches("Poller").to_lowercase();
            file.path == format!("src/poller/{name}.rs")
        };
        !chooses && pollers.iter().any(|poller| line.contains(poller) && !own(poller))
    });
    none("a backend that is named where any would do", knowing);
}

#[test]
fn nothing_is_left_to_be_done_later() {
    // Put together here, so that this file does not find itself.
    let marks = ["TO\u{44}O", "FIX\u{4d}E", "XX\u{58}", "HAC\u{4b}"];
    let calls = ["to\u{64}o!(", "unimplemente\u{64}!(", "db\u{67}!("];
    let mut found = Vec::new();
    for file in sources() {
        for (index, line) in file.text.lines().enumerate() {
            if marks.iter().chain(&calls).any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", file.path, index + 1, line.trim()));
            }
        }
    }
    none("unfinished work", found);
}

/// A pause may be what is tried; then a comment above it says so.
#[test]
fn tests_wait_for_events_and_not_for_time() {
    let mut sleeps = Vec::new();
    for file in sources().iter().filter(|file| file.path.starts_with("tests/") && file.path != "tests/tidy.rs") {
        let lines: Vec<&str> = file.text.lines().map(str::trim_start).collect();
        for (index, pair) in lines.windows(2).enumerate() {
            if pair[1].contains("thread::sleep") && !pair[1].starts_with("//") && !pair[0].starts_with("//") {
                sleeps.push(format!("{}:{}: {}", file.path, index + 2, pair[1]));
            }
        }
    }
    none("a sleep in a test", sleeps);
}

#[test]
fn what_is_ignored_says_why() {
    let files = sources();
    none("an ignored test without a reason", lines(&files, |_, line| line.trim() == "#[ignore]"));
}

#[test]
fn the_library_depends_on_little() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is readable");
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").expect("there is a table of dependencies");
    let dependencies: Vec<&str> = dependencies.lines().take_while(|line| !line.starts_with('[')).collect();
    let named = dependencies.iter().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let names: Vec<&str> = named.filter_map(|line| line.split([' ', '.', '=']).next()).collect();
    assert_eq!(names, DEPENDENCIES, "a further dependency needs its reason in ARCHITECTURE.md, and a line here");
    let signals = dependencies.iter().find(|line| line.starts_with("signal-hook")).expect("it was just seen");
    assert!(signals.contains("optional = true"), "signals are a feature: {signals}");
}

#[test]
fn what_the_documents_point_at_exists() {
    let mut missing = Vec::new();
    for file in files("md") {
        for link in file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains("://");
            let directory = root().join(&file.path);
            if !elsewhere && !directory.with_file_name(target).exists() {
                missing.push(format!("{}: {link}", file.path));
            }
        }
        for word in file.text.split(|c: char| c.is_whitespace() || "`()[],;".contains(c)) {
            let word = word.trim_end_matches(['.', ':', '/']);
            let path = ["src/", "tests/", "benches/", "examples/"].iter().any(|top| word.starts_with(top));
            if path && !word.contains(['*', '<', '{']) && !root().join(word).exists() {
                missing.push(format!("{}: {word}", file.path));
            }
        }
    }
    none("documents that point at nothing", missing);
}

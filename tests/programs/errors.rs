//! What is wrong is said in one line that tells what to do, and by the exit code: 2 for usage, 1 for what the system says.

use crate::server::{Ended, FreshPath, run};
use crate::{FLOORS, sys};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

#[test]
fn wrong_usage_is_named_in_one_line_and_ends_with_code_2() {
    for (args, what) in [
        (&["--bogus"][..], "'--bogus'"),
        (&["surplus"], "'surplus'"),
        (&["--listen"], "--listen"),
        (&["--listen", "127.0.0.1:7000"], "write tcp://HOST:PORT"),
        (&["--listen", "tcp://127.0.0.1:70000"], "\"70000\" is no port"),
        (&["--backend", "kqueue"], "choose one of select, poll, epoll, mio"),
        (&["--trigger", "hair"], "choose one of level, edge, oneshot"),
        (&["--trigger", "edge", "--backend", "poll"], "the poll backend has no edge trigger: use level"),
        (&["--trigger", "edge", "--backend", "select"], "the select backend has no edge trigger: use level"),
        (&["--floor", "attic"], "poller, reactor, dispatcher"),
        (&["--max-connections", "0"], "0 is not in 1.."),
        (&["--max-per-peer", "many"], "'many'"),
        (&["--queue", "0"], "0 is not in 1..=1073741824"),
        (&["--queues", "-1"], "-1"),
        (&["--idle-timeout", "0"], "not within 0.001 to 31536000 seconds"),
        (&["--close-timeout", "soon"], "not a number of seconds"),
        (&["--grace", "1e9"], "not within 0.001 to 31536000 seconds"),
    ] {
        expect_line(args, 2, what, &run("echo", args, |_| {}));
    }
}

#[test]
fn a_flag_that_a_floor_lacks_is_refused_and_not_ignored() {
    for (floor, flag, value) in [
        ("poller", "--max-per-peer", "1"),
        ("poller", "--queues", "1"),
        ("poller", "--idle-timeout", "1"),
        ("poller", "--close-timeout", "1"),
        ("poller", "--grace", "1"),
        ("poller", "--record", "trace.json"),
        ("reactor", "--grace", "1"),
    ] {
        let args = ["--floor", floor, flag, value];
        let what = format!("the {floor} floor has no {flag}: leave it out");
        expect_line(&args, 2, &what, &run("echo", &args, |_| {}));
    }
}

#[test]
fn an_unknown_backend_in_the_environment_is_named() {
    let ended = run("echo", &[], |command| {
        command.env("TRIPOLL_BACKEND", "kqueue");
    });
    expect_line(&[], 2, "TRIPOLL_BACKEND: unknown backend \"kqueue\": choose one of select, poll, epoll, mio", &ended);
}

#[test]
fn an_address_that_cannot_be_had_is_named_with_what_to_do() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp://{}", other.local_addr().unwrap());
    let there = FreshPath::new();
    let _listener = UnixListener::bind(there.as_path()).unwrap();
    let long = format!("unix:///{}", "x".repeat(200));
    for floor in FLOORS {
        for (address, what) in [
            (&*taken, "another program has this port; stop it or choose another port"),
            (&there.at("unix://"), "the path exists; remove it if no server is using it"),
            (&there.at("unixgram://"), "the path exists; remove it if no server is using it"),
            ("unix:///nowhere/at/all.sock", "the directory does not exist; create it"),
            ("tcp://192.0.2.1:0", "this machine does not have that address"),
            (&long, "cannot listen on unix:///xxx"),
        ] {
            let args = ["--floor", floor, "--listen", address];
            expect_line(&args, 1, what, &run("echo", &args, |_| {}));
        }
    }
    assert!(there.as_path().exists(), "the socket of somebody else was removed");
}

#[test]
fn a_directory_that_is_not_writable_is_named_with_what_to_do() {
    let directory = FreshPath::new();
    fs::create_dir(directory.as_path()).unwrap();
    fs::set_permissions(directory.as_path(), fs::Permissions::from_mode(0o555)).unwrap();
    let address = format!("{}/echo.sock", directory.at("unix://"));
    let args = ["--listen", &address];
    let ended = run("echo", &args, sys::without_privileges);
    fs::remove_dir(directory.as_path()).unwrap();
    expect_line(&args, 1, "the directory is not writable; choose another path", &ended);
}

#[test]
fn what_was_bound_before_an_error_is_given_back() {
    let path = FreshPath::new();
    let args = ["--listen", &path.at("unix://"), "--listen", &path.at("unixgram://")];
    expect_line(&args, 1, "the path exists", &run("echo", &args, |_| {}));
    assert!(!path.as_path().exists(), "the path of the first listener was left behind");
}

#[test]
fn help_lists_every_flag_with_its_range_and_default() {
    let ended = run("echo", &["--help"], |_| {});
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    for flag in [
        "--listen <ADDRESS>",
        "--backend <BACKEND>",
        "--trigger <TRIGGER>",
        "--floor <FLOOR>",
        "--max-connections <COUNT>",
        "--max-per-peer <COUNT>",
        "--queue <BYTES>",
        "--queues <BYTES>",
        "--idle-timeout <SECONDS>",
        "--close-timeout <SECONDS>",
        "--grace <SECONDS>",
        "--record <FILE>",
        "--verbose",
        "--help",
    ] {
        let (_, text) = ended.stdout.split_once(flag).unwrap_or_else(|| panic!("--help does not list {flag}"));
        let text = text.split("\n  ").take(8).collect::<String>();
        let has_value = flag.contains('<');
        assert!(!has_value || text.contains("[default: "), "--help does not tell the default of {flag}: {text}");
    }
    for word in ["select, poll, epoll or mio", "level, edge", "TRIPOLL_BACKEND", "unixgram:///PATH"] {
        assert!(ended.stdout.contains(word), "--help does not say {word}");
    }
}

/// Exactly one line, and that to the point.
fn expect_line(args: &[&str], code: i32, what: &str, ended: &Ended) {
    let Ended { status, stdout, stderr } = ended;
    assert_eq!(status.code(), Some(code), "{args:?}: {stderr}");
    assert!(stderr.contains(what), "{args:?}: {stderr:?} does not say {what:?}");
    assert!(stderr.starts_with("echo: ") && stderr.lines().count() == 1, "{args:?}: not one line: {stderr:?}");
    assert!(stdout.is_empty(), "{args:?}: {stdout}");
}

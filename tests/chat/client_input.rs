//! The client with something else than a person at its input: files, pipes, nothing.

use crate::person::Person;
use crate::program::{Ended, FreshPath, Program, Server, command};
use crate::support::every_backend;
use std::fs::File;
use std::process::Stdio;
use tripoll::Backend;

/// Runs a client to its end with this input.
fn with_input(server: &Server, args: &[&str], input: Stdio) -> Ended {
    let mut command = command("chat-client", args);
    command.arg(server.address()).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
    Program::start(&mut command).wait()
}

every_backend!(a_file_is_said_to_its_last_line_and_then_the_client_leaves, an_empty_input_is_a_short_visit);

fn a_file_is_said_to_its_last_line_and_then_the_client_leaves(backend: Backend) {
    let server = Server::start(&["--backend", backend.name(), "--flood", "0"]);
    let mut bob = Person::arrive(&server, "bob");
    let text: String = (0..500).map(|line| format!("line {line}\n")).collect();
    let file = FreshPath::with(text + "without an end");
    let args = ["--backend", backend.name(), "--nick", "file", "--pace", "0"];
    let ended = with_input(&server, &args, File::open(file.as_path()).unwrap().into());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    bob.until("* guest2 is file now");
    for line in 0..500 {
        bob.hears(&format!("<file> line {line}"));
    }
    bob.hears("<file> without an end");
    bob.hears("* file has left");
}

fn an_empty_input_is_a_short_visit(backend: Backend) {
    let server = Server::start(&["--backend", backend.name()]);
    let ended = with_input(&server, &["--backend", backend.name()], Stdio::null());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("* welcome, ") && ended.stdout.ends_with("* goodbye\n"), "{ended:?}");
}

#[test]
fn a_file_longer_than_what_is_kept_waits_for_the_server_and_loses_nothing() {
    let path = FreshPath::new();
    let line = |number: usize| format!("line {number} {}", "x".repeat(300));
    let file = FreshPath::with((0..1000).map(|number| line(number) + "\n").collect::<String>());
    let args = ["--nick", "file", "--keep", "4096", "--pace", "0", "--retries", "1000", &path.unix()];
    let mut command = command("chat-client", &args);
    command.stdin(File::open(file.as_path()).unwrap()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = Program::start(&mut command);
    client.complains("what you type is kept, up to 4096 bytes");
    client.complains("trying again in ");
    let _server = Server::start_at(&[&path.unix()], &["--flood", "0", "--history", "1000", "--queue", "1048576"]);
    // Whether they come now or from the history.
    let mut bob = Person::connect(&path.unix());
    bob.until(&format!("<file> {}", line(0)));
    for number in 1..1000 {
        let expected = format!("<file> {}", line(number));
        assert!(bob.until(&expected).iter().all(|between| between.starts_with("* ")), "{expected}");
    }
    assert_eq!(client.wait().code, Some(0));
}

#[test]
fn nothing_behind_quit_is_said() {
    let server = Server::start(&[]);
    let mut bob = Person::arrive(&server, "bob");
    let file = FreshPath::with("one\n/quit so long\ntwo\n");
    let ended = with_input(&server, &["--nick", "file"], File::open(file.as_path()).unwrap().into());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    bob.until("<file> one");
    bob.hears("* file has left (so long)");
}

#[test]
fn a_file_is_said_no_faster_than_the_server_allows() {
    let server = Server::start(&["--flood", "50:10"]);
    let mut bob = Person::arrive(&server, "bob");
    let file = FreshPath::with((0..40).map(|line| format!("{line}\n")).collect::<String>());
    let ended = with_input(&server, &["--nick", "file", "--pace", "40:8"], File::open(file.as_path()).unwrap().into());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    bob.until("* guest2 is file now");
    for line in 0..40 {
        bob.hears(&format!("<file> {line}"));
    }
}

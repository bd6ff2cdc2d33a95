//! The client at its ends: no server, no reader, no hurry, and the terminals and pipes that it was lent.

use crate::person::Person;
use crate::program::{FreshPath, Printed, Program, Server, command};
use crate::support::BOUND;
use crate::sys;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

/// An address where nobody listens.
fn nowhere() -> (FreshPath, String) {
    let path = FreshPath::new();
    let address = path.unix();
    (path, address)
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_so_often_and_then_given_up() {
    let (_path, address) = nowhere();
    let mut anna = Program::client(&address, &["--retries", "2"]);
    anna.types("hello?");
    anna.complains("trying again in ");
    anna.complains("trying again in ");
    let last = anna.complains("chat-client: cannot reach unix:///");
    assert!(last.contains("No such file or directory") && last.contains("; not delivered: 1 line(s)"), "{last}");
    let ended = anna.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn without_retries_the_first_failure_is_the_last() {
    let (_path, address) = nowhere();
    let ended = Program::client(&address, &["--retries", "0"]).wait();
    ended.failed_with(1, "chat-client: cannot reach unix:///");
    // A port where nobody listens: it was given out, and is free again.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = Program::client(&format!("tcp://{address}"), &["--retries", "0"]).wait();
    ended.failed_with(1, "Connection refused");
}

#[test]
fn a_server_that_closes_each_connection_at_once_is_not_asked_for_ever() {
    let server = Server::start(&["--max-members", "1"]);
    let _anna = Person::arrive(&server, "anna");
    let mut bob = Program::client(server.address(), &["--retries", "2"]);
    for _ in 0..3 {
        bob.prints("* the chat is full (1 people)");
    }
    bob.complains("chat-client: cannot reach ");
    assert_eq!(bob.wait().code, Some(1));
}

#[test]
fn a_server_that_does_not_say_goodbye_is_not_waited_for_longer_than_the_grace() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", silent.local_addr().unwrap());
    let mut anna = Program::client(&address, &["--grace", "0.3"]);
    let (mut accepted, _) = silent.accept().unwrap();
    accepted.set_read_timeout(Some(BOUND)).unwrap();
    anna.types("hello");
    anna.end_input();
    let mut heard = String::new();
    accepted.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "hello\n");
    anna.complains("chat-client: the server did not say goodbye within 0.3 s");
    assert_eq!(anna.wait().code, Some(1));
}

#[test]
fn an_output_that_nobody_reads_holds_up_neither_the_input_nor_the_end() {
    let server = Server::start(&["--flood", "0", "--queue", "1048576"]);
    let mut bob = Person::arrive(&server, "bob");
    let (reader, writer) = io::pipe().unwrap();
    let mut command = command("chat-client", &["--nick", "anna", "--grace", "0.3"]);
    command.arg(server.address()).stdin(Stdio::piped()).stdout(writer).stderr(Stdio::piped());
    let mut anna = Program::start(&mut command);
    drop(command);
    bob.until("* guest2 is anna now");
    // More than the pipe, and the queue in the client, take.
    for _ in 0..600 {
        bob.say(&"x".repeat(1000));
    }
    assert!(bob.so_far("bob").is_empty());
    anna.types("still here");
    bob.hears("<anna> still here");
    anna.end_input();
    let ended = anna.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let last = ended.stderr.lines().last().unwrap();
    assert!(last.contains("the server did not say goodbye") || last.contains("could not be shown"), "{ended:?}");
    drop(reader);
}

#[test]
fn an_output_that_is_closed_ends_the_client() {
    let server = Server::start(&[]);
    let (reader, writer) = io::pipe().unwrap();
    let mut command = command("chat-client", &[]);
    command.arg(server.address()).stdin(Stdio::piped()).stdout(writer).stderr(Stdio::piped());
    let anna = Program::start(&mut command);
    drop(command);
    let mut bob = Person::arrive(&server, "bob");
    drop(reader);
    bob.say("does anybody hear me?");
    let ended = anna.wait();
    ended_with(&ended.stderr, "cannot write what the server says: Broken pipe");
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[track_caller]
fn ended_with(stderr: &str, what: &str) {
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.contains(what), "{what:?} is not in the last line of {stderr:?}");
}

#[test]
fn files_and_pipes_that_others_share_are_left_as_they_were() {
    let server = Server::start(&[]);
    let (input, mut typed) = io::pipe().unwrap();
    let (shown, output) = io::pipe().unwrap();
    let (lent_input, lent_output) = (input.try_clone().unwrap(), output.try_clone().unwrap());
    let mut command = command("chat-client", &["--nick", "anna"]);
    command.arg(server.address()).stdin(input).stdout(output).stderr(Stdio::piped());
    let anna = Program::start(&mut command);
    drop(command);
    let mut shown = Printed::from(Some(shown));
    shown.until("* you are anna now");
    assert!(!sys::is_nonblocking(&lent_input) && !sys::is_nonblocking(&lent_output));
    writeln!(typed, "/quit").unwrap();
    assert_eq!(anna.wait().code, Some(0));
    assert!(!sys::is_nonblocking(&lent_input) && !sys::is_nonblocking(&lent_output));
}

#[test]
fn output_goes_to_a_file_behind_what_is_there() {
    let server = Server::start(&[]);
    let file = FreshPath::with("before\n");
    let output = File::options().append(true).open(file.as_path()).unwrap();
    let mut command = command("chat-client", &[]);
    command.arg(server.address()).stdin(Stdio::null()).stdout(output).stderr(Stdio::piped());
    assert_eq!(Program::start(&mut command).wait().code, Some(0));
    let text = std::fs::read_to_string(file.as_path()).unwrap();
    assert!(text.starts_with("before\n* welcome, ") && text.ends_with("\n* goodbye\n"), "{text:?}");
}

#[test]
fn at_a_terminal_one_can_talk_leave_with_ctrl_d_and_find_it_unchanged() {
    let server = Server::start(&[]);
    let mut bob = Person::arrive(&server, "bob");
    let (person, program) = sys::terminal();
    let side = || Stdio::from(program.try_clone().unwrap());
    let mut command = command("chat-client", &["--nick", "anna"]);
    command.arg(server.address()).stdin(side()).stdout(side()).stderr(side());
    let anna = Program::start(&mut command);
    drop(command);
    let mut person = File::from(person);
    let mut screen = Printed::from(person.try_clone().ok());
    screen.until("* you are anna now");
    person.write_all(b"hello\n").unwrap();
    bob.until("<anna> hello");
    bob.say("hello anna");
    screen.until("<bob> hello anna");
    person.write_all(b"\x04").unwrap();
    screen.until("* goodbye");
    assert_eq!(anna.wait().code, Some(0));
    assert!(!sys::is_nonblocking(&program));
}

#[test]
fn without_a_connection_a_person_is_told_what_is_kept_and_what_is_not_and_can_leave() {
    let (_path, address) = nowhere();
    let (person, program) = sys::terminal();
    let side = || Stdio::from(program.try_clone().unwrap());
    let mut command = command("chat-client", &["--keep", "8", "--retries", "1000"]);
    command.arg(&address).stdin(side()).stdout(side()).stderr(side());
    let anna = Program::start(&mut command);
    drop(command);
    let mut person = File::from(person);
    let mut screen = Printed::from(person.try_clone().ok());
    screen.until("trying again in ");
    person.write_all(b"something to keep\n").unwrap();
    screen.until("-- no connection: what you type is kept, up to 8 bytes, and sent later");
    person.write_all(b"too much\n").unwrap();
    screen.until("-- that line was not kept");
    person.write_all(b"/quit\n").unwrap();
    screen.until("chat-client: left without a connection; not delivered: 1 line(s)");
    assert_eq!(anna.wait().code, Some(1));
}

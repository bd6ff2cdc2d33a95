//! What the programs take down of themselves with `--record`.

use crate::server::{Ended, FreshPath, Server, run};
use crate::support::BOUND;
use crate::sys;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

const FLOORS: [&str; 2] = ["reactor", "dispatcher"];

fn exchange(stream: &mut TcpStream) {
    stream.write_all(b"hello\n").unwrap();
    stream.read_exact(&mut [0; 6]).unwrap();
}

fn count(events: &[Value], category: &str, name: &str) -> usize {
    events.iter().filter(|event| event["cat"] == category && event["name"] == name).count()
}

#[test]
fn an_echo_server_leaves_a_recording_of_what_it_did() {
    for floor in FLOORS {
        let path = FreshPath::new();
        let server = Server::start("echo", &["--floor", floor, "--record", &path.at("")]);
        let mut stream = server.connect();
        exchange(&mut stream);
        drop(stream);
        server.signal(sys::SIGTERM);
        let Ended { status, stdout, stderr } = server.wait();
        assert!(status.success() && stderr.is_empty(), "{floor}: {stderr}");
        let events: Vec<Value> = serde_json::from_slice(&fs::read(path.as_path()).unwrap()).unwrap();
        assert_eq!(count(&events, "write", "send answer"), 1, "{floor}");
        assert!(count(&events, "source", "opened") >= 3, "{floor}: bell, listener, signals, connection");
        let line = stdout.lines().last().unwrap();
        assert!(line.starts_with("recorded: ") && line.contains("ui.perfetto.dev"), "{floor}: {line}");
    }
}

#[test]
fn a_chat_leaves_a_recording_of_what_it_did() {
    let path = FreshPath::new();
    let server = Server::start("chat", &["--plain", "--record", &path.at("")]);
    let (mut anna, mut ben) = (server.connect(), server.connect());
    let deadline = Instant::now() + BOUND;
    ben.set_read_timeout(Some(crate::server::WINDOW)).unwrap();
    // Until he was taken in, nothing is relayed to him.
    loop {
        anna.write_all(b"hello\n").unwrap();
        if ben.read(&mut [0; 600]).is_ok() {
            break;
        }
        assert!(Instant::now() < deadline, "nothing is relayed");
    }
    server.signal(sys::SIGTERM);
    drop((anna, ben));
    let ended = server.wait();
    assert!(ended.status.success(), "{ended:?}");
    let events: Vec<Value> = serde_json::from_slice(&fs::read(path.as_path()).unwrap()).unwrap();
    assert!(count(&events, "write", "send queued") >= 1, "what is relayed is queued and then sent");
    let closed = |event: &&Value| event["name"] == "closed" && event["args"]["reason"].is_string();
    assert!(events.iter().filter(closed).count() >= 3, "the door and both members");
}

#[test]
fn a_file_that_cannot_be_written_is_named_and_nothing_is_served() {
    for floor in FLOORS {
        let args = ["--floor", floor, "--listen", "tcp://127.0.0.1:0", "--record", "/no/such/file.json"];
        let Ended { status, stdout, stderr } = run("echo", &args, |_| {});
        assert_eq!(status.code(), Some(1));
        assert!(stdout.is_empty() && stderr.lines().count() == 1, "{stdout}{stderr}");
        assert!(stderr.contains("echo: cannot record to /no/such/file.json: No such file"), "{stderr}");
    }
}

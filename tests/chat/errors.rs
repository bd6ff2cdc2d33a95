//! What is wrong is said in one line, and the exit code says whose fault it is.

use crate::program::{FreshPath, Server, run};

#[test]
fn a_wrong_command_line_is_exit_code_2_and_one_line() {
    for (args, what) in [
        (&["--flod", "3"][..], "unexpected argument '--flod'"),
        (&["--backend", "kqueue"], "choose one of select, poll, epoll, mio"),
        (&["--trigger", "pulled"], "choose one of level, edge, oneshot"),
        (&["--backend", "poll", "--trigger", "edge"], "the poll backend has no edge trigger"),
        (&["--backend", "select", "--trigger", "edge"], "the select backend has no edge trigger"),
        (&["--listen", "127.0.0.1:7000"], "write tcp://HOST:PORT"),
        (&["--listen", "udp://127.0.0.1:7000"], "write tcp://HOST:PORT or unix:///PATH"),
        (&["--max-line", "15"], "write a number from 16 to 1048576"),
        (&["--max-members", "0"], "write a number, 1 or more"),
        (&["--history", "1001"], "write a number from 0 to 1000"),
        (&["--idle", "soon"], "write a number of seconds"),
        (&["--idle=-1"], "write a number of seconds"),
        (&["--stats", "0"], "write 0.01 or more seconds"),
        (&["--flood", "10:0"], "write LINES or LINES:BURST"),
        (&["--queue", "4096", "--max-line", "1025"], "make it 4100 or more"),
        (&["--queue", "65535", "--slow", "pause"], "--slow pause needs a --queue of 65536 or more"),
        (&["--slow", "down"], "invalid value 'down' for '--slow"),
    ] {
        run("chat", args).failed_with(2, what);
    }
}

#[test]
fn an_address_that_cannot_be_had_is_exit_code_1_and_one_line() {
    let path = FreshPath::new();
    let server = Server::start_at(&["tcp://127.0.0.1:0", &path.unix()], &[]);
    run("chat", &["--listen", server.address()]).failed_with(1, "another program has this port");
    run("chat", &["--listen", &path.unix()]).failed_with(1, "the path exists");
    run("chat", &["--listen", "unix:///no/such/directory"]).failed_with(1, "the directory does not exist");
    run("chat", &["--listen", "tcp://192.0.2.1:0"]).failed_with(1, "this machine does not have that address");
    run("chat", &["--record", "/no/such/file.json"])
        .failed_with(1, "cannot record to /no/such/file.json: No such file");
}

#[test]
fn the_client_says_what_is_wrong_in_the_same_way() {
    for (args, what) in [
        (&["--nik", "anna"][..], "unexpected argument '--nik'"),
        (&["localhost"], "write tcp://HOST:PORT"),
        (&["udp://127.0.0.1:7000"], "write tcp://HOST:PORT or unix:///PATH"),
        (&["--backend", "select", "--trigger", "edge"], "the select backend has no edge trigger"),
        (&["--pace", "fast"], "write LINES or LINES:BURST"),
        (&["--grace", "x"], "write a number of seconds"),
    ] {
        run("chat-client", args).failed_with(2, what);
    }
}

#[test]
fn help_tells_every_option_of_both_programs() {
    let help = run("chat", &["--help"]);
    assert_eq!(help.code, Some(0));
    for option in [
        "listen",
        "backend",
        "trigger",
        "plain",
        "stats",
        "record",
        "max-line",
        "max-members",
        "max-per-peer",
        "max-rooms",
        "history",
        "idle",
        "flood",
        "grace",
        "queue",
        "slow",
    ] {
        assert!(
            help.stdout.contains(&format!("--{option} ")) || help.stdout.contains(&format!("--{option}\n")),
            "{option}"
        );
    }
    let help = run("chat-client", &["--help"]);
    for option in ["nick", "join", "backend", "trigger", "retries", "keep", "pace", "grace"] {
        assert!(help.stdout.contains(&format!("--{option} ")), "{option}");
    }
}

#[test]
fn the_server_says_where_it_listens_and_how_to_talk_to_it() {
    let path = FreshPath::new();
    let server = Server::start_at(&["tcp://127.0.0.1:0", &path.unix()], &["--backend", "mio", "--trigger", "edge"]);
    let (address, shown) = (server.address().to_owned(), path.as_path().display().to_string());
    let port = address.rsplit_once(':').unwrap().1.to_owned();
    assert_ne!(port, "0");
    let ended = server.terminate();
    for line in [
        format!("listening on {address}"),
        format!("listening on unix://{shown}"),
        format!("nc 127.0.0.1 {port} | telnet 127.0.0.1 {port} | "),
        format!("chat-client -- tcp://127.0.0.1:{port}"),
        format!("nc -U {shown} | "),
        "backend mio, trigger edge, descriptor limit ".to_owned(),
    ] {
        assert!(ended.stdout.contains(&line), "{line:?} is not in {ended:?}");
    }
}

//! SIGINT and SIGTERM.

use crate::drive::{Socket, drive};
use crate::echo_client::EchoClient;
use crate::pressure::send_until_held_back;
use crate::server::{Ended, FreshPath, Server};
use crate::support::BOUND;
use crate::{FLOORS, echo_args, echo_server, sys};
use tripoll::{Backend, Trigger};

crate::support::every_backend_and_trigger! {
    a_signal_ends_the_server_well_and_removes_its_paths,
    at_a_shutdown_nothing_that_was_taken_in_is_lost,
    at_the_end_of_the_grace_who_does_not_read_is_cut_and_counted,
}

fn a_signal_ends_the_server_well_and_removes_its_paths(backend: Backend, trigger: Trigger) {
    for floor in FLOORS {
        for signal in [sys::SIGINT, sys::SIGTERM] {
            let (stream, datagram) = (FreshPath::new(), FreshPath::new());
            let listen =
                [&*stream.at("unix://"), &datagram.at("unixgram://"), "tcp://127.0.0.1:0", "udp://127.0.0.1:0"];
            let server = Server::start_on("echo", &listen, &echo_args(floor, backend, trigger));
            assert!(stream.as_path().exists() && datagram.as_path().exists());
            server.signal(signal);
            let Ended { status, stderr, .. } = server.wait();
            assert!(status.success() && stderr.is_empty(), "{floor}: {status}: {stderr}");
            assert!(!stream.as_path().exists() && !datagram.as_path().exists(), "{floor}: a path was left behind");
        }
    }
}

fn at_a_shutdown_nothing_that_was_taken_in_is_lost(backend: Backend, trigger: Trigger) {
    let server = echo_server("dispatcher", backend, trigger, &[]);
    let pid = server.pid();
    let terminate = move || sys::signal(pid, sys::SIGTERM);
    let mut clients = vec![EchoClient::endless(0).when_received(1 << 20, terminate)];
    clients.extend((1..20).map(EchoClient::endless));
    let clients = clients.into_iter().map(|client| (Socket::tcp(server.tcp()), client)).collect();
    let clients = drive(clients, BOUND).unwrap();
    let received: usize = clients.iter().map(|client| client.received).sum();
    let ended = server.wait();
    assert!(ended.status.success(), "{ended:?}");
    let report = report(&ended);
    assert!(report.starts_with("shutdown: 20 drained, 0 cut, "), "{report}");
    assert!(report.contains(&format!(" 0 bytes lost of {received} ")), "{received} bytes came back: {report}");
}

fn at_the_end_of_the_grace_who_does_not_read_is_cut_and_counted(backend: Backend, trigger: Trigger) {
    let server = echo_server("dispatcher", backend, trigger, &["--grace", "0.1"]);
    let mut deaf = Socket::tcp(server.tcp());
    let sent = send_until_held_back(&server, &mut deaf);
    server.signal(sys::SIGTERM);
    let ended = server.wait();
    assert!(ended.status.success(), "{ended:?}");
    let report = report(&ended);
    assert!(report.starts_with("shutdown: 0 drained, 1 cut, "), "{report}");
    assert!(!report.contains(", 0 bytes lost"), "{sent} bytes were sent and never read: {report}");
}

/// The last line that it printed.
fn report(ended: &Ended) -> &str {
    ended.stdout.lines().last().unwrap_or("")
}

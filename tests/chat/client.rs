//! The client: what is typed arrives, what is said is shown.

use crate::person::Person;
use crate::program::{FreshPath, Program, Server, by};
use crate::support::every_backend_and_trigger;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(two_clients_talk_and_leave, a_client_comes_back_to_a_server_that_was_killed);

fn two_clients_talk_and_leave(backend: Backend, trigger: Trigger) {
    let server = Server::start(&by(backend, trigger));
    let join = |name| {
        let mut client = Program::client(server.address(), &[&by(backend, trigger)[..], &["--nick", name]].concat());
        client.prints(&format!("* you are {name} now"));
        client
    };
    let mut anna = join("anna");
    let mut bob = join("bob");
    anna.prints("* guest2 is bob now");
    anna.types("hello");
    bob.prints("<anna> hello");
    bob.types("/msg anna a secret");
    anna.prints("[bob -> you] a secret");
    bob.types("/quit so long");
    let ended = bob.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.ends_with("\n* goodbye\n"), "{ended:?}");
    anna.prints("* bob has left (so long)");
    anna.types("last words");
    anna.end_input();
    let ended = anna.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.ends_with("\n* goodbye\n"), "{ended:?}");
}

fn a_client_comes_back_to_a_server_that_was_killed(backend: Backend, trigger: Trigger) {
    let path = FreshPath::new();
    let at = path.unix();
    let server = Server::start_at(&[&at], &by(backend, trigger));
    let args = [&by(backend, trigger)[..], &["--nick", "anna", "--retries", "1000"]].concat();
    let mut anna = Program::client(&at, &args);
    anna.prints("* you are anna now");
    anna.types("/join den");
    anna.prints("* 1 in #den: anna");

    server.program.signal(crate::sys::SIGKILL);
    server.program.wait();
    anna.complains("connection lost");
    anna.types("typed without a server");
    anna.complains("what you type is kept");
    anna.types("and more");
    std::fs::remove_file(path.as_path()).unwrap();
    let server = Server::start_at(&[&at], &by(backend, trigger));
    anna.complains("sending what was typed meanwhile");
    anna.prints("* 1 in #den: anna");
    // Both lines are behind this, or in the history already.
    let mut bob = Person::arrive_at(&at, "bob");
    bob.say("/join den");
    anna.types("the third");
    bob.until_contains("<anna> the third");
    anna.types("/msg bob done");
    bob.until_contains("[anna -> you] done");
    let mut carl = Person::arrive(&server, "carl");
    carl.say("/join den");
    let said: Vec<_> =
        carl.until("* 3 in #den: anna, bob, carl").into_iter().filter(|line| line.starts_with('<')).collect();
    assert_eq!(said, ["<anna> typed without a server", "<anna> and more", "<anna> the third"]);
}

#[test]
fn what_is_shown_is_harmless_whatever_the_server_sends() {
    let server = Server::start(&["--plain"]);
    let mut anna = Program::client(server.address(), &[]);
    anna.complains("connected to");
    let mut bob = Person::connect(server.address());
    anna.types("here");
    // The server has taken both in when one hears the other.
    while anna.is_running() {
        bob.send("hello\n");
        anna.types("here");
        if bob.next_line().as_deref() == Some("here") {
            break;
        }
    }
    bob.send(b"\x1b[2J\xff\0\r\n");
    anna.prints("\u{241b}[2J\u{fffd}\u{2400}");
}

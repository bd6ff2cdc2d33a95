//! What the chat is for, on every backend with every trigger.

use crate::person::Person;
use crate::program::{FreshPath, Server, by};
use crate::support::every_backend_and_trigger;
use tripoll::{Backend, Trigger};

every_backend_and_trigger!(
    people_meet_talk_and_part,
    everybody_is_told_of_the_shutdown,
    plain_lines_go_to_all_the_others
);

fn people_meet_talk_and_part(backend: Backend, trigger: Trigger) {
    let path = FreshPath::new();
    let server = Server::start_at(&["tcp://127.0.0.1:0", &path.unix()], &by(backend, trigger));
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive_at(&path.unix(), "bob");
    anna.hears("* guest2 has joined");
    anna.hears("* guest2 is bob now");

    anna.say("hello bob");
    bob.hears("<anna> hello bob");
    bob.send("hello anna\r\n");
    anna.hears("<bob> hello anna");

    bob.say("/msg Anna a secret");
    anna.hears("[bob -> you] a secret");
    bob.hears("[you -> anna] a secret");

    anna.say("/join garden");
    anna.hears("* 1 in #garden: anna");
    bob.hears("* anna has gone to #garden");
    anna.say("nobody hears this yet");
    bob.say("/join #Garden");
    bob.hears("<anna> nobody hears this yet");
    bob.hears("* 2 in #garden: anna, bob");
    anna.hears("* bob has joined");

    bob.say("/quit so long");
    assert_eq!(bob.rest(), ["* goodbye"]);
    anna.hears("* bob has left (so long)");
    drop((anna, bob));
    assert_eq!(server.terminate().code, Some(0));
}

fn everybody_is_told_of_the_shutdown(backend: Backend, trigger: Trigger) {
    let server = Server::start(&by(backend, trigger));
    let mut people: Vec<_> = ["anna", "bob", "carl"].iter().map(|name| Person::arrive(&server, name)).collect();
    people[0].say("last words");
    people[2].hears("<anna> last words");
    server.program.signal(crate::sys::SIGTERM);
    for mut person in people {
        assert_eq!(person.rest().pop().as_deref(), Some("* the server is shutting down: goodbye"));
    }
    let ended = server.program.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("\nshut down: drained=3 cut=0 bytes_lost=0 took="), "{ended:?}");
}

fn plain_lines_go_to_all_the_others(backend: Backend, trigger: Trigger) {
    let server = Server::start(&[&by(backend, trigger)[..], &["--plain"]].concat());
    let mut people: Vec<_> = (0..3).map(|_| Person::connect(server.address())).collect();
    meet(&mut people);
    let lines: Vec<String> = (0..2000).map(|line| format!("line {line} {}\n", "x".repeat(line % 100))).collect();
    people[0].send(lines.concat());
    for person in &mut people[1..] {
        for line in &lines {
            assert_eq!(person.raw_line().as_deref(), Some(line.as_bytes()));
        }
    }
    drop(people);
    assert_eq!(server.terminate().code, Some(0));
}

/// Waits until all have arrived, of which nobody is told in plain mode: the last one comes in last, so that whoever hears
/// him knows that everybody is there.
pub(crate) fn meet(people: &mut [Person]) {
    let (last, others) = people.split_last_mut().unwrap();
    last.send("here\n");
    for other in others {
        assert_eq!(other.raw_line().as_deref(), Some(&b"here\n"[..]));
    }
}

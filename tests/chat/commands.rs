//! What one can type, and what is answered.

use crate::person::Person;
use crate::program::Server;

fn server() -> Server {
    Server::start(&["--flood", "0"])
}

/// Somebody who was alone says this, and gets this answer.
#[track_caller]
fn answered(person: &mut Person, line: &str, answer: &str) {
    person.say(line);
    person.hears(answer);
}

#[test]
fn a_name_is_taken_whatever_its_case_until_its_owner_lets_go_of_it() {
    let server = server();
    let mut anna = Person::arrive(&server, "Anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.until("* guest2 is bob now");
    answered(&mut bob, "/nick aNNA", "* the name aNNA is taken");
    answered(&mut anna, "/nick ANNA", "* you are ANNA now");
    bob.hears("* Anna is ANNA now");
    answered(&mut anna, "/nick eve", "* you are eve now");
    bob.hears("* ANNA is eve now");
    answered(&mut bob, "/nick anna", "* you are anna now");
    anna.hears("* bob is anna now");
    anna.say("/quit");
    bob.hears("* eve has left");
    answered(&mut bob, "/nick Eve", "* you are Eve now");
}

#[test]
fn what_is_no_name_is_refused_with_the_reason() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    for (name, why) in [
        ("a b", "* a name has letters, digits, - and _, but not ' '"),
        ("<admin>", "* a name has letters, digits, - and _, but not '<'"),
        ("9lives", "* a name begins with a letter"),
        ("abcdefghijklmnopqrstu", "* a name has 1 to 20 characters, and this one has 21"),
    ] {
        answered(&mut anna, &format!("/nick {name}"), why);
        answered(&mut anna, &format!("/join {name}"), why);
    }
    answered(&mut anna, "/nick J\u{f6}rg-2_x", "* you are J\u{f6}rg-2_x now");
}

#[test]
fn guests_are_never_given_a_name_that_somebody_took() {
    let server = server();
    let _first = Person::arrive(&server, "guest2");
    let mut second = Person::connect(server.address());
    second.hears("* welcome, you are guest3: /nick NAME changes that, /help tells the rest");
}

#[test]
fn who_lists_the_room_and_rooms_lists_the_rooms() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.until("* guest2 is bob now");
    answered(&mut anna, "/who", "* 2 in #lobby: anna, bob");
    answered(&mut bob, "/join Garden", "* 1 in #Garden: bob");
    anna.hears("* bob has gone to #Garden");
    answered(&mut anna, "/rooms", "* rooms (2): #Garden (1), #lobby (1)");
    answered(&mut bob, "/WHO", "* 1 in #Garden: bob");
}

#[test]
fn one_who_joins_is_shown_the_last_lines_and_no_more() {
    let server = Server::start(&["--history", "3", "--flood", "0"]);
    let mut anna = Person::arrive(&server, "anna");
    for line in 1..=5 {
        anna.say(&format!("line {line}"));
    }
    assert!(anna.so_far("anna").is_empty(), "one's own lines are not sent back");
    let mut bob = Person::connect(server.address());
    bob.until_contains("* welcome");
    assert_eq!(bob.until("* 2 in #lobby: anna, guest2"), ["<anna> line 3", "<anna> line 4", "<anna> line 5"]);
}

#[test]
fn private_messages_and_notices_are_not_remembered() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    answered(&mut anna, "/nick annie", "* you are annie now");
    anna.so_far("annie");
    let mut bob = Person::connect(server.address());
    bob.until_contains("* welcome");
    bob.hears("* 2 in #lobby: annie, guest2");
}

#[test]
fn an_empty_room_vanishes_with_what_was_said_in_it_but_the_lobby_stays() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    anna.say("said in the lobby");
    answered(&mut anna, "/join den", "* 1 in #den: anna");
    anna.say("said in the den");
    anna.say("/join lobby");
    assert_eq!(anna.until("* 1 in #lobby: anna"), ["<anna> said in the lobby"]);
    answered(&mut anna, "/rooms", "* rooms (1): #lobby (1)");
    answered(&mut anna, "/join den", "* 1 in #den: anna");
}

#[test]
fn nobody_hears_what_is_said_in_another_room() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    answered(&mut bob, "/join den", "* 1 in #den: bob");
    anna.until("* bob has gone to #den");
    anna.say("for the lobby");
    bob.say("for the den");
    assert!(anna.so_far("anna").is_empty());
    assert!(bob.so_far("bob").is_empty());
}

#[test]
fn joining_the_room_one_is_in_changes_nothing() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    answered(&mut anna, "/join #LOBBY", "* you are in #LOBBY already");
    answered(&mut anna, "/who", "* 1 in #lobby: anna");
}

#[test]
fn what_is_no_command_or_half_of_one_is_answered() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let unknown = "* there is no command /dance: see /help, or write // to say a line with a slash";
    answered(&mut anna, "/dance now", unknown);
    answered(&mut anna, "/nick", "* something is missing: /nick NAME");
    answered(&mut anna, "/join", "* something is missing: /join ROOM");
    answered(&mut anna, "/msg bob", "* something is missing: /msg NAME TEXT");
    answered(&mut anna, "/msg bob hello", "* nobody here is called bob: see /who");
}

#[test]
fn help_names_every_command() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    anna.say("/help");
    let help = anna.so_far("anna").join("\n");
    for command in ["/nick NAME", "/join ROOM", "/who", "/rooms", "/msg NAME TEXT", "/quit [FAREWELL]", "//TEXT"] {
        assert!(help.contains(command), "{command} is not in {help}");
    }
    assert!(help.lines().all(|line| line.starts_with("* ")), "{help}");
}

#[test]
fn a_line_that_begins_with_a_slash_can_be_said() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.say("//etc/passwd");
    bob.hears("<anna> /etc/passwd");
}

#[test]
fn empty_lines_are_not_said() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.send("\n\r\n   \n\nhello\n");
    bob.hears("<anna> hello");
}

#[test]
fn the_last_line_is_said_although_it_has_no_end_and_then_the_speaker_has_left() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.send("one\ntwo");
    anna.end();
    bob.hears("<anna> one");
    bob.hears("<anna> two");
    bob.hears("* anna has left");
    assert_eq!(anna.rest().last().unwrap(), "* goodbye");
}

#[test]
fn a_farewell_needs_no_end_of_line_either() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.until("* guest2 is bob now");
    anna.send("/quit so long");
    anna.end();
    bob.hears("* anna has left (so long)");
    assert_eq!(anna.rest(), ["* goodbye"]);
}

#[test]
fn nothing_behind_a_farewell_is_obeyed() {
    let server = server();
    let mut anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    anna.send("/quit\nnot said any more\n/nick ghost\n");
    bob.hears("* anna has left");
    assert!(bob.so_far("bob").is_empty());
}

#[test]
fn one_who_drops_the_connection_has_left() {
    let server = server();
    let anna = Person::arrive(&server, "anna");
    let mut bob = Person::arrive(&server, "bob");
    drop(anna);
    bob.until_contains("* anna has left");
    assert_eq!(bob.so_far("bob"), [""; 0]);
    bob.say("/nick anna");
    bob.hears("* you are anna now");
}

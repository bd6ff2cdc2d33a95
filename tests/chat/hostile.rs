//! Input that is not what a person types.

use crate::person::Person;
use crate::program::Server;

/// A speaker and a listener, who are alone in the lobby.
fn two(args: &[&str]) -> (Server, Person, Person) {
    let server = Server::start(&[&["--flood", "0"], args].concat());
    let anna = Person::arrive(&server, "anna");
    let bob = Person::arrive(&server, "bob");
    (server, anna, bob)
}

#[test]
fn a_mebibyte_without_an_end_is_answered_once_and_the_connection_goes_on() {
    let (_server, mut anna, mut bob) = two(&[]);
    anna.until("* guest2 is bob now");
    anna.send(vec![b'x'; 1 << 20]);
    anna.hears("* that line is too long and was dropped: 1024 bytes are allowed");
    anna.send("still the same line\nhello\n");
    bob.hears("<anna> hello");
    assert!(anna.so_far("anna").is_empty());
}

#[test]
fn a_line_may_be_as_long_as_allowed_and_no_longer() {
    let (_server, mut anna, mut bob) = two(&["--max-line", "16"]);
    anna.until("* guest2 is bob now");
    anna.send("0123456789abcdef\r\n0123456789abcdefg\r\n");
    bob.hears("<anna> 0123456789abcdef");
    anna.hears("* that line is too long and was dropped: 16 bytes are allowed");
    assert!(bob.so_far("bob").is_empty());
}

#[test]
fn a_line_is_the_same_wherever_it_is_cut() {
    let (_server, mut anna, mut bob) = two(&[]);
    let line = b"h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80 bad \xe2\x82 \xc3\xff.\r\n";
    for cut in 1..line.len() {
        anna.send(&line[..cut]);
        // Time enough for the server to read what was sent: the rest comes by itself.
        bob.say("/msg bob between");
        bob.until("[you -> bob] between");
        anna.send(&line[cut..]);
        bob.hears("<anna> h\u{e9}llo \u{20ac} \u{1f600} bad \u{fffd} \u{fffd}\u{fffd}.");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_replaced_and_the_rest_of_the_line_is_kept() {
    let (_server, mut anna, mut bob) = two(&[]);
    anna.send(b"caf\xe9 \xc3\x28 \xf0\x9f\x98 end\n\xff\n\xfe \xff\n");
    bob.hears("<anna> caf\u{fffd} \u{fffd}( \u{fffd} end");
    bob.hears("<anna> \u{fffd}");
    bob.hears("<anna> \u{fffd} \u{fffd}");
}

#[test]
fn zero_bytes_and_escape_sequences_are_shown_and_not_obeyed() {
    let (_server, mut anna, mut bob) = two(&[]);
    anna.send(b"a\0b\n\x1b[2J\x1b]0;title\x07\rfake\n\xc2\x9b31m\n");
    bob.hears("<anna> a\u{2400}b");
    bob.hears("<anna> \u{241b}[2J\u{241b}]0;title\u{2407}\u{240d}fake");
    bob.hears("<anna> \u{fffd}31m");
}

#[test]
fn farewells_and_private_messages_are_made_harmless_as_well() {
    let (_server, mut anna, mut bob) = two(&[]);
    anna.send(b"/msg bob \x1b[5m\n/quit \x1bc\n");
    bob.hears("[anna -> you] \u{241b}[5m");
    bob.hears("* anna has left (\u{241b}c)");
}

#[test]
fn nobody_can_speak_in_the_name_of_another_or_of_the_server() {
    let (_server, mut anna, mut bob) = two(&[]);
    anna.send("* bob has left\r<bob> I said nothing\n");
    bob.hears("<anna> * bob has left\u{240d}<bob> I said nothing");
}

#[test]
fn telnet_negotiation_is_refused_and_not_shown() {
    let (_server, mut anna, mut bob) = two(&[]);
    anna.until("* guest2 is bob now");
    // WILL NAWS, SB NAWS 80x24 SE, DO ECHO, WONT and DONT, which want no answer, and AYT in the middle of a word.
    anna.send(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfd\x01\xff\xfc\x03\xff\xfe\x03hel\xff\xf6lo\r\n");
    bob.hears("<anna> hello");
    anna.say("/who");
    assert_eq!(anna.raw_line().unwrap(), b"\xff\xfe\x1f\xff\xfc\x01* 2 in #lobby: anna, bob\n");
}

#[test]
fn noise_does_the_server_no_harm_and_reaches_the_others_as_harmless_lines() {
    let (_server, mut anna, mut bob) = two(&["--max-line", "256"]);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(64 * 1024)
    .collect();
    // So that it stays in the room, and within the text.
    for byte in &mut noise {
        if matches!(*byte, b'/' | 0xff) {
            *byte = b'.';
        }
    }
    for piece in noise.chunks(997) {
        anna.send(piece);
    }
    anna.send("\nthe end\n");
    let lines = bob.until("<anna> the end");
    assert!(lines.len() > 100, "{} lines", lines.len());
    for line in lines {
        assert!(line.starts_with("<anna> ") && !line.contains(|c: char| c.is_control() && c != '\t'), "{line:?}");
    }
}

//! What a step does, in English.

use crate::kit::{Action, Bits, Half, Kind, Tweak, probe};

pub(super) fn of(action: &Action) -> String {
    match action {
        Action::Make { kind, names } => made(*kind, names),
        Action::Connect { client, listener } => {
            format!(
                "{client} connects to {listener} and stands in its backlog: the connection is complete, nobody has \
                 accepted it."
            )
        }
        Action::Connecting { client, listener } => {
            format!("{client} begins to connect to {listener}, without waiting for the outcome.")
        }
        Action::Accept { listener, name } => format!("{listener} accepts a connection, which is called {name}."),
        Action::Dup { of, name } => format!("{of} is duplicated: {name} is a second number for the same open file."),
        Action::Reuse { of, name, .. } => {
            format!("A new socket, {name}, is made, and gets the number that {of} had.")
        }
        Action::Write { name, bytes } => format!("{} written to {name}, in one call.", bytes_are(*bytes)),
        Action::Type { name, bytes } => format!("{} typed into {name}, without a newline.", letters_are(*bytes)),
        Action::Read { name, bytes } => format!("{name} is read, at most {} in one call.", count(*bytes, "byte")),
        Action::Peek { name, bytes } => {
            format!("{name} is peeked at, at most {}; they stay where they are.", count(*bytes, "byte"))
        }
        Action::Drain { name } => format!("{name} is read until nothing is left."),
        Action::Fill { name } => format!("{name} is written to until the kernel takes no more."),
        Action::MakeRoom { name, bytes, until } => {
            format!("{name} is read, {} at a time, until {until} is reported writable.", count(*bytes, "byte"))
        }
        Action::Urgent { name } => format!("{name} sends one urgent byte."),
        Action::ReadUrgent { name } => format!("The urgent byte is taken from {name}."),
        Action::SendToNobody { name } => format!("{name} sends a datagram to a port where nobody is."),
        Action::Unread { name } => format!("The kernel is asked how many bytes lie unread at {name}."),
        Action::TakeError { name } => format!("SO_ERROR is taken from {name}."),
        Action::Set { name, tweak } => set(name, *tweak),
        Action::Shutdown { name, half } => match half {
            Half::Read => format!("{name} is shut down for reading."),
            Half::Write => format!("{name} is shut down for writing: its peer will see the end."),
            Half::Both => format!("{name} is shut down both ways."),
        },
        Action::Close { name } => format!("{name} is closed, and the mechanism is not told."),
        Action::Reset { name } => format!("{name} is closed so that its peer gets a reset."),
        Action::Watch { name, interest } => format!("{name} is registered {}.", asked(*interest)),
        Action::Modify { name, interest } => format!("{name} is registered anew, {}.", asked(*interest)),
        Action::Rearm { name } => format!("Under one-shot {name} is armed again; the others have nothing to do."),
        Action::Unwatch { name } => format!("The registration of {name} is taken back."),
        Action::Wait { label, max, .. } => {
            let most = max.map(|max| format!(" It has room for {max} reports.")).unwrap_or_default();
            format!("A wait: {label}.{most}")
        }
        Action::Probe { name } => {
            let about = probe::NAMES.into_iter().find(|(one, _)| one == name).map_or("", |(_, about)| about);
            format!("An experiment that no steps can describe: {about}.")
        }
        Action::Say { text } => text.clone(),
    }
}

fn made(kind: Kind, names: &[String]) -> String {
    let first = names.first().map_or("", String::as_str);
    let both = names.join(" and ");
    match kind {
        Kind::Tcp => format!("{both} are the two ends of a TCP connection over loopback; {first} was accepted."),
        Kind::Unix => format!("{both} are the two ends of a Unix stream socket pair."),
        Kind::Seqpacket => format!("{both} are the two ends of a Unix socket pair that keeps records."),
        Kind::Datagram => format!("{both} are Unix datagram sockets; {first} sends to the other."),
        Kind::Udp => format!("{both} are UDP sockets on loopback, connected to each other."),
        Kind::UdpRefused => format!("{first} is a UDP socket that is connected to a port where nobody is."),
        Kind::UdpAlone => format!("{first} is a UDP socket that is bound and not connected."),
        Kind::Pipe => format!("{both} are the reading and the writing end of a pipe."),
        Kind::Fifo => format!("{both} are the reading and the writing end of a FIFO."),
        Kind::Pty => format!("{both} are the master and the slave of a pseudo-terminal in line mode."),
        Kind::Eventfd => format!("{first} is an eventfd: a counter."),
        Kind::Semaphore => format!("{first} is an eventfd of which each read takes one."),
        Kind::Signalfd => format!("{first} is a signalfd for SIGUSR1, which is blocked."),
        Kind::Inotify => format!("{first} is an inotify descriptor on a directory of its own."),
        Kind::Listener => format!("{first} is a TCP listener on loopback."),
        Kind::Refused => format!("{first} has begun to connect to a port where nobody listens."),
        Kind::File => format!("{first} is an empty regular file."),
        Kind::Directory => format!("{first} is a directory."),
        Kind::Null => format!("{first} is /dev/null."),
        Kind::Zero => format!("{first} is /dev/zero."),
        Kind::Opath => format!("{first} is a file opened with O_PATH."),
    }
}

fn set(name: &str, tweak: Tweak) -> String {
    match tweak {
        Tweak::Blocking => {
            format!("{name} is made blocking, with a receive timeout so that a read that would hang is found out.")
        }
        Tweak::OobInline => format!("{name} gets urgent data among the other (SO_OOBINLINE)."),
        Tweak::DeferAccept => format!("{name} is to be ready only when the first data has come (TCP_DEFER_ACCEPT)."),
    }
}

fn asked(interest: Bits) -> String {
    let words =
        [(Bits::IN, "reading"), (Bits::OUT, "writing"), (Bits::PRI, "urgent data"), (Bits::RDHUP, "the peer's end")];
    let wanted: Vec<&str> =
        words.into_iter().filter(|(bit, _)| interest.contains(*bit)).map(|(_, word)| word).collect();
    if wanted.is_empty() { "for nothing".to_owned() } else { format!("for {}", wanted.join(" and ")) }
}

pub(super) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn bytes_are(number: u64) -> String {
    format!("{} {}", count(number, "byte"), if number == 1 { "is" } else { "are" })
}

fn letters_are(number: u64) -> String {
    format!("{} {}", count(number, "letter"), if number == 1 { "is" } else { "are" })
}

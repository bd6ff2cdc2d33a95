//! When a readiness is reported: level, edge, one-shot.

use crate::kit::{Bench, READ, WRITE, abstract_name, drain, every_backend_with_edge, every_backend_with_oneshot, pair};
use crate::raw;
use crate::support::every_backend_and_trigger;
use std::fs::File;
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use tripoll::poller::Readiness;
use tripoll::{Backend, Trigger};

/// Something to be watched, and what makes something arrive at it.
struct Shape {
    name: &'static str,
    /// Whether it has arrived when the call that sent it returns. Terminals and the loopback device take their time, so
    /// that two of theirs may be one event or two.
    at_once: bool,
    watched: OwnedFd,
    arrive: Box<dyn FnMut()>,
}

fn shape(name: &'static str, watched: impl Into<OwnedFd>, arrive: impl FnMut() + 'static) -> Shape {
    let at_once = !matches!(name, "a terminal" | "UDP");
    Shape { name, at_once, watched: watched.into(), arrive: Box::new(arrive) }
}

/// One of each kind that wakes those who wait in a way of its own.
fn shapes() -> Vec<Shape> {
    let (stream, mut peer) = pair();
    let (datagram, sender) = UnixDatagram::pair().unwrap();
    let (record, recorder) = raw::seqpacket_pair();
    let recorder = UnixStream::from(recorder);
    let (pipe, mut pipe_writer) = raw::pipe();
    let (master, slave) = raw::terminal();
    let mut keyboard = File::from(master);
    let counter = File::from(raw::eventfd(0));
    let mut count = counter.try_clone().unwrap();
    let listener = UnixListener::bind_addr(&abstract_name()).unwrap();
    let name = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp_sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp_sender.connect(udp.local_addr().unwrap()).unwrap();
    vec![
        shape("a stream", stream, move || peer.write_all(b"x").unwrap()),
        shape("datagrams", datagram, move || assert_eq!(sender.send(b"x").unwrap(), 1)),
        shape("records", record, move || (&recorder).write_all(b"x").unwrap()),
        shape("a pipe", pipe, move || pipe_writer.write_all(b"x").unwrap()),
        shape("a terminal", slave, move || keyboard.write_all(b"x\n").unwrap()),
        shape("a counter", counter, move || count.write_all(&1_u64.to_ne_bytes()).unwrap()),
        shape("a listener", listener, move || clients.push(UnixStream::connect_addr(&name).unwrap())),
        shape("UDP", udp, move || assert_eq!(udp_sender.send(b"x").unwrap(), 1)),
    ]
}

/// Promise 8. `P-level-repeats`, `P-edge-once`, `P-oneshot`: an arrival, silence, and arrivals on top of what is unread.
fn each_kind_of_descriptor_reports_arrivals_as_the_trigger_says(backend: Backend, trigger: Trigger) {
    for Shape { name, at_once, watched, mut arrive } in shapes() {
        let mut bench = Bench::new(backend, trigger);
        bench.add(&watched, 1, READ);
        bench.silent();
        arrive();
        assert_eq!(bench.next(), [(1, Readiness::READABLE)], "{name}");
        bench.repeated_only_under_level(1);
        for _ in 0..2 {
            arrive();
            if at_once {
                // Several arrivals make one event.
                arrive();
            }
            match trigger {
                Trigger::Oneshot => bench.silent(),
                _ => assert_eq!(bench.next(), [(1, Readiness::READABLE)], "{name}, on top of what is unread"),
            }
        }
        bench.modify(&watched, 2, READ);
        assert_eq!(bench.now(), [(2, Readiness::READABLE)], "{name}, asked again");
    }
}

/// Promise 8. `P-level-repeats`, `P-oneshot-rearm-pending`: what a partial read leaves behind.
fn after_a_partial_read_the_rest_is_reported_at_once_or_when_asked(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, READ);
    theirs.write_all(b"0123456789").unwrap();
    assert_eq!(bench.names(), [1]);
    for rest in [6, 2] {
        (&ours).read_exact(&mut [0; 4]).unwrap();
        bench.repeated_only_under_level(1);
        bench.modify(&ours, 1, READ);
        assert_eq!(bench.names(), [1], "{rest} bytes are left");
    }
    assert_eq!(drain(&ours), 2);
    bench.silent();
    bench.modify(&ours, 1, READ);
    bench.silent();
}

/// Promise 8: two samples of the state, before and after, are equal; the arrival is reported all the same.
fn drained_and_refilled_between_two_waits_it_is_reported(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, READ);
    theirs.write_all(b"first").unwrap();
    assert_eq!(bench.names(), [1]);
    for _ in 0..3 {
        drain(&ours);
        theirs.write_all(b"next").unwrap();
        if trigger == Trigger::Oneshot {
            bench.silent();
            bench.modify(&ours, 1, READ);
        }
        assert_eq!(bench.names(), [1]);
    }
}

/// Promise 8: a readiness is what is true at the wait. Who was told of it late, or twice, may find nothing to read.
fn what_was_taken_before_the_wait_is_not_reported(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = pair();
    bench.add(&ours, 1, READ);
    theirs.write_all(b"x").unwrap();
    drain(&ours);
    bench.silent();
    theirs.write_all(b"y").unwrap();
    assert_eq!(bench.names(), [1]);
}

/// Promise 8, for writing: room is reported when it is made, at once or once.
fn room_to_write_is_reported_when_the_reader_makes_it(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, theirs) = pair();
    theirs.set_nonblocking(true).unwrap();
    raw::fill(&ours);
    bench.add(&ours, 1, WRITE);
    bench.silent();
    drain(&theirs);
    assert_eq!(bench.next(), [(1, Readiness::WRITABLE)]);
    bench.repeated_only_under_level(1);
}

every_backend_and_trigger!(
    each_kind_of_descriptor_reports_arrivals_as_the_trigger_says,
    after_a_partial_read_the_rest_is_reported_at_once_or_when_asked,
    drained_and_refilled_between_two_waits_it_is_reported,
    what_was_taken_before_the_wait_is_not_reported,
    room_to_write_is_reported_when_the_reader_makes_it,
);

mod edge_only {
    use super::*;

    /// Promise 8, as one trace: what is often told otherwise about edges.
    fn an_edge_is_an_arrival_and_carries_everything_that_is_true(backend: Backend, trigger: Trigger) {
        let (readable, writable) = (Readiness::READABLE, Readiness::WRITABLE);
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        bench.add(&ours, 1, READ);
        theirs.write_all(b"12345").unwrap();
        assert_eq!(bench.now(), [(1, readable)]);
        (&ours).read_exact(&mut [0; 2]).unwrap();
        bench.silent();
        theirs.write_all(b"6").unwrap();
        assert_eq!(bench.now(), [(1, readable)], "on top of unread data");
        bench.modify(&ours, 1, READ);
        assert_eq!(bench.now(), [(1, readable)], "modified with nothing changed");
        bench.modify(&ours, 1, READ | WRITE);
        assert_eq!(bench.now(), [(1, readable | writable)]);
        drain(&ours);
        bench.silent();
        theirs.write_all(b"7").unwrap();
        assert_eq!(bench.now(), [(1, readable | writable)], "that it is writable is not new, but true");
    }

    every_backend_with_edge!(an_edge_is_an_arrival_and_carries_everything_that_is_true);
}

mod oneshot_only {
    use super::*;

    /// Promise 8: a one-shot that was not armed again is deaf even to the end, and hears of it when it is.
    fn a_deaf_oneshot_does_not_hear_the_hang_up_until_it_is_armed_again(backend: Backend, trigger: Trigger) {
        let mut bench = Bench::new(backend, trigger);
        let (ours, mut theirs) = pair();
        bench.add(&ours, 1, READ);
        theirs.write_all(b"x").unwrap();
        assert_eq!(bench.names(), [1]);
        theirs.write_all(b"y").unwrap();
        drop(theirs);
        raw::settle(&ours, raw::IN | raw::OUT | raw::HUP | raw::RDHUP);
        bench.silent();
        bench.modify(&ours, 2, READ);
        assert!(bench.next_of(2).contains(Readiness::READABLE));
        bench.silent();
    }

    every_backend_with_oneshot!(a_deaf_oneshot_does_not_hear_the_hang_up_until_it_is_armed_again);
}

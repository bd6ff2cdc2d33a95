//! The ends of things: what is reported when a peer closes, shuts, resets or fails.

use crate::kit::{Bench, READ, WRITE, drain, pair, tcp_pair};
use crate::raw::{self, ERR, HUP, IN, OUT, PRI, RDHUP};
use crate::support::every_backend_and_trigger;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;
use tripoll::poller::{Features, Poller, Readiness};
use tripoll::{Backend, Interest, Trigger};

const RESET: i16 = IN | OUT | ERR | HUP | RDHUP;

impl Bench {
    /// The flags that only those backends show that have the words for them.
    fn if_told(&self, flags: Readiness) -> Readiness {
        flags.when(self.poller.features().contains(Features::CLOSE_KINDS))
    }

    /// After the kernel has come to say `bits`, one event with these flags and none of the others.
    #[track_caller]
    fn reports(&mut self, fd: &impl AsFd, bits: i16, with: Readiness, without: Readiness) {
        raw::settle(fd, bits);
        let shown = self.next_of(1);
        assert!(shown.contains(with), "{shown:?} lacks some of {with:?}");
        assert!(!shown.intersects(without), "{shown:?} has some of {without:?}");
    }

    /// Nothing is reported for a while.
    #[track_caller]
    fn silent_for_a_while(&mut self) {
        self.wait(Some(Duration::from_millis(20)));
        assert_eq!(self.seen(), []);
    }
}

/// `P-eof-readable`, its first half: silence before, the end of the stream after.
fn the_end_of_a_stream_is_readable(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let told = bench.if_told(Readiness::READ_CLOSED);
    let (ours, theirs) = tcp_pair();
    bench.add(&ours, 1, READ);
    bench.silent_for_a_while();
    drop(theirs);
    bench.reports(&ours, IN | OUT | RDHUP, Readiness::READABLE | told, Readiness::HANG_UP | Readiness::ERROR);
    assert_eq!((&ours).read(&mut [0; 9]).unwrap(), 0);
    bench.remove(&ours);

    let (ours, theirs) = pair();
    bench.add(&ours, 1, READ);
    bench.silent_for_a_while();
    drop(theirs);
    bench.reports(&ours, IN | OUT | HUP | RDHUP, Readiness::READABLE | told, Readiness::ERROR);
    assert_eq!((&ours).read(&mut [0; 9]).unwrap(), 0);
}

/// `P-eof-readable`, its second half: one who waits for room hears of it when there will never be any.
fn a_full_socket_is_reported_for_writing_once_its_peer_has_closed(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (mut ours, theirs) = pair();
    raw::fill(&ours);
    bench.add(&ours, 1, WRITE);
    bench.silent_for_a_while();
    drop(theirs);
    assert!(bench.next_of(1).contains(Readiness::WRITABLE));
    let error = ours.write(b"x").unwrap_err().kind();
    assert!(matches!(error, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{error}");
}

/// `P-pipe-reader-gone`.
fn a_pipe_without_a_reader_is_closed_for_writing(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let told = bench.if_told(Readiness::WRITE_CLOSED | Readiness::ERROR);
    let (reader, mut writer) = raw::pipe();
    raw::set_nonblocking(&writer);
    raw::fill(&writer);
    bench.add(&writer, 1, WRITE);
    bench.silent_for_a_while();
    drop(reader);
    bench.reports(&writer, ERR, Readiness::WRITABLE | told, Readiness::HANG_UP);
    assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

/// A pipe whose writer is gone is readable for one who only reads, though the kernel calls it a hang-up and nothing else.
fn a_pipe_without_a_writer_is_readable(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let told = bench.if_told(Readiness::HANG_UP);
    let (mut reader, writer) = raw::pipe();
    bench.add(&reader, 1, READ);
    bench.silent_for_a_while();
    drop(writer);
    bench.reports(&reader, HUP, Readiness::READABLE | told, Readiness::ERROR);
    assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
}

/// `P-peer-half-close`: the peer has no more to say and still listens.
fn a_half_closed_connection_can_still_be_written_to(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let told = bench.if_told(Readiness::READ_CLOSED);
    let (mut ours, mut theirs) = tcp_pair();
    bench.add(&ours, 1, READ);
    bench.silent_for_a_while();
    theirs.shutdown(Shutdown::Write).unwrap();
    let over = Readiness::WRITE_CLOSED | Readiness::HANG_UP | Readiness::ERROR;
    bench.reports(&ours, IN | OUT | RDHUP, Readiness::READABLE | told, over);
    assert_eq!(ours.read(&mut [0; 9]).unwrap(), 0);
    bench.modify(&ours, 1, WRITE);
    bench.reports(&ours, IN | OUT | RDHUP, Readiness::WRITABLE, over);
    ours.write_all(b"answer").unwrap();
    let mut answer = [0; 6];
    theirs.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"answer");
}

/// `P-own-shutdown`.
fn shutting_ones_own_side_is_reported(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, _theirs) = tcp_pair();
    bench.add(&ours, 1, READ);
    bench.silent_for_a_while();
    ours.shutdown(Shutdown::Read).unwrap();
    let told = bench.if_told(Readiness::READ_CLOSED);
    bench.reports(&ours, IN | OUT | RDHUP, Readiness::READABLE | told, Readiness::WRITE_CLOSED);
    bench.remove(&ours);

    let (ours, _theirs) = tcp_pair();
    bench.add(&ours, 1, READ | WRITE);
    ours.shutdown(Shutdown::Both).unwrap();
    let told = bench.if_told(Readiness::READ_CLOSED | Readiness::WRITE_CLOSED | Readiness::HANG_UP);
    bench.reports(&ours, IN | OUT | HUP | RDHUP, Readiness::READABLE | told, Readiness::ERROR);
}

/// `P-reset-by-peer`, registered before the reset or after it.
fn a_reset_is_readable_and_reads_as_an_error(backend: Backend, trigger: Trigger) {
    for registered_before in [true, false] {
        let mut bench = Bench::new(backend, trigger);
        let told = bench.if_told(Readiness::ERROR | Readiness::HANG_UP | Readiness::READ_CLOSED);
        let (mut ours, theirs) = tcp_pair();
        if registered_before {
            bench.add(&ours, 1, READ);
            bench.silent();
        }
        raw::reset_on_close(&theirs);
        drop(theirs);
        raw::settle(&ours, RESET);
        if !registered_before {
            bench.add(&ours, 1, READ);
        }
        bench.reports(&ours, RESET, Readiness::READABLE | told, Readiness::PRIORITY);
        assert_eq!(ours.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}

/// A client that was gone before it was accepted makes its listener readable no less, and no more than once.
fn a_client_that_resets_before_it_is_accepted_is_accepted(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    bench.add(&listener, 1, READ);
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    raw::reset_on_close(&client);
    drop(client);
    bench.reports(&listener, IN, Readiness::READABLE, Readiness::WRITABLE);
    let (mut accepted, _) = listener.accept().unwrap();
    raw::settle(&accepted, RESET);
    assert_eq!(accepted.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    bench.modify(&listener, 1, READ);
    bench.silent();
}

/// `P-oob-priority`, and its reverse: who did not ask for urgent data does not hear of it.
fn urgent_data_is_reported_to_those_who_asked_for_it(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let (ours, mut theirs) = tcp_pair();
    bench.add(&ours, 1, READ);
    raw::send_urgent(&theirs);
    raw::settle(&ours, OUT | PRI);
    bench.silent_for_a_while();
    bench.modify(&ours, 1, READ | Interest::PRIORITY);
    bench.reports(&ours, OUT | PRI, Readiness::PRIORITY, Readiness::READABLE | Readiness::WRITABLE);
    assert_eq!(raw::receive_urgent(&ours), b'!');

    theirs.write_all(b"data").unwrap();
    raw::send_urgent(&theirs);
    raw::settle(&ours, IN | OUT | PRI);
    bench.modify(&ours, 1, READ | Interest::PRIORITY);
    bench.reports(&ours, IN | OUT | PRI, Readiness::READABLE | Readiness::PRIORITY, Readiness::WRITABLE);
    bench.modify(&ours, 1, Interest::PRIORITY);
    bench.reports(&ours, IN | OUT | PRI, Readiness::PRIORITY, Readiness::WRITABLE);
    assert_eq!(raw::receive_urgent(&ours), b'!');
    assert_eq!(drain(&ours), 4);
}

/// An unreachable port is an error that somebody has to take; then the socket is as good as before.
fn an_unreachable_port_is_reported_until_its_error_is_taken(backend: Backend, trigger: Trigger) {
    let mut bench = Bench::new(backend, trigger);
    let told = bench.if_told(Readiness::ERROR);
    let (ours, elsewhere) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    elsewhere.connect(elsewhere.local_addr().unwrap()).unwrap();
    ours.connect(elsewhere.local_addr().unwrap()).unwrap();
    bench.add(&ours, 1, READ);
    bench.silent_for_a_while();
    ours.send(b"x").unwrap();
    bench.reports(&ours, OUT | ERR, Readiness::READABLE | told, Readiness::HANG_UP);
    bench.repeated_only_under_level(1);
    assert_eq!(ours.take_error().unwrap().unwrap().kind(), ErrorKind::ConnectionRefused);
    assert!(ours.take_error().unwrap().is_none(), "an error is delivered once");
    bench.modify(&ours, 1, READ);
    bench.silent();
}

every_backend_and_trigger!(
    the_end_of_a_stream_is_readable,
    a_full_socket_is_reported_for_writing_once_its_peer_has_closed,
    a_pipe_without_a_reader_is_closed_for_writing,
    a_pipe_without_a_writer_is_readable,
    a_half_closed_connection_can_still_be_written_to,
    shutting_ones_own_side_is_reported,
    a_reset_is_readable_and_reads_as_an_error,
    a_client_that_resets_before_it_is_accepted_is_accepted,
    urgent_data_is_reported_to_those_who_asked_for_it,
    an_unreachable_port_is_reported_until_its_error_is_taken,
);

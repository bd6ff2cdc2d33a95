//! Random sequences of operations against a model of the promises, which is the same for all backends.

use crate::kit::{Bench, READ, WRITE, pair};
use crate::raw;
use crate::support::{bounded, every_backend};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use tripoll::poller::{Events, Poller, Readiness, Refusal};
use tripoll::{Backend, Interest, Token, Trigger};

const SOCKETS: usize = 4;

#[derive(Clone, Copy, Debug)]
enum Step {
    Add(usize, Interest, Trigger),
    Modify(usize, Interest, Trigger),
    Remove(usize),
    /// The peer writes this many bytes.
    Write(usize, u8),
    /// This side reads as many.
    Read(usize, u8),
    /// The peer closes.
    Close(usize),
    /// Removed if it was registered, closed, and replaced by a new one, which most likely gets the number.
    Renew(usize),
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let socket = || 0..SOCKETS;
    let interest = || prop::sample::select(vec![Interest::NONE, READ, WRITE, READ | WRITE]);
    let trigger = || prop::sample::select(Trigger::ALL.to_vec());
    prop_oneof![
        3 => (socket(), interest(), trigger()).prop_map(|(i, interest, trigger)| Step::Add(i, interest, trigger)),
        3 => (socket(), interest(), trigger()).prop_map(|(i, interest, trigger)| Step::Modify(i, interest, trigger)),
        1 => socket().prop_map(Step::Remove),
        4 => (socket(), 1..9_u8).prop_map(|(i, count)| Step::Write(i, count)),
        3 => (socket(), 1..17_u8).prop_map(|(i, count)| Step::Read(i, count)),
        1 => socket().prop_map(Step::Close),
        1 => socket().prop_map(Step::Renew),
        6 => Just(Step::Wait),
    ]
}

/// What is known of a registration.
#[derive(Clone, Copy, Debug)]
struct Registered {
    token: Token,
    interest: Interest,
    trigger: Trigger,
    /// Whether something has arrived since the last report; `add` and `modify` count as an arrival. For one-shots:
    /// whether it is armed.
    due: bool,
}

/// One socket: what is true of it, and its registration.
struct Socket {
    ours: UnixStream,
    theirs: Option<UnixStream>,
    unread: usize,
    registered: Option<Registered>,
}

impl Socket {
    fn new() -> Self {
        let (ours, theirs) = pair();
        Self { ours, theirs: Some(theirs), unread: 0, registered: None }
    }

    /// What is true. Nothing is ever sent from this side, so there is always room.
    fn truth(&self) -> Readiness {
        Readiness::WRITABLE | Readiness::READABLE.when(self.unread > 0 || self.theirs.is_none())
    }

    /// What a wait reports, at least, or nothing.
    fn report(&mut self) -> Option<(Token, Readiness)> {
        let truth = self.truth();
        let registered = self.registered.as_mut()?;
        let asked = Readiness::READABLE.when(registered.interest.contains(READ))
            | Readiness::WRITABLE.when(registered.interest.contains(WRITE));
        let wanted = asked - (asked - truth);
        let reported = !wanted.is_none() && (registered.due || registered.trigger == Trigger::Level);
        // An edge that found nothing is used up. A one-shot is, only when it has hit.
        if reported || registered.trigger == Trigger::Edge {
            registered.due = false;
        }
        reported.then_some((registered.token, wanted))
    }

    fn arrival(&mut self, is_data: bool) {
        if let Some(registered) = &mut self.registered {
            let heard = if is_data { registered.interest.contains(READ) } else { !registered.interest.is_none() };
            registered.due |= heard && registered.trigger == Trigger::Edge;
        }
    }
}

struct Model {
    bench: Bench,
    has_edge: bool,
    sockets: Vec<Socket>,
    steps: u32,
}

impl Model {
    fn new(backend: Backend) -> Self {
        let mut bench = Bench::level(backend);
        bench.events = Events::with_capacity(SOCKETS);
        let has_edge = matches!(backend, Backend::Epoll | Backend::Mio);
        Self { bench, has_edge, sockets: (0..SOCKETS).map(|_| Socket::new()).collect(), steps: 0 }
    }

    /// Whether an operation was refused, and it was to be.
    fn check(&self, result: io::Result<()>, expected: &[&str]) -> Result<bool, TestCaseError> {
        let refused = match &result {
            Ok(()) => "",
            Err(error) => match Refusal::of(error) {
                Some(Refusal::AlreadyRegistered { .. }) => "already registered",
                Some(Refusal::NotRegistered { .. }) => "not registered",
                Some(Refusal::Trigger { .. }) => "trigger",
                _ => return Err(TestCaseError::fail(format!("{error}"))),
            },
        };
        if expected.is_empty() {
            prop_assert_eq!(refused, "");
        } else {
            prop_assert!(expected.contains(&refused), "{:?} instead of one of {:?}", refused, expected);
        }
        Ok(!refused.is_empty())
    }

    fn register(&mut self, i: usize, interest: Interest, trigger: Trigger, add: bool) -> Result<(), TestCaseError> {
        let token = Token::new(i as u32, self.steps);
        let socket = &self.sockets[i];
        let mut expected = Vec::new();
        if trigger == Trigger::Edge && !self.has_edge {
            expected.push("trigger");
        }
        match (add, socket.registered.is_some()) {
            (true, true) => expected.push("already registered"),
            (false, false) => expected.push("not registered"),
            _ => {}
        }
        let fd = socket.ours.as_fd();
        let result = if add {
            self.bench.poller.add(fd, token, interest, trigger)
        } else {
            self.bench.poller.modify(fd, token, interest, trigger)
        };
        if !self.check(result, &expected)? {
            self.sockets[i].registered = Some(Registered { token, interest, trigger, due: true });
        }
        Ok(())
    }

    fn remove(&mut self, i: usize) -> Result<(), TestCaseError> {
        let expected: &[&str] = if self.sockets[i].registered.is_some() { &[] } else { &["not registered"] };
        let result = self.bench.try_remove(&self.sockets[i].ours);
        self.check(result, expected)?;
        self.sockets[i].registered = None;
        Ok(())
    }

    fn wait(&mut self) -> Result<(), TestCaseError> {
        self.bench.now();
        let mut seen: BTreeMap<Token, Readiness> = BTreeMap::new();
        for event in &self.bench.events {
            prop_assert!(seen.insert(event.token(), event.readiness()).is_none(), "{:?} twice", event);
        }
        for socket in &mut self.sockets {
            let truth = socket.truth();
            let Some((token, least)) = socket.report() else { continue };
            let shown = seen.remove(&token);
            let Some(shown) = shown else { return Err(TestCaseError::fail(format!("{token} lacks {least:?}"))) };
            prop_assert!(shown.contains(least), "{}: {:?} lacks {:?}", token, shown, least);
            let told = shown - (shown - (Readiness::READABLE | Readiness::WRITABLE));
            prop_assert!(truth.contains(told), "{}: {:?}, but the truth is {:?}", token, shown, truth);
        }
        prop_assert!(seen.is_empty(), "{:?} should not have been reported", seen);
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        self.steps += 1;
        match step {
            Step::Add(i, interest, trigger) => self.register(i, interest, trigger, true)?,
            Step::Modify(i, interest, trigger) => self.register(i, interest, trigger, false)?,
            Step::Remove(i) => self.remove(i)?,
            Step::Write(i, count) => {
                let socket = &mut self.sockets[i];
                if let Some(theirs) = &mut socket.theirs {
                    theirs.write_all(&vec![0; count.into()]).unwrap();
                    socket.unread += usize::from(count);
                    socket.arrival(true);
                }
            }
            Step::Read(i, count) => {
                let socket = &mut self.sockets[i];
                if let Ok(read) = socket.ours.read(&mut vec![0; count.into()]) {
                    socket.unread -= read;
                }
            }
            Step::Close(i) => {
                let socket = &mut self.sockets[i];
                if socket.theirs.take().is_some() {
                    // A process that another test is starting holds a copy for a moment.
                    while raw::bits(&socket.ours) & raw::HUP == 0 {
                        thread::yield_now();
                    }
                    socket.arrival(false);
                }
            }
            Step::Renew(i) => {
                if self.sockets[i].registered.is_some() {
                    self.remove(i)?;
                }
                self.sockets[i] = Socket::new();
            }
            Step::Wait => self.wait()?,
        }
        Ok(())
    }
}

fn any_sequence_of_operations_is_answered_as_the_model_has_it(backend: Backend) {
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    let steps = prop::collection::vec(step(), 1..80);
    let result = TestRunner::new(config).run(&steps, |steps| {
        let mut model = Model::new(backend);
        for step in steps {
            model.take(step)?;
        }
        model.wait()?;
        model.wait()
    });
    if let Err(failure) = result {
        panic!("{backend}: {failure}");
    }
}

every_backend!(any_sequence_of_operations_is_answered_as_the_model_has_it);

/// The model itself, on the example that everybody gets wrong.
#[test]
fn the_model_knows_what_an_edge_is() {
    bounded("model", || {
        let mut socket = Socket::new();
        let registered = Registered { token: Token::new(0, 0), interest: READ, trigger: Trigger::Edge, due: true };
        socket.registered = Some(registered);
        assert_eq!(socket.report(), None);
        for _ in 0..2 {
            socket.unread += 1;
            socket.arrival(true);
            assert!(socket.report().is_some());
            assert_eq!(socket.report(), None);
        }
    });
}

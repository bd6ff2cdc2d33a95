//! Lessons at random: sequences of steps that make sense, out of numbers that proptest can shrink.

use crate::kit::{Action, Bits, Expected, Half, Kind, Lesson, Mechanism, Oracle, Step, Tweak, forecast};
use proptest::prelude::*;

/// So many descriptors at most in one lesson.
const NAMES: usize = 40;

/// A step to be: what is to be done, to whom, and how much of it.
pub(crate) type Gene = (u8, u8, u16);

/// The makings of a lesson.
pub(crate) fn genes(steps: usize) -> impl Strategy<Value = Vec<Gene>> {
    prop::collection::vec(any::<Gene>(), 1..=steps)
}

/// Kinds as often as they are wanted: those with the most to go wrong most often.
const KINDS: [Kind; 30] = [
    Kind::Tcp,
    Kind::Tcp,
    Kind::Tcp,
    Kind::Tcp,
    Kind::Tcp,
    Kind::Tcp,
    Kind::Unix,
    Kind::Unix,
    Kind::Unix,
    Kind::Seqpacket,
    Kind::Seqpacket,
    Kind::Datagram,
    Kind::Datagram,
    Kind::Udp,
    Kind::Udp,
    Kind::UdpRefused,
    Kind::UdpAlone,
    Kind::Pipe,
    Kind::Pipe,
    Kind::Fifo,
    Kind::Pty,
    Kind::Pty,
    Kind::Eventfd,
    Kind::Semaphore,
    Kind::Signalfd,
    Kind::Inotify,
    Kind::Listener,
    Kind::Listener,
    Kind::Refused,
    Kind::File,
];

struct Name {
    name: String,
    kind: Kind,
    open: bool,
    watched: bool,
}

/// A lesson that grows.
struct Builder {
    names: Vec<Name>,
    steps: Vec<Step>,
    /// Follows what is done, so that nothing is done of which the model says nothing.
    oracle: Oracle,
    made: usize,
}

/// The lesson that these numbers stand for, with what the oracle expects of each wait.
pub(crate) fn lesson(genes: &[Gene], mechanism: Mechanism) -> Lesson {
    let mut builder = Builder { names: Vec::new(), steps: Vec::new(), oracle: Oracle::new(mechanism), made: 0 };
    for gene in genes {
        builder.grow(*gene);
    }
    builder.wait(0);
    let mut lesson = Lesson { name: "random".to_owned(), title: "Random".to_owned(), ..Lesson::default() };
    lesson.steps = builder.steps;
    for (step, forecast) in forecast(&lesson, mechanism).into_iter().enumerate() {
        if let Some(forecast) = forecast {
            lesson.steps[step].expected.push((mechanism, Expected::Cells(forecast.cells)));
        }
    }
    lesson
}

fn interest(amount: u16) -> Bits {
    const ASKED: [Bits; 8] = [
        Bits::IN,
        Bits(Bits::IN.0 | Bits::RDHUP.0),
        Bits(Bits::IN.0 | Bits::OUT.0),
        Bits(Bits::IN.0 | Bits::OUT.0 | Bits::RDHUP.0 | Bits::PRI.0),
        Bits::OUT,
        Bits(Bits::IN.0 | Bits::PRI.0),
        Bits::RDHUP,
        Bits::PRI,
    ];
    ASKED[usize::from(amount) % ASKED.len()]
}

/// Small numbers mostly, some that stand around a page, and a few large ones.
fn bytes(amount: u16) -> u64 {
    match amount % 8 {
        0..=4 => u64::from(amount / 8 % 12 + 1),
        5 | 6 => u64::from(amount / 8 % 600 + 1),
        _ => u64::from(amount / 8 % 9000 + 1),
    }
}

impl Builder {
    fn pick(&self, whom: u8, fits: impl Fn(&Name) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.names.len()).filter(|index| fits(&self.names[*index])).collect();
        let count = fitting.len();
        (count > 0).then(|| fitting[usize::from(whom) % count])
    }

    fn open(&self, whom: u8) -> Option<String> {
        self.pick(whom, |name| name.open).map(|index| self.names[index].name.clone())
    }

    fn open_one_of(&self, whom: u8, kinds: &[Kind]) -> Option<String> {
        let index = self.pick(whom, |name| name.open && kinds.contains(&name.kind))?;
        Some(self.names[index].name.clone())
    }

    /// A name that no descriptor has had.
    fn fresh(&mut self, kind: Kind) -> String {
        self.made += 1;
        let name = format!("d{}", self.made);
        self.names.push(Name { name: name.clone(), kind, open: true, watched: false });
        name
    }

    /// Adds a step, unless the model says nothing of it; answers whether it was added.
    fn add(&mut self, action: Action) -> bool {
        let line = self.steps.len() + 1;
        let mut oracle = self.oracle.clone();
        oracle.at(line).step(&action);
        if oracle.is_lost() {
            return false;
        }
        self.oracle = oracle;
        self.steps.push(Step { line, action, expected: Vec::new() });
        true
    }

    fn wait(&mut self, amount: u16) -> bool {
        // What goes through a terminal is handed on by a thread of the kernel, so that of its two ends either may be first.
        let in_order = !self.names.iter().any(|name| name.kind == Kind::Pty);
        let max = (amount % 8 == 7 && in_order).then_some(usize::from(amount / 8 % 3 + 1));
        self.add(Action::Wait { label: "next".to_owned(), max, ordered: amount & 0x100 != 0 && in_order })
    }

    fn grow(&mut self, (what, whom, amount): Gene) {
        let before = self.names.len();
        if !self.step(what, whom, amount).unwrap_or(false) {
            self.names.truncate(before);
        }
    }

    /// `None`: there is nobody to do it to.
    fn step(&mut self, what: u8, whom: u8, amount: u16) -> Option<bool> {
        Some(match what {
            0..=63 => self.wait(amount),
            64..=83 => self.make(KINDS[usize::from(amount) % KINDS.len()])?,
            84..=107 => self.watch(whom, amount)?,
            108..=143 => {
                let name = self.open(whom)?;
                self.add(Action::Write { name, bytes: bytes(amount) })
            }
            144..=163 => {
                let name = self.open(whom)?;
                self.add(Action::Read { name, bytes: bytes(amount) })
            }
            164..=173 => {
                let name = self.open(whom)?;
                self.add(Action::Drain { name })
            }
            174..=181 => {
                let index = self.pick(whom, |name| name.watched && name.kind != Kind::File)?;
                self.add(Action::Modify { name: self.names[index].name.clone(), interest: interest(amount) })
            }
            182..=191 => {
                let index = self.pick(whom, |name| name.watched && name.kind != Kind::File)?;
                self.add(Action::Rearm { name: self.names[index].name.clone() })
            }
            192..=199 => self.shutdown(whom, amount)?,
            200..=207 => self.close(whom, amount)?,
            208..=214 => self.connect(whom, amount)?,
            215..=221 => self.accept(whom)?,
            222..=226 => self.dup_or_reuse(whom, amount)?,
            227..=229 => {
                let index = self.pick(whom, |name| name.watched)?;
                let name = self.names[index].name.clone();
                // Taken back by a number that is closed: the registration may stay, and may not be made twice.
                self.names[index].watched = !self.names[index].open;
                self.add(Action::Unwatch { name })
            }
            _ => self.special(what, whom, amount)?,
        })
    }

    /// What only some kinds can do.
    fn special(&mut self, what: u8, whom: u8, amount: u16) -> Option<bool> {
        const SOCKETS: [Kind; 5] = [Kind::Tcp, Kind::Unix, Kind::Seqpacket, Kind::Udp, Kind::Refused];
        let action = match what {
            230..=233 => Action::Peek { name: self.open_one_of(whom, &SOCKETS)?, bytes: bytes(amount) },
            234..=237 => Action::TakeError { name: self.open_one_of(whom, &SOCKETS)? },
            238..=240 => Action::Urgent { name: self.open_one_of(whom, &[Kind::Tcp])? },
            241..=243 => Action::ReadUrgent { name: self.open_one_of(whom, &[Kind::Tcp])? },
            244 => Action::SendToNobody { name: self.open_one_of(whom, &[Kind::UdpAlone, Kind::Udp])? },
            245 | 246 => {
                let listener = amount % 2 == 0;
                let (kind, tweak) =
                    if listener { (Kind::Listener, Tweak::DeferAccept) } else { (Kind::Tcp, Tweak::OobInline) };
                Action::Set { name: self.open_one_of(whom, &[kind])?, tweak }
            }
            247..=249 => Action::Type { name: self.open_one_of(whom, &[Kind::Pty])?, bytes: bytes(amount) },
            _ => {
                const FILLED: [Kind; 6] =
                    [Kind::Tcp, Kind::Unix, Kind::Seqpacket, Kind::Datagram, Kind::Pipe, Kind::Eventfd];
                Action::Fill { name: self.open_one_of(whom, &FILLED)? }
            }
        };
        Some(self.add(action))
    }

    fn make(&mut self, kind: Kind) -> Option<bool> {
        let (_, _, count) = Kind::ALL.into_iter().find(|(_, listed, _)| *listed == kind)?;
        if self.made + count > NAMES {
            return None;
        }
        let names = (0..count).map(|_| self.fresh(kind)).collect();
        Some(self.add(Action::Make { kind, names }))
    }

    fn watch(&mut self, whom: u8, amount: u16) -> Option<bool> {
        let index = self.pick(whom, |name| name.open && !name.watched)?;
        self.names[index].watched = true;
        Some(self.add(Action::Watch { name: self.names[index].name.clone(), interest: interest(amount) }))
    }

    fn shutdown(&mut self, whom: u8, amount: u16) -> Option<bool> {
        const ENDS: [Kind; 5] = [Kind::Tcp, Kind::Unix, Kind::Seqpacket, Kind::Udp, Kind::Listener];
        let half = [Half::Write, Half::Read, Half::Both, Half::Write][usize::from(amount % 4)];
        Some(self.add(Action::Shutdown { name: self.open_one_of(whom, &ENDS)?, half }))
    }

    fn close(&mut self, whom: u8, amount: u16) -> Option<bool> {
        let index = self.pick(whom, |name| name.open)?;
        let name = self.names[index].name.clone();
        let sockets = [Kind::Tcp, Kind::Unix, Kind::Seqpacket, Kind::Refused];
        let abruptly = amount % 4 == 0 && sockets.contains(&self.names[index].kind);
        let closed = self.add(if abruptly { Action::Reset { name } } else { Action::Close { name } });
        self.names[index].open = !closed;
        Some(closed)
    }

    fn connect(&mut self, whom: u8, amount: u16) -> Option<bool> {
        let listener = self.open_one_of(whom, &[Kind::Listener])?;
        if self.made >= NAMES {
            return None;
        }
        let client = self.fresh(Kind::Tcp);
        Some(self.add(match amount % 2 {
            0 => Action::Connect { client, listener },
            _ => Action::Connecting { client, listener },
        }))
    }

    fn accept(&mut self, whom: u8) -> Option<bool> {
        let listener = self.open_one_of(whom, &[Kind::Listener])?;
        if self.made >= NAMES {
            return None;
        }
        let name = self.fresh(Kind::Tcp);
        let accepted = self.add(Action::Accept { listener, name: name.clone() });
        // With an empty backlog there is nothing that could have the name.
        Some(accepted && self.oracle.knows(&name))
    }

    fn dup_or_reuse(&mut self, whom: u8, amount: u16) -> Option<bool> {
        if self.made + 2 > NAMES {
            return None;
        }
        if amount % 2 == 0 {
            let index = self.pick(whom, |name| name.open)?;
            let (of, kind) = (self.names[index].name.clone(), self.names[index].kind);
            let name = self.fresh(kind);
            return Some(self.add(Action::Dup { of, name }));
        }
        let index = self.pick(whom, |name| !name.open)?;
        let of = self.names[index].name.clone();
        let (name, peer) = (self.fresh(Kind::Unix), self.fresh(Kind::Unix));
        Some(self.add(Action::Reuse { of, name, peer }))
    }
}

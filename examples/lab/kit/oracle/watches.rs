//! Registrations, and epoll's list of those that may have something to report.

use super::file::FileRef;
use super::model::Cause;
use crate::kit::{Bits, Mechanism};
use std::collections::VecDeque;

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watch {
    pub(super) id: usize,
    pub(super) name: String,
    pub(super) number: usize,
    /// What the number stood for when it was registered. select and poll do not keep it.
    pub(super) file: Option<FileRef>,
    pub(super) interest: Bits,
    /// Of a one-shot: whether it has a report left.
    pub(super) armed: bool,
    /// What has put it on the list, if it is there.
    pub(super) due: Option<Cause>,
    /// The line of the wait that reported it last.
    pub(super) told: Option<usize>,
}

/// The registrations of one mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watches {
    pub(super) mechanism: Mechanism,
    pub(super) list: Vec<Watch>,
    /// What the next wait looks at, by id, in this order.
    ready: VecDeque<usize>,
    made: usize,
}

/// What a wait found at one registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: usize,
    pub(super) bits: Bits,
    pub(super) cause: Option<Cause>,
}

impl Watches {
    pub(super) fn new(mechanism: Mechanism) -> Self {
        Self { mechanism, list: Vec::new(), ready: VecDeque::new(), made: 0 }
    }

    /// Whether the kernel keeps the registrations, so that they belong to open files.
    pub(super) const fn kept(&self) -> bool {
        !matches!(self.mechanism, Mechanism::Select | Mechanism::Poll)
    }

    /// What is asked for, with what need not be asked for.
    pub(super) fn mask(&self, interest: Bits) -> Bits {
        match self.mechanism {
            Mechanism::Select => interest & (Bits::IN | Bits::OUT | Bits::PRI),
            Mechanism::Mio => {
                let nothing = !interest.intersects(Bits::IN | Bits::OUT | Bits::PRI);
                let readable = interest.contains(Bits::IN) || nothing;
                let asked = (interest & (Bits::OUT | Bits::PRI)) | (Bits::IN | Bits::RDHUP).when(readable);
                asked | Bits::ERR | Bits::HUP
            }
            _ => interest | Bits::ERR | Bits::HUP | Bits::NVAL,
        }
    }

    /// The registration of this number, and of this file where that counts.
    pub(super) fn find(&mut self, number: usize, file: Option<FileRef>) -> Option<&mut Watch> {
        let kept = self.kept();
        self.list.iter_mut().find(|watch| watch.number == number && (!kept || watch.file == file))
    }

    pub(super) fn add(&mut self, name: &str, number: usize, file: Option<FileRef>, interest: Bits) -> usize {
        let id = self.made;
        self.made += 1;
        let (name, armed) = (name.to_owned(), true);
        self.list.push(Watch { id, name, number, file, interest, armed, due: None, told: None });
        id
    }

    pub(super) fn remove(&mut self, gone: impl Fn(&Watch) -> bool) {
        self.list.retain(|watch| !gone(watch));
        let left: Vec<usize> = self.list.iter().map(|watch| watch.id).collect();
        self.ready.retain(|id| left.contains(id));
    }

    /// Puts a registration on the list, unless it is there already.
    pub(super) fn put(&mut self, id: usize, cause: Cause) {
        let Some(watch) = self.list.iter_mut().find(|watch| watch.id == id) else { return };
        if watch.due.replace(cause).is_none() {
            self.ready.push_back(id);
        }
    }

    /// The driver wakes those who wait for `file`.
    pub(super) fn wake(&mut self, file: FileRef, keys: Bits, cause: Cause) {
        // Who came last to a wait queue stands first in it.
        let woken = self.list.iter().rev().filter(|watch| {
            let concerned = keys.is_none() || keys.intersects(self.mask(watch.interest));
            watch.file == Some(file) && watch.armed && concerned
        });
        for id in woken.map(|watch| watch.id).collect::<Vec<_>>() {
            self.put(id, cause);
        }
    }

    /// One wait of epoll, with what is true of each file now.
    ///
    /// What is on the list and has nothing to report falls off it. What was reported under level is put back at the end,
    /// behind what did not fit into this wait.
    pub(super) fn collect(&mut self, line: usize, max: usize, actual: impl Fn(FileRef) -> Bits) -> Vec<Found> {
        let mut found = Vec::new();
        let mut again = VecDeque::new();
        while found.len() < max {
            let Some(id) = self.ready.pop_front() else { break };
            let Some(index) = self.list.iter().position(|watch| watch.id == id) else { continue };
            let mask = self.mask(self.list[index].interest);
            let watch = &mut self.list[index];
            let bits = watch.file.map_or(Bits::NONE, &actual) & mask;
            let cause = watch.due.take();
            if bits.is_none() {
                continue;
            }
            watch.told = Some(line);
            found.push(Found { id, bits, cause });
            match self.mechanism {
                Mechanism::Level => {
                    watch.due = cause;
                    again.push_back(id);
                }
                Mechanism::Oneshot => watch.armed = false,
                _ => {}
            }
        }
        self.ready.append(&mut again);
        found
    }
}

/// mio's words for what epoll said.
pub(super) fn in_mio(bits: Bits) -> Bits {
    let both_over = bits.contains(Bits::HUP);
    let read_closed = both_over || bits.contains(Bits::IN | Bits::RDHUP);
    let write_closed = both_over || bits.contains(Bits::OUT | Bits::ERR) || bits == Bits::ERR;
    Bits::IN.when(bits.intersects(Bits::IN | Bits::PRI))
        | (bits & (Bits::OUT | Bits::PRI | Bits::ERR))
        | Bits::RDHUP.when(read_closed)
        | Bits::HUP.when(write_closed)
}

/// The sets of select in which a descriptor stays of which this is true.
pub(super) fn in_select(bits: Bits) -> Bits {
    Bits::IN.when(bits.intersects(Bits::IN | Bits::HUP | Bits::ERR | Bits::NVAL))
        | Bits::OUT.when(bits.intersects(Bits::OUT | Bits::ERR | Bits::NVAL))
        | Bits::PRI.when(bits.intersects(Bits::PRI | Bits::NVAL))
}

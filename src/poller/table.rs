//! The registrations of the backends that have to remember them: select, poll and mio.

use super::{Interest, Refusal, Token, Trigger};
use std::os::fd::RawFd;

/// One registration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) fd: RawFd,
    pub(super) token: Token,
    pub(super) interest: Interest,
    pub(super) trigger: Trigger,
    /// False after a one-shot has fired, until it is modified.
    pub(super) armed: bool,
}

impl Entry {
    pub(super) fn new(fd: RawFd, token: Token, interest: Interest, trigger: Trigger) -> Self {
        Self { fd, token, interest, trigger, armed: true }
    }

    /// What the kernel is to be asked about now.
    pub(super) fn wanted(&self) -> Interest {
        self.interest.when(self.armed)
    }

    /// To be called when an event is reported; true if that was the one shot.
    pub(super) fn fire(&mut self) -> bool {
        let oneshot = self.trigger == Trigger::Oneshot;
        self.armed &= !oneshot;
        oneshot
    }
}

/// Entries side by side, and for each descriptor number its place among them.
///
/// Registering checks that the descriptor is open, so its number is below the descriptor limit, and so is the size of
/// this table.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// By descriptor number: the entry's position plus one, or zero.
    positions: Vec<u32>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn entry_mut(&mut self, position: usize) -> &mut Entry {
        &mut self.entries[position]
    }

    /// Where the entry of a descriptor is.
    pub(super) fn position(&self, fd: RawFd) -> Result<usize, Refusal> {
        usize::try_from(fd)
            .ok()
            .and_then(|fd| self.positions.get(fd))
            .and_then(|position| (*position as usize).checked_sub(1))
            .ok_or(Refusal::NotRegistered { fd })
    }

    /// Refuses a descriptor that is here already.
    pub(super) fn check_absent(&self, fd: RawFd) -> Result<(), Refusal> {
        if self.position(fd).is_ok() { Err(Refusal::AlreadyRegistered { fd }) } else { Ok(()) }
    }

    /// Appends an entry for a descriptor that is not here yet.
    pub(super) fn push(&mut self, entry: Entry) {
        let fd = entry.fd as usize;
        if self.positions.len() <= fd {
            self.positions.resize(fd + 1, 0);
        }
        self.entries.push(entry);
        self.positions[fd] = self.entries.len() as u32;
    }

    /// Removes an entry; the last one takes its position.
    pub(super) fn swap_remove(&mut self, position: usize) -> Entry {
        let removed = self.entries.swap_remove(position);
        self.positions[removed.fd as usize] = 0;
        if let Some(moved) = self.entries.get(position) {
            self.positions[moved.fd as usize] = position as u32 + 1;
        }
        removed
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.positions.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_table_finds_what_a_map_finds(steps in prop::collection::vec((0..20_i32, any::<bool>()), 0..200)) {
            let mut table = Table::default();
            let mut model = BTreeMap::new();
            for (step, (fd, add)) in steps.into_iter().enumerate() {
                let token = Token::new(step as u32, 0);
                prop_assert_eq!(table.check_absent(fd).is_err(), model.contains_key(&fd));
                match (add, table.position(fd)) {
                    (true, Err(_)) => {
                        table.push(Entry::new(fd, token, Interest::READABLE, Trigger::Level));
                        model.insert(fd, token);
                    }
                    (false, Ok(position)) => {
                        prop_assert_eq!(Some(table.swap_remove(position).token), model.remove(&fd));
                    }
                    _ => {}
                }
                prop_assert_eq!(table.len(), model.len());
                for (fd, token) in &model {
                    let position = table.position(*fd).unwrap();
                    prop_assert_eq!(table.entries()[position].token, *token);
                }
            }
        }
    }
}

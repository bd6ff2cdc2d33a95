//! What a datagram socket still has to send: whole messages, each with its address.

use crate::sys::address::Address;
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Letter {
    /// `None` on a connected socket.
    pub(super) to: Option<Address>,
    pub(super) data: Vec<u8>,
}

/// Datagrams in order. What was refused by the network is gone: no order or delivery is promised anyway.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    letters: VecDeque<Letter>,
    len: usize,
}

impl Mailbox {
    /// How many bytes of data are queued.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, letter: Letter) {
        self.len += letter.data.len();
        self.letters.push_back(letter);
    }

    pub(super) fn front(&self) -> Option<&Letter> {
        self.letters.front()
    }

    pub(super) fn pop(&mut self) -> Option<Letter> {
        let letter = self.letters.pop_front()?;
        self.len -= letter.data.len();
        Some(letter)
    }
}

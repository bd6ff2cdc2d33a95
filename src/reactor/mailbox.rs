//! What a datagram socket still has to send: whole messages, each with its address.

use crate::sys::address::Address;
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Letter {
    /// `None` on a connected socket.
    pub(super) to: Option<Address>,
    pub(super) data: Vec<u8>,
}

impl Letter {
    /// What it counts in a queue. An empty datagram is something to send, too.
    pub(super) fn size(&self) -> usize {
        self.data.len().max(1)
    }
}

/// Datagrams in order. What was refused by the network is gone: no order or delivery is promised anyway.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    letters: VecDeque<Letter>,
    len: usize,
}

impl Mailbox {
    /// What is queued, in bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, letter: Letter) {
        self.len += letter.size();
        self.letters.push_back(letter);
    }

    pub(super) fn front(&self) -> Option<&Letter> {
        self.letters.front()
    }

    /// Drops the oldest; answers its size.
    pub(super) fn pop(&mut self) -> usize {
        let size = self.letters.pop_front().map_or(0, |letter| letter.size());
        self.len -= size;
        size
    }
}

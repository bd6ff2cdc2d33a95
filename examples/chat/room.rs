//! A room: who is in it, and what was said last.

use std::collections::VecDeque;
use std::sync::Arc;
use tripoll::Token;

/// One room.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// As the one who made it wrote its name.
    pub(crate) title: String,
    /// A message goes to all of these, so they are in a row.
    members: Vec<Token>,
    /// The last lines, oldest first. They share their memory with the queues in which they still wait.
    history: VecDeque<Arc<[u8]>>,
    history_bytes: usize,
}

impl Room {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    pub(crate) fn enter(&mut self, member: Token) {
        self.members.push(member);
    }

    pub(crate) fn leave(&mut self, member: Token) {
        if let Some(seat) = self.members.iter().position(|other| *other == member) {
            self.members.swap_remove(seat);
        }
    }

    pub(crate) fn members(&self) -> &[Token] {
        &self.members
    }

    pub(crate) fn others(&self, member: Token) -> impl Iterator<Item = Token> + '_ {
        self.members.iter().copied().filter(move |other| *other != member)
    }

    /// Keeps a line, and as many before it as `lines` and `bytes` allow.
    pub(crate) fn keep(&mut self, line: &Arc<[u8]>, lines: usize, bytes: usize) {
        self.history_bytes += line.len();
        self.history.push_back(Arc::clone(line));
        while self.history.len() > lines || self.history_bytes > bytes {
            let Some(oldest) = self.history.pop_front() else { break };
            self.history_bytes -= oldest.len();
        }
    }

    pub(crate) fn history(&self) -> impl ExactSizeIterator<Item = &Arc<[u8]>> {
        self.history.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Arc<[u8]> {
        Arc::from(text.as_bytes())
    }

    #[test]
    fn a_room_remembers_the_last_lines_within_both_bounds() {
        let mut room = Room::new("lobby");
        for text in ["one", "two", "three", "four"] {
            room.keep(&line(text), 3, 100);
        }
        let kept = |room: &Room| room.history().map(|line| line.to_vec()).collect::<Vec<_>>();
        assert_eq!(kept(&room), [&b"two"[..], b"three", b"four"]);
        room.keep(&line("12345678"), 3, 12);
        assert_eq!(kept(&room), [&b"four"[..], b"12345678"]);
        room.keep(&line("longer than all the room"), 3, 12);
        assert!(kept(&room).is_empty());
        room.keep(&line("x"), 0, 12);
        assert!(kept(&room).is_empty());
    }

    #[test]
    fn those_who_left_are_not_spoken_to() {
        let mut room = Room::new("lobby");
        let [a, b, c] = [1, 2, 3].map(|index| Token::new(index, 0));
        for member in [a, b, c] {
            room.enter(member);
        }
        room.leave(a);
        room.leave(a);
        let mut others: Vec<_> = room.others(b).collect();
        others.sort_unstable();
        assert_eq!(others, [c]);
        assert_eq!(room.members().len(), 2);
    }
}

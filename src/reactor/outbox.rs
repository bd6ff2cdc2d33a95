//! What a stream still owes its peer: a queue of chunks, written by as few calls as possible.

use super::chunk::Chunk;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;

/// How many chunks one call gathers. The kernel takes 1,024; a room of a hundred in which everyone speaks needs so many.
const GATHER: usize = 128;

const FEW: usize = 16;

/// Up to this size a shared chunk is copied into a page instead of being queued by reference: copying so few bytes costs
/// less than a reference, a queue entry and an entry of the gathered write. ARCHITECTURE.md has the figures.
pub(super) const COPY_SHARED: usize = 128;

/// Small messages are written one behind the other into pages of this size.
const PAGE: usize = 16 * 1024;

/// Pages of an empty queue that are larger than this are not kept.
const KEEP: usize = PAGE;

#[derive(Debug)]
enum Segment {
    /// Small messages, one behind the other.
    Page(Vec<u8>),
    /// A message of its own.
    Owned(Vec<u8>),
    Shared(Arc<[u8]>),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Page(bytes) | Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// Bytes in order, some of the first chunk perhaps written already.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    segments: VecDeque<Segment>,
    /// How much of the first segment is written.
    written: usize,
    /// The first segment is the rest of a message that was written in part before it was queued.
    begun: bool,
    len: usize,
    /// An empty page, kept so that a connection which answers one message at a time allocates none.
    spare: Vec<u8>,
}

impl Outbox {
    /// How many bytes are not written yet.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a message. With `whole`, messages stay apart, so that [`drop_oldest`](Self::drop_oldest) can tell them.
    #[inline]
    pub(super) fn push(&mut self, chunk: Chunk<'_>, whole: bool) {
        let size = chunk.as_ref().len();
        if size == 0 {
            return;
        }
        self.len += size;
        match chunk {
            Chunk::Borrowed(bytes) if whole => self.segments.push_back(Segment::Owned(bytes.to_vec())),
            Chunk::Borrowed(bytes) => self.push_copy(bytes),
            Chunk::Owned(bytes) if !whole && size <= COPY_SHARED => self.push_copy(&bytes),
            Chunk::Owned(mut bytes) => {
                // What is queued is counted by its length, so its memory must not be much more than that.
                if bytes.capacity() / 2 > size {
                    bytes.shrink_to_fit();
                }
                self.segments.push_back(Segment::Owned(bytes));
            }
            Chunk::Shared(bytes) if !whole && size <= COPY_SHARED => self.push_copy(&bytes),
            Chunk::Shared(bytes) => self.segments.push_back(Segment::Shared(bytes)),
        }
    }

    /// Says that the first segment, and the only one, is the rest of a message that has begun.
    pub(super) fn mark_begun(&mut self) {
        self.begun = true;
    }

    /// Copies bytes behind those of the last page, or into pages of their own.
    fn push_copy(&mut self, bytes: &[u8]) {
        if let Some(Segment::Page(page)) = self.segments.back_mut() {
            if page.len() + bytes.len() <= PAGE {
                page.extend_from_slice(bytes);
                return;
            }
        }
        let mut page = std::mem::take(&mut self.spare);
        page.extend_from_slice(bytes);
        self.segments.push_back(Segment::Page(page));
    }

    /// Offers what is queued to `write`, at most `budget` bytes, by one call.
    pub(super) fn write(
        &mut self,
        budget: usize,
        write: impl FnOnce(Piece<'_>) -> io::Result<usize>,
    ) -> io::Result<Progress> {
        let (written, offered) = if let [Some(only), None] = [self.segments.front(), self.segments.get(1)] {
            let bytes = &only.bytes()[self.written..];
            let bytes = &bytes[..bytes.len().min(budget)];
            (write(Piece::One(bytes))?, bytes.len())
        } else {
            // Room for a few is made ready sooner than room for many.
            if self.segments.len() <= FEW {
                self.gather::<FEW>(budget, write)?
            } else {
                self.gather::<GATHER>(budget, write)?
            }
        };
        self.advance(written);
        Ok(Progress { written, full: written < offered })
    }

    fn gather<const N: usize>(
        &self,
        budget: usize,
        write: impl FnOnce(Piece<'_>) -> io::Result<usize>,
    ) -> io::Result<(usize, usize)> {
        let mut slices = [IoSlice::new(&[]); N];
        let mut count = 0;
        let mut offered = 0;
        let mut skip = self.written;
        for segment in self.segments.iter().take(N) {
            let bytes = &segment.bytes()[skip..];
            let bytes = &bytes[..bytes.len().min(budget - offered)];
            skip = 0;
            slices[count] = IoSlice::new(bytes);
            count += 1;
            offered += bytes.len();
            if offered == budget {
                break;
            }
        }
        Ok((write(Piece::Many(&slices[..count]))?, offered))
    }

    /// Drops what was written from the front.
    ///
    /// # Panics
    ///
    /// If more was written than there is: the kernel does not do that.
    fn advance(&mut self, written: usize) {
        self.len = self.len.checked_sub(written).expect("no more can be written than was queued");
        let mut rest = self.written + written;
        while let Some(first) = self.segments.front() {
            let size = first.bytes().len();
            if rest < size {
                break;
            }
            rest -= size;
            self.pop_front();
        }
        self.written = rest;
    }

    fn pop_front(&mut self) {
        self.begun = false;
        if let Some(Segment::Page(mut page)) = self.segments.pop_front() {
            if self.spare.capacity() == 0 && page.capacity() <= KEEP {
                page.clear();
                self.spare = page;
            }
        }
    }

    /// Drops the oldest message of which nothing is written yet; answers its size.
    pub(super) fn drop_oldest(&mut self) -> Option<usize> {
        let first = usize::from(self.written > 0 || self.begun);
        let size = self.segments.remove(first)?.bytes().len();
        self.len -= size;
        Some(size)
    }

    /// Drops everything, and the memory with it but for what is worth keeping.
    pub(super) fn clear(&mut self) {
        while !self.segments.is_empty() {
            self.pop_front();
        }
        self.written = 0;
        self.begun = false;
        self.len = 0;
        if self.segments.capacity() > GATHER {
            self.segments = VecDeque::new();
        }
    }
}

/// What one write is offered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    /// The usual case, which needs no gathering.
    One(&'a [u8]),
    Many(&'a [IoSlice<'a>]),
}

/// What one write achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) written: usize,
    /// The kernel took less than it was offered.
    pub(super) full: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Copies at most `room` bytes of what is offered.
    fn take(piece: Piece<'_>, room: usize, sink: &mut Vec<u8>) -> usize {
        let before = sink.len();
        let mut copy = |bytes: &[u8]| {
            let room = room - (sink.len() - before);
            sink.extend_from_slice(&bytes[..bytes.len().min(room)]);
        };
        match piece {
            Piece::One(bytes) => copy(bytes),
            Piece::Many(slices) => slices.iter().for_each(|slice| copy(slice)),
        }
        sink.len() - before
    }

    fn drain(outbox: &mut Outbox) -> Vec<u8> {
        let mut sink = Vec::new();
        while !outbox.is_empty() {
            outbox.write(usize::MAX, |piece| Ok(take(piece, usize::MAX, &mut sink))).unwrap();
        }
        sink
    }

    #[test]
    fn small_messages_become_one_piece() {
        let mut outbox = Outbox::default();
        for word in ["one ", "two ", "three"] {
            outbox.push(word.into(), false);
        }
        outbox.push(Arc::<[u8]>::from(&b" four"[..]).into(), false);
        let mut sink = Vec::new();
        let progress = outbox.write(1000, |piece| {
            assert!(matches!(piece, Piece::One(_)));
            Ok(take(piece, 1000, &mut sink))
        });
        assert_eq!(progress.unwrap(), Progress { written: 18, full: false });
        assert_eq!(sink, b"one two three four");
    }

    #[test]
    fn a_shared_message_is_freed_after_its_last_queue() {
        let message: Arc<[u8]> = vec![7; 4096].into();
        let mut queues = [Outbox::default(), Outbox::default()];
        for queue in &mut queues {
            queue.push((&message).into(), false);
        }
        assert_eq!(Arc::strong_count(&message), 3);
        assert_eq!(drain(&mut queues[0]), &message[..]);
        assert_eq!(Arc::strong_count(&message), 2);
        queues[1].clear();
        assert_eq!(Arc::strong_count(&message), 1);
    }

    #[test]
    fn the_oldest_whole_message_goes_first_and_a_half_written_one_never() {
        let mut outbox = Outbox::default();
        for message in ["first", "second", "third"] {
            outbox.push(message.into(), true);
        }
        outbox.write(2, |piece| Ok(take(piece, 2, &mut Vec::new()))).unwrap();
        assert_eq!(outbox.drop_oldest(), Some(6));
        assert_eq!(drain(&mut outbox), b"rstthird");
        assert_eq!(outbox.drop_oldest(), None);

        outbox.push("rest of a message".into(), true);
        outbox.mark_begun();
        assert_eq!(outbox.drop_oldest(), None);
        outbox.push("whole".into(), true);
        assert_eq!(outbox.drop_oldest(), Some(5));
        drain(&mut outbox);
        outbox.push("whole".into(), true);
        assert_eq!(outbox.drop_oldest(), Some(5));
    }

    #[test]
    fn a_large_buffer_around_a_small_message_is_not_kept() {
        let mut outbox = Outbox::default();
        let mut message = Vec::with_capacity(1 << 20);
        message.resize(1000, 1);
        outbox.push(message.into(), false);
        let Some(Segment::Owned(queued)) = outbox.segments.front() else { panic!("a message of its own") };
        assert!(queued.capacity() < 2048);
    }

    #[test]
    fn an_error_leaves_everything_as_it_was() {
        let mut outbox = Outbox::default();
        outbox.push("text".into(), false);
        assert!(outbox.write(9, |_| Err(io::ErrorKind::WouldBlock.into())).is_err());
        assert_eq!(drain(&mut outbox), b"text");
    }

    fn chunk() -> impl Strategy<Value = Chunk<'static>> {
        let size = prop_oneof![0..40_usize, 500..530_usize, 0..20_000_usize];
        let bytes = size.prop_flat_map(|size| prop::collection::vec(any::<u8>(), size));
        (bytes, 0..3).prop_map(|(bytes, form)| match form {
            0 => Chunk::Borrowed(bytes.leak()),
            1 => Chunk::Owned(bytes),
            _ => Chunk::Shared(bytes.into()),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_short_writes_yield_the_concatenation(
            chunks in prop::collection::vec((chunk(), any::<bool>()), 0..100),
            rooms in prop::collection::vec((0..5000_usize, 1..9000_usize), 1..50),
        ) {
            let mut outbox = Outbox::default();
            let mut expected = Vec::new();
            let mut sink = Vec::new();
            let mut rooms = rooms.into_iter().cycle();
            let mut step = |outbox: &mut Outbox, sink: &mut Vec<u8>| {
                let (room, budget) = rooms.next().unwrap();
                let offered = outbox.len().min(budget);
                let progress = outbox.write(budget, |piece| Ok(take(piece, room, sink))).unwrap();
                assert!(progress.written <= offered.min(room));
            };
            for (chunk, whole) in chunks {
                expected.extend_from_slice(chunk.as_ref());
                outbox.push(chunk, whole);
                if !outbox.is_empty() && !whole { step(&mut outbox, &mut sink); }
                prop_assert_eq!(outbox.len(), expected.len() - sink.len());
            }
            sink.extend(drain(&mut outbox));
            prop_assert_eq!(sink, expected);
            prop_assert!(outbox.segments.is_empty() && outbox.written == 0);
        }
    }
}

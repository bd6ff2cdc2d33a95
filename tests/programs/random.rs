//! Randomness that can be had again, and content that tells where it belongs.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn within(&mut self, range: Range<usize>) -> usize {
        range.start + (self.next() % (range.end - range.start) as u64) as usize
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.next() % times == 0
    }
}

/// The seed of this run: another one each time, unless `TRIPOLL_TEST_SEED` says which to repeat.
pub(crate) fn seed() -> u64 {
    match std::env::var("TRIPOLL_TEST_SEED") {
        Ok(seed) => seed.parse().expect("TRIPOLL_TEST_SEED is a number"),
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_nanos() as u64),
    }
}

/// A prime, so that no round number of bytes lost or doubled leaves the content as it was.
const PERIOD: usize = 262_147;
/// The longest slice that is handed out.
const SLICE: usize = 64 * 1024;

/// At most `len` bytes of stream number `stream`, from `position` on.
pub(crate) fn content(stream: usize, position: usize, len: usize) -> &'static [u8] {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut random = Random::new(7);
        let mut table: Vec<u8> = (0..PERIOD).map(|_| random.next() as u8).collect();
        table.extend_from_within(..SLICE);
        table
    });
    let start = (stream * 7919 + position) % PERIOD;
    &table[start..start + len.min(SLICE)]
}

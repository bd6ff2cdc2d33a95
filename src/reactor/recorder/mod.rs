//! What the loop did, taken down to be looked at: turns, waits, events, callbacks, reads and writes, interest, timers, the
//! beginning and the end of each source.
//!
//! A [`Recorder`] is given to a loop and taken back from it. Meanwhile the loop notes what happens in a buffer of records of
//! one size, and between turns the recorder writes them down as text. While there is no recorder, nothing is noted and
//! nothing is asked.

mod line;
mod notes;
mod record;
mod text;
mod trace;

pub(crate) use record::Callback;
pub(super) use record::{Change, Done, Io, Record, What};

use super::occurrence::Occurrence;
use super::turn::Reactor;
use crate::poller::{Poller, Token};
use crate::sys;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use text::Text;
use trace::Trace;

/// Records that there is room for before they are written: 512 KiB.
const BUFFER: usize = 16 * 1024;

/// So many are written when a turn has ended, so that the room lasts for the longest turn.
const MANY: usize = BUFFER / 4;

/// Nanoseconds after which they are written even if there are few, lest a program that is killed takes them along.
const SAVE_EVERY: u64 = 10_000_000;

/// Text is made of so many records before it is written.
const PIECE: usize = 512;

/// Takes down what a loop does, in the [Trace Event Format]: a file to be opened in <https://ui.perfetto.dev> or
/// `chrome://tracing`.
///
/// There is a lane for the loop, with its turns, its waits and the callbacks in them, and one for each source: when it was
/// reported ready, when its callback ran, what was read and sent, how long something was queued for it. So one sees what a
/// connection waited for. The time is that of the loop's [`Clock`](super::Clock).
///
/// Records are written as they come, between turns, up to a [`limit`](Self::limit); with [`latest`](Self::latest) the most
/// recent ones are kept and written in the end. A loop that is recorded calls no handler in another order and makes no other
/// system calls, but for those that write the file. If writing fails, recording ends, the error is logged and kept, and the
/// loop goes on.
///
/// # Examples
///
/// ```
/// use tripoll::reactor::{Listener, Recorder};
/// use tripoll::{Context, Dispatcher, EventLoop};
///
/// struct Nobody;
///
/// impl Dispatcher for Nobody {
///     type Shared = ();
///     type Spawn = Self;
/// }
///
/// # let path = std::env::temp_dir().join(format!("tripoll-doc-{}.json", std::process::id()));
/// let mut event_loop = EventLoop::new(())?;
/// event_loop.record(Recorder::create(&path)?);
/// event_loop.adopt(Listener::bind(&"tcp://127.0.0.1:0".parse()?)?, Nobody)?;
/// event_loop.turn(Some(std::time::Duration::ZERO))?;
/// let recorder = event_loop.stop_recording().expect("it was recording");
/// assert!(recorder.finish()? > 0);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [Trace Event Format]: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
pub struct Recorder {
    records: Vec<Record>,
    /// Records that there is room for before something has to be done.
    room: usize,
    /// The place of the oldest, when the latest are kept and there is no room left.
    oldest: usize,
    keeps_latest: bool,
    limit: u64,
    taken: u64,
    written: u64,
    lost: u64,
    /// The time of the last record.
    last: u64,
    /// That time is the present: nothing has run since.
    fresh: bool,
    saved_at: u64,
    /// The recorder has just written, and the next record says until when.
    saving: bool,
    /// A turn has begun, a callback runs.
    in_turn: bool,
    in_call: bool,
    done: bool,
    /// What the last `Load` said.
    load: (u32, u64),
    error: Option<io::Error>,
    trace: Trace,
    text: Text,
    writer: Box<dyn Write + Send + Sync>,
    /// The process that made it: a fork shall not write the same records once more.
    process: u32,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken, written, lost, error, .. } = self;
        f.debug_struct("Recorder")
            .field("taken", taken)
            .field("written", written)
            .field("lost", lost)
            .field("error", error)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records that are taken down, unless [`limit`](Self::limit) or [`latest`](Self::latest) says otherwise. As a file
    /// these are some 150 MiB, which is what a browser can still show.
    pub const LIMIT: usize = 1 << 20;

    /// A recorder that writes a file. One that is there already is replaced.
    ///
    /// # Errors
    ///
    /// What `open` answers, with the path.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let file = File::create(path)
            .map_err(|e| io::Error::new(e.kind(), format!("cannot record to {}: {e}", path.display())))?;
        Ok(Self::new(file))
    }

    /// A recorder that writes to whatever can be written to. It is given large pieces, so that it needs no buffer of its
    /// own. While it blocks, so does the loop.
    pub fn new(writer: impl Write + Send + Sync + 'static) -> Self {
        Self {
            records: Vec::with_capacity(BUFFER),
            room: BUFFER,
            oldest: 0,
            keeps_latest: false,
            limit: Self::LIMIT as u64,
            taken: 0,
            written: 0,
            lost: 0,
            last: 0,
            fresh: false,
            saved_at: 0,
            saving: false,
            in_turn: false,
            in_call: false,
            done: false,
            load: (u32::MAX, 0),
            error: None,
            trace: Trace::new(),
            text: Text::default(),
            writer: Box::new(writer),
            process: sys::fork::process(),
        }
    }

    /// Takes down so many records, of which the last says that the limit was reached; what comes after it is not recorded.
    #[must_use]
    pub fn limit(mut self, records: usize) -> Self {
        if !self.keeps_latest {
            self.limit = records.max(1) as u64;
        }
        self
    }

    /// Keeps the latest so many records, 32 bytes each, in memory that is set aside now, and writes them in the end: for a
    /// loop that runs for days and is to be looked at when something has gone wrong. There is no other limit then. If the
    /// process is killed, they are lost.
    #[must_use]
    pub fn latest(mut self, records: usize) -> Self {
        self.room = records.max(1);
        self.records = Vec::with_capacity(self.room);
        self.keeps_latest = true;
        self.limit = u64::MAX;
        self
    }

    /// How many records were taken down so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// How many of them are not, and will not be, in the file: older ones than the [`latest`](Self::latest), or those that
    /// could not be written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// What went wrong with writing, if something did. Nothing is recorded since.
    #[must_use]
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// Writes what is left, and says how many records are in the file. Dropping the recorder writes as well, but keeps
    /// quiet about errors.
    ///
    /// # Errors
    ///
    /// The first that writing met.
    pub fn finish(mut self) -> io::Result<u64> {
        self.conclude();
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(self.written),
        }
    }

    /// Whether it is time to write, between two turns.
    pub(super) fn is_due(&self) -> bool {
        let long_ago = self.last.saturating_sub(self.saved_at) >= SAVE_EVERY;
        let due = self.records.len() >= MANY || long_ago || self.done;
        due && !self.keeps_latest && !self.records.is_empty()
    }

    /// Writes what there is, and notes that it did, so that nobody is blamed for the time.
    pub(super) fn save(&mut self, at: u64) {
        self.write_all();
        self.saved_at = at;
        self.push(at, Token::NONE, What::Save);
        self.saving = !self.done;
    }

    /// Makes text of the records, and writes it.
    fn write_all(&mut self) {
        let mut records = std::mem::take(&mut self.records);
        records.rotate_left(self.oldest);
        self.oldest = 0;
        for piece in records.chunks(PIECE) {
            if self.error.is_none() {
                for record in piece {
                    self.trace.write(record, &mut self.text);
                }
            }
            self.write_text(piece.len());
        }
        records.clear();
        self.records = records;
    }

    fn write_text(&mut self, records: usize) {
        if self.error.is_some() {
            self.lost += records as u64;
            return;
        }
        match self.writer.write_all(self.text.as_bytes()) {
            Ok(()) => self.written += records as u64,
            Err(e) => {
                log::warn!("the recording ends here, the loop goes on: {e}");
                self.lost += records as u64;
                self.error = Some(e);
                self.done = true;
            }
        }
        self.text.clear();
    }

    fn conclude(&mut self) {
        if self.process != sys::fork::process() {
            return;
        }
        self.write_all();
        self.trace.finish(self.last, &mut self.text);
        self.write_text(0);
        if self.error.is_none() {
            self.error = self.writer.flush().err();
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if !self.trace.is_finished() {
            self.conclude();
        }
    }
}

impl<P: Poller> Reactor<P> {
    /// Has what the loop does taken down from now on; answers the recorder that did so before.
    pub fn record(&mut self, recorder: Recorder) -> Option<Recorder> {
        self.ledger().record(recorder)
    }

    /// Ends a recording, and gives the recorder back: [`finish`](Recorder::finish) it.
    pub fn stop_recording(&mut self) -> Option<Recorder> {
        self.ledger().stop_recording()
    }
}

//! tokio on one thread: a task for each connection. Those of its tutorial have a buffer each; here all read into one of
//! the thread, which no task holds while it waits: as fast, and an idle connection costs 1 KiB instead of the buffer.
//! System calls cannot be counted from outside.

use super::super::local::{dispatch, timers, wake};
use super::super::scenario::{Cell as Place, Scenario};
use super::Round;
use super::echo::{BUFFER, RETRY};
use super::room::{LINES, QUEUE_MAX};
use super::wakeup::Message;
use slab::Slab;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::net::TcpListener as StdListener;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedSender};
use tokio::task::AbortHandle;
use tokio::time::{self, Instant, Sleep};

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Accepts for ever.
fn serve(listener: StdListener, mut enter: impl FnMut(TcpStream)) -> io::Result<()> {
    runtime()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => enter(stream),
                Err(e) if e.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) => time::sleep(RETRY).await,
            }
        }
    })
}

pub fn echo(listener: StdListener) -> io::Result<()> {
    serve(listener, |stream| {
        tokio::spawn(send_back(stream));
    })
}

async fn send_back(mut stream: TcpStream) -> io::Result<()> {
    while let Some(unsent) = receive(&mut stream, send_at_once).await? {
        stream.write_all(&unsent?).await?;
    }
    Ok(())
}

/// What does not fit into the send buffer is the answer.
fn send_at_once(stream: &TcpStream, data: &[u8]) -> io::Result<Vec<u8>> {
    match stream.try_write(data) {
        Ok(sent) => Ok(data[sent..].to_vec()),
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(data.to_vec()),
        Err(e) => Err(e),
    }
}

thread_local! {
    /// Taken out while somebody reads into it.
    static BUF: Cell<Vec<u8>> = Cell::new(vec![0; BUFFER]);
}

/// Reads once, and has `take` look at the data before anyone else reads. `None` at the end.
async fn receive<S, T>(stream: &mut S, mut take: impl FnMut(&S, &[u8]) -> T) -> io::Result<Option<T>>
where
    S: AsyncRead + Unpin,
{
    poll_fn(|cx| {
        let mut owned = BUF.take();
        let mut buf = ReadBuf::new(&mut owned);
        let result = Pin::new(&mut *stream).poll_read(cx, &mut buf).map_ok(|()| {
            let data = buf.filled();
            (!data.is_empty()).then(|| take(stream, data))
        });
        BUF.set(owned);
        result
    })
    .await
}

type Line = Arc<[u8]>;

/// Lines that may be queued for a member; who is further behind is closed.
const QUEUED: usize = QUEUE_MAX / 64;

struct Member {
    lines: Sender<Line>,
    tasks: [AbortHandle; 2],
}

type Members = Arc<Mutex<Slab<Member>>>;

pub fn chat(listener: StdListener) -> io::Result<()> {
    let members = Members::default();
    serve(listener, |stream| {
        let (input, output) = stream.into_split();
        let (lines, queue) = mpsc::channel(QUEUED);
        let mut locked = members.lock().expect("nobody panics with the lock");
        let entry = locked.vacant_entry();
        let speaks = tokio::spawn(speak(input, entry.key(), Arc::clone(&members)));
        let hears = tokio::spawn(hear(output, queue));
        entry.insert(Member { lines, tasks: [speaks.abort_handle(), hears.abort_handle()] });
    })
}

/// Gives everyone else what a member says.
async fn speak(mut input: OwnedReadHalf, key: usize, members: Members) {
    let mut said = Vec::new();
    while let Ok(Some(())) = receive(&mut input, |_, data| said.extend_from_slice(data)).await {
        let mut members = members.lock().expect("nobody panics with the lock");
        let mut start = 0;
        while let Some(end) = said[start..].iter().position(|byte| *byte == b'\n') {
            let line = Line::from(&said[start..=start + end]);
            // Whose queue is full is closed by the end of his tasks.
            members.retain(|other, member| {
                let takes = other == key || member.lines.try_send(Arc::clone(&line)).is_ok();
                if !takes {
                    member.tasks.iter().for_each(AbortHandle::abort);
                }
                takes
            });
            start += end + 1;
        }
        said.drain(..start);
    }
    members.lock().expect("nobody panics with the lock").remove(key);
}

/// Writes all that is queued for a member at once.
async fn hear(mut output: OwnedWriteHalf, mut queue: Receiver<Line>) -> io::Result<()> {
    let mut lines = Vec::with_capacity(LINES);
    while queue.recv_many(&mut lines, LINES).await > 0 {
        let mut slices = [IoSlice::new(&[]); LINES];
        for (slice, line) in slices.iter_mut().zip(&lines) {
            *slice = IoSlice::new(line);
        }
        let mut rest = &mut slices[..lines.len()];
        while !rest.is_empty() {
            let written = output.write_vectored(rest).await?;
            IoSlice::advance_slices(&mut rest, written);
        }
        lines.clear();
    }
    Ok(())
}

pub fn prepare(cell: &Place) -> io::Result<Round> {
    match cell.scenario {
        Scenario::Dispatch => dispatch(cell),
        Scenario::Timers => Ok(timers::rounds(Timers::new()?, cell)),
        Scenario::Wake => wake(),
        other => Err(io::Error::other(format!("tokio has no {other}"))),
    }
}

/// Tokens passed on, and who waits for so many.
#[derive(Default)]
struct Passed {
    tokens: AtomicU64,
    awaited: AtomicU64,
    reached: Notify,
}

/// Tokens of a turn: one that went back to the bench for each would measure its way there.
const TOKENS: u64 = 500;

fn dispatch(cell: &Place) -> io::Result<Round> {
    let ring = dispatch::Ring::new(cell)?;
    ring.start()?;
    let runtime = runtime()?;
    let passed = Arc::new(Passed::default());
    for (reader, next) in ring.readers.into_iter().zip(ring.next) {
        let _context = runtime.enter();
        runtime.spawn(pass_on(UnixStream::from_std(reader)?, next, Arc::clone(&passed)));
    }
    Ok(Box::new(move |figures| {
        let turn = || {
            let before = passed.tokens.load(Ordering::Relaxed);
            passed.awaited.store(before + TOKENS, Ordering::Relaxed);
            runtime.block_on(passed.reached.notified());
            Ok(passed.tokens.load(Ordering::Relaxed) - before)
        };
        dispatch::measure(figures, turn, || (None, None))
    }))
}

/// Room for one more token than there usually is: a read that leaves some shows that there is no more, which saves the
/// next one. Tokens that have caught up with each other are passed on one a turn, as by everyone else; they would go
/// round in one block otherwise, and fewer tasks would be ready than there are tokens.
async fn pass_on(mut reader: UnixStream, mut next: StdUnixStream, passed: Arc<Passed>) -> io::Result<()> {
    let mut tokens = [0; 2];
    loop {
        let read = reader.read(&mut tokens).await?;
        for (index, token) in tokens[..read].iter().enumerate() {
            if index > 0 {
                tokio::task::yield_now().await;
            }
            next.write_all(&[*token])?;
            let so_far = passed.tokens.fetch_add(1, Ordering::Relaxed) + 1;
            if so_far == passed.awaited.load(Ordering::Relaxed) {
                passed.reached.notify_one();
            }
        }
    }
}

/// Sleeps that were polled once, which is when they are registered.
struct Timers {
    sleeps: Slab<Pin<Box<Sleep>>>,
    _context: EnterGuard<'static>,
}

impl Timers {
    /// In the runtime's context for good, as a task is.
    fn new() -> io::Result<Self> {
        let runtime: &'static Runtime = Box::leak(Box::new(runtime()?));
        Ok(Self { sleeps: Slab::new(), _context: runtime.enter() })
    }
}

impl timers::Timers for Timers {
    type Id = usize;

    fn add(&mut self, after: Duration) -> usize {
        let mut sleep = Box::pin(time::sleep(after));
        assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending(), "it is far away");
        self.sleeps.insert(sleep)
    }

    fn push_back(&mut self, id: usize, after: Duration) -> usize {
        self.sleeps[id].as_mut().reset(Instant::now() + after);
        id
    }

    fn cancel(&mut self, id: usize) {
        drop(self.sleeps.remove(id));
    }
}

struct Poster(UnboundedSender<Message>);

impl wake::Post for Poster {
    fn post(&self, answer: SyncSender<()>) {
        assert!(self.0.send(Message::Answer(answer)).is_ok(), "the loop is there");
    }

    fn end(&self) {
        assert!(self.0.send(Message::End).is_ok(), "the loop is there");
    }
}

fn wake() -> io::Result<Round> {
    let runtime = runtime()?;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    Ok(Box::new(move |figures| {
        let thread = wake::other_thread(Poster(sender.clone()));
        runtime.block_on(async {
            while let Some(message) = receiver.recv().await {
                if message.deliver() {
                    break;
                }
            }
        });
        wake::collect(thread, figures)
    }))
}

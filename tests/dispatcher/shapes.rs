//! The three ways to store handlers: one type, an enum, boxes. Whoever is called sees no difference.

use crate::kernel;
use crate::probe::tcp_pair;
use crate::support::{BOUND, every_backend_and_trigger};
use std::io::{self, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use tripoll::dispatcher::{Boxed, Context, Dispatcher, EventLoop};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Address, Reactor, Reason, Stream, TimerId};
use tripoll::{Backend, Settings, Trigger};

every_backend_and_trigger!(every_callback_reaches_a_handler_however_it_is_stored);

type Log = Vec<String>;

/// Writes the code of a handler that logs every callback, for a loop that stores handlers of some type.
macro_rules! chronicler {
    ($Handler:ident in $Spawn:ty) => {
        #[derive(Default)]
        struct $Handler {
            reads: std::cell::Cell<u32>,
            wrote: bool,
        }

        impl Dispatcher for $Handler {
            type Shared = Log;
            type Spawn = $Spawn;

            fn readable(&self) -> bool {
                self.reads.set(self.reads.get() + 1);
                true
            }

            fn writable(&self) -> bool {
                !self.wrote
            }

            fn handle_open(&mut self, cx: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                log.push("open".into());
                cx.want_urgent(true);
                // A listener has no timer to wait for, but may set one like everybody.
                cx.set_timer(Duration::ZERO).map(drop)
            }

            fn handle_connect(&mut self, _: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                log.push("connect".into());
                Ok(())
            }

            fn handle_accept(
                &mut self,
                _: Stream,
                _: Address,
                cx: &mut Context<'_, $Spawn>,
                log: &mut Log,
            ) -> io::Result<()> {
                log.push("accept".into());
                cx.abort();
                Ok(())
            }

            fn handle_read(&mut self, cx: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                assert!(self.reads.get() > 0, "it was asked");
                if cx.recv()?.is_empty() {
                    return Ok(());
                }
                log.push("read".into());
                Err(io::Error::other("of handle_read"))
            }

            fn handle_eof(&mut self, cx: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                log.push("eof".into());
                cx.send(vec![0; 900_000])?;
                Ok(())
            }

            fn handle_write(&mut self, _: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                self.wrote = true;
                log.push("write".into());
                Ok(())
            }

            fn handle_drain(&mut self, cx: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                log.push("drain".into());
                cx.shutdown(BOUND);
                Ok(())
            }

            fn handle_expt(&mut self, cx: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                if let Some(byte) = cx.recv_urgent()? {
                    log.push(format!("expt {byte}"));
                }
                Ok(())
            }

            fn handle_timeout(&mut self, _: TimerId, _: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                log.push("timeout".into());
                Ok(())
            }

            fn handle_shutdown(&mut self, cx: &mut Context<'_, $Spawn>, log: &mut Log) -> io::Result<()> {
                log.push("shutdown".into());
                cx.finish();
                Ok(())
            }

            fn handle_error(&mut self, error: io::Error, _: &mut Context<'_, $Spawn>, log: &mut Log) {
                log.push(format!("error {error}"));
            }

            fn handle_close(&mut self, reason: Reason, _: &mut Context<'_, $Spawn>, log: &mut Log) {
                log.push(format!("close {reason}"));
            }
        }
    };
}

chronicler!(Inline in Inline);
chronicler!(Member in Kinds);
chronicler!(Open in Boxed<Log>);

/// Another kind, so that there is a choice.
struct Door(Member);

/// Passes everything on to the one that it is.
enum Kinds {
    Door(Door),
    Member(Member),
}

impl From<Member> for Kinds {
    fn from(member: Member) -> Self {
        Self::Member(member)
    }
}

impl Kinds {
    fn inner(&self) -> &Member {
        match self {
            Self::Door(door) => &door.0,
            Self::Member(member) => member,
        }
    }

    fn inner_mut(&mut self) -> &mut Member {
        match self {
            Self::Door(door) => &mut door.0,
            Self::Member(member) => member,
        }
    }
}

macro_rules! pass_on {
    ($($callback:ident)*) => { $(
        fn $callback(&mut self, cx: &mut Context<'_, Self>, log: &mut Log) -> io::Result<()> {
            self.inner_mut().$callback(cx, log)
        }
    )* };
}

impl Dispatcher for Kinds {
    type Shared = Log;
    type Spawn = Self;

    pass_on! { handle_open handle_connect handle_read handle_eof handle_write handle_drain handle_expt handle_shutdown }

    fn readable(&self) -> bool {
        self.inner().readable()
    }

    fn writable(&self) -> bool {
        self.inner().writable()
    }

    fn handle_accept(&mut self, s: Stream, a: Address, cx: &mut Context<'_, Self>, log: &mut Log) -> io::Result<()> {
        self.inner_mut().handle_accept(s, a, cx, log)
    }

    fn handle_timeout(&mut self, timer: TimerId, cx: &mut Context<'_, Self>, log: &mut Log) -> io::Result<()> {
        self.inner_mut().handle_timeout(timer, cx, log)
    }

    fn handle_error(&mut self, error: io::Error, cx: &mut Context<'_, Self>, log: &mut Log) {
        self.inner_mut().handle_error(error, cx, log);
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Context<'_, Self>, log: &mut Log) {
        self.inner_mut().handle_close(reason, cx, log);
    }
}

/// Takes a listener, an outgoing and an adopted connection through everything that can happen to them.
fn live<H>(
    backend: Backend,
    trigger: Trigger,
    mut listening: impl FnMut() -> H,
    mut connection: impl FnMut() -> H,
) -> Log
where
    H: Dispatcher<Shared = Log, Spawn = H>,
{
    let settings = Settings { trigger, ..Settings::default() };
    let reactor = Reactor::with_settings(AnyPoller::new(backend).unwrap(), settings).unwrap();
    let mut event_loop = EventLoop::on(reactor, Log::new());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    event_loop.adopt(listener, listening()).unwrap();
    run_until(&mut event_loop, "timeout", 1);
    drop(TcpStream::connect(address).unwrap());
    run_until(&mut event_loop, "close aborted", 1);

    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    event_loop.connect(&server.local_addr().unwrap().into(), connection()).unwrap();
    run_until(&mut event_loop, "connect", 1);
    run_until(&mut event_loop, "timeout", 2);
    run_until(&mut event_loop, "write", 1);
    kernel::reset(server.accept().unwrap().0);
    run_until(&mut event_loop, "close failed: Connection reset by peer (os error 104)", 1);

    let (ours, mut peer) = tcp_pair();
    event_loop.adopt(ours, connection()).unwrap();
    run_until(&mut event_loop, "write", 2);
    run_until(&mut event_loop, "timeout", 3);
    peer.write_all(b"x").unwrap();
    run_until(&mut event_loop, "error of handle_read", 1);
    kernel::send_urgent(&peer, 7);
    run_until(&mut event_loop, "expt 7", 1);
    peer.shutdown(Shutdown::Write).unwrap();
    run_until(&mut event_loop, "eof", 1);
    let mut got = Vec::new();
    while got.len() < 900_000 {
        crate::probe::read_available(&mut peer, &mut got);
        event_loop.turn(Some(Duration::from_millis(1))).unwrap();
    }
    run_until(&mut event_loop, "close closed by the peer", 1);
    event_loop.into_shared()
}

fn run_until<H: Dispatcher<Shared = Log, Spawn = H>>(event_loop: &mut EventLoop<H>, line: &str, times: usize) {
    let deadline = Instant::now() + BOUND;
    while event_loop.shared().iter().filter(|logged| *logged == line).count() < times {
        assert!(Instant::now() < deadline, "never: {line}; so far: {:#?}", event_loop.shared());
        event_loop.turn(Some(Duration::from_millis(10))).unwrap();
    }
}

fn every_callback_reaches_a_handler_however_it_is_stored(backend: Backend, trigger: Trigger) {
    let mut inline = live(backend, trigger, Inline::default, Inline::default);
    let mut kinds = live(backend, trigger, || Kinds::Door(Door(Member::default())), || Member::default().into());
    let mut boxed = live(backend, trigger, || Boxed::new(Open::default()), || Boxed::new(Open::default()));
    // What comes in the same turn may come in either order.
    for log in [&mut inline, &mut kinds, &mut boxed] {
        log.sort();
    }
    assert_eq!(inline, kinds);
    assert_eq!(inline, boxed);
    inline.dedup();
    assert_eq!(inline.len(), 14, "{inline:#?}");
}

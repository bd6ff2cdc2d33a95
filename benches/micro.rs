//! Instructions per operation, counted by valgrind, which do not scatter as times do: the guard of the short way from the
//! event to the handler. Each case runs twice, with few and with many operations, and the difference is divided by the
//! difference. Without valgrind it prints nanoseconds and guards nothing.
//!
//! `cargo bench --bench micro [-- NAME]` ends with 1 if a case takes more than its limit.
#![allow(missing_docs)]

mod support;

use std::env;
use std::hint::black_box;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::fake::AlwaysReady;
use support::{floor, machine, raw};
use tripoll::poller::EpollPoller;
use tripoll::reactor::{Missed, Reactor, Recorder, Stream};
use tripoll::{Context, Dispatcher, EventLoop, Settings, Trigger};

/// Says to the process under valgrind which case to run, and how often.
const ENV: &str = "TRIPOLL_MICRO";
const FEW: u64 = 1_000;
const MANY: u64 = 6_000;

/// A name, what runs it so many times, and how many instructions it may take: a tenth more than it took when that was
/// written down.
type Case = (&'static str, fn(u64), u64);

const CASES: [Case; 12] = [
    ("echo by hand, level", |n| echo_by_hand(n, 0), 90),
    ("echo by hand, edge", |n| echo_by_hand(n, raw::EPOLLET), 110),
    ("echo, level", |n| echo(n, Trigger::Level), 400),
    ("echo, edge", |n| echo(n, Trigger::Edge), 1330),
    ("echo, oneshot", |n| echo(n, Trigger::Oneshot), 1370),
    ("echo, level, latest kept", |n| recorded(n, Recorder::new(io::sink()).latest(1000)), 1050),
    ("echo, level, recorded", |n| recorded(n, Recorder::new(io::sink())), 5750),
    ("dispatch", dispatch, 160),
    ("send to another, shared", send, 460),
    ("timer pushed back", push_back, 160),
    ("timer added and cancelled", add_and_cancel, 430),
    ("timer fired", fire, 1200),
];

fn main() -> ExitCode {
    if let Ok(task) = env::var(ENV) {
        let (name, count) = task.rsplit_once('\t').expect("a name and a count");
        let case = CASES.iter().find(|case| case.0 == name).expect("the name of a case");
        case.1(count.parse().expect("a number"));
        return ExitCode::SUCCESS;
    }
    println!("{}", machine::describe());
    let wanted = env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let counts = Command::new("valgrind").arg("--version").output().is_ok();
    if !counts {
        println!("valgrind is not installed: nanoseconds instead of instructions, and no limits");
    }
    let unit = if counts { "instructions" } else { "ns" };
    println!("{:28} {unit:>13} {:>8}", "", "limit");
    let mut above = false;
    for (name, run, limit) in CASES.iter().filter(|case| case.0.contains(&wanted)) {
        let cost = if counts { instructions(name) } else { nanoseconds(*run) };
        let verdict = if counts && cost > *limit as f64 { "  ABOVE" } else { "" };
        above |= !verdict.is_empty();
        println!("{name:28} {cost:>13.1} {limit:>8}{verdict}");
    }
    if above { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn instructions(name: &str) -> f64 {
    let count = |operations: u64| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(env::current_exe().unwrap()).env(ENV, format!("{name}\t{operations}"));
        let output = valgrind.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find_map(|line| line.split("Collected : ").nth(1));
        line.and_then(|number| number.trim().parse::<f64>().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
    };
    (count(MANY) - count(FEW)) / (MANY - FEW) as f64
}

fn nanoseconds(run: fn(u64)) -> f64 {
    let time = |operations| {
        let began = Instant::now();
        run(operations);
        began.elapsed().as_nanos() as f64
    };
    (time(10 * MANY) - time(10 * FEW)) / (10 * (MANY - FEW)) as f64
}

/// Connections that all have a request at each turn, and their clients.
struct Ready {
    ours: Vec<UnixStream>,
    theirs: Vec<UnixStream>,
}

/// Requests in a turn: so many that the wait's share is small.
const CONNECTIONS: usize = 20;

impl Ready {
    fn new() -> Self {
        let pairs = (0..CONNECTIONS).map(|_| UnixStream::pair().unwrap());
        let (ours, theirs): (Vec<_>, Vec<_>) = pairs.unzip();
        for stream in &ours {
            stream.set_nonblocking(true).unwrap();
        }
        Self { ours, theirs }
    }

    /// Each client asks, the server turns, and each client has its answer. The same for all, so that it falls out of
    /// comparisons.
    fn rounds(theirs: &[UnixStream], requests: u64, mut turn: impl FnMut()) {
        let mut answer = [0; 64];
        for _ in 0..requests / CONNECTIONS as u64 {
            for client in theirs {
                raw::write(client.as_raw_fd(), &answer);
            }
            turn();
            for client in theirs {
                assert_eq!(raw::read(client.as_raw_fd(), &mut answer), 64);
            }
        }
    }
}

fn echo_by_hand(requests: u64, mode: i32) {
    let Ready { ours, theirs } = Ready::new();
    let mut turn = floor::echo_turn(&ours, mode);
    Ready::rounds(&theirs, requests, &mut turn);
}

struct Echo;

impl Dispatcher for Echo {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        let data = cx.recv()?;
        cx.send(data)?;
        Ok(())
    }
}

fn quiet(trigger: Trigger) -> Settings {
    Settings { trigger, slow_turn: Duration::MAX, ..Settings::default() }
}

fn echo(requests: u64, trigger: Trigger) {
    echo_on(EventLoop::on(reactor(trigger), ()), requests);
}

fn recorded(requests: u64, recorder: Recorder) {
    let mut event_loop = EventLoop::on(reactor(Trigger::Level), ());
    event_loop.record(recorder);
    echo_on(event_loop, requests);
}

fn reactor(trigger: Trigger) -> Reactor<EpollPoller> {
    Reactor::with_settings(EpollPoller::new().unwrap(), quiet(trigger)).unwrap()
}

fn echo_on(mut event_loop: EventLoop<Echo, EpollPoller>, requests: u64) {
    let Ready { ours, theirs } = Ready::new();
    for stream in ours {
        event_loop.adopt(Stream::from(stream), Echo).unwrap();
    }
    Ready::rounds(&theirs, requests, || event_loop.turn(None).unwrap());
}

struct Counting(u64);

impl Dispatcher for Counting {
    type Shared = ();
    type Spawn = Self;

    fn handle_read(&mut self, _: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        self.0 = black_box(self.0 + 1);
        Ok(())
    }
}

fn fake(connections: usize) -> EventLoop<Counting, AlwaysReady> {
    let reactor = Reactor::with_settings(AlwaysReady::default(), quiet(Trigger::Level)).unwrap();
    let mut event_loop = EventLoop::on(reactor, ());
    for _ in 0..connections {
        event_loop.adopt(Stream::from(UnixStream::pair().unwrap().0), Counting(0)).unwrap();
    }
    event_loop
}

fn dispatch(events: u64) {
    let mut event_loop = fake(CONNECTIONS);
    for _ in 0..events / CONNECTIONS as u64 {
        event_loop.turn(None).unwrap();
    }
}

/// To a connection of another handler: queued, and written before the wait, ten at a time.
fn send(sends: u64) {
    let Ready { mut ours, theirs } = Ready::new();
    let mut event_loop = EventLoop::on(reactor(Trigger::Level), ());
    let token = event_loop.adopt(Stream::from(ours.remove(0)), Counting(0)).unwrap();
    let chunk: Arc<[u8]> = Arc::from([0; 256]);
    let mut buf = [0; 4096];
    for _ in 0..sends / 10 {
        for _ in 0..10 {
            event_loop.enter(|scope, ()| scope.send_to(token, &chunk)).unwrap();
        }
        event_loop.turn(Some(Duration::ZERO)).unwrap();
        raw::read(theirs[0].as_raw_fd(), &mut buf);
    }
}

fn push_back(times: u64) {
    let mut event_loop = fake(0);
    let timers: Vec<_> =
        (0..1000).map(|_| event_loop.enter(|scope, ()| scope.call_later(Duration::from_secs(9), |_, ()| {}))).collect();
    for index in 0..times as usize {
        event_loop.enter(|scope, ()| scope.reset_timer(timers[index % 1000], Duration::from_secs(10)));
    }
}

fn add_and_cancel(times: u64) {
    let mut event_loop = fake(0);
    for _ in 0..times {
        let timer = event_loop.enter(|scope, ()| scope.call_later(Duration::from_secs(9), |_, ()| {}));
        event_loop.enter(|scope, ()| scope.cancel(timer));
    }
}

fn fire(times: u64) {
    let mut event_loop = fake(0);
    event_loop.enter(|scope, ()| scope.every(Duration::from_nanos(1), Missed::Skip, |_, ()| {}));
    for _ in 0..times {
        event_loop.turn(None).unwrap();
    }
}

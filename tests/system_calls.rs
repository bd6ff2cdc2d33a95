//! What `Stats` counts is what strace counts.

#[path = "support/mod.rs"]
mod support;

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;
use support::{BOUND, bounded};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Address, Listener, Reactor, Stream};
use tripoll::{Backend, Context, Dispatcher, EventLoop, Settings, Trigger};

/// Says to the test, run again under strace, which backend and trigger to run.
const CHILD: &str = "TRIPOLL_TRACED";
const CLIENTS: usize = 5;
const REQUESTS: usize = 20;

struct Echo;

impl Dispatcher for Echo {
    type Shared = ();
    type Spawn = Self;

    fn handle_accept(&mut self, stream: Stream, _: Address, cx: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        cx.adopt(stream, Self)?;
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, (): &mut ()) -> io::Result<()> {
        let data = cx.recv()?;
        cx.send(data)?;
        Ok(())
    }
}

/// The waits and registrations of all backends; where the kernel keeps no registrations, `fcntl` tells whether a
/// descriptor is open.
const POLLER: &[&str] =
    &["epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll", "ppoll", "select", "pselect6", "fcntl"];

/// The kinds of calls that `Stats` tells apart, by the names that strace gives them.
const KINDS: [(&str, &[&str]); 4] = [
    ("poller", POLLER),
    ("reads", &["recvfrom", "read"]),
    ("writes", &["sendto", "sendmsg", "writev"]),
    ("accepts", &["accept4"]),
];

/// Serves a few clients, which live in a thread of their own, and prints thread and counts, the calls before the first turn
/// left out.
fn serve(backend: Backend, trigger: Trigger) {
    let settings = Settings { trigger, ..Settings::default() };
    let mut event_loop = EventLoop::on(Reactor::with_settings(AnyPoller::new(backend).unwrap(), settings).unwrap(), ());
    let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
    let Address::Inet(address) = listener.local_address().unwrap() else { panic!("a TCP listener has an IP address") };
    event_loop.adopt(listener, Echo).unwrap();
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    let before = *event_loop.stats();
    // A call that strace cannot mistake for one of the loop's.
    let mark = || fs::metadata("/traced-from-here").is_err();
    mark();
    let clients = thread::spawn(move || {
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| TcpStream::connect(address).unwrap()).collect();
        for _ in 0..REQUESTS {
            for client in &mut clients {
                client.write_all(b"request").unwrap();
                client.read_exact(&mut [0; 7]).unwrap();
            }
        }
    });
    while event_loop.stats().closed < CLIENTS as u64 {
        event_loop.turn(Some(BOUND)).unwrap();
    }
    // What the poller did after the wait is counted with the next.
    event_loop.turn(Some(Duration::ZERO)).unwrap();
    mark();
    let after = *event_loop.stats();
    clients.join().unwrap();
    let thread = fs::read_link("/proc/thread-self").unwrap();
    let thread = thread.file_name().unwrap().to_string_lossy();
    println!(
        "counted {thread} {} {} {} {}",
        after.poller_calls - before.poller_calls,
        after.reads - before.reads,
        after.writes - before.writes,
        after.accepts - before.accepts
    );
}

/// How often each kind of call stands between the two marks of a thread.
fn traced(log: &str, thread: &str) -> [u64; 4] {
    let own = log.lines().filter_map(|line| line.strip_prefix(thread)).map(str::trim_start);
    let between = own.skip_while(|line| !line.contains("/traced-from-here")).skip(1);
    let calls = between.take_while(|line| !line.contains("/traced-from-here"));
    let names = calls.filter(|line| !line.starts_with("<...")).map(|line| line.split('(').next().unwrap_or_default());
    let mut names = names.peekable();
    let mut counts = [0; 4];
    while let Some(name) = names.next() {
        // In a debug build, std looks whether a descriptor is open before it closes it.
        let is_of_std = name == "fcntl" && names.peek() == Some(&"close");
        if let Some(kind) = KINDS.iter().position(|(_, names)| names.contains(&name) && !is_of_std) {
            counts[kind] += 1;
        }
    }
    counts
}

fn is_counted_by_strace(test: &str, backend: Backend, trigger: Trigger) {
    if env::var(CHILD).is_ok() {
        serve(backend, trigger);
        return;
    }
    let log = env::temp_dir().join(format!("tripoll-trace-{}-{backend}-{trigger}", std::process::id()));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&log).arg(env::current_exe().unwrap());
    let output = strace.args([test, "--exact", "--include-ignored", "--nocapture"]).env(CHILD, "1").output();
    let output = output.expect("strace is installed and may trace");
    let text = String::from_utf8_lossy(&output.stdout);
    let trace = fs::read_to_string(&log).unwrap();
    fs::remove_file(&log).unwrap();
    let counted = text.lines().find_map(|line| line.split("counted ").nth(1)).unwrap_or_else(|| {
        panic!("the traced test did not end well: {text}{}", String::from_utf8_lossy(&output.stderr))
    });
    let mut words = counted.split_whitespace();
    let thread = words.next().unwrap();
    let counted: Vec<u64> = words.map(|word| word.parse().unwrap()).collect();
    assert_eq!(counted, traced(&trace, thread), "{:?}", KINDS.map(|(kind, _)| kind));
    assert!(counted.iter().all(|count| *count > 0), "{counted:?}");
}

macro_rules! traced {
    ($($name:ident $Backend:ident $Trigger:ident)*) => { $(
        #[test]
        #[ignore = "needs strace; .ci/run runs it"]
        fn $name() {
            bounded("strace did not end", || {
                is_counted_by_strace(stringify!($name), Backend::$Backend, Trigger::$Trigger);
            });
        }
    )* };
}

traced! {
    select_level Select Level
    poll_level Poll Level
    epoll_level Epoll Level
    epoll_edge Epoll Edge
    epoll_oneshot Epoll Oneshot
    mio_edge Mio Edge
}

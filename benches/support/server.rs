//! A server in a process of its own: this program again, told by its environment which contender to be.

use super::{machine, raw};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;

const ENV: &str = "TRIPOLL_BENCH_SERVER";

/// Becomes a server, if that is what this process was started for: `serve` gets the contender's name.
pub fn become_server(serve: impl FnOnce(&str, TcpListener)) {
    let Ok(name) = env::var(ENV) else { return };
    raw::end_with_parent();
    tripoll::reactor::limits::raise_descriptor_limit().unwrap();
    let listener = listen();
    println!("{}", listener.local_addr().unwrap());
    thread::spawn(answer);
    raw::pin(machine::processors().0);
    serve(&name, listener);
}

/// With a backlog that holds all clients of a bench, and without delay, as every contender gets it.
fn listen() -> TcpListener {
    use std::os::fd::OwnedFd;
    use tripoll::reactor::Listener;
    let listener = Listener::bind_with_backlog(&"tcp://127.0.0.1:0".parse().unwrap(), 4096).unwrap();
    let listener = TcpListener::from(OwnedFd::from(listener));
    listener.set_nonblocking(true).unwrap();
    listener
}

/// Answers each line of the bench with the counts so far.
fn answer() {
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        println!("{} {}", raw::CALLS.load(Ordering::Relaxed), raw::WAITS.load(Ordering::Relaxed));
    }
    // The bench is gone.
    std::process::exit(0);
}

/// A server, as the bench sees it.
pub struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub address: SocketAddr,
}

/// What a server has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub cpu_ns: u64,
    pub calls: u64,
    pub waits: u64,
}

impl Server {
    /// Starts a contender.
    pub fn start(name: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .env(ENV, name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap_or_else(|_| panic!("{name} did not start: {line:?}"));
        Self { child, input, output, address }
    }

    pub fn usage(&mut self) -> Usage {
        writeln!(self.input).unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let mut fields = line.split_whitespace().map(|field| field.parse().unwrap());
        let (calls, waits) = (fields.next().unwrap(), fields.next().unwrap());
        Usage { cpu_ns: machine::cpu_ns(self.child.id()), calls, waits }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

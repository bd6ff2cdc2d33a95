//! A server in a process of its own: this program again, told by its environment which contender to be.

use super::{machine, raw};
use std::env;
use std::io::{self, BufRead, BufReader, Write};
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
    for line in io::stdin().lock().lines() {
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
    /// Whether it answers for its counts.
    counts: bool,
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
    /// Starts a contender of this program.
    pub fn start(name: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(ENV, name);
        Self::spawn(command, true).unwrap_or_else(|e| panic!("{name} did not start: {e}"))
    }

    /// Starts any server that prints its address in its first line, and ends when its standard input does. With
    /// `counts`, it answers each further line of input with its system calls and waits so far.
    pub fn spawn(mut command: Command, counts: bool) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("it has no standard input and output"));
        };
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line)?;
        match line.trim().parse() {
            Ok(address) => Ok(Self { child, input, output, counts, address }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(io::Error::other(format!("its first line is no address: {line:?}")))
            }
        }
    }

    pub fn usage(&mut self) -> Usage {
        let (mut calls, mut waits) = (0, 0);
        if self.counts {
            writeln!(self.input).unwrap();
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            let mut fields = line.split_whitespace().map(|field| field.parse().unwrap());
            (calls, waits) = (fields.next().unwrap(), fields.next().unwrap());
        }
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

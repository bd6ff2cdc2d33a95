//! An example program as its users see it: started, talked to, told to end.

use crate::support::BOUND;
use crate::sys::{self, Usage};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long something must stay quiet to be called quiet.
pub(crate) const WINDOW: Duration = Duration::from_millis(100);

/// Where Cargo has put an example of this package.
pub(crate) fn binary(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).expect("tests are in target/PROFILE/deps");
    let path = profile.join("examples").join(example);
    assert!(path.is_file(), "{} is missing: build it by `cargo build --example {example}`", path.display());
    path
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A program that serves.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    /// What it printed and was read already.
    printed: String,
    /// Where it says that it listens.
    pub(crate) addresses: Vec<String>,
}

impl Server {
    /// Starts an example that listens on one TCP port of the kernel's choice.
    pub(crate) fn start(example: &str, args: &[&str]) -> Self {
        Self::start_on(example, &["tcp://127.0.0.1:0"], args)
    }

    pub(crate) fn start_on(example: &str, listen: &[&str], args: &[&str]) -> Self {
        Self::spawn(example, listen, args, |_| {})
    }

    /// The same, and `prepare` has a say in the process.
    pub(crate) fn spawn(example: &str, listen: &[&str], args: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let listen_args = listen.iter().flat_map(|address| ["--listen", address]);
        let args: Vec<&str> = listen_args.chain(args.iter().copied()).collect();
        let mut server = Self::launch(example, &args, prepare);
        while server.addresses.len() < listen.len() {
            server.read_address();
        }
        server
    }

    fn launch(example: &str, args: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(binary(example));
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        sys::end_with_this_thread(&mut command);
        prepare(&mut command);
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut stderr = child.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            // It is what it wrote until it was killed.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Self { child, lines, stderr: Some(stderr), printed: String::new(), addresses: Vec::new() }
    }

    fn read_address(&mut self) {
        match self.lines.recv_timeout(BOUND) {
            Ok(line) => {
                if let Some(address) = line.strip_prefix("listening on ") {
                    self.addresses.push(address.to_owned());
                }
                self.keep(&line);
            }
            Err(RecvTimeoutError::Timeout) => panic!("the server does not say where it listens"),
            Err(RecvTimeoutError::Disconnected) => {
                let stderr = self.read_stderr();
                panic!("the server did not start: {}{stderr}", self.printed)
            }
        }
    }

    fn read_stderr(&mut self) -> String {
        self.stderr.take().map_or_else(String::new, |stderr| stderr.join().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it is, by scheme.
    pub(crate) fn address(&self, scheme: &str) -> &str {
        let address = self.addresses.iter().find_map(|address| address.strip_prefix(scheme));
        address.unwrap_or_else(|| panic!("no {scheme} among {:?}", self.addresses))
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        self.address("tcp://").parse().unwrap()
    }

    /// A connection to it, on which every read and write is bounded.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.tcp()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        stream.set_write_timeout(Some(BOUND)).unwrap();
        stream
    }

    pub(crate) fn signal(&self, signal: i32) {
        sys::signal(self.pid(), signal);
    }

    /// What it uses while nothing happens to it, once it has come to rest.
    pub(crate) fn use_while_quiet(&mut self) -> Usage {
        let deadline = Instant::now() + BOUND;
        loop {
            let before = sys::usage(self.pid());
            self.listen_for(WINDOW);
            let after = sys::usage(self.pid());
            let used = Usage { cpu: after.cpu - before.cpu, sleeps: after.sleeps - before.sleeps };
            // It may still have been busy with what was before.
            if is_quiet(used) || Instant::now() > deadline {
                return used;
            }
        }
    }

    /// Waits for what it prints, and keeps that.
    fn listen_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.keep(&line);
        }
    }

    fn keep(&mut self, line: &str) {
        self.printed.push_str(line);
        self.printed.push('\n');
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> Ended {
        loop {
            match self.lines.recv_timeout(BOUND) {
                Ok(line) => self.keep(&line),
                Err(RecvTimeoutError::Timeout) => panic!("it does not end, and printed: {}", self.printed),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait().unwrap();
        let stderr = self.read_stderr();
        Ended { status, stdout: std::mem::take(&mut self.printed), stderr }
    }
}

/// Far below a loop that spins, which uses all of the window, and one that looks after it every few milliseconds; far
/// above one that sleeps, which uses nothing at all.
pub(crate) fn is_quiet(used: Usage) -> bool {
    used.cpu < WINDOW / 10 && used.sleeps <= 5
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A path for a socket that nobody else uses, and that is not there. What is there in the end is removed.
#[derive(Debug)]
pub(crate) struct FreshPath(PathBuf);

impl FreshPath {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("tripoll-{}-{count}.sock", std::process::id())))
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }

    /// As an address of this scheme.
    pub(crate) fn at(&self, scheme: &str) -> String {
        format!("{scheme}{}", self.0.display())
    }
}

impl Drop for FreshPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs an example that is expected to end by itself.
pub(crate) fn run(example: &str, args: &[&str], prepare: impl FnOnce(&mut Command)) -> Ended {
    Server::launch(example, args, prepare).wait()
}

//! The programs as processes: started, listened to, told to end.

use crate::support::BOUND;
use crate::sys;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Empty, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};
use tripoll::{Backend, Trigger};

/// Where Cargo has put an example of this package.
fn binary(example: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).expect("tests are in target/PROFILE/deps");
    let path = profile.join("examples").join(example);
    assert!(path.is_file(), "{} is missing: build it by `cargo build --example {example}`", path.display());
    path
}

/// A command that runs an example and does not outlive its test.
pub(crate) fn command(example: &str, args: &[&str]) -> Command {
    let mut command = Command::new(binary(example));
    command.args(args).env_remove("TRIPOLL_BACKEND");
    sys::end_with_this_thread(&mut command);
    command
}

/// The arguments that choose a backend and a trigger.
pub(crate) fn by(backend: Backend, trigger: Trigger) -> [&'static str; 4] {
    ["--backend", backend.name(), "--trigger", trigger.name()]
}

/// What a program prints, line by line.
#[derive(Debug)]
pub(crate) struct Printed {
    lines: Receiver<String>,
    seen: String,
}

impl Printed {
    pub(crate) fn from(pipe: Option<impl Read + Send + 'static>) -> Self {
        let (sender, lines) = mpsc::channel();
        if let Some(pipe) = pipe {
            let pipe = BufReader::new(pipe);
            thread::spawn(move || pipe.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        }
        Self { lines, seen: String::new() }
    }

    /// The next line, or `None` at the end.
    fn next(&mut self) -> Option<String> {
        match self.lines.recv_timeout(BOUND) {
            Ok(line) => {
                self.seen.extend([&line, "\n"]);
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing more is printed after: {}", self.seen),
        }
    }

    /// Waits for a line with this in it.
    pub(crate) fn until(&mut self, what: &str) -> String {
        loop {
            match self.next() {
                Some(line) if line.contains(what) => return line,
                Some(_) => {}
                None => panic!("{what:?} was not printed, but: {}", self.seen),
            }
        }
    }

    fn all(mut self) -> String {
        while self.next().is_some() {}
        self.seen
    }
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The program failed with this code, and said so in one line.
    pub(crate) fn failed_with(&self, code: i32, what: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.contains(what), "{what:?} is not in {self:?}");
    }
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Printed,
    stderr: Printed,
}

impl Program {
    /// Starts a command. Its output is read as it comes, unless the command says where else it goes.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (Printed::from(child.stdout.take()), Printed::from(child.stderr.take()));
        Self { stdin: child.stdin.take(), stdout, stderr, child }
    }

    /// Starts a client whose input is a pipe.
    pub(crate) fn client(server: &str, args: &[&str]) -> Self {
        let mut command = command("chat-client", args);
        Self::start(command.arg(server).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Types a line into its input.
    pub(crate) fn types(&mut self, line: &str) {
        writeln!(self.stdin.as_ref().expect("the input is a pipe that is open"), "{line}").unwrap();
    }

    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until a line with this in it is printed.
    pub(crate) fn prints(&mut self, what: &str) -> String {
        self.stdout.until(what)
    }

    /// The same for standard error.
    pub(crate) fn complains(&mut self, what: &str) -> String {
        self.stderr.until(what)
    }

    pub(crate) fn signal(&self, signal: i32) {
        sys::signal(self.child.id(), signal);
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> Ended {
        let deadline = Instant::now() + BOUND;
        while self.is_running() {
            assert!(Instant::now() < deadline, "it does not end; it printed: {}", self.stdout.seen);
            thread::park_timeout(Duration::from_millis(2));
        }
        let code = self.child.wait().unwrap().code();
        let nothing = || Printed::from(None::<Empty>);
        let stdout = std::mem::replace(&mut self.stdout, nothing()).all();
        let stderr = std::mem::replace(&mut self.stderr, nothing()).all();
        Ended { code, stdout, stderr }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs an example that is expected to end at once.
pub(crate) fn run(example: &str, args: &[&str]) -> Ended {
    let mut command = command(example, args);
    Program::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())).wait()
}

/// A chat server that listens.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) program: Program,
    /// Where it says that it listens.
    pub(crate) at: Vec<String>,
}

impl Server {
    /// On one TCP port of the kernel's choice.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_at(&["tcp://127.0.0.1:0"], args)
    }

    pub(crate) fn start_at(listen: &[&str], args: &[&str]) -> Self {
        let mut command = command("chat", args);
        for at in listen {
            command.args(["--listen", at]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = Program::start(&mut command);
        let at = listen.iter().map(|_| program.prints("listening on ").split_off("listening on ".len())).collect();
        Self { program, at }
    }

    /// The first of its addresses.
    pub(crate) fn address(&self) -> &str {
        &self.at[0]
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn terminate(self) -> Ended {
        self.program.signal(sys::SIGTERM);
        self.program.wait()
    }
}

/// A path that nobody else uses, and where nothing is. What is there in the end is removed.
#[derive(Debug)]
pub(crate) struct FreshPath(PathBuf);

impl FreshPath {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("tripoll-chat-{}-{count}", std::process::id())))
    }

    /// A file with this in it.
    pub(crate) fn with(text: impl AsRef<[u8]>) -> Self {
        let path = Self::new();
        fs::write(&path.0, text).unwrap();
        path
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }

    /// As an address.
    pub(crate) fn unix(&self) -> String {
        format!("unix://{}", self.0.display())
    }
}

impl Drop for FreshPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

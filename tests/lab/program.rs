//! The lab as a program: started, typed at, read.

use crate::support::BOUND;
use std::env;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// It did what it was asked to, without a complaint.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// It failed with this code, and said so in one line.
    #[track_caller]
    pub(crate) fn failed_with(&self, code: i32, what: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.contains(what), "{what:?} is not in {self:?}");
    }
}

/// The lab, in a locale that has all letters, and without anything else of the environment that it looks at.
pub(crate) fn lab(args: &[&str]) -> Command {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).expect("tests are in target/PROFILE/deps");
    let path = profile.join("examples/lab");
    assert!(path.is_file(), "{} is missing: build it by `cargo build --example lab`", path.display());
    let mut command = Command::new(path);
    for name in ["TRIPOLL_BACKEND", "NO_COLOR", "LC_ALL", "LC_CTYPE"] {
        command.env_remove(name);
    }
    command.args(args).env("LANG", "C.UTF-8").env("TERM", "xterm");
    command
}

/// Runs it to its end, with nothing to read.
pub(crate) fn run(args: &[&str]) -> Ended {
    finish(&mut lab(args), "")
}

/// Runs it to its end, with this to read.
pub(crate) fn finish(command: &mut Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without reading all of it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let (stdout, stderr) = (all_of(child.stdout.take()), all_of(child.stderr.take()));
    let code = code_of(child);
    Ended { code, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn all_of(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).expect("it writes UTF-8")
    })
}

fn code_of(mut child: Child) -> Option<i32> {
    let deadline = Instant::now() + 6 * BOUND;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it does not end");
        }
        thread::park_timeout(Duration::from_millis(2));
    }
    child.wait().unwrap().code()
}

/// Runs it on a terminal of 80 columns at which this is typed. Answers what is then to be read there, and the exit code.
pub(crate) fn at_a_terminal(command: &mut Command, typed: &str) -> (String, Option<i32>) {
    at_a_screen(command, 80, typed)
}

/// The same on a terminal of so many columns.
pub(crate) fn at_a_screen(command: &mut Command, columns: u16, typed: &str) -> (String, Option<i32>) {
    let size = nix::pty::Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    let ends = nix::pty::openpty(Some(&size), None).unwrap();
    let side = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
    let child = command.stdin(side(&ends.slave)).stdout(side(&ends.slave)).stderr(side(&ends.slave)).spawn().unwrap();
    // Standard input and output of the child were copied into it; what remains here would keep the terminal open.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(ends.slave);
    let mut person = File::from(ends.master);
    person.write_all(typed.as_bytes()).unwrap();
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    // The master answers EIO when nobody has the other side any more.
    while let Ok(count @ 1..) = person.read(&mut part) {
        seen.extend_from_slice(&part[..count]);
    }
    (String::from_utf8_lossy(&seen).into_owned(), code_of(child))
}

/// A file of a user, which is removed in the end.
#[derive(Debug)]
pub(crate) struct Own(PathBuf);

impl Own {
    pub(crate) fn lesson(text: impl AsRef<[u8]>) -> Self {
        let file = Self::fresh("lab");
        fs::write(&file.0, text).unwrap();
        file
    }

    /// A path where nothing is yet.
    pub(crate) fn fresh(ending: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(env::temp_dir().join(format!("tripoll-lab-{}-{count}.{ending}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("the path of a temporary file is text")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may not have been written.
        let _ = fs::remove_file(&self.0);
    }
}

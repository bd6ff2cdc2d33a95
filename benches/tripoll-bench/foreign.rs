//! Contenders in other languages: Python's loops, and the C libraries if they are installed.
//!
//! Their sources are in this program; nothing of them is on disk when a measurement begins. Python gets them on its command
//! line. The C ones are compiled before the run, into a file that has no name any more and is run by its descriptor: so
//! nothing can be left behind, however the bench ends.

use super::support::machine;
use super::support::server::Server;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{LazyLock, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Those that have a chat as well.
pub const CHATS: [&str; 6] = ["asyncio", "selectors", "asyncore", "libevent", "libev", "libuv"];

/// How long anything may take that is done before the run.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a contender is written in.
enum Source {
    Python(&'static str),
    C(Library),
}

/// What a C contender is compiled with.
struct Library {
    source: &'static str,
    header: &'static str,
    /// What pkg-config calls it, where it knows it; Debian's libev it does not.
    package: &'static str,
    /// The linker's flag, if pkg-config cannot say.
    flag: &'static str,
    /// What Debian and Fedora call its package for developers.
    install: &'static str,
}

static SOURCES: [(&str, Source); 6] = [
    ("asyncio", Source::Python(include_str!("foreign/on_asyncio.py"))),
    ("selectors", Source::Python(include_str!("foreign/on_selectors.py"))),
    ("asyncore", Source::Python(include_str!("foreign/on_asyncore.py"))),
    (
        "libevent",
        Source::C(Library {
            source: include_str!("foreign/on_libevent.c"),
            header: "event2/event.h",
            package: "libevent_core",
            flag: "-levent_core",
            install: "libevent-dev or libevent-devel",
        }),
    ),
    (
        "libev",
        Source::C(Library {
            source: include_str!("foreign/on_libev.c"),
            header: "ev.h",
            package: "libev",
            flag: "-lev",
            install: "libev-dev or libev-devel",
        }),
    ),
    (
        "libuv",
        Source::C(Library {
            source: include_str!("foreign/on_libuv.c"),
            header: "uv.h",
            package: "libuv",
            flag: "-luv",
            install: "libuv1-dev or libuv-devel",
        }),
    ),
];

/// A contender that can be run.
enum Program {
    Python { interpreter: &'static Path, source: String },
    Compiled { name: &'static str, file: File },
}

/// In the order of the sources, each made when it is first asked for.
static PROGRAMS: [OnceLock<Result<Program, String>>; 6] = [const { OnceLock::new() }; 6];

/// Why a contender cannot be run here.
pub fn absence(name: &str) -> Option<String> {
    program(name).err()
}

/// Starts its server.
pub fn start(name: &str, role: &str) -> io::Result<Server> {
    let program = program(name).map_err(io::Error::other)?;
    Server::spawn(program.command(role), false)
}

fn program(name: &str) -> Result<&'static Program, String> {
    let unknown = || format!("{name} is not known here");
    let index = SOURCES.iter().position(|(known, _)| *known == name).ok_or_else(unknown)?;
    let (name, source) = &SOURCES[index];
    PROGRAMS[index].get_or_init(|| source.prepare(name)).as_ref().map_err(Clone::clone)
}

impl Source {
    fn prepare(&self, name: &'static str) -> Result<Program, String> {
        let program = match self {
            Self::Python(source) => Program::Python { interpreter: interpreter()?, source: whole(source) },
            Self::C(library) => Program::Compiled { name, file: library.compile(name)? },
        };
        program.try_out()?;
        Ok(program)
    }
}

/// The source with what it has in common with the others in place of the line that asks for it.
fn whole(source: &str) -> String {
    let put = |line| match line {
        "#include \"server.h\"" => include_str!("foreign/server.h"),
        _ if line.starts_with("from server import ") => include_str!("foreign/server.py"),
        _ => line,
    };
    source.lines().flat_map(|line: &str| [put(line), "\n"]).collect()
}

impl Program {
    fn command(&self, role: &str) -> Command {
        let mut command = match self {
            Self::Python { interpreter, source } => {
                let mut command = Command::new(interpreter);
                // asyncore announces its end on standard error.
                command.args(["-W", "ignore::DeprecationWarning", "-c", source]);
                command
            }
            Self::Compiled { name, file } => {
                let mut command = Command::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
                command.arg0(name);
                command
            }
        };
        command.arg(role).arg(machine::processors().0.to_string());
        command
    }

    /// Starts the server without input, so that it prints its address and ends.
    fn try_out(&self) -> Result<(), String> {
        let output = finish(&mut self.command("echo"), "").map_err(|e| format!("it does not start: {e}"))?;
        let first = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && first.trim().parse::<SocketAddr>().is_ok() {
            return Ok(());
        }
        // The last line of a traceback says what happened.
        let errors = String::from_utf8_lossy(&output.stderr);
        let error = errors.lines().last().unwrap_or("it ends at once, without a word");
        Err(if error.contains("No module named 'asyncore'") {
            "this Python has no asyncore, which went with 3.12: install pyasyncore".to_owned()
        } else {
            format!("it does not start: {error}")
        })
    }
}

/// The interpreter itself rather than a script that picks one of several.
fn interpreter() -> Result<&'static Path, String> {
    static FOUND: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
        let mut command = Command::new("python3");
        let output = finish(command.args(["-c", "import sys; print(sys.executable)"]), "");
        let output = output.map_err(|e| missing(&e, "python3"))?;
        let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() && !path.is_empty() {
            Ok(path.into())
        } else {
            Err("python3 does not run".to_owned())
        }
    });
    FOUND.as_deref().map_err(Clone::clone)
}

/// Compiles standard input with the flags after the first argument, a directory for that time, to standard output.
///
/// The shell removes the directory even if the bench is ended by Ctrl-C meanwhile.
const COMPILE: &str = r#"
directory=$1
shift
mkdir -m 700 "$directory" || exit
trap 'rm -rf "$directory"' EXIT
trap 'exit 1' HUP INT TERM
TMPDIR=$directory cc -O2 -x c - -o "$directory/server" "$@" && cat "$directory/server"
"#;

impl Library {
    fn compile(&self, name: &str) -> Result<File, String> {
        let flags = self.flags();
        let mut look = Command::new("cc");
        look.args(["-fsyntax-only", "-x", "c", "-"]).args(&flags);
        let found = finish(&mut look, &format!("#include <{}>\n", self.header)).map_err(|e| missing(&e, "cc"))?;
        if !found.status.success() {
            return Err(format!("{name} is not installed: install {}", self.install));
        }
        let place = env::temp_dir().join(format!("tripoll-bench-{}-{name}", std::process::id()));
        let (reader, writer) = nameless(&place).map_err(|e| format!("{}: {e}", place.display()))?;
        let mut compile = Command::new("sh");
        compile.args(["-c", COMPILE, "sh"]).arg(&place).args(&flags).stdout(writer);
        let output = bounded(&mut compile, &whole(self.source)).map_err(|e| {
            // It was killed, and its shell with it.
            let _ = fs::remove_dir_all(&place);
            format!("it does not compile: {e}")
        })?;
        if output.status.success() {
            return Ok(reader);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        let tells =
            |line: &&str| ["error:", "cannot find", "undefined reference"].iter().any(|word| line.contains(word));
        let error = errors.lines().find(tells).or_else(|| errors.lines().next()).unwrap_or("cc does not say why");
        Err(format!("it does not compile: {error}"))
    }

    /// How to find it.
    fn flags(&self) -> Vec<String> {
        let asked = finish(Command::new("pkg-config").args(["--cflags", "--libs", self.package]), "");
        match asked {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect()
            }
            _ => vec![self.flag.to_owned()],
        }
    }
}

/// A file without a name, for reading and for writing. Nobody may have it open for writing when it is run.
fn nameless(near: &Path) -> io::Result<(File, File)> {
    let path = near.with_extension("program");
    let writer = OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path)?;
    let reader = File::open(&path);
    fs::remove_file(&path)?;
    Ok((reader?, writer))
}

fn missing(e: &io::Error, what: &str) -> String {
    if e.kind() == ErrorKind::NotFound { format!("there is no {what}") } else { format!("{what} does not run: {e}") }
}

/// Runs a command to its end, its output kept.
fn finish(command: &mut Command, input: &str) -> io::Result<Output> {
    bounded(command.stdout(Stdio::piped()), input)
}

/// Runs a command to its end, or kills it when that does not come.
fn bounded(command: &mut Command, input: &str) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // It may have ended without reading, and says why in its own way.
        let _ = pipe.write_all(input.as_bytes());
    }
    let began = Instant::now();
    while child.try_wait()?.is_none() {
        if began.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(ErrorKind::TimedOut, format!("it took longer than {} s", PATIENCE.as_secs())));
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output()
}

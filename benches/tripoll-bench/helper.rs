//! This program again, as a process of its own for one task: idle clients, or a contender that measures itself.

use super::local;
use super::sample::Figures;
use super::scenario::Cell;
use super::support::{machine, raw};
use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tripoll::reactor::limits;

/// `sit ADDRESS COUNT` or `work CONTENDER CELL`.
const ENV: &str = "TRIPOLL_BENCH_HELPER";

/// Becomes a helper, if that is what this process was started for.
pub fn become_helper() {
    let Ok(task) = env::var(ENV) else { return };
    raw::end_with_parent();
    let _ = limits::raise_descriptor_limit();
    let mut words = task.splitn(3, ' ');
    let mut word = || words.next().expect("the task is complete");
    let result = match word() {
        "sit" => sit(word(), word()),
        _ => work(word(), word()),
    };
    if let Err(e) = result {
        println!("error {e}");
    }
    std::process::exit(0);
}

/// Connects and does nothing, until its input ends.
fn sit(address: &str, count: &str) -> io::Result<()> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let count: usize = count.parse().map_err(io::Error::other)?;
    let streams: Vec<TcpStream> = (0..count).map(|_| TcpStream::connect(address)).collect::<io::Result<_>>()?;
    println!("ready");
    for line in io::stdin().lock().lines() {
        let _ = line?;
    }
    drop(streams);
    Ok(())
}

/// Runs a round for each line of input.
fn work(contender: &str, cell: &str) -> io::Result<()> {
    raw::pin(machine::processors().0);
    let cell: Cell = serde_json::from_str(cell)?;
    let mut round = local::prepare(contender, &cell)?;
    println!("ready");
    for line in io::stdin().lock().lines() {
        let _ = line?;
        let mut figures = Figures::new();
        round(&mut figures)?;
        println!("{}", serde_json::to_string(&figures)?);
    }
    Ok(())
}

/// A helper, as the bench sees it. It ends with its input.
pub struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Helper {
    /// Idle clients of a server, all connected.
    pub fn sitting(address: SocketAddr, count: usize) -> io::Result<Self> {
        Self::start(&format!("sit {address} {count}"))
    }

    /// A contender that measures itself.
    pub fn working(contender: &str, cell: &Cell) -> io::Result<Self> {
        Self::start(&format!("work {contender} {}", serde_json::to_string(cell)?))
    }

    fn start(task: &str) -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.env(ENV, task).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| io::Error::other("the helper has no output"))?;
        let mut helper = Self { child, input, output: BufReader::new(output) };
        let line = helper.line()?;
        if line == "ready" { Ok(helper) } else { Err(io::Error::other(line)) }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the helper ended, see above"));
        }
        Ok(line.trim_end().to_owned())
    }

    /// The figures of one round.
    pub fn round(&mut self) -> io::Result<Figures> {
        let input = self.input.as_mut().ok_or_else(|| io::Error::other("the helper has no input"))?;
        writeln!(input, "go")?;
        let line = self.line()?;
        serde_json::from_str(&line).map_err(|_| io::Error::other(line))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

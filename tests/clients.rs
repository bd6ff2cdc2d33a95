//! The examples, met by programs that we did not write: nc (OpenBSD's), telnet, Python; and by each other.
//!
//! Ignored unless asked for, since not every machine has these programs: `cargo test --test clients -- --ignored`, after
//! `cargo build --examples`.

#[path = "programs/server.rs"]
#[allow(dead_code, reason = "the load tests use the rest")]
mod server;
mod support;
#[path = "programs/sys.rs"]
#[allow(dead_code, unused_imports, reason = "the load tests use the rest")]
mod sys;

use server::{FreshPath, Server, binary};
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use support::{BOUND, bounded};
use tripoll::poller::{AnyPoller, Features, Poller};
use tripoll::{Backend, Trigger};

const FLOORS: [&str; 3] = ["poller", "reactor", "dispatcher"];

/// Sends each byte by itself and prints what comes back, as it comes.
const PYTHON: &str = r#"
import socket, sys, threading
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
def hear():
    while True:
        data = s.recv(3)
        if not data: break
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
threading.Thread(target=hear).start()
for line in sys.stdin.buffer:
    for byte in line: s.sendall(bytes([byte]))
s.shutdown(socket.SHUT_WR)
"#;

#[test]
#[ignore = "needs nc, telnet, python3; .ci/run runs it"]
fn nc_gets_back_everything_that_it_sent_before_its_half_close() {
    // More than fits into the buffers on the way, so that nc has to read while it writes.
    let message: Vec<u8> = (0..3_000_000_u32).map(|number| (number / 7) as u8).collect();
    on_every_floor(|floor, backend, trigger| {
        let server = echo("tcp://127.0.0.1:0", floor, backend, trigger);
        let mut nc = Program::start("nc", &["-N", "127.0.0.1", &port(&server)]);
        let feeder = nc.feed(message.clone());
        assert!(nc.hear_all() == message, "{floor}, {backend}, {trigger}: something else came back");
        feeder.join().unwrap();
        nc.ends_well();
    });
}

#[test]
#[ignore = "needs nc, telnet, python3; .ci/run runs it"]
fn nc_talks_to_unix_sockets_and_datagram_sockets_too() {
    on_every_floor(|floor, backend, trigger| {
        let path = FreshPath::new();
        let _stream = echo(&path.at("unix://"), floor, backend, trigger);
        nc_says_hello(&["-NU", path.as_path().to_str().unwrap()]);
        let path = FreshPath::new();
        let _datagram = echo(&path.at("unixgram://"), floor, backend, trigger);
        nc_says_hello(&["-uU", "-W1", path.as_path().to_str().unwrap()]);
        let udp = echo("udp://127.0.0.1:0", floor, backend, trigger);
        let (_, port) = udp.address("udp://").rsplit_once(':').unwrap();
        nc_says_hello(&["-u", "-W1", "127.0.0.1", port]);
    });
}

fn nc_says_hello(args: &[&str]) {
    let mut nc = Program::start("nc", args);
    nc.say("hello\n");
    nc.expect("hello\n");
    nc.end_input();
    nc.ends_well();
}

#[test]
#[ignore = "needs nc, telnet, python3; .ci/run runs it"]
fn telnet_gets_back_its_carriage_returns() {
    on_every_floor(|floor, backend, trigger| {
        let server = echo("tcp://127.0.0.1:0", floor, backend, trigger);
        let mut telnet = Program::start("script", &telnet_in_a_terminal(&server));
        telnet.expect("Escape character is '^]'.\r\n");
        for line in ["hello", "and again"] {
            telnet.say(&format!("{line}\n"));
            // Once from the terminal and once from the server.
            telnet.expect(&format!("{line}\r\n{line}\r\n"));
        }
    });
}

#[test]
#[ignore = "needs nc, telnet, python3; .ci/run runs it"]
fn python_gets_back_what_it_sends_byte_by_byte() {
    on_every_floor(|floor, backend, trigger| {
        let server = echo("tcp://127.0.0.1:0", floor, backend, trigger);
        let mut python = Program::start("python3", &["-c", PYTHON, "127.0.0.1", &port(&server)]);
        python.say("one\ntwo\n");
        python.expect("one\ntwo\n");
        let last = "three ".repeat(500) + "\n";
        python.say(&last);
        python.end_input();
        assert_eq!(String::from_utf8(python.hear_all()).unwrap(), last);
        python.ends_well();
    });
}

/// Python's asyncio: so many connections at once, each with its own messages of any size up to a mebibyte, and with
/// pauses; some go away by a reset, the others by a half-close.
const CROWD: &str = r#"
import asyncio, random, resource, socket, struct, sys
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
async def client(number):
    chance = random.Random(number)
    reader, writer = await asyncio.open_connection(host, port)
    await everyone.wait()
    for _ in range(3):
        size = 1 << 20 if number % 100 == 0 else int(2 ** chance.uniform(0, 14))
        message = chance.randbytes(size)
        writer.write(message)
        assert await reader.readexactly(size) == message
        await asyncio.sleep(chance.uniform(0, 0.05))
    if number % 7 == 0:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()
        return 0
    last = chance.randbytes(1000)
    writer.write(last)
    writer.write_eof()
    assert await reader.read() == last
    writer.close()
    return 1
async def main():
    global everyone
    everyone = asyncio.Barrier(count) if hasattr(asyncio, "Barrier") else asyncio.Event()
    if not hasattr(asyncio, "Barrier"): everyone.set()
    ended = await asyncio.gather(*(client(number) for number in range(count)))
    print(len(ended), "clients,", sum(ended), "ended by a half-close")
asyncio.run(main())
"#;

#[test]
#[ignore = "needs nc, telnet, python3; .ci/run runs it"]
fn a_thousand_connections_of_python_get_back_what_they_send() {
    on_every_backend_and_trigger(|backend, trigger| {
        let server = echo("tcp://127.0.0.1:0", "dispatcher", backend, trigger);
        let count: usize = if backend == Backend::Select { 900 } else { 1000 };
        let mut python = Program::start("python3", &["-c", CROWD, "127.0.0.1", &port(&server), &count.to_string()]);
        let half_closes = count - count.div_ceil(7);
        let expected = format!("{count} clients, {half_closes} ended by a half-close\n");
        assert_eq!(String::from_utf8(python.hear_all()).unwrap(), expected, "{backend}, {trigger}");
        python.ends_well();
    });
}

#[test]
#[ignore = "needs nc, telnet, python3; .ci/run runs it"]
fn nc_telnet_python_and_our_client_talk_to_each_other() {
    on_every_backend_and_trigger(|backend, trigger| {
        let args = ["--backend", backend.name(), "--trigger", trigger.name()];
        let server = Server::start("chat", &args);
        let client = binary("chat-client");
        let (address, port) = (format!("tcp://{}", server.tcp()), port(&server));
        let nick = ["--nick", "ours"];
        let mut people = [
            ("nc", Program::start("nc", &["-N", "127.0.0.1", &port])),
            ("telnet", Program::start("script", &telnet_in_a_terminal(&server))),
            ("pipe", Program::start("telnet", &["127.0.0.1", &port])),
            ("python", Program::start("python3", &["-c", PYTHON, "127.0.0.1", &port])),
            ("ours", Program::start(client.to_str().unwrap(), &[&args[..], &nick, &[&address]].concat())),
        ];
        for (name, person) in &mut people {
            if *name != "ours" {
                person.expect("* welcome");
                person.say(&format!("/nick {name}\n"));
            }
            person.expect(&format!("* you are {name} now"));
        }
        for speaker in 0..people.len() {
            let (name, person) = &mut people[speaker];
            let line = format!("the line of {name}");
            person.say(&format!("{line}\n"));
            let heard = format!("<{name}> {line}");
            let others = people.iter_mut().enumerate().filter(|(index, _)| *index != speaker);
            for (_, (name, person)) in others {
                // The end shows that telnet's carriage returns were not passed on. (Its terminal adds them again.)
                person.expect(&format!("{heard}{}", if *name == "telnet" { "\r\n" } else { "\n" }));
            }
        }
        for (name, person) in &mut people {
            // Those two have no half-close: they leave as soon as they have nothing to say.
            match *name {
                "telnet" | "pipe" => person.say("/quit\n"),
                _ => person.end_input(),
            }
            person.expect("* goodbye");
            person.ends_well();
        }
    });
}

fn on_every_backend_and_trigger(mut test: impl FnMut(Backend, Trigger)) {
    bounded("it did not end on all backends", || {
        for backend in Backend::ALL {
            let has_edges = AnyPoller::new(backend).unwrap().features().contains(Features::EDGE);
            for trigger in Trigger::ALL.into_iter().filter(|trigger| has_edges || *trigger != Trigger::Edge) {
                test(backend, trigger);
            }
        }
    });
}

fn on_every_floor(mut test: impl FnMut(&str, Backend, Trigger)) {
    on_every_backend_and_trigger(|backend, trigger| FLOORS.iter().for_each(|floor| test(floor, backend, trigger)));
}

fn echo(listen: &str, floor: &str, backend: Backend, trigger: Trigger) -> Server {
    let args = ["--floor", floor, "--backend", backend.name(), "--trigger", trigger.name()];
    Server::start_on("echo", &[listen], &args)
}

fn port(server: &Server) -> String {
    server.tcp().port().to_string()
}

/// What to tell `script`, so that telnet finds the terminal that it was made for.
fn telnet_in_a_terminal(server: &Server) -> [&'static str; 3] {
    let command = format!("telnet 127.0.0.1 {}", port(server));
    // A few bytes for each test: not worth owning.
    ["-qec", command.leak(), "/dev/null"]
}

/// A program and what it says.
struct Program {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    /// What it has said and nobody has expected yet.
    heard: Vec<u8>,
}

impl Program {
    fn start(name: &str, args: &[&str]) -> Self {
        let mut command = Command::new(name);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        sys::end_with_this_thread(&mut command);
        let mut child = command.spawn().unwrap_or_else(|e| match e.kind() {
            ErrorKind::NotFound => panic!("{name} is missing: install it, or leave these tests out"),
            _ => panic!("{name}: {e}"),
        });
        let mut stdout = child.stdout.take().unwrap();
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buf = [0; 64 * 1024];
            while let Ok(read @ 1..) = stdout.read(&mut buf) {
                if sender.send(buf[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { name: name.to_owned(), input: child.stdin.take(), child, output, heard: Vec::new() }
    }

    fn say(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Says all of this and then ends its input, while its output is listened to.
    fn feed(&mut self, data: Vec<u8>) -> thread::JoinHandle<()> {
        let mut input = self.input.take().unwrap();
        thread::spawn(move || input.write_all(&data).unwrap())
    }

    fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits until it has said this; what it said before is let go.
    fn expect(&mut self, text: &str) {
        loop {
            let found = self.heard.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(position) = found {
                self.heard.drain(..position + text.len());
                return;
            }
            match self.output.recv_timeout(BOUND) {
                Ok(data) => self.heard.extend(data),
                Err(e) => panic!("{}: {e}; no {text:?} in {:?}", self.name, String::from_utf8_lossy(&self.heard)),
            }
        }
    }

    /// Everything that it says until it says no more.
    fn hear_all(&mut self) -> Vec<u8> {
        loop {
            match self.output.recv_timeout(BOUND) {
                Ok(data) => self.heard.extend(data),
                Err(mpsc::RecvTimeoutError::Disconnected) => return std::mem::take(&mut self.heard),
                Err(e) => panic!("{}: {e}, after {} bytes", self.name, self.heard.len()),
            }
        }
    }

    /// Waits until it has ended.
    fn ends_well(&mut self) {
        self.hear_all();
        let status = self.child.wait().unwrap();
        // When the server closes first, telnet calls that an error.
        let expected = if self.name == "telnet" { status.code().is_some() } else { status.success() };
        assert!(expected, "{}: {status}", self.name);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

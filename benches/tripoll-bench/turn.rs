//! One contender in one cell: started, given its rounds, ended.

use super::contender::{Contender, Family};
use super::foreign;
use super::helper::Helper;
use super::load::{self, Clients, Manner, Seen};
use super::sample::Figures;
use super::scenario::{Cell, Scenario};
use super::support::machine;
use super::support::server::{Server, Usage};
use std::io;
use std::time::Duration;

/// A contender that is ready for its rounds.
pub struct Turn {
    cell: Cell,
    runs: Runs,
    /// Requests per second instead of a closed loop.
    rate: Option<f64>,
}

enum Runs {
    /// In a process of its own, by itself.
    Alone(Helper),
    /// As a server. The idle clients stay as long as it does.
    Served { server: Server, _idle: Option<Helper>, total: Total },
    /// As a server that is started afresh for each round, to see its memory grow.
    Afresh(Contender),
}

/// Nanoseconds in user space from which on they say something: ten ticks.
const TELLING: f64 = 1e8;

/// Time in user space is told in ticks of 10 ms, too coarse for a round: so it is summed up over them.
#[derive(Default)]
struct Total {
    user_ns: f64,
    done: f64,
}

impl Turn {
    pub fn start(contender: Contender, cell: &Cell, rate: Option<f64>) -> io::Result<Self> {
        let runs = match cell.scenario {
            _ if !cell.is_served() => Runs::Alone(Helper::working(contender.name, cell)?),
            Scenario::Memory => Runs::Afresh(contender),
            scenario => {
                let server = serve(contender, scenario)?;
                let idle = match scenario {
                    Scenario::Idle => Some(Helper::sitting(server.address, cell.get("idle"))?),
                    _ => None,
                };
                Runs::Served { server, _idle: idle, total: Total::default() }
            }
        };
        Ok(Self { cell: cell.clone(), runs, rate })
    }

    /// One round of about this length, where a length can be chosen.
    pub fn round(&mut self, duration: Duration) -> io::Result<Figures> {
        match &mut self.runs {
            Runs::Alone(helper) => helper.round(),
            Runs::Served { server, total, .. } => {
                let user = machine::user_ns(server.pid());
                let (mut figures, done) = serve_round(server, &self.cell, duration, self.rate)?;
                total.user_ns += (machine::user_ns(server.pid()) - user) as f64;
                total.done += done;
                if total.user_ns >= TELLING {
                    figures.insert("user_ns".to_owned(), total.user_ns / total.done);
                }
                Ok(figures)
            }
            Runs::Afresh(contender) => memory_round(*contender, &self.cell),
        }
    }
}

fn serve(contender: Contender, scenario: Scenario) -> io::Result<Server> {
    let role = if scenario == Scenario::Chat { "chat" } else { "echo" };
    match contender.family {
        Family::Foreign => foreign::start(contender.name, role),
        _ => Ok(Server::start(&format!("{role} {}", contender.name))),
    }
}

/// What was counted by the round's load, and how much that was.
fn serve_round(server: &mut Server, cell: &Cell, duration: Duration, rate: Option<f64>) -> io::Result<(Figures, f64)> {
    let warm_up = duration / 10;
    let manner = |bytes, pipeline| Manner { bytes, pipeline, duration, rate };
    let echo = |server: &mut Server, connections, manner: Manner| {
        let mut clients = Clients::connect(server.address, connections)?;
        clients.run(Manner { duration: warm_up, ..manner })?;
        let before = server.usage();
        let seen = clients.run(manner)?;
        Ok((before, seen, server.usage()))
    };
    let (before, seen, after) = match cell.scenario {
        Scenario::Idle => echo(server, 100, manner(64, 1)),
        Scenario::Echo => echo(server, cell.get("connections"), manner(cell.get("bytes"), cell.get("pipeline"))),
        Scenario::Churn => {
            load::churn(server.address, cell.get("at once"), 64, warm_up)?;
            let before = server.usage();
            let seen = load::churn(server.address, cell.get("at once"), 64, duration)?;
            Ok((before, seen, server.usage()))
        }
        Scenario::Chat => {
            let mut clients = Clients::connect(server.address, cell.get("fan-out") + 1)?;
            clients.gather()?;
            let before = server.usage();
            let seen = clients.chat(cell.get("speakers"), duration)?;
            Ok((before, seen, server.usage()))
        }
        other => Err(io::Error::other(format!("{other} has no server"))),
    }?;
    Ok((figures(before, &seen, after), seen.done as f64))
}

fn figures(before: Usage, seen: &Seen, after: Usage) -> Figures {
    let done = seen.done as f64;
    let wall = seen.elapsed.as_nanos() as f64;
    let cpu = (after.cpu_ns - before.cpu_ns) as f64;
    let mut figures = Figures::new();
    let mut put = |key: &str, value: f64| figures.insert(key.to_owned(), value);
    put("cpu_ns", cpu / done);
    put("per_second", done / wall * 1e9);
    put("server_busy", cpu / wall);
    put("load_busy", seen.busy);
    for (key, quantile) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
        put(key, seen.latency.value_at_quantile(quantile) as f64 / 1000.0);
    }
    // Not all can tell.
    if after.calls > before.calls {
        put("calls", (after.calls - before.calls) as f64 / done);
    }
    figures
}

fn memory_round(contender: Contender, cell: &Cell) -> io::Result<Figures> {
    let mut server = serve(contender, cell.scenario)?;
    let mut few = Clients::connect(server.address, 10)?;
    let manner = Manner { bytes: 64, pipeline: 1, duration: Duration::from_millis(20), rate: None };
    few.run(manner)?;
    server.usage();
    let before = machine::private_bytes(server.pid());
    let connections = cell.get("idle connections");
    let idle = Helper::sitting(server.address, connections)?;
    // An answer to those who came first does not say that the last have been taken in; this is long enough for both.
    few.run(manner)?;
    let after = machine::private_bytes(server.pid());
    drop(idle);
    let bytes = after.saturating_sub(before) as f64 / connections as f64;
    Ok(Figures::from([("bytes".to_owned(), bytes)]))
}

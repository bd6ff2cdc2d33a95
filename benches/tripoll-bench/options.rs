//! The command line.

use super::contender;
use super::scenario::{Depth, Scenario};
use clap::Parser;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Measures tripoll's backends beside a loop written by hand and the loops that people know.
///
/// Server and load run in processes of their own, the contenders take turns round by round, and ratios are taken within
/// a round. The run ends with a table, results.json with every sample, and results.html with plots.
#[derive(Clone, Debug, Parser)]
#[command(name = "tripoll-bench", bin_name = "cargo bench --bench tripoll-bench --")]
pub struct Options {
    /// Fewer cells and shorter rounds: within five minutes.
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,

    /// All cells and long rounds: an hour or more.
    #[arg(long)]
    pub full: bool,

    /// Only these scenarios (may be given several times).
    #[arg(long, value_enum, value_name = "NAME")]
    pub scenario: Vec<Scenario>,

    /// Of tripoll only these: select, poll, epoll-level, epoll-edge, epoll-oneshot, mio (several times).
    #[arg(long, value_name = "NAME")]
    pub backend: Vec<String>,

    /// Of the others only these: mio, polling, calloop, tokio, asyncio, ...; `none` for none (several times).
    #[arg(long, value_name = "NAME")]
    pub peer: Vec<String>,

    /// Rounds of each contender in each cell [default: 5 quick, 9, 15 full].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: Option<u32>,

    /// Milliseconds of a round under load [default: 60 quick, 200, 400 full].
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub round_ms: Option<u64>,

    /// Send so many requests per second instead of waiting for answers; latency then counts from when a request was due,
    /// so that a server that stalls cannot hide it (coordinated omission).
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub rate: Option<u64>,

    /// Where to write results.json and results.html.
    #[arg(long, value_name = "DIR", default_value = "target/tripoll-bench")]
    pub out: PathBuf,

    /// Print the samples as JSON instead of the table.
    #[arg(long)]
    pub json: bool,

    /// Write the tables into this Markdown file too, below its line `<!-- figures -->`.
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,

    /// Compare with an earlier run's JSON, say what got better or worse, and end with 1 if anything got worse.
    #[arg(long, value_name = "OLD.json")]
    pub compare: Option<PathBuf>,

    /// With --compare: read this run instead of making one.
    #[arg(long, value_name = "NEW.json", requires = "compare")]
    pub with: Option<PathBuf>,

    /// Only write the page of an earlier run, from its results.json.
    #[arg(long, value_name = "RUN.json", conflicts_with_all = ["compare", "server_only", "load_only"])]
    pub page: Option<PathBuf>,

    /// Only be the server of this contender, for a load from another machine.
    #[arg(long, value_name = "CONTENDER", conflicts_with = "load_only")]
    pub server_only: Option<String>,

    /// Where the server listens, with --server-only.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7000")]
    pub listen: SocketAddr,

    /// Only be the load, for an echo server that runs at this address: requests/s and latency, no CPU time.
    #[arg(long, value_name = "ADDR")]
    pub load_only: Option<SocketAddr>,

    /// What `cargo bench` passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn depth(&self) -> Depth {
        match (self.quick, self.full) {
            (true, _) => Depth::Quick,
            (_, true) => Depth::Full,
            _ => Depth::Normal,
        }
    }

    pub fn rounds(&self) -> u32 {
        let usual = match self.depth() {
            Depth::Quick => 5,
            Depth::Normal => 9,
            Depth::Full => 15,
        };
        self.rounds.unwrap_or(usual)
    }

    pub fn duration(&self) -> Duration {
        let usual = match self.depth() {
            Depth::Quick => 60,
            Depth::Normal => 200,
            Depth::Full => 400,
        };
        Duration::from_millis(self.round_ms.unwrap_or(usual))
    }

    /// Refuses names that nobody has.
    pub fn check(&self) -> Result<(), String> {
        let names = || contender::ALL.iter().map(|contender| contender.name);
        let known = |name: &str| names().any(|known| known == name);
        for backend in &self.backend {
            if !known(&format!("tripoll-{backend}")) {
                let list: Vec<_> = names().filter_map(|name| name.strip_prefix("tripoll-")).collect();
                return Err(format!("unknown backend {backend:?}: choose of {}", list.join(", ")));
            }
        }
        for peer in &self.peer {
            if peer != "none" && (!known(peer) || peer.contains('-')) {
                let list: Vec<_> = names().filter(|name| !name.contains('-')).collect();
                return Err(format!("unknown peer {peer:?}: choose of none, {}", list.join(", ")));
            }
        }
        if let Some(name) = &self.server_only {
            if !known(name) {
                return Err(format!(
                    "unknown contender {name:?}: choose of {}",
                    names().collect::<Vec<_>>().join(", ")
                ));
            }
        }
        Ok(())
    }
}

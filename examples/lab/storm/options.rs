//! The command line of the storms.

use super::inside::{OPTION, relaunch};
use super::{Scene, Storm};
use clap::Args;
use std::io;
use std::time::Duration;
use tripoll::Backend;

/// Plays a disaster live: first without a defence, then with tripoll's.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Which one; without a name they are listed.
    #[arg(value_enum, value_name = "NAME", hide_possible_values = true)]
    pub(crate) name: Option<Storm>,

    /// Play all of them.
    #[arg(long, conflicts_with = "name")]
    pub(crate) all: bool,

    /// What to wait with: select, poll, epoll or mio [default: $TRIPOLL_BACKEND, or epoll].
    #[arg(long)]
    pub(crate) backend: Option<Backend>,

    /// How many seconds each side lasts: 0.1 to 10.
    #[arg(long, value_name = "SECONDS", default_value = "0.3", value_parser = seconds)]
    pub(crate) seconds: Duration,

    /// Print the figures as JSON, an object a line for each storm.
    #[arg(long)]
    pub(crate) json: bool,

    /// Play one side, by its number, in this process.
    #[arg(long = OPTION, hide = true, requires = "name", value_name = "SIDE")]
    pub(crate) inside: Option<usize>,
}

impl Options {
    /// # Errors
    ///
    /// If `TRIPOLL_BACKEND` names no backend.
    pub(crate) fn scene(&self) -> io::Result<Scene> {
        let backend = match self.backend {
            Some(backend) => backend,
            None => Backend::from_env()?,
        };
        Ok(Scene { backend, time: self.seconds, launch: relaunch })
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "write a number of seconds, such as 0.3".to_owned())?;
    if (0.1..=10.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("a side lasts from 0.1 to 10 seconds".to_owned())
    }
}

//! What the command lines of the chat and its client have in common: values, and errors as one line with an exit code.

use clap::Parser;
use clap::error::ErrorKind;
use std::fmt::Display;
use std::io;
use std::process::{self, ExitCode};
use std::time::Duration;
use tripoll::Endpoint;
use tripoll::poller::{BackendError, Refusal};
use tripoll::reactor::EndpointError;

/// Which of the two it is.
const NAME: &str = env!("CARGO_BIN_NAME");

/// Reads the command line. What is wrong with it is said in one line, instead of clap's paragraphs, and is exit code 2.
pub(crate) fn parse<O: Parser>() -> O {
    O::try_parse().unwrap_or_else(|e| {
        if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            e.exit();
        }
        let text = e.to_string();
        let line = text.lines().next().unwrap_or_default();
        exit(2, format_args!("{}; --help tells what there is", line.trim_start_matches("error: ")))
    })
}

/// Says what is wrong with the command line as a whole, and ends the program.
pub(crate) fn exit(code: i32, what: impl Display) -> ! {
    eprintln!("{}: {what}", NAME);
    process::exit(code)
}

/// Says why the program could not go on; wrong wishes are told from bad luck.
pub(crate) fn report(error: &io::Error) -> ExitCode {
    eprintln!("{}: {error}", NAME);
    let inner = error.get_ref();
    let wrong_wish = matches!(Refusal::of(error), Some(Refusal::Trigger { .. }))
        || inner.is_some_and(|inner| inner.is::<BackendError>());
    ExitCode::from(if wrong_wish { 2 } else { 1 })
}

/// An address to listen at or connect to.
pub(crate) fn connected(text: &str) -> Result<Endpoint, String> {
    let endpoint: Endpoint = text.parse().map_err(|e: EndpointError| e.to_string())?;
    if endpoint.is_datagram() {
        return Err("a chat needs connections: write tcp://HOST:PORT or unix:///PATH".to_owned());
    }
    Ok(endpoint)
}

/// A time, in seconds and fractions of them.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let what = || "write a number of seconds, such as 5 or 0.5".to_owned();
    let seconds: f64 = text.parse().map_err(|_| what())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| what())
}

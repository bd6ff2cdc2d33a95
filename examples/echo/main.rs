//! An echo server three times over: on the bare poller, on the reactor and on the dispatcher.
//!
//! `cargo run --example echo`, and in another terminal `nc 127.0.0.1 7000`. With `--floor poller`, `--floor reactor` or
//! `--floor dispatcher` the same service is rendered by `on_poller.rs`, `on_reactor.rs` or `on_dispatcher.rs`: read them
//! in this order to see what each floor saves. `--help` lists the rest.

mod by_hand;
mod logging;
mod on_dispatcher;
mod on_poller;
mod on_reactor;
mod options;
mod setup;

use options::{Floor, Options};
use setup::Setup;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(complaint) => return complaint.report(),
    };
    logging::start(options.verbose);
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("echo: {e}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Options) -> io::Result<()> {
    let floor = options.floor;
    let setup = Setup::new(options)?;
    match floor {
        Floor::Poller => on_poller::serve(setup),
        Floor::Reactor => on_reactor::serve(setup),
        Floor::Dispatcher => on_dispatcher::serve(setup),
    }
}

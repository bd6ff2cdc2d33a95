//! A client for the example `chat`: standard input, the connection, standard output and the timers in one loop, in one
//! thread.
//!
//! | file | what is in it |
//! |---|---|
//! | `main` | builds the loop |
//! | `session` | what is shared: the connection's state, what waits to be sent, leaving |
//! | `keyboard`, `link`, `screen` | the handlers of input, connection and output |
//! | `pace` | how fast lines are sent |

#[path = "../chat/flood.rs"]
#[allow(dead_code, reason = "the server's half")]
mod flood;
mod keyboard;
#[path = "../chat/line.rs"]
mod line;
mod link;
mod options;
mod pace;
mod screen;
mod session;
#[path = "../chat/usage.rs"]
mod usage;

use keyboard::Keyboard;
use options::Options;
use screen::Screen;
use session::{Handler, Session};
use std::io;
use std::process::ExitCode;
use tripoll::dispatcher::Outcome;
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Descriptor, Reactor, SlowPolicy};
use tripoll::{Backend, EventLoop};

fn main() -> ExitCode {
    let options: Options = usage::parse();
    match talk(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => usage::report(&e),
    }
}

fn talk(options: Options) -> io::Result<()> {
    let backend = options.backend.map_or_else(Backend::from_env, Ok)?;
    let reactor = Reactor::with_settings(AnyPoller::new(backend)?, options.settings())?;
    let server = options.server.address()?;
    let mut event_loop = EventLoop::on(reactor, Session::new(options, server));

    let output = event_loop.adopt(screen::open(io::stdout())?, Handler::new(Screen::Output))?;
    let error = event_loop.adopt(screen::open(io::stderr())?, Handler::new(Screen::Error))?;
    let keyboard = event_loop.adopt(Descriptor::shared(io::stdin())?, Handler::new(Keyboard::new()))?;
    event_loop.enter(|scope, session| {
        (session.output, session.error, session.keyboard) = (output, error, Some(keyboard));
        // Nobody shall be held up by our own remarks.
        scope.set_slow_policy_of(error, SlowPolicy::DropNewest)?;
        session.connect(scope);
        Ok::<_, io::Error>(())
    })?;

    let outcome = event_loop.run()?;
    if let Some(failure) = event_loop.into_shared().failure {
        return Err(io::Error::other(failure));
    }
    match outcome {
        Outcome::Shutdown(report) if report.bytes_lost > 0 => {
            Err(io::Error::other(format!("{} bytes could not be shown", report.bytes_lost)))
        }
        _ => Ok(()),
    }
}

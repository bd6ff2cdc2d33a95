//! Echo on the dispatcher: what happens is a method, and only what an echo server is about is left to be written.
//!
//! The reactor made us write by hand: the loop and its `match`, the table of what each token stands for, the orderly
//! end with its deadline, and the signals that begin it.

use super::setup::{self, Setup, say};
use std::io;
use std::time::Duration;
use tripoll::dispatcher::signals::{SIGINT, SIGTERM};
use tripoll::dispatcher::{Context, Dispatcher, EventLoop, Outcome};
use tripoll::reactor::{Address, Reactor, Source, Stream};

const GRACE: Duration = Duration::from_secs(5);

/// One type for all kinds of sockets, since there are so few.
#[derive(Debug)]
enum Echo {
    Listener,
    Connection,
    Datagrams,
}

/// What all of them share.
#[derive(Debug, Default)]
struct Totals {
    /// Bytes of connections that were taken in and so are owed.
    bytes: u64,
}

impl Dispatcher for Echo {
    type Shared = Totals;
    type Spawn = Self;

    fn handle_accept(
        &mut self,
        stream: Stream,
        _: Address,
        cx: &mut Context<'_, Self>,
        _: &mut Totals,
    ) -> io::Result<()> {
        cx.adopt(stream, Self::Connection)?;
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, totals: &mut Totals) -> io::Result<()> {
        if let Self::Datagrams = self {
            while let Some((data, sender)) = cx.recv_from()? {
                // A sender without an address, or one that has gone, is no reason to keep the others waiting.
                if let Err(e) = cx.send_datagram(&sender, data) {
                    log::debug!("a datagram was lost: {e}");
                }
            }
            return Ok(());
        }
        let data = cx.recv()?;
        cx.send(data)?;
        totals.bytes += data.len() as u64;
        Ok(())
    }
}

pub(super) fn serve(setup: Setup) -> io::Result<()> {
    let (options, poller, sources, announcement) = setup.into_parts();
    let reactor = Reactor::with_settings(poller, super::on_reactor::settings(&options))?;
    let mut event_loop = EventLoop::on(reactor, Totals::default());
    if let Some(recorder) = setup::recorder(&options)? {
        event_loop.record(recorder);
    }
    for source in sources {
        let echo = if let Source::Listener(_) = source { Echo::Listener } else { Echo::Datagrams };
        event_loop.adopt(source, echo)?;
    }
    let grace = options.grace.unwrap_or(GRACE);
    for signal in [SIGINT, SIGTERM] {
        event_loop.on_signal(signal, move |scope, _| scope.shutdown(grace))?;
    }
    announcement.print();
    if let Outcome::Shutdown(report) = event_loop.run()? {
        say(&format!(
            "shutdown: {} drained, {} cut, {} bytes lost of {} in {:.3} s",
            report.drained,
            report.cut,
            report.bytes_lost,
            event_loop.shared().bytes,
            report.took.as_secs_f64()
        ));
    }
    setup::finish(&options, event_loop.stop_recording())
}

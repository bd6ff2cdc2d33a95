//! Signals as ordinary events of the loop: [`signal(7)`](https://man7.org/linux/man-pages/man7/signal.7.html).
//!
//! A signal handler may do next to nothing, so it writes a byte into a pipe of which the loop holds the other end. That
//! part is the `signal-hook` crate's.

use super::{Dispatcher, EventLoop, Scope};
use crate::poller::{Poller, Token};
use crate::reactor::Descriptor;
use signal_hook::SigId;
use std::io;
use std::os::unix::net::UnixStream;

pub use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

type OnSignal<H> = Box<dyn FnMut(&mut Scope<'_, H>, &mut <H as Dispatcher>::Shared)>;

/// A signal that is watched for.
pub(super) struct Watch<H: Dispatcher> {
    pub(super) token: Token,
    id: SigId,
    /// `None` while it runs.
    call: Option<OnSignal<H>>,
}

impl<H: Dispatcher> Drop for Watch<H> {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.id);
    }
}

impl<H: Dispatcher<Spawn = H>, P: Poller> EventLoop<H, P> {
    /// Calls a closure when the process gets a signal, instead of what the signal would do otherwise. Signals that come
    /// in quick succession are told once.
    ///
    /// Watching for signals does not keep the loop running.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a signal that cannot be handled (SIGKILL, SIGSTOP, and those of a crash); EMFILE.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use tripoll::dispatcher::signals::SIGTERM;
    /// use tripoll::dispatcher::{Dispatcher, EventLoop};
    ///
    /// # struct Nothing;
    /// # impl Dispatcher for Nothing { type Shared = (); type Spawn = Self; }
    /// let mut event_loop: EventLoop<Nothing> = EventLoop::new(())?;
    /// event_loop.on_signal(SIGTERM, |scope, _| scope.shutdown(Duration::from_secs(5)))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_signal(
        &mut self,
        signal: i32,
        call: impl FnMut(&mut Scope<'_, H>, &mut H::Shared) + 'static,
    ) -> io::Result<()> {
        if signal_hook::consts::FORBIDDEN.contains(&signal) {
            let what = format!("signal {signal} cannot be handled by a program");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let (reader, writer) = UnixStream::pair()?;
        let token = self.reactor.ledger().adopt(Descriptor::new(reader))?;
        let id = signal_hook::low_level::pipe::register(signal, writer)?;
        self.signals.push(Watch { token, id, call: Some(Box::new(call)) });
        Ok(())
    }

    /// Something has happened to a source that has no handler: a signal.
    pub(super) fn without_handler(&mut self, token: Token) {
        let Some(index) = self.signals.iter().position(|watch| watch.token == token) else { return };
        let mut sink = [0; 64];
        while self.reactor.ledger().read(token, &mut sink).is_ok_and(|read| read > 0) {}
        let Some(mut call) = self.signals[index].call.take() else { return };
        self.run_guarded(|scope, shared| call(scope, shared));
        self.signals[index].call = Some(call);
    }
}

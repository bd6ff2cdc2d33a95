//! Standard output and standard error, without ever waiting for whoever reads them.
//!
//! A terminal is stopped with Ctrl-S, a pipe's reader falls asleep; a client that writes to them as usual would hang with
//! it, deaf to its input, its timers and the server's end. So what is to be shown is queued by the loop. While the queue
//! is long the server is not read from, and in the end its own limits say what becomes of a client that does not read.

use crate::session::{Cx, Handler, Session};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use tripoll::Dispatcher;
use tripoll::reactor::{Descriptor, Reason};

/// The handler of standard output, or of standard error.
#[derive(Debug)]
pub(crate) enum Screen {
    Output,
    Error,
}

impl Dispatcher for Screen {
    type Shared = Session;
    type Spawn = Handler;

    fn readable(&self) -> bool {
        false
    }

    fn handle_close(&mut self, reason: Reason, cx: &mut Cx<'_>, session: &mut Session) {
        if let (Self::Output, Reason::Failed(e)) = (self, reason) {
            session.give_up(cx, &format!("cannot write what the server says: {e}"));
        }
    }
}

/// Something to write to that does not block, if that can be had.
///
/// Non-blocking is a property of the open file, which a terminal's shell and the other programs of a pipeline share: it is
/// not ours to change. So terminals and pipes are opened anew. Files do not block; for sockets there is no such way, and
/// writing to them may block after all.
pub(crate) fn open(fd: impl AsFd) -> io::Result<Descriptor> {
    let kind = File::from(fd.as_fd().try_clone_to_owned()?).metadata()?.file_type();
    if kind.is_fifo() || kind.is_char_device() {
        let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        if let Ok(own) = OpenOptions::new().write(true).custom_flags(flags).open(path) {
            return Ok(Descriptor::new(own));
        }
    }
    Descriptor::shared(fd)
}

//! The open files of a world, of whatever kind.

use super::counter::{self, Counter};
use super::fixed::Fixed;
use super::listener::Listener;
use super::local::{self, Local};
use super::model::{Model, Side};
use super::pipe::Pipe;
use super::pty::Pty;
use super::tcp::Tcp;
use super::udp::Udp;
use crate::kit::Kind;

/// An open file: what was made, and which end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileRef {
    pub(super) object: usize,
    pub(super) side: Side,
}

/// What one `make` makes: an open file, or two that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Tcp(Tcp),
    Local(Local),
    Udp(Udp),
    Pipe(Pipe),
    Pty(Pty),
    Counter(Counter),
    Listener(Listener),
    Fixed(Fixed),
}

impl Object {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Tcp => Self::Tcp(Tcp::CONNECTED),
            Kind::Refused => Self::Tcp(Tcp::refused(0)),
            Kind::Unix => Self::Local(Local::new(local::Sort::Stream)),
            Kind::Seqpacket => Self::Local(Local::new(local::Sort::Seqpacket)),
            Kind::Datagram => Self::Local(Local::new(local::Sort::Datagram)),
            Kind::Udp => Self::Udp(Udp::new(true, true)),
            Kind::UdpRefused => Self::Udp(Udp::new(true, false)),
            Kind::UdpAlone => Self::Udp(Udp::new(false, false)),
            Kind::Pipe | Kind::Fifo => Self::Pipe(Pipe::new()),
            Kind::Pty => Self::Pty(Pty::new()),
            Kind::Eventfd => Self::Counter(Counter::new(counter::Sort::Eventfd)),
            Kind::Semaphore => Self::Counter(Counter::new(counter::Sort::Semaphore)),
            Kind::Signalfd => Self::Counter(Counter::new(counter::Sort::Signalfd)),
            Kind::Inotify => Self::Counter(Counter::new(counter::Sort::Inotify)),
            Kind::Listener => Self::Listener(Listener::default()),
            Kind::File | Kind::Directory | Kind::Null | Kind::Zero => Self::Fixed(Fixed { path_only: false }),
            Kind::Opath => Self::Fixed(Fixed { path_only: true }),
        }
    }

    pub(super) fn model(&self) -> &dyn Model {
        match self {
            Self::Tcp(model) => model,
            Self::Local(model) => model,
            Self::Udp(model) => model,
            Self::Pipe(model) => model,
            Self::Pty(model) => model,
            Self::Counter(model) => model,
            Self::Listener(model) => model,
            Self::Fixed(model) => model,
        }
    }

    pub(super) fn model_mut(&mut self) -> &mut dyn Model {
        match self {
            Self::Tcp(model) => model,
            Self::Local(model) => model,
            Self::Udp(model) => model,
            Self::Pipe(model) => model,
            Self::Pty(model) => model,
            Self::Counter(model) => model,
            Self::Listener(model) => model,
            Self::Fixed(model) => model,
        }
    }

    pub(super) const fn is_signalfd(&self) -> bool {
        matches!(self, Self::Counter(counter) if counter.is_signalfd())
    }

    /// Whether a linger time can be set, which `reset` needs.
    pub(super) const fn is_socket(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Local(_) | Self::Udp(_) | Self::Listener(_))
    }
}

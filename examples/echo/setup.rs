//! What every floor starts from: a poller and bound sockets.

use super::options::Options;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tripoll::Endpoint;
use tripoll::poller::{AnyPoller, Poller};
use tripoll::reactor::limits::{DescriptorLimit, descriptor_limit, raise_descriptor_limit};
use tripoll::reactor::{Datagram, Listener, Recorder, Source};

/// Everything that can go wrong before the first client has not gone wrong.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) options: Options,
    pub(super) poller: AnyPoller,
    pub(super) sources: Vec<Source>,
    /// Where they really are.
    endpoints: Vec<Endpoint>,
    descriptors: String,
}

impl Setup {
    pub(super) fn new(options: Options) -> io::Result<Self> {
        // First, since what the floors allow themselves depends on it.
        let descriptors = raise_limit()?;
        let poller = AnyPoller::new(options.backend()?)?;
        let mut sources = Vec::new();
        let mut endpoints = Vec::new();
        for asked in &options.listen {
            let (source, endpoint) = bind(asked)?;
            sources.push(source);
            endpoints.push(endpoint);
        }
        Ok(Self { options, poller, sources, endpoints, descriptors })
    }

    /// What the floors need of this, and the announcement, to be made when they are ready for the first client.
    pub(super) fn into_parts(self) -> (Options, AnyPoller, Vec<Source>, Announcement) {
        let Options { floor, trigger, .. } = self.options;
        let floor = format!("{floor:?}").to_lowercase();
        let mut lines = Vec::new();
        for endpoint in &self.endpoints {
            lines.push(format!("listening on {endpoint}"));
        }
        for endpoint in &self.endpoints {
            lines.push(format!("talk to it: {}", how_to_talk(endpoint)));
        }
        lines.push(format!("floor {floor}, backend {}, trigger {trigger}, {}", self.poller.name(), self.descriptors));
        (self.options, self.poller, self.sources, Announcement(lines))
    }
}

/// What takes down what the loop does, if that was asked for.
pub(super) fn recorder(options: &Options) -> io::Result<Option<Recorder>> {
    let Some(path) = &options.record else { return Ok(None) };
    // Whoever stops a server because something was odd wants to see the end of the story.
    Ok(Some(Recorder::create(path)?.latest(Recorder::LIMIT)))
}

/// Writes what is left to be written, and says where to look at it.
pub(super) fn finish(options: &Options, recorder: Option<Recorder>) -> io::Result<()> {
    let (Some(path), Some(recorder)) = (&options.record, recorder) else { return Ok(()) };
    let path = path.display();
    let records = recorder
        .finish()
        .map_err(|e| io::Error::new(e.kind(), format!("the recording in {path} is not complete: {e}")))?;
    say(&format!("recorded: {records} records in {path}, to be opened in https://ui.perfetto.dev"));
    Ok(())
}

/// What is printed at the start.
#[derive(Debug)]
pub(super) struct Announcement(Vec<String>);

impl Announcement {
    pub(super) fn print(self) {
        say(&self.0.join("\n"));
    }
}

/// Prints a line, if there is anybody to read it: a server goes on when the terminal it was started from is gone.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn raise_limit() -> io::Result<String> {
    let before = descriptor_limit()?;
    let DescriptorLimit { soft, .. } = raise_descriptor_limit().unwrap_or(before);
    Ok(format!("up to {soft} descriptors (the limit was {})", before.soft))
}

fn bind(asked: &Endpoint) -> io::Result<(Source, Endpoint)> {
    if asked.is_datagram() {
        let socket = Datagram::bind(asked)?;
        let endpoint = asked.at(&socket.local_address()?);
        Ok((socket.into(), endpoint))
    } else {
        let listener = Listener::bind(asked)?;
        let endpoint = asked.at(&listener.local_address()?);
        Ok((listener.into(), endpoint))
    }
}

fn how_to_talk(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp(addr) => format!("nc {} {}", reachable(addr), addr.port()),
        Endpoint::Udp(addr) => format!("nc -u {} {}", reachable(addr), addr.port()),
        Endpoint::Unix(path) => format!("nc -U {}", path.display()),
        _ => format!("nc -uU {}", endpoint.to_string().trim_start_matches("unixgram://")),
    }
}

/// An address to connect to: a server that listens everywhere is here, too.
fn reachable(addr: &SocketAddr) -> IpAddr {
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

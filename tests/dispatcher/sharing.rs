//! State that all handlers share by `&mut`, and messages to many.

use crate::kernel;
use crate::probe::*;
use crate::support::every_backend_and_trigger;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use tripoll::dispatcher::{Context, Dispatcher, EventLoop};
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Address, Broadcast, Reactor, Reason, SlowPolicy, Stream};
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    a_room_is_iterated_over_while_its_members_are_sent_to,
    the_shared_state_can_be_seen_changed_and_taken_out,
    a_broadcast_counts_what_became_of_it,
    a_shared_message_is_released_when_the_last_has_it,
    a_message_to_oneself_and_to_others_arrives_in_order,
);

/// Who is in the room, and under which name.
#[derive(Default)]
struct Room(BTreeMap<Token, String>);

enum Chat {
    Door,
    Member,
}

impl Dispatcher for Chat {
    type Shared = Room;
    type Spawn = Self;

    fn handle_accept(&mut self, s: Stream, _: Address, cx: &mut Context<'_, Self>, room: &mut Room) -> io::Result<()> {
        let token = cx.adopt(s, Self::Member)?;
        room.0.insert(token, format!("guest{}", room.0.len()));
        Ok(())
    }

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, room: &mut Room) -> io::Result<()> {
        let line = cx.recv()?;
        // Three borrows at once: what was received, the room, and the loop.
        for (member, name) in &mut room.0 {
            if *member == cx.token() {
                name.push('!');
            } else {
                cx.send_to(*member, line)?;
            }
        }
        Ok(())
    }

    fn handle_close(&mut self, _: Reason, cx: &mut Context<'_, Self>, room: &mut Room) {
        room.0.remove(&cx.token());
        for member in room.0.keys() {
            // Whoever is gone as well has his own close coming.
            let _ = cx.send_to(*member, "somebody left\n");
        }
    }
}

fn a_room_is_iterated_over_while_its_members_are_sent_to(backend: Backend, trigger: Trigger) {
    let reactor = Reactor::with_settings(AnyPoller::new(backend).unwrap(), with_trigger(trigger)).unwrap();
    let mut event_loop = EventLoop::on(reactor, Room::default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    event_loop.adopt(listener, Chat::Door).unwrap();
    let mut clients: Vec<_> = (0..4).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut turn_until = |what: &str, done: &mut dyn FnMut(&Room) -> bool| {
        let deadline = std::time::Instant::now() + crate::support::BOUND;
        while !done(event_loop.shared()) {
            assert!(std::time::Instant::now() < deadline, "never: {what}");
            event_loop.turn(Some(std::time::Duration::from_millis(10))).unwrap();
        }
    };
    turn_until("all are in", &mut |room| room.0.len() == 4);
    clients[0].write_all(b"hello\n").unwrap();
    let mut heard = vec![Vec::new(); 3];
    turn_until("all have heard it", &mut |_| {
        for (client, heard) in clients[1..].iter_mut().zip(&mut heard) {
            client.set_nonblocking(true).unwrap();
            read_available(client, heard);
        }
        heard.iter().all(|heard| heard == b"hello\n")
    });
    turn_until("the speaker is marked", &mut |room| room.0.values().filter(|name| name.ends_with('!')).count() == 1);
    drop(clients.pop());
    turn_until("he is out", &mut |room| room.0.len() == 3);
}

fn the_shared_state_can_be_seen_changed_and_taken_out(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    event_loop.shared_mut().count = 1;
    event_loop.enter(|_, world| world.count += 1);
    let (ours, _peer) = UnixStream::pair().unwrap();
    let token = event_loop
        .adopt(
            ours,
            Probe::new("a").on(On::Open, |_, world| {
                world.count += 1;
                Ok(())
            }),
        )
        .unwrap();
    event_loop.with(token, |_, _, world| world.count += 1);
    assert_eq!(event_loop.shared().count, 4);
    assert_eq!(event_loop.into_shared().count, 4);
}

fn a_broadcast_counts_what_became_of_it(backend: Backend, trigger: Trigger) {
    let settings = Settings { queue_high: 1000, queue_low: 100, queue_max: 5000, ..with_trigger(trigger) };
    let mut event_loop = probes_with(backend, settings);
    let mut peers = Vec::new();
    let mut tokens = BTreeMap::new();
    for name in ["free", "high", "newest", "oldest", "overflow", "gone", "finishing"] {
        let (ours, peer) = UnixStream::pair().unwrap();
        kernel::shrink_send_buffer(&ours);
        tokens.insert(name, event_loop.adopt(ours, Probe::new(name)).unwrap());
        peers.push(peer);
    }
    event_loop.enter(|scope, _| {
        scope.set_slow_policy_of(tokens["newest"], SlowPolicy::DropNewest).unwrap();
        scope.set_slow_policy_of(tokens["oldest"], SlowPolicy::DropOldest).unwrap();
        scope.abort_peer(tokens["gone"]).unwrap();
        scope.finish_peer(tokens["finishing"]).unwrap();
        for (name, queued) in [("high", 900), ("newest", 4900), ("oldest", 4900), ("overflow", 4900)] {
            scope.send_to(tokens[name], vec![0; queued]).unwrap();
        }
        let result = scope.broadcast(tokens.values().copied(), &[1; 200]);
        let Broadcast { queued, above_high, dropped, refused, .. } = result;
        // `oldest` gives up what it had and takes this.
        assert_eq!((queued, above_high, dropped, refused), (3, 1, 1, 3), "{result:?}");
        assert_eq!(scope.queued_for(tokens["oldest"]).unwrap(), 200);
        assert_eq!(scope.queued_for(tokens["newest"]).unwrap(), 4900);
        assert_eq!(scope.queued_for(tokens["high"]).unwrap(), 1100);
    });
    turn_until_logged(&mut event_loop, "overflow close: the peer read too slowly: its queue is full");
    assert_eq!(event_loop.shared().ended("overflow").unwrap().lost, 4900);
    drop(peers);
}

fn a_shared_message_is_released_when_the_last_has_it(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let mut peers = Vec::new();
    let mut tokens = Vec::new();
    for _ in 0..5 {
        let (ours, peer) = UnixStream::pair().unwrap();
        peer.set_nonblocking(true).unwrap();
        tokens.push(event_loop.adopt(ours, Probe::new("reader")).unwrap());
        peers.push(peer);
    }
    let message: Arc<[u8]> = vec![7; 10_000].into();
    let result = event_loop.enter(|scope, _| scope.broadcast(tokens.iter().copied(), &message));
    assert_eq!(result.queued, 5);
    assert_eq!(Arc::strong_count(&message), 6, "one copy for all");
    for peer in &peers {
        assert_eq!(turn_until_peer_has(&mut event_loop, peer, 10_000), &message[..]);
    }
    assert_eq!(Arc::strong_count(&message), 1);
}

fn a_message_to_oneself_and_to_others_arrives_in_order(backend: Backend, trigger: Trigger) {
    let mut event_loop = probes(backend, trigger);
    let (ours, mut peer) = UnixStream::pair().unwrap();
    peer.set_nonblocking(true).unwrap();
    let probe = Probe::new("a").on(On::Read, |cx, _| {
        let own = cx.token();
        cx.recv()?;
        cx.send("one ")?;
        cx.send_to(own, "two ")?;
        assert_eq!(cx.broadcast([own], "three ").queued, 1);
        cx.send(vec![b'4'; 10_000])?;
        cx.send(" five")?;
        assert_eq!(cx.queued(), 10_000 + 19);
        assert_eq!(cx.queued_for(own), Ok(10_000 + 19));
        Ok(())
    });
    event_loop.adopt(ours, probe).unwrap();
    peer.write_all(b"x").unwrap();
    let got = turn_until_peer_has(&mut event_loop, &peer, 10_019);
    assert!(got.starts_with(b"one two three 444") && got.ends_with(b"444 five"));
}

//! The echo server under load: no byte lost, doubled or out of order, whatever the clients do.

use crate::drive::{Socket, drive};
use crate::echo_client::{EchoClient, Step};
use crate::random::{Random, seed};
use crate::server::{FreshPath, Server};
use crate::support::BOUND;
use crate::{FLOORS, echo_args, echo_server, heavy, sys};
use std::os::fd::AsFd;
use std::time::Duration;
use tripoll::{Backend, Trigger};

crate::support::every_backend_and_trigger! {
    a_thousand_clients_of_the_dispatcher_get_back_every_byte_in_order,
    a_hundred_clients_of_each_other_floor_get_back_every_byte_in_order,
    unix_sockets_carry_an_echo_as_well,
}

fn a_thousand_clients_of_the_dispatcher_get_back_every_byte_in_order(backend: Backend, trigger: Trigger) {
    let _heavy = heavy();
    // Descriptor numbers that select takes end at 1,023.
    let wanted = if backend == Backend::Select { 900 } else { 1000 };
    assert!(sys::raise_descriptor_limit() > wanted + 100, "the descriptor limit is too low for {wanted} clients");
    let server = echo_server("dispatcher", backend, trigger, &[]);
    load(wanted, || Socket::tcp(server.tcp()));
}

fn a_hundred_clients_of_each_other_floor_get_back_every_byte_in_order(backend: Backend, trigger: Trigger) {
    let _heavy = heavy();
    for floor in ["poller", "reactor"] {
        let server = echo_server(floor, backend, trigger, &[]);
        load(100, || Socket::tcp(server.tcp()));
    }
}

fn unix_sockets_carry_an_echo_as_well(backend: Backend, trigger: Trigger) {
    let _heavy = heavy();
    for floor in FLOORS {
        let path = FreshPath::new();
        let _server = Server::start_on("echo", &[&path.at("unix://")], &echo_args(floor, backend, trigger));
        load(30, || Socket::unix(path.as_path()));
    }
}

/// Puts a server under load: all clients are there at the same time, before the first of them begins.
fn load(clients: usize, connect: impl Fn() -> Socket) {
    let seed = seed();
    let mut random = Random::new(seed);
    let clients = (0..clients).map(|stream| {
        let socket = connect();
        sys::set_receive_buffer(socket.as_fd(), 64 * 1024);
        (socket, EchoClient::new(stream, plan(stream, &mut random)))
    });
    if let Err(e) = drive(clients.collect(), BOUND) {
        panic!("{e} (TRIPOLL_TEST_SEED={seed})");
    }
}

/// Mostly small messages, some large ones; pauses; and the different ways to go.
fn plan(stream: usize, random: &mut Random) -> Vec<Step> {
    let mut plan = Vec::new();
    for _ in 0..random.within(1..6) {
        plan.push(Step::Send(random.within(1..2000)));
        if random.one_in(3) {
            plan.push(Step::Pause(Duration::from_millis(random.within(1..100) as u64)));
        }
    }
    // By number, so that the load does not depend on luck. Who does not read makes the server's writes fall short.
    if stream % 50 == 0 {
        plan.push(Step::Deaf(Duration::from_millis(100)));
        plan.push(Step::Send(random.within((1 << 19)..(1 << 20) + 1)));
    }
    plan.push(match stream % 10 {
        0..7 => Step::HalfClose,
        7 | 8 => Step::Close,
        _ => Step::Reset,
    });
    plan
}

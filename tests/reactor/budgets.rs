//! Fairness: nobody gets more than his share of a turn, and what is left over needs no new event.

use crate::kit::{Family, MILLISECOND, Rig, Told, noise};
use crate::support::every_backend_and_trigger;
use std::io::{Read, Write};
use std::thread;
use tripoll::reactor::Ledger;
use tripoll::{Backend, Settings, Token, Trigger};

every_backend_and_trigger!(
    a_turn_reads_as_much_as_its_budget_and_the_next_ones_the_rest,
    a_handler_that_reads_a_little_at_a_time_gets_everything,
    a_turn_writes_as_much_as_its_budget_and_the_next_ones_the_rest,
    one_who_never_stops_sending_leaves_the_others_their_turn,
    nothing_is_missed_between_the_last_read_and_the_next_wait,
);

fn a_turn_reads_as_much_as_its_budget_and_the_next_ones_the_rest(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, Settings { trigger, read_bytes: 1000, ..Settings::default() });
        let (token, mut peer) = rig.pair(family);
        let message = noise(5500);
        // All of it is there before anything is read, and the peer says nothing more.
        rig.ledger().pause(token).unwrap();
        rig.glance();
        peer.write_all(&message).unwrap();
        crate::sys::until_received(rig.ledger().descriptor(token).unwrap(), message.len());
        rig.ledger().resume(token).unwrap();
        for read in [1000, 2000, 3000, 4000, 5000, 5500] {
            assert_eq!(rig.turn(None), [Told::Readable(token)]);
            assert_eq!(rig.read_of(token).len(), read);
        }
        assert_eq!(rig.read_of(token), message);
        rig.assert_asleep();
    }
}

/// Reads at most so much of what is there.
fn read_a_little(ledger: &mut Ledger, token: Token, buf: &mut [u8]) -> Vec<u8> {
    let read = ledger.read(token, buf).unwrap_or(0);
    buf[..read].to_vec()
}

fn a_handler_that_reads_a_little_at_a_time_gets_everything(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        let message = noise(64 * 1024);
        let echoed = message.clone();
        let client = thread::spawn(move || {
            peer.write_all(&echoed).unwrap();
            peer.expect(&echoed);
            peer
        });
        rig.until_with(
            |rig| {
                rig.turn_with(Some(MILLISECOND), |ledger, told| {
                    if told == Told::Readable(token) {
                        let piece = read_a_little(ledger, token, &mut [0; 1024]);
                        ledger.send(token, piece).unwrap();
                    }
                    true
                });
            },
            |_| client.is_finished(),
        );
        drop(client.join().unwrap());
        assert!(rig.times(Told::Readable(token)) >= 64);
    }
}

fn a_turn_writes_as_much_as_its_budget_and_the_next_ones_the_rest(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, Settings { trigger, write_bytes: 1000, ..Settings::default() });
        let (token, mut peer) = rig.pair(family);
        rig.glance();
        let message = noise(5500);
        for piece in message.chunks(300) {
            rig.ledger().send(token, piece).unwrap();
        }
        // The kernel has room for all of it, so what limits a turn is its budget: once before the first wait, and once
        // between each two.
        for written in [2000, 3000, 4000, 5000, 5500] {
            rig.turn(None);
            assert_eq!(rig.stats().bytes_out, written);
        }
        peer.expect(&message);
        rig.assert_asleep();
    }
}

fn one_who_never_stops_sending_leaves_the_others_their_turn(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::with(backend, Settings { trigger, read_bytes: 4096, ..Settings::default() });
        let (flood, mut torrent) = rig.pair(family);
        let (quiet, mut peer) = rig.pair(family);
        let timer = rig.ledger().set_loop_interval(MILLISECOND, tripoll::reactor::Missed::Skip);
        let thread = thread::spawn(move || while torrent.write_all(&[7; 64 * 1024]).is_ok() {});
        rig.until(|rig| rig.read_of(flood).len() > 100_000);
        for _ in 0..50 {
            peer.write_all(b"x").unwrap();
            crate::sys::until_received(rig.ledger().descriptor(quiet).unwrap(), 1);
            // There at the latest when everybody has had a turn.
            let (turns, flooded) = (rig.stats().turns, rig.read_of(flood).len());
            rig.until(|rig| rig.read_of(quiet) == b"x");
            assert!(rig.stats().turns - turns <= 2);
            assert!(rig.read_of(flood).len() - flooded <= 2 * 4096);
            rig.read.clear();
        }
        rig.until(|rig| rig.times(Told::Expired(Token::NONE, timer)) > 3);
        drop(rig);
        thread.join().unwrap();
    }
}

/// The moment that loses events if anything does: the peer writes after the last read of a turn and before the wait.
fn nothing_is_missed_between_the_last_read_and_the_next_wait(backend: Backend, trigger: Trigger) {
    for family in Family::BOTH {
        let mut rig = Rig::new(backend, trigger);
        let (token, mut peer) = rig.pair(family);
        peer.write_all(&[0]).unwrap();
        for number in 1..=200_u8 {
            let mut refill = true;
            rig.until_with(
                |rig| {
                    rig.turn_with(Some(20 * MILLISECOND), |ledger, told| {
                        assert_eq!(told, Told::Readable(token));
                        let mut buf = [0; 100];
                        while let Ok(read @ 1..) = ledger.read(token, &mut buf) {
                            assert_eq!(buf[..read], [number - 1]);
                        }
                        if std::mem::take(&mut refill) {
                            peer.write_all(&[number]).unwrap();
                        }
                        true
                    });
                },
                |rig| rig.stats().bytes_in == u64::from(number),
            );
        }
        let mut rest = Vec::new();
        drop(rig);
        // Unread bytes make it a reset, read ones an end.
        let _ = peer.read_to_end(&mut rest);
        assert_eq!(rest, []);
    }
}

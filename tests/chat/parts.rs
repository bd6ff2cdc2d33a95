//! The parts of the programs that know nothing of connections, with the tests that are in them: Cargo runs none of an
//! example's.

#![allow(dead_code, reason = "used by the programs")]

#[path = "../../examples/chat/command.rs"]
mod command;
#[path = "../../examples/chat/flood.rs"]
mod flood;
#[path = "../../examples/chat/line.rs"]
mod line;
#[path = "../../examples/chat/name.rs"]
mod name;
#[path = "../../examples/chat-client/pace.rs"]
mod pace;
#[path = "../../examples/chat/room.rs"]
mod room;
#[path = "../../examples/chat/telnet.rs"]
mod telnet;

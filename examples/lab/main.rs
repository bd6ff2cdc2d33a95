//! The lab: what select, poll, epoll and mio report, step by step, on this machine's kernel, and why.

mod kit;

fn main() {
    println!("{}", kit::Mechanism::ALL.map(kit::Mechanism::name).join(" "));
}

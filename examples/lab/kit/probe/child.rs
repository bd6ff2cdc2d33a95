//! The lab once more, as a process of its own: for an experiment that whoever runs beside it would
//! disturb, or suffer from.

use super::{Findings, arrivals, call_details, descriptor_limit, signals};
use crate::kit::mechanism::Mechanism;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::{env, io};

/// The first argument of such a process. It is no command for users.
const COMMAND: &str = "probe-child";

/// Does an experiment in a process of its own.
pub(super) fn alone(name: &str, mechanism: Mechanism) -> Findings {
    let program = program()?;
    let started = Command::new(&program).args([COMMAND, name, mechanism.name()]).stdin(Stdio::null()).output();
    let output = started
        .map_err(|error| io::Error::other(format!("{} cannot be started once more: {error}", program.display())))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("its process ended with {}: {}", output.status, said.trim_end())))
}

/// What such a process does, and with which code it ends; `None` if this is not one. `main` asks before anything else.
pub(crate) fn probe_child() -> Option<ExitCode> {
    let args: Vec<String> = env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let [COMMAND, name, mechanism] = args[..] else { return None };
    let answer = match (name, Mechanism::named(mechanism)) {
        ("arrivals", Some(mechanism)) => arrivals::in_child(mechanism),
        ("call-details", Some(mechanism)) => call_details::in_child(mechanism),
        ("descriptor-limit", Some(mechanism)) => descriptor_limit::in_child(mechanism),
        ("signals", Some(mechanism)) => signals::in_child(mechanism),
        _ => Err(io::Error::other(format!("there is no experiment {name} with {mechanism} to be done alone"))),
    };
    match answer {
        Ok(lines) => println!("{}", lines.join("\n")),
        Err(error) => {
            eprintln!("{error}");
            return Some(ExitCode::FAILURE);
        }
    }
    Some(ExitCode::SUCCESS)
}

/// This program; for a test, which Cargo puts beside what it depends on, the lab that Cargo has built.
fn program() -> io::Result<PathBuf> {
    let this = env::current_exe()?;
    let Some(profile) = this.parent().filter(|directory| directory.ends_with("deps")).and_then(|deps| deps.parent())
    else {
        return Ok(this);
    };
    let lab = profile.join("examples/lab");
    if lab.is_file() {
        return Ok(lab);
    }
    Err(io::Error::other(format!("{} is missing: build it by `cargo build --example lab`", lab.display())))
}

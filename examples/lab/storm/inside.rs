//! A side of a storm in a process of its own: for what belongs to the whole process, such as the descriptor limit.

use super::tally::Tally;
use super::{Scene, Storm};
use nix::unistd::alarm;
use std::env;
use std::io;
use std::process::{Command, Stdio};

/// Beyond its time, a side may take so many seconds; then its process is ended by a signal.
const GRACE: u32 = 30;

/// The option that has the lab be that process.
pub(super) const OPTION: &str = "inside";

/// This program once more, told to play one side.
pub(super) fn relaunch(storm: Storm, index: usize, scene: &Scene) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["storm", storm.name()]).arg(format!("--{OPTION}={index}"));
    command.args(["--backend", scene.backend.name(), "--seconds", &scene.time.as_secs_f64().to_string()]);
    Ok(command)
}

/// Has one side played in a process of its own.
pub(super) fn elsewhere(storm: Storm, index: usize, scene: &Scene) -> io::Result<Tally> {
    let mut command = (scene.launch)(storm, index, scene)?;
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(tally) = said.lines().find_map(|line| serde_json::from_str(line).ok()) {
        return Ok(tally);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("its process ended with {}: {}", output.status, complaint.trim())))
}

/// Plays one side here, and answers what is to be printed. Ends this process if that takes too long.
pub(super) fn be_inside(storm: Storm, index: usize, scene: &Scene) -> io::Result<String> {
    let limit = u32::try_from(scene.time.as_secs()).unwrap_or(u32::MAX).saturating_add(GRACE);
    alarm::set(limit);
    let tally = storm.play_side(index, scene)?;
    alarm::cancel();
    // A line of its own, whatever was printed before.
    Ok(format!("\n{}\n", serde_json::to_string(&tally)?))
}

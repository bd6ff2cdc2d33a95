//! A storm on the terminal: a table, bars, and what is to be seen in them. 80 columns, no colour.

use super::inside::be_inside;
use super::tally::{Outcome, Tally};
use super::{Error, Options, Scene, Storm};
use std::io::{self, Write};

const WIDTH: usize = 80;
/// A bar has so many columns for each power of ten.
const DECADE: f64 = 6.0;
const SHADES: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Does what the command line asks for: lists the storms, or plays one or all.
///
/// # Errors
///
/// See [`Storm::play`].
pub(crate) fn run(options: &Options, out: &mut dyn Write) -> Result<(), Error> {
    let scene = options.scene().map_err(Error::Poller)?;
    match (options.name, options.inside) {
        (Some(storm), Some(index)) => {
            let tally = be_inside(storm, index, &scene).map_err(Error::Inside)?;
            out.write_all(tally.as_bytes()).map_err(Error::Output)
        }
        (Some(storm), None) => present(storm, &scene, options.json, out),
        (None, _) if options.all => {
            let mut separator = false;
            for storm in Storm::ALL {
                // What cannot happen here is no failure when everything is asked for.
                if let Err(e @ Error::Impossible { .. }) = storm.script().sides_on(storm, scene.backend) {
                    if !options.json {
                        writeln!(out, "\n{e}").map_err(Error::Output)?;
                    }
                    continue;
                }
                if separator && !options.json {
                    writeln!(out).map_err(Error::Output)?;
                }
                separator = true;
                present(storm, &scene, options.json, out)?;
            }
            Ok(())
        }
        (None, _) => list(out).map_err(Error::Output),
    }
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Each is played twice: with the mistake, and with what tripoll does by default.\n")?;
    for storm in Storm::ALL {
        writeln!(out, "  {:<18} {}", storm.name(), storm.script().title)?;
    }
    writeln!(out, "\nOne of them: lab storm {}; all of them: lab storm --all", Storm::ALL[0].name())
}

fn present(storm: Storm, scene: &Scene, json: bool, out: &mut dyn Write) -> Result<(), Error> {
    if json {
        let outcome = storm.play(scene, &mut |_| Ok(()))?;
        let line = serde_json::to_string(&outcome).map_err(|e| Error::Output(e.into()))?;
        return writeln!(out, "{line}").map_err(Error::Output);
    }
    // Before anything is written, so that a refusal stands alone.
    storm.script().sides_on(storm, scene.backend)?;
    let script = storm.script();
    let mut begin = || {
        writeln!(out, "{} ({}, on {})\n", script.title, storm.name(), scene.backend)?;
        paragraph(out, "", script.about)?;
        write!(out, "\nPlaying, {:.1} s each:", scene.time.as_secs_f64())?;
        out.flush()
    };
    begin().map_err(Error::Output)?;
    let played = storm.play(scene, &mut |side| {
        write!(out, " [{}]", side.label)?;
        out.flush()
    });
    // Also after a failure, whose message has a line of its own.
    writeln!(out, "\n").map_err(Error::Output)?;
    let outcome = played?;
    result(storm, &outcome, out).map_err(Error::Output)
}

fn result(storm: Storm, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let script = storm.script();
    table(outcome, out)?;
    writeln!(out)?;
    bars(outcome, out)?;
    queues(outcome, out)?;
    writeln!(out)?;
    paragraph(out, "Seen      ", &(script.seen)(outcome))?;
    paragraph(out, "So what   ", script.so_what)?;
    let (mistake, wrong) = script.mistaken_line();
    writeln!(out, "Mistake   {}: {wrong}\n            {mistake}", script.mistake.address())?;
    let defence = script.code.line().map_or("", |(_, line)| line.trim_end_matches(['{', ' ']));
    writeln!(out, "Defence   {}\n            {}", script.code.address(), cut(defence))?;
    let test = script.test.find.trim_start_matches("fn ").trim_end_matches('(');
    writeln!(out, "Test      {}\n            {test}", script.test.address())
}

/// A line of source on the screen.
fn cut(line: &str) -> String {
    line.chars().take(WIDTH - 12).collect()
}

fn table(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let sides = outcome.sides();
    let row = |label: &str, cell: &dyn Fn(&Tally) -> String| {
        let cells = sides.iter().map(|tally| cell(tally));
        std::iter::once(label.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let mut rows = vec![
        row("defence", &|tally| tally.side.clone()),
        row("wake-ups", &|tally| grouped(tally.wakeups)),
        row("  a second", &|tally| grouped(tally.wakeups_per_second() as u64)),
        row("system calls", &|tally| grouped(tally.system_calls)),
        row("of a processor", &|tally| format!("{:.1} %", 100.0 * tally.load())),
        row(&outcome.on.work.what, &|tally| match tally.work.of {
            Some(of) => format!("{} of {}", grouped(tally.work.done), grouped(of)),
            None => grouped(tally.work.done),
        }),
    ];
    if outcome.on.longest_wait.is_some() {
        rows.push(row("longest wait for one", &|tally| tally.longest_wait.map_or_else(String::new, time)));
    }
    if outcome.on.queued_peak.is_some() {
        rows.push(row("queued at most", &|tally| tally.queued_peak.map_or_else(String::new, bytes)));
    }
    let wide = |cells: &[String]| cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    let label = rows.iter().map(|row| wide(&row[..1])).max().unwrap_or(0);
    let column = rows.iter().map(|row| wide(&row[1..])).max().unwrap_or(0) + 3;
    for row in &rows {
        write!(out, "{:<label$}", row[0])?;
        row[1..].iter().try_for_each(|cell| write!(out, "{cell:>column$}"))?;
        writeln!(out)?;
    }
    writeln!(out)?;
    sides.iter().try_for_each(|tally| writeln!(out, "  {:<9} {}", tally.side, tally.end))
}

/// Bars on a logarithmic scale, since the sides are far apart.
fn bars(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "A second, each {DECADE} columns ten times as much:")?;
    let mut group = |label: &str, amount: &dyn Fn(&Tally) -> f64| {
        let mut label = label;
        outcome.sides().into_iter().try_for_each(|tally| {
            let length = (amount(tally).max(0.0) + 1.0).log10() * DECADE;
            let bar = match length.round() as usize {
                _ if length == 0.0 => "none".to_owned(),
                // A bar that is too short to be seen still says that there is one.
                columns => "█".repeat(columns.clamp(1, WIDTH - 26)),
            };
            writeln!(out, "  {label:<13}{:<10}{bar}", tally.side)?;
            label = "";
            Ok::<(), io::Error>(())
        })
    };
    group("wake-ups", &Tally::wakeups_per_second)?;
    group("system calls", &Tally::calls_per_second)?;
    group("CPU, µs", &|tally| 1e6 * tally.load())?;
    // Where everybody got the same done, there is nothing to be compared.
    if outcome.sides().iter().all(|tally| tally.work.done == outcome.on.work.done) {
        return Ok(());
    }
    group("work", &Tally::work_per_second)
}

/// The queues over time, all on one scale.
fn queues(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let most = outcome.sides().iter().filter_map(|tally| tally.queued_peak).max().unwrap_or(0);
    if most == 0 {
        return Ok(());
    }
    writeln!(out, "\nQueued for the slow reader, over time; a full block is {}:", bytes(most))?;
    outcome.sides().into_iter().try_for_each(|tally| {
        let shade = |queued: &u64| match queued * 8 / most {
            0 if *queued > 0 => SHADES[1],
            eighths => SHADES[(eighths as usize).min(8)],
        };
        writeln!(out, "  {:<10}{}", tally.side, tally.queued.iter().map(shade).collect::<String>())
    })
}

/// Text in lines that fit, after a label that the following lines are indented by.
fn paragraph(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    let mut line = label.to_owned();
    let mut fresh = true;
    for word in text.split_whitespace() {
        if !fresh && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}")?;
            line = " ".repeat(label.len());
            fresh = true;
        }
        if !fresh {
            line.push(' ');
        }
        line.push_str(word);
        fresh = false;
    }
    writeln!(out, "{line}")
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of which only the first three digits matter.
pub(super) fn about(number: f64) -> String {
    let mut step = 1_u32;
    while number / f64::from(step) >= 1000.0 && step < 1_000_000_000 {
        step *= 10;
    }
    grouped((number / f64::from(step)).round() as u64 * u64::from(step))
}

/// Bytes, in the unit that fits.
pub(super) fn bytes(bytes: u64) -> String {
    let mut amount = bytes as f64;
    for unit in ["bytes", "KiB", "MiB"] {
        if amount < 1024.0 {
            return if unit == "bytes" { format!("{bytes} bytes") } else { format!("{amount:.1} {unit}") };
        }
        amount /= 1024.0;
    }
    format!("{amount:.1} GiB")
}

/// Seconds, in the unit that fits.
pub(super) fn time(seconds: f64) -> String {
    match seconds {
        long if long >= 1.0 => format!("{long:.1} s"),
        short if short >= 1e-3 => format!("{:.1} ms", 1e3 * short),
        tiny => format!("{:.0} µs", 1e6 * tiny),
    }
}

/// How often, in words.
pub(super) fn times(count: u64) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{} times", grouped(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_as_people_write_them() {
        assert_eq!([grouped(0), grouped(999), grouped(1000), grouped(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([about(0.4), about(999.4), about(1_760_853.0)], ["0", "999", "1,760,000"]);
        assert_eq!([bytes(1023), bytes(1024), bytes(1 << 30)], ["1023 bytes", "1.0 KiB", "1.0 GiB"]);
        assert_eq!([time(1.5), time(0.25), time(0.000_012)], ["1.5 s", "250.0 ms", "12 µs"]);
        assert_eq!([times(0), times(1), times(2), times(1000)], ["never", "once", "twice", "1,000 times"]);
    }

    #[test]
    fn paragraphs_keep_to_the_screen_and_lose_no_word() {
        let text = "a loop that does nothing at full speed ".repeat(20);
        let mut out = Vec::new();
        paragraph(&mut out, "Seen      ", &text).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(out.lines().skip(1).all(|line| line.starts_with("          ")));
        let words: Vec<_> = out.split_whitespace().skip(1).collect();
        assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
    }
}

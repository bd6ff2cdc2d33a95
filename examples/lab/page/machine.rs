//! On what the lessons were run, and what went otherwise there.

use super::data::Data;
use super::html::escape;
use std::fmt::Write as _;
use std::fs;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 24 * 60 * 60;

/// What is said of the machine, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    pub(crate) facts: Vec<(String, String)>,
}

impl Machine {
    /// This machine, now.
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let cpus = available_parallelism().map_or(1, usize::from);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let facts = [
            ("kernel", format!("{} {}", read("/proc/sys/kernel/ostype"), read("/proc/sys/kernel/osrelease"))),
            ("build of the kernel", read("/proc/sys/kernel/version")),
            ("architecture", std::env::consts::ARCH.to_owned()),
            ("processors", format!("{cpus} x {}", model.trim_start_matches([' ', '\t', ':']))),
            ("date", format!("{} UTC", date(now))),
            ("tripoll", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        Self { facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    fn fact(&self, name: &str) -> &str {
        self.facts.iter().find(|(fact, _)| fact == name).map_or("?", |(_, value)| value)
    }

    /// In one line.
    pub(super) fn line(&self) -> String {
        let [kernel, architecture, date, tripoll] =
            ["kernel", "architecture", "date", "tripoll"].map(|name| self.fact(name));
        format!("{kernel}, {architecture}, {date}, by tripoll {tripoll}")
    }
}

/// Seconds since 1970 as a date, by the proleptic Gregorian calendar.
fn date(seconds: u64) -> String {
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut days, mut year) = (seconds / DAY, 1970);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hours, minutes) = (seconds % DAY / 3600, seconds % 3600 / 60);
    format!("{year}-{month:02}-{:02} {hours:02}:{minutes:02}", days + 1)
}

pub(super) fn view(machine: &Machine, data: &Data) -> String {
    let mut html = "<section class=\"view\" id=\"machine\"><h2>This machine</h2><dl>".to_owned();
    for (name, value) in &machine.facts {
        let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    html += "</dl><h3>Where it differs from the shipped table</h3>";
    let differences = data.differences();
    if differences.is_empty() {
        html += "<p>Nowhere. Every answer of every lesson is the one that its text expects.</p>";
    } else {
        html += "<div class=\"scroll\"><table><caption>Answers that the shipped table does not \
        expect</caption><thead><tr>\
                 <th>lesson</th><th>step</th><th>mechanism</th><th>here</th><th>shipped table</th></tr></thead><tbody>";
        for difference in &differences {
            let _ = write!(
                html,
                "<tr><th><a href=\"#{}\">{}</a></th><td><code>{}</code></td><td>{}</td><td class=\"probe\">{}</td><td \
                 class=\"probe\">{}</td></tr>",
                difference.lesson.name,
                escape(&difference.lesson.title),
                escape(difference.command),
                difference.mechanism,
                escape(difference.found),
                escape(difference.shipped)
            );
        }
        html += "</tbody></table></div>";
    }
    for lesson in &data.lessons {
        for (mechanism, why) in &lesson.failed {
            let _ = write!(
                html,
                "<p class=\"warn\">Not played: <a href=\"#{}\">{}</a> under {mechanism}: {}</p>",
                lesson.name,
                escape(&lesson.title),
                escape(why)
            );
        }
    }
    html + "<p class=\"about\">The shipped table is the text of the lessons, in which each step says what it \
    answers. Other \
            kernels may answer otherwise, and rightly so: these are observations, not promises.</p></section>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00");
        assert_eq!(date(951_782_399), "2000-02-28 23:59");
        assert_eq!(date(951_782_400), "2000-02-29 00:00");
        assert_eq!(date(951_868_800), "2000-03-01 00:00");
        assert_eq!(date(4_107_542_399), "2100-02-28 23:59");
        assert_eq!(date(4_107_542_400), "2100-03-01 00:00");
        assert_eq!(date(1_767_225_599), "2025-12-31 23:59");
    }
}

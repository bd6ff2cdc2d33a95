//! How the terminal is to be written to: how wide it is, and whether it has colours and more than ASCII.

use rustix::termios::tcgetwinsize;
use std::env;
use std::io::{self, IsTerminal};

/// What fits on the screen, and what it can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Columns.
    pub(crate) width: usize,
    pub(crate) color: bool,
    /// Whether only ASCII may be written.
    pub(crate) ascii: bool,
}

/// Narrower than this, nothing can be read.
pub(crate) const NARROWEST: usize = 20;

/// Lines that are longer than this are hard to read, however wide the screen is.
pub(crate) const WIDEST: usize = 200;

/// For a terminal whose width nobody knows, and for what is no terminal.
const USUAL_WIDTH: usize = 80;

/// On a wide terminal the lines end here, unless `--width` says otherwise.
const WIDE_ENOUGH: usize = 110;

impl Look {
    /// That of standard output, as far as the command line does not say otherwise.
    pub(crate) fn of_stdout(width: Option<usize>, no_color: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let screen = || tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
        Self {
            width: width.unwrap_or_else(|| screen().map_or(USUAL_WIDTH, |found| found.clamp(NARROWEST, WIDE_ENOUGH))),
            color: terminal && !no_color && !dumb && !is_set("NO_COLOR"),
            ascii: !locale_is_utf8(|name| env::var(name).ok()),
        }
    }
}

/// The first of the variables that has a value decides, as in `setlocale(3)`; without any it is the locale `C`.
fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| variable(name).filter(|s| !s.is_empty()));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// What stands for a character where only ASCII may be written: always one for one, so that columns stay columns.
pub(crate) fn in_ascii(letter: char) -> char {
    match letter {
        ' '..='~' => letter,
        '●' => '*',
        '○' => 'o',
        '✗' => 'x',
        '≠' => '#',
        '█' => '=',
        '│' => '|',
        '─' | '–' | '—' | '−' => '-',
        '·' | '…' => '.',
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        '→' => '>',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_has_a_value_is_the_locale() {
        let of = |list: &'static [(&str, &str)]| {
            locale_is_utf8(|name| list.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert!(of(&[("LANG", "en_US.UTF-8")]));
        assert!(of(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")]));
        assert!(!of(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!of(&[]));
    }
}

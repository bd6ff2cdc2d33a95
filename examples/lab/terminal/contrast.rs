//! Where two answers of several lines part.

/// The lines of the expected answer that were not found, and those that were found instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contrast<'a> {
    pub(crate) missing: Vec<&'a str>,
    pub(crate) instead: Vec<&'a str>,
}

pub(crate) fn contrast<'a>(expected: &'a str, found: &'a str) -> Contrast<'a> {
    let without = |text: &'a str, other: &str| -> Vec<&'a str> {
        text.lines().filter(|line| !other.lines().any(|of_other| of_other == *line)).collect()
    };
    Contrast { missing: without(expected, found), instead: without(found, expected) }
}

impl Contrast<'_> {
    /// In one line: `expected A, found B`.
    pub(crate) fn text(&self) -> String {
        let list = |lines: &[&str]| if lines.is_empty() { "nothing else".to_owned() } else { lines.join("; ") };
        format!("expected {}, found {}", list(&self.missing), list(&self.instead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_is_not_mentioned() {
        assert_eq!(contrast("a\nb\nc", "a\nx\nc").text(), "expected b, found x");
        assert_eq!(contrast("a\nb", "a").text(), "expected b, found nothing else");
        assert_eq!(contrast("IN", "-").text(), "expected IN, found -");
    }
}

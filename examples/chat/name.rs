//! Names of people and rooms: what is allowed, and when two are the same.

use std::fmt;

/// A name that was checked.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    shown: String,
    key: String,
}

impl Name {
    pub(crate) const LONGEST: usize = 20;

    /// Letters and digits of any script, `-` and `_`, and a letter first: so that nobody can be called `*`, or something
    /// that looks empty.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if length == 0 || length > Self::LONGEST {
            return Err(format!("a name has 1 to {} characters, and this one has {length}", Self::LONGEST));
        }
        let allowed = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        if let Some(c) = text.chars().find(|c| !allowed(*c)) {
            return Err(format!("a name has letters, digits, - and _, but not {c:?}"));
        }
        if !text.starts_with(char::is_alphabetic) {
            return Err("a name begins with a letter".to_owned());
        }
        Ok(Self { key: text.to_lowercase(), shown: text.to_owned() })
    }

    /// Equal for names that differ in upper and lower case only.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_by_more_than_case() {
        let key = |text| Name::new(text).unwrap().key().to_owned();
        assert_eq!(key("Anna"), key("aNNA"));
        assert_eq!(key("\u{c4}nna"), key("\u{e4}nna"));
        assert_ne!(key("Anna"), key("Hanna"));
        assert_eq!(Name::new("Anna-2_x").unwrap().to_string(), "Anna-2_x");
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said() {
        for (text, what) in [
            ("", "1 to 20 characters"),
            ("a23456789012345678901", "this one has 21"),
            ("a b", "not ' '"),
            ("a\x1b", "not '\\u{1b}'"),
            ("a\u{202e}", "not '\\u{202e}'"),
            ("<a>", "not '<'"),
            ("1a", "begins with a letter"),
            ("_", "begins with a letter"),
        ] {
            let error = Name::new(text).unwrap_err();
            assert!(error.contains(what), "{text:?}: {error}");
        }
        Name::new("a2345678901234567890").unwrap();
    }
}

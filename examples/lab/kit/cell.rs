//! One cell of a lesson's table: what one wait answered under one mechanism.

use super::bits::Bits;
use super::mechanism::Mechanism;
use std::fmt::Write as _;

/// What a wait answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cell {
    /// Each descriptor that was reported, by its name in the lesson. Empty: the wait ended without a word.
    Reported(Vec<(String, Bits)>),
    /// The call itself failed: `EBADF`, `EINTR`.
    Failed(String),
}

impl Cell {
    /// Nothing was reported.
    pub(crate) const SILENT: Self = Self::Reported(Vec::new());

    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Reported(list) if list.is_empty())
    }

    /// What was reported of one descriptor.
    pub(crate) fn of(&self, name: &str) -> Bits {
        let Self::Reported(list) = self else { return Bits::NONE };
        list.iter().filter(|(named, _)| named == name).fold(Bits::NONE, |all, (_, bits)| all | *bits)
    }

    /// The cell as it stands in a table: `-`, `IN|RDHUP`, `a:IN b:OUT`, `EBADF`. The descriptor's name is left out where a
    /// lesson watches one only.
    pub(crate) fn display(&self, mechanism: Mechanism, named: bool) -> String {
        let list = match self {
            Self::Failed(error) => return error.clone(),
            Self::Reported(list) if list.is_empty() => return "-".to_owned(),
            Self::Reported(list) => list,
        };
        let mut text = String::new();
        for (name, bits) in list {
            let gap = if text.is_empty() { "" } else { " " };
            let bits = bits.display(mechanism.vocabulary());
            // Writing into a String cannot fail.
            let _ = if named { write!(text, "{gap}{name}:{bits}") } else { write!(text, "{gap}{bits}") };
        }
        text
    }

    /// The same without regard to the order in which descriptors were reported, if the lesson does not ask for it.
    pub(crate) fn agrees(&self, other: &Self, ordered: bool) -> bool {
        match (self, other) {
            (Self::Reported(left), Self::Reported(right)) if !ordered => {
                let (mut left, mut right) = (left.clone(), right.clone());
                left.sort();
                right.sort();
                left == right
            }
            _ => self == other,
        }
    }
}

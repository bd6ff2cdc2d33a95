//! The word that was perhaps meant.

/// More changes than these are another word.
const FAR: usize = 2;

/// The first of `words` that is closest to what was written, if one is close: two letters wrong, missing, too many or
/// exchanged, and fewer than half of them.
pub(crate) fn nearest<'a>(written: &str, words: &[&'a str]) -> Option<&'a str> {
    let distances = words.iter().map(|word| (distance(written, word), *word));
    let (distance, word) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= FAR && distance * 2 < word.chars().count().max(2)).then_some(word)
}

/// How many letters have to be changed, added, left out or exchanged with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    // Beyond this length nothing is close, and a hostile word costs nothing.
    const LONG: usize = 64;
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().take(LONG).collect(), right.chars().take(LONG).collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let words = ["partial-read", "eventfd", "wait", "write"];
        assert_eq!(nearest("partail-read", &words), Some("partial-read"));
        assert_eq!(nearest("evntfd", &words), Some("eventfd"));
        assert_eq!(nearest("wiat", &words), Some("wait"));
        assert_eq!(nearest("writing", &words), None);
        assert_eq!(nearest("", &words), None);
        assert_eq!(nearest("x", &[]), None);
    }
}

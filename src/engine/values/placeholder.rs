//! Words that stand for "nothing" in exports. They are never written as values: whoever means them declares them under `blank_values:`.

/// Lower case. `na` and `nan` are absent on purpose (a country code and a first name).
const WORDS: &[&str] = &[
    "#n/a",
    "n/a",
    "#na",
    "#ref!",
    "#value!",
    "#name?",
    "#div/0!",
    "#num!",
    "#null!",
    "#error!",
    "#spill!",
    "null",
    "(null)",
    "<null>",
    "\\n",
    "none",
    "(none)",
    "nil",
    "undefined",
    "(blank)",
    "(empty)",
    "-",
    "--",
    "---",
    "–",
    "—",
];

/// Bytes of the longest.
pub(super) const LONGEST: usize = 9;

/// The bytes that one begins with, in lower case.
static FIRST: [bool; 256] = {
    let mut first = [false; 256];
    let mut at = 0;
    while at < WORDS.len() {
        first[WORDS[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    first
};

/// Is the whole cell such a word, whatever its case? The cell is expected without surrounding white space.
pub fn is_placeholder(cell: &str) -> bool {
    cell.len() <= LONGEST
        && cell.as_bytes().first().is_some_and(|first| FIRST[usize::from(first.to_ascii_lowercase())])
        && WORDS.iter().any(|word| cell.eq_ignore_ascii_case(word))
}

/// `#N/A`, which bulk CSV reads as "set to null" and which therefore never counts as a value, not even as a picklist's.
pub(super) fn is_bulk_null(cell: &str) -> bool {
    cell.eq_ignore_ascii_case("#N/A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_cells_in_any_case_are_found() {
        for word in ["#N/A", "n/a", "NULL", "None", "nil", "-", "—", "#REF!", "undefined", "\\N"] {
            assert!(is_placeholder(word), "{word}");
        }
        for word in ["", "NA", "Nan", "none of them", "0", "#", "n / a"] {
            assert!(!is_placeholder(word), "{word}");
        }
        assert!(WORDS.iter().all(|word| word.len() <= LONGEST));
    }
}

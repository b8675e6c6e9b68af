//! Which delimiter a file uses, told from its header and checked against its first rows.

use memchr::{memchr2, memrchr2};

use crate::table::{CsvError, CsvReader, Dialect, Limits};

/// What a report may be delimited by without saying so.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows that a candidate is checked against.
const ROWS: usize = 100;
/// Bytes of text that [`find`] wants to see.
pub(super) const SAMPLE: usize = 64 << 10;

/// A delimiter that a file may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The delimiter.
    pub delimiter: u8,
    /// Columns that the header has with it.
    pub columns: usize,
}

struct Attempt {
    found: Candidate,
    /// Rows with as many cells as the header, before the first that has not.
    rows: usize,
    sound: bool,
}

/// The delimiter named by Excel's first line `sep=;`, which is not part of the table.
pub(super) fn sep_line(text: &[u8]) -> Option<u8> {
    let line = &text[..memchr2(b'\n', b'\r', text)?];
    let line = line.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(line);
    let (name, value) = line.split_at_checked(4)?;
    match (name.eq_ignore_ascii_case(b"sep="), value) {
        (true, &[byte]) if byte.is_ascii() && !byte.is_ascii_alphanumeric() && byte != b'"' => Some(byte),
        _ => None,
    }
}

/// The delimiter of the table that begins with `sample` (`whole`: and ends with it).
///
/// The header must have two columns with it, and the first rows as many cells as the header. A header without any
/// candidate is one column, as good as delimited by commas. If no candidate holds for the rows, the one that holds
/// longest: reading then fails at the row that is at fault.
///
/// # Errors
/// All candidates that hold, when there are several.
pub(super) fn find(sample: &[u8], whole: bool, dialect: Dialect, limits: Limits) -> Result<u8, Vec<Candidate>> {
    // A row that is cut off says nothing.
    let cut = if whole { None } else { memrchr2(b'\n', b'\r', sample) };
    let sample = cut.map_or(sample, |at| &sample[..=at]);
    let mut attempts: Vec<Attempt> = CANDIDATES
        .into_iter()
        .filter(|&delimiter| dialect.quote != Some(delimiter))
        .filter_map(|delimiter| attempt(sample, whole, Dialect { delimiter, ..dialect }, limits))
        .collect();
    let sound = attempts.iter().filter(|attempt| attempt.sound).map(|attempt| attempt.found).collect::<Vec<_>>();
    match sound[..] {
        [only] => Ok(only.delimiter),
        [] => {
            attempts.sort_by_key(|attempt| std::cmp::Reverse((attempt.rows, attempt.found.columns)));
            Ok(attempts.first().map_or(b',', |attempt| attempt.found.delimiter))
        }
        _ => Err(sound),
    }
}

fn attempt(sample: &[u8], whole: bool, dialect: Dialect, limits: Limits) -> Option<Attempt> {
    let (header, mut reader) = CsvReader::open(sample, dialect, Limits { block: 1, ..limits }).ok()?;
    if header.columns < 2 {
        return None;
    }
    let mut attempt =
        Attempt { found: Candidate { delimiter: dialect.delimiter, columns: header.columns }, rows: 0, sound: true };
    while attempt.rows < ROWS {
        match reader.next_block() {
            Ok(Some(block)) => attempt.rows += block.rows(),
            Ok(None) => break,
            // Where the sample is cut, a quoted line end may have been taken for the end of a row.
            Err(CsvError::UnclosedQuote { .. } | CsvError::Ragged { last: true, .. }) if !whole => break,
            Err(_) => {
                attempt.sound = false;
                break;
            }
        }
    }
    Some(attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, whole: bool) -> Result<char, String> {
        let names = |all: Vec<Candidate>| all.iter().map(|one| char::from(one.delimiter)).collect();
        find(text.as_bytes(), whole, Dialect::default(), Limits::default()).map(char::from).map_err(names)
    }

    #[test]
    fn the_delimiter_is_found_or_said_to_be_unclear() {
        let cases: &[(&str, Result<char, &str>)] = &[
            ("a,b\n1,2\n", Ok(',')),
            ("a;b\n1,5;2\n", Ok(';')),
            ("a\tb\n1,5\t2\n", Ok('\t')),
            ("a|b\n", Ok('|')),
            ("email\nx@example.com\n", Ok(',')),
            ("\"Last, First\";Email\n\"Doe, J\";x\n", Ok(';')),
            ("Last, First;Email\nDoe;x\n", Ok(';')),
            ("Last, First;Email\nDoe, J;x\n", Err(",;")),
            ("a;b,c\n", Err(",;")),
            // Broken rows do not keep the header's delimiter from being found.
            ("a;b;c\n1;2;3\n1;2\n", Ok(';')),
            ("a;b,c\n1;2,3\n4;5\n6\n", Ok(';')),
            ("a;b\n\"x\ny\";2\n", Ok(';')),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text, true), expected.map_err(str::to_owned), "for {text:?}");
        }
    }

    #[test]
    fn where_the_sample_is_cut_says_nothing() {
        assert_eq!(found("a;b,c\n1,2;3\n4", false), Err(",;".to_owned()));
        assert_eq!(found("a;b\n1;2\n3", false), Ok(';'));
        assert_eq!(found("a;b\n1;\"2\n3", false), Ok(';'));
        assert_eq!(found("a;b;c", false), Ok(';'));
    }

    #[test]
    fn excels_first_line_is_known() {
        for (text, expected) in [
            ("sep=;\r\na;b", Some(b';')),
            ("SEP=\t\na", Some(b'\t')),
            ("\"sep=|\"\na", Some(b'|')),
            ("sep=;", None),
            ("sep=\na", None),
            ("sep=a\n", None),
            ("sep=;;\n", None),
            ("separator\n", None),
            ("", None),
        ] {
            assert_eq!(sep_line(text.as_bytes()), expected, "for {text:?}");
        }
    }
}

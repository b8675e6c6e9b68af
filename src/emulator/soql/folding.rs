//! How Salesforce compares text: by Unicode case folding, with an order to match; and what SQLite must be taught for it.

use std::cmp::Ordering;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use unicase::UniCase;

/// Registers what the queries need on a connection: the collation `SF` (equality and order of case-folded text, for columns
/// and indexes), and the functions `sf_fold(text)`, `sf_like(text, pattern, heed_case)`, `sf_includes(set, groups)`
/// (groups: a JSON array of `a;b`) and `sf_same_set(set, set)`. All answer 0 for null. With `heed_case` texts are folded by nobody.
pub fn install(connection: &Connection, heed_case: bool) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_collation("SF", if heed_case { |left: &str, right: &str| left.cmp(right) } else { compare })?;
    let folding = if heed_case { str::to_owned } else { fold };
    connection.create_scalar_function("sf_fold", 1, flags, move |context| Ok(text(context, 0)?.map(folding)))?;
    connection.create_scalar_function("sf_like", 3, flags, |context| {
        let heed_case: bool = context.get(2)?;
        let pattern = context.get_or_create_aux(1, |value| value.as_str().map(|p| Pattern::new(p, heed_case)))?;
        Ok(text(context, 0)?.is_some_and(|text| pattern.matches(text)))
    })?;
    connection.create_scalar_function("sf_includes", 2, flags, |context| {
        let groups = context.get_or_create_aux(1, |value| -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
            let groups: Vec<String> = serde_json::from_str(value.as_str()?)?;
            Ok(groups.iter().map(|group| set(group)).collect::<Vec<_>>())
        })?;
        let Some(chosen) = text(context, 0)?.map(set) else { return Ok(false) };
        Ok(groups.iter().any(|group| group.iter().all(|value| chosen.binary_search(value).is_ok())))
    })?;
    connection.create_scalar_function("sf_same_set", 2, flags, |context| {
        let wanted = context.get_or_create_aux(1, |value| value.as_str().map(set))?;
        Ok(text(context, 0)?.is_some_and(|text| set(text) == *wanted))
    })
}

fn text<'c>(context: &'c Context<'_>, index: usize) -> Result<Option<&'c str>> {
    match context.get_raw(index) {
        ValueRef::Text(bytes) => Ok(std::str::from_utf8(bytes).ok()),
        _ => Ok(None),
    }
}

fn fold(text: &str) -> String {
    UniCase::unicode(text).to_folded_case()
}

/// Order of the folded texts, without folding the ASCII part that most texts are.
fn compare(left: &str, right: &str) -> Ordering {
    let (a, b) = (left.as_bytes(), right.as_bytes());
    for (index, (x, y)) in a.iter().zip(b).enumerate() {
        if !x.is_ascii() || !y.is_ascii() {
            // All before is ASCII in both, so this is where a character begins.
            return UniCase::unicode(&left[index..]).cmp(&UniCase::unicode(&right[index..]));
        }
        match x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase()) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
    a.len().cmp(&b.len())
}

/// A multi-select picklist's values, folded and sorted.
fn set(text: &str) -> Vec<String> {
    let mut values: Vec<String> = text.split(';').map(fold).filter(|value| !value.is_empty()).collect();
    values.sort_unstable();
    values.dedup();
    values
}

enum Piece {
    /// `%`
    Any,
    /// `_`
    One,
    /// Folded, unless case is heeded.
    Exactly(Vec<char>),
}

/// A compiled `LIKE` pattern; a backslash makes the next character an ordinary one.
struct Pattern {
    pieces: Vec<Piece>,
    heed_case: bool,
}

impl Pattern {
    fn new(pattern: &str, heed_case: bool) -> Pattern {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut run = String::new();
        let close = |run: &mut String, pieces: &mut Vec<Piece>| {
            if !run.is_empty() {
                let run = std::mem::take(run);
                pieces.push(Piece::Exactly(if heed_case {
                    run.chars().collect()
                } else {
                    fold(&run).chars().collect()
                }));
            }
        };
        let mut characters = pattern.chars();
        while let Some(c) = characters.next() {
            match c {
                '%' => {
                    close(&mut run, &mut pieces);
                    pieces.push(Piece::Any);
                }
                '_' => {
                    close(&mut run, &mut pieces);
                    pieces.push(Piece::One);
                }
                '\\' => run.extend(characters.next()),
                c => run.push(c),
            }
        }
        close(&mut run, &mut pieces);
        Pattern { pieces, heed_case }
    }

    /// Greedy, with one way back: to the last `%`.
    fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut piece, mut at) = (0, 0);
        let mut back: Option<(usize, usize)> = None;
        loop {
            let step = match self.pieces.get(piece) {
                None if at == text.len() => return true,
                None => None,
                Some(Piece::Any) => {
                    back = Some((piece + 1, at));
                    Some(0)
                }
                Some(Piece::One) => (at < text.len()).then_some(1),
                Some(Piece::Exactly(run)) => self.taken(&text[at..], run),
            };
            match (step, &mut back) {
                (Some(taken), _) => {
                    piece += 1;
                    at += taken;
                }
                (None, Some((after, from))) if *from < text.len() => {
                    *from += 1;
                    (piece, at) = (*after, *from);
                }
                (None, _) => return false,
            }
        }
    }

    /// How many characters of the text fold to exactly this run.
    fn taken(&self, text: &[char], run: &[char]) -> Option<usize> {
        let mut rest = run;
        let mut buffer = [0; 4];
        for (index, c) in text.iter().enumerate() {
            if rest.is_empty() {
                return Some(index);
            }
            if self.heed_case {
                rest = rest.strip_prefix(&[*c])?;
            } else if c.is_ascii() {
                rest = rest.strip_prefix(&[c.to_ascii_lowercase()])?;
            } else {
                for folded in fold(c.encode_utf8(&mut buffer)).chars() {
                    rest = rest.strip_prefix(&[folded])?;
                }
            }
        }
        rest.is_empty().then_some(text.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn like_matches_as_documented() {
        let cases = [
            ("Ann", "ann", true),
            ("Ann", "A%", true),
            ("Ann", "%N", true),
            ("Ann", "%x%", false),
            ("Ann", "A_N", true),
            ("Ann", "A_", false),
            ("", "%", true),
            ("", "_", false),
            ("50% of", "50\\%%", true),
            ("50 of", "50\\%%", false),
            ("a_b", "a\\_b", true),
            ("axb", "a\\_b", false),
            ("a\\b", "a\\\\b", true),
            ("Straße", "STRASSE", true),
            ("Straße", "stra_e", true),
            ("STRASSE", "straß%", true),
            ("ÉCOLE", "é%", true),
            ("aXbXc", "a%x%c", true),
            ("abcabd", "%abd", true),
            ("abcabd", "%abc", false),
            ("Müller-Lüdenscheidt", "%ü%Ü%", true),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(Pattern::new(pattern, false).matches(text), expected, "{text} LIKE {pattern}");
        }
        assert!(!Pattern::new("a%", true).matches("Ann") && Pattern::new("A%", true).matches("Ann"));
    }

    #[test]
    fn sets_heed_neither_order_nor_case() {
        assert_eq!(set("b;A;b;"), set("a;B"));
        assert_ne!(set("a"), set("a;b"));
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_folded_text(left in "[a-cA-Cßséİk\u{212a}]{0,6}", right in "[a-cA-Cßséİk\u{212a}]{0,6}") {
            prop_assert_eq!(compare(&left, &right), fold(&left).cmp(&fold(&right)));
        }

        #[test]
        fn a_text_is_like_itself(text in "\\PC{0,12}") {
            let mut pattern = String::new();
            for c in text.chars() {
                if matches!(c, '%' | '_' | '\\') {
                    pattern.push('\\');
                }
                pattern.push(c);
            }
            prop_assert!(Pattern::new(&pattern, false).matches(&text));
            let (tail, heed_case) = (format!("%{pattern}"), Pattern::new(&pattern, true).matches(&text));
            prop_assert!(Pattern::new(&tail, false).matches(&text) && heed_case);
        }
    }
}

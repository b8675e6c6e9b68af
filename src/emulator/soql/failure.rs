//! Salesforce's refusal of a query, and how its message points at the place: the line, a caret, `ERROR at Row:1:Column:12`.

/// A query that Salesforce would refuse, as the error body's `errorCode` and `message`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// `MALFORMED_QUERY`, `INVALID_FIELD`, `INVALID_TYPE`, …
    pub code: &'static str,
    /// The message, with the query's line and a caret before it where Salesforce points at a place.
    pub message: String,
}

pub(super) const MALFORMED: &str = "MALFORMED_QUERY";
pub(super) const INVALID_FIELD: &str = "INVALID_FIELD";
pub(super) const INVALID_TYPE: &str = "INVALID_TYPE";
pub(super) const INVALID_OPERATOR: &str = "INVALID_QUERY_FILTER_OPERATOR";
pub(super) const OUT_OF_RANGE: &str = "NUMBER_OUTSIDE_VALID_RANGE";
pub(super) const TOO_COMPLICATED: &str = "QUERY_TOO_COMPLICATED";
/// What bulk queries may not do (reported by developers).
pub(super) const BULK: &str = "API_ERROR";
pub(super) const UNKNOWN: &str = "UNKNOWN_EXCEPTION";

/// Characters shown on either side of the fault. Recorded messages of long queries show about this much of the line,
/// cut between words; the exact width is unconfirmed.
const WINDOW: usize = 40;

impl Failure {
    /// A message without a place.
    pub(super) fn plain(code: &'static str, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }

    /// A message that points at byte `at` of the query.
    pub(super) fn at(text: &str, at: usize, code: &'static str, message: impl AsRef<str>) -> Failure {
        let at = floor(text, at);
        let (row, column) = place(text, at);
        let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
        let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
        let (shown, caret) = window(&text[start..end], text[start..at].chars().count());
        let message = format!("\n{shown}\n{:caret$}^\nERROR at Row:{row}:Column:{column}\n{}", "", message.as_ref());
        Failure { code, message }
    }

    /// What the emulator leaves out on purpose; Salesforce itself would accept it.
    pub(super) fn not_emulated(text: &str, at: usize, what: &str) -> Failure {
        Failure::at(text, at, MALFORMED, format!("not emulated: {what}"))
    }
}

/// Row and column of a byte, both from 1, the column in characters.
pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..floor(text, at)];
    let line = before.rfind('\n').map_or(before, |n| &before[n + 1..]);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The part of a line around a character, cut between words, and where the caret stands under it.
fn window(line: &str, column: usize) -> (String, usize) {
    let characters: Vec<char> = line.chars().collect();
    let parts = |c: &char| c.is_whitespace() || *c == ',';
    let mut start = column.saturating_sub(WINDOW);
    if start > 0 {
        start = (start..column).find(|&i| parts(&characters[i])).map_or(column, |i| i + 1);
    }
    while start < column && characters[start].is_whitespace() {
        start += 1;
    }
    let mut end = (column + WINDOW).min(characters.len());
    if end < characters.len() {
        end = (column..end).rev().find(|&i| parts(&characters[i])).unwrap_or(end);
    }
    let shown: String = characters[start..end].iter().collect();
    let caret = column - start;
    let kept = shown.trim_end();
    (if kept.chars().count() < caret { shown } else { kept.to_owned() }, caret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_points_as_the_recorded_one_does() {
        let failure =
            Failure::at("select count() from XYZZY", 20, INVALID_TYPE, "sObject type 'XYZZY' is not supported.");
        assert_eq!(
            failure.message,
            "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported."
        );
    }

    #[test]
    fn rows_and_columns_count_characters() {
        let text = "SELECT Id\nFROM Läad, Foo";
        let failure = Failure::at(text, text.find("Foo").unwrap(), MALFORMED, "x");
        assert_eq!(failure.message, "\nFROM Läad, Foo\n           ^\nERROR at Row:2:Column:12\nx");
    }

    #[test]
    fn long_lines_are_cut_between_words() {
        let text = format!("SELECT {} Wrong, {} FROM Lead", "Alpha__c, ".repeat(30), "Omega__c, ".repeat(30));
        let failure = Failure::at(&text, text.find("Wrong").unwrap(), INVALID_FIELD, "x");
        let mut lines = failure.message.lines().skip(1);
        let (shown, caret) = (lines.next().unwrap(), lines.next().unwrap());
        assert!(shown.len() < 90 && shown.starts_with("Alpha__c"), "{shown}");
        assert!(shown[caret.len() - 1..].starts_with("Wrong"), "{shown}\n{caret}");
    }

    #[test]
    fn any_place_in_any_text_can_be_pointed_at() {
        for text in ["", "é", "a\r\nb", "\n\n", "'ß"] {
            for at in 0..10 {
                assert!(Failure::at(text, at, MALFORMED, "x").message.contains("ERROR at Row:"));
            }
        }
    }
}

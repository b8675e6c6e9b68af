//! Checkboxes. Never null in Salesforce: a missing value is false, and to clear one is to make it false.

use super::refusal::Reason;

const TRUE: [&str; 3] = ["true", "yes", "1"];
const FALSE: [&str; 3] = ["false", "no", "0"];

/// How a checkbox is written.
#[derive(Debug, Clone)]
pub(super) struct FlagRule {
    pub true_values: Vec<String>,
    pub false_values: Vec<String>,
}

fn is_among(words: &[String], cell: &str) -> bool {
    words.iter().any(|word| unicase::eq(word.trim(), cell))
}

/// Is the word one for true or for false without any declaration?
pub(super) fn built_in(word: &str) -> Option<bool> {
    if TRUE.iter().any(|t| word.eq_ignore_ascii_case(t)) {
        Some(true)
    } else if FALSE.iter().any(|f| word.eq_ignore_ascii_case(f)) {
        Some(false)
    } else {
        None
    }
}

impl FlagRule {
    /// The report's side. The cell is not blank.
    pub fn canon(&self, cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
        let cell = cell.trim();
        let value = if is_among(&self.true_values, cell) {
            true
        } else if is_among(&self.false_values, cell) {
            false
        } else if let Some(value) = built_in(cell) {
            value
        } else if super::is_placeholder(cell) {
            return Err(Reason::PlaceholderWord);
        } else {
            return Err(Reason::NotABoolean);
        };
        write(value, out);
        Ok(())
    }
}

impl FlagRule {
    /// Short cut: Salesforce's own words on both sides, and no word declared.
    pub fn plainly_same(&self, report: &[u8], org: &[u8]) -> bool {
        report == org
            && (report == b"true" || report == b"false")
            && self.true_values.is_empty()
            && self.false_values.is_empty()
    }
}

/// `true` or `false`.
pub(super) fn write(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// The org's side; blank is false.
pub(super) fn canon_org(cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let cell = cell.trim();
    let value = if cell.is_empty() { false } else { built_in(cell).ok_or(Reason::OrgUnreadable)? };
    write(value, out);
    Ok(())
}

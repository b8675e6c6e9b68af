//! Salesforce's messages without the values that they echo, for files and pages that others read.
//!
//! The rule. A message is kept when Salesforce's wording for its code is known ([`WORDED`], or a validation rule's own text, which its author wrote
//! once for all records); of any other code (an Apex exception above all) only code and fields are kept. In a kept message these become `[…]`:
//! every value and key of the record that the plan knows, what stands in quotation marks or brackets, what follows a phrase that Salesforce ends in
//! an echo (`data value too large: …`), words with an `@` or `://`, and numbers of four digits and more. What a trigger may put into
//! a validation message beyond these (another record's name, say) cannot be told from its author's words: that is the remaining risk.

const GAP: &str = "[…]";
const LONGEST: usize = 300;

/// Codes whose wording is Salesforce's own and does not quote other records (reference: REST error catalogue and recordings), and the one of
/// validation rules.
const WORDED: [&str; 27] = [
    "CANNOT_UPDATE_CONVERTED_LEAD",
    "DUPLICATES_DETECTED",
    "DUPLICATE_VALUE",
    "ENTITY_IS_DELETED",
    "ENTITY_IS_LOCKED",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "FIELD_FILTER_VALIDATION_EXCEPTION",
    "FIELD_INTEGRITY_EXCEPTION",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INVALID_CROSS_REFERENCE_KEY",
    "INVALID_EMAIL_ADDRESS",
    "INVALID_FIELD",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "INVALID_TYPE_ON_FIELD_IN_RECORD",
    "JSON_PARSER_ERROR",
    "MALFORMED_ID",
    // Our own words for a record that was gone when it was read again, and for one that its job's results do not tell of.
    "NOT_FOUND",
    "NO_RESULT",
    "NUMBER_OUTSIDE_VALID_RANGE",
    "REQUEST_LIMIT_EXCEEDED",
    "REQUIRED_FIELD_MISSING",
    "STORAGE_LIMIT_EXCEEDED",
    "STRING_TOO_LONG",
    "TXN_SECURITY_NO_ACCESS",
    "UNABLE_TO_LOCK_ROW",
];

/// Phrases after which Salesforce repeats what it was sent, in lower case.
const ECHOES: [&str; 14] = [
    "data value too large:",
    "invalid email address:",
    "restricted picklist field:",
    "valid for the user:",
    "of required type:",
    "invalid cross reference id:",
    "cross-reference id:",
    "duplicate value found:",
    "value not of required type:",
    "value outside of valid range on numeric field:",
    "value_string value",
    "value_number value",
    "malformed id",
    "invalid value:",
];

/// What may stay of a message of Salesforce, `None` where nothing may. `values` are all values and keys of the record that the plan knows.
pub fn redacted(code: &str, message: &str, values: &[&str]) -> Option<String> {
    if !WORDED.contains(&code) {
        return None;
    }
    let mut text = one_spaced(message);
    if let Some(at) = ECHOES.iter().filter_map(|e| find_folded(&text, e).map(|at| at + e.len())).min() {
        let tail = text[at..].rfind("(max length=").map(|t| text[at + t..].to_owned());
        text.truncate(at);
        text.push(' ');
        text.push_str(GAP);
        if let Some(tail) = tail.filter(|t| t.len() < 40 && t.ends_with(')')) {
            text.push(' ');
            text.push_str(&tail);
        }
    }
    let mut known: Vec<String> = values.iter().map(|v| one_spaced(v)).filter(|v| !v.is_empty()).collect();
    known.sort_by_key(|v| std::cmp::Reverse(v.len()));
    known.dedup();
    for value in known {
        text = without(&text, &value);
    }
    let text = without_quoted(&text);
    let text: Vec<&str> = text.split_whitespace().map(|word| if telling(word) { GAP } else { word }).collect();
    let mut text: String = text.join(" ").chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect();
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.push('…');
    }
    Some(text)
}

/// Does `text` hold `value`, whatever the case? A value of one or two characters counts as a word of its own only.
pub fn mentions(text: &str, value: &str) -> bool {
    let (text, value) = (one_spaced(text), one_spaced(value));
    !value.is_empty() && without(&text, &value) != text
}

/// Salesforce's code, or what it names as a field: letters, digits and underscores (a dot between parents). Anything else is no name, and might hold
/// whatever a server likes: `None`.
pub fn name(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    (!text.is_empty() && text.len() <= 100 && text.chars().all(plain)).then_some(text)
}

/// A code as a file may hold it.
pub fn plain_code(text: &str) -> String {
    if text == "(no code)" { text } else { name(text).unwrap_or("UNREADABLE_CODE") }.to_owned()
}

/// Control characters, and those that cannot be seen or turn the reading direction.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

fn one_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A word that looks like an address, a long number or an id.
fn telling(word: &str) -> bool {
    if word.starts_with("length=") || word.starts_with("(max") {
        return false;
    }
    word.contains('@')
        || word.contains("://")
        || word.chars().filter(char::is_ascii_digit).count() >= 4
            && !word.chars().all(|c| c == '_' || c.is_ascii_uppercase())
}

/// The first place of `needle` (lower case, ASCII) in `text`, whatever the case.
fn find_folded(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len()).position(|w| w.eq_ignore_ascii_case(needle.as_bytes()))
}

/// `text` with every occurrence of `value` replaced. A value of one or two characters counts as a word of its own only.
fn without(text: &str, value: &str) -> String {
    let wanted: Vec<char> = value.chars().flat_map(char::to_lowercase).collect();
    let given: Vec<char> = text.chars().collect();
    let whole_words = wanted.len() < 3;
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < given.len() {
        let mut end = at;
        let mut matched = 0;
        while matched < wanted.len() && end < given.len() {
            let folded: Vec<char> = given[end].to_lowercase().collect();
            if !wanted[matched..].starts_with(&folded) {
                break;
            }
            matched += folded.len();
            end += 1;
        }
        let apart = |i: Option<usize>| i.and_then(|i| given.get(i)).is_none_or(|c| !c.is_alphanumeric());
        if matched == wanted.len() && (!whole_words || (apart(at.checked_sub(1)) && apart(Some(end)))) {
            out.push_str(GAP);
            at = end;
        } else {
            out.push(given[at]);
            at += 1;
        }
    }
    out
}

/// `text` with what stands in quotation marks, square brackets or braces replaced. An apostrophe within a word opens nothing; a mark that is never
/// closed takes the rest.
fn without_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let close = match c {
            '"' => '"',
            '`' => '`',
            '\'' if !last.is_alphanumeric() => '\'',
            '“' | '„' => '”',
            '‘' => '’',
            '«' => '»',
            '[' => ']',
            '{' => '}',
            _ => {
                out.push(c);
                last = c;
                continue;
            }
        };
        while let Some(inner) = chars.next() {
            let ends = inner == close || (c == '„' && inner == '“');
            if ends && (close != '\'' || chars.peek().is_none_or(|n| !n.is_alphanumeric())) {
                break;
            }
        }
        out.push_str(GAP);
        last = ' ';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_wordings_lose_their_echo() {
        let cases = [
            (
                "STRING_TOO_LONG",
                "Topic Name: data value too large: Ann likes tea (max length=25)",
                "Topic Name: data value too large: […] (max length=25)",
            ),
            (
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "Level: bad value for restricted picklist field: GOLD, PLATED(X)",
                "Level: bad value for restricted picklist field: […]",
            ),
            ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Required fields are missing: […]"),
            (
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access to this record or 1 records: 0035cFAKESFIDAAI",
                "unable to obtain exclusive access to this record or 1 records: […]",
            ),
            (
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "A lead can't go back to 'Cold' once ann@example.com is Hot (see 12345).",
                "A lead can't go back to […] once […] is Hot (see […]",
            ),
        ];
        for (code, message, kept) in cases {
            assert_eq!(redacted(code, message, &["ann@example.com"]).as_deref(), Some(kept));
        }
    }

    #[test]
    fn a_planned_value_is_replaced_wherever_it_stands() {
        let got =
            redacted("FIELD_CUSTOM_VALIDATION_EXCEPTION", "ANN LEE may not be Gold, ann lee!", &["Ann Lee", "gold"]);
        assert_eq!(got.as_deref(), Some("[…] may not be […], […]!"));
        let got = redacted("FIELD_CUSTOM_VALIDATION_EXCEPTION", "at most 3 of 13 are allowed", &["3"]);
        assert_eq!(got.as_deref(), Some("at most […] of 13 are allowed"));
    }

    #[test]
    fn an_unknown_code_keeps_no_words() {
        assert_eq!(redacted("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trigger: Ann Lee is on holiday", &[]), None);
    }

    proptest! {
        #[test]
        fn no_value_of_three_characters_survives(value in "[A-Za-zäöüß@ .]{3,12}", before in "[a-z ]{0,20}", after in "[a-z ]{0,20}") {
            prop_assume!(!value.trim().is_empty() && value.trim().chars().count() >= 3);
            let message = format!("{before}{value}{after}");
            let kept = redacted("FIELD_CUSTOM_VALIDATION_EXCEPTION", &message, &[&value]).unwrap();
            prop_assert!(!kept.to_lowercase().contains(&value.trim().to_lowercase()), "{kept}");
        }
    }
}

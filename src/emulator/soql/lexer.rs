//! Characters → tokens. Knows where a word, a number, a date or a string ends; not what it means.

use super::failure::{Failure, MALFORMED, place};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Date,
    Datetime,
    Time,
    /// With its quotes and escapes.
    Text,
    /// An operator or a bracket.
    Sign,
    End,
}

/// Bytes `at..end` of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub at: usize,
    pub end: usize,
}

/// All tokens of a query, `End` last.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Failure> {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(text.len() / 5 + 2);
    let mut at = 0;
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        let (kind, end) = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => {
                (Kind::Word, run(bytes, at, |b| b.is_ascii_alphanumeric() || b == b'_'))
            }
            b'0'..=b'9' => number(bytes, at),
            b'+' | b'-' if next.is_ascii_digit() => (Kind::Number, decimal(bytes, at + 1)),
            b'.' if next.is_ascii_digit() => (Kind::Number, run(bytes, at + 1, |b| b.is_ascii_digit())),
            b'\'' => (Kind::Text, string(text, at)?),
            b'<' if next == b'=' || next == b'>' => (Kind::Sign, at + 2),
            b'>' | b'!' if next == b'=' => (Kind::Sign, at + 2),
            b'(' | b')' | b',' | b'.' | b'=' | b'<' | b'>' | b':' => (Kind::Sign, at + 1),
            _ => {
                let (row, column) = place(text, at);
                let c = text[at..].chars().next().unwrap_or(' ');
                let message = format!("line {row}:{} no viable alternative at character '{c}'", column - 1);
                return Err(Failure::at(text, at, MALFORMED, message));
            }
        };
        found.push(Token { kind, at, end });
        at = end;
    }
    found.push(Token { kind: Kind::End, at: text.len(), end: text.len() });
    Ok(found)
}

fn run(bytes: &[u8], from: usize, part: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|b| !part(*b)).map_or(bytes.len(), |n| from + n)
}

/// Digits with a fraction.
fn decimal(bytes: &[u8], at: usize) -> usize {
    let end = run(bytes, at, |b| b.is_ascii_digit());
    match bytes.get(end..end + 2) {
        Some([b'.', digit]) if digit.is_ascii_digit() => run(bytes, end + 1, |b| b.is_ascii_digit()),
        _ => end,
    }
}

/// What starts with a digit: a number, `2026-11-21`, `2026-11-21T10:00:00Z` or `10:00:00.000Z`.
fn number(bytes: &[u8], at: usize) -> (Kind, usize) {
    let digits = run(bytes, at, |b| b.is_ascii_digit());
    match bytes.get(digits) {
        Some(b'-') => {
            let date = run(bytes, digits, |b| b.is_ascii_digit() || b == b'-');
            match bytes.get(date) {
                Some(b'T' | b't') => (Kind::Datetime, clock(bytes, date + 1)),
                _ => (Kind::Date, date),
            }
        }
        Some(b':') => (Kind::Time, clock(bytes, at)),
        _ => (Kind::Number, decimal(bytes, at)),
    }
}

/// Hours to seconds, then `Z` or an offset.
fn clock(bytes: &[u8], at: usize) -> usize {
    let end = run(bytes, at, |b| b.is_ascii_digit() || b == b':' || b == b'.');
    match bytes.get(end) {
        Some(b'Z' | b'z') => end + 1,
        Some(b'+' | b'-') => run(bytes, end + 1, |b| b.is_ascii_digit() || b == b':'),
        _ => end,
    }
}

fn string(text: &str, at: usize) -> Result<usize, Failure> {
    let bytes = text.as_bytes();
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'\'' => return Ok(end + 1),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    let (row, column) = place(text, text.len());
    let message = format!("line {row}:{} mismatched character '<EOF>' expecting '''", column - 1);
    Err(Failure::at(text, at, MALFORMED, message))
}

/// Longest string that a query may hold, in characters.
const LONGEST: usize = 4_000;

/// What a string token says. In a `LIKE` pattern, escaped `%`, `_` and `\` keep one backslash before them.
pub(super) fn unquoted(text: &str, token: Token, pattern: bool) -> Result<String, Failure> {
    let raw = &text[token.at + 1..token.end - 1];
    let mut value = String::with_capacity(raw.len());
    let mut characters = raw.char_indices();
    while let Some((index, c)) = characters.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        let escape = characters.next().map_or(' ', |(_, c)| c);
        match escape {
            '\'' | '"' => value.push(escape),
            '\\' if pattern => value.push_str("\\\\"),
            '\\' => value.push('\\'),
            'n' | 'N' => value.push('\n'),
            'r' | 'R' => value.push('\r'),
            't' | 'T' => value.push('\t'),
            'b' | 'B' => value.push('\u{8}'),
            'f' | 'F' => value.push('\u{c}'),
            '%' | '_' if pattern => value.extend(['\\', escape]),
            'u' | 'U' if let Some((c, digits)) = unicode(raw, index + 2) => {
                if pattern && matches!(c, '%' | '_' | '\\') {
                    value.push('\\');
                }
                value.push(c);
                characters.by_ref().take(digits).for_each(drop);
            }
            _ => {
                let message = format!(
                    "Invalid string literal '{raw}'. Illegal character sequence '\\{escape}' in string literal."
                );
                return Err(Failure::at(text, token.at + 1 + index, MALFORMED, message));
            }
        }
    }
    if value.chars().count() > LONGEST {
        // The limit is documented, its message is unconfirmed.
        let message = format!("String literal too long: a string in a query may have {LONGEST} characters");
        return Err(Failure::at(text, token.at, MALFORMED, message));
    }
    Ok(value)
}

/// The character of `\uXXXX` (two of them for one beyond the first plane), and how many more characters it took.
fn unicode(raw: &str, from: usize) -> Option<(char, usize)> {
    let unit = |from: usize| -> Option<u16> {
        let digits = raw.get(from..from + 4)?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = unit(from)?;
    if let Some(c) = char::from_u32(u32::from(first)) {
        return Some((c, 4));
    }
    let mark = raw.get(from + 4..from + 6)?;
    let second = if mark.eq_ignore_ascii_case("\\u") { unit(from + 6)? } else { return None };
    Some((char::decode_utf16([first, second]).next()?.ok()?, 10))
}

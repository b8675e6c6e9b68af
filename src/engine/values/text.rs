//! Text as Salesforce stores it: trimmed, line ends unified, blank is null; length in UTF-16 units; the syntax of e-mail addresses.
//!
//! Object reference, field types and primitive data types: leading and trailing white space goes on save, and a string is never empty. NBSP (U+00A0)
//! survives, so it is no white space here for text; for typed values (numbers, dates, e-mail …) it is.

use super::placeholder::is_placeholder;
use super::refusal::{Noted, Reason};

/// White space that Salesforce trims on save.
fn is_trimmed(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// Without the white space that Salesforce trims on save.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_trimmed)
}

/// Length in UTF-16 units, as Salesforce counts.
pub(super) fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// How text of a field is written.
#[derive(Debug, Clone)]
pub(super) struct TextRule {
    /// UTF-16 units that fit; 0 is no known limit.
    pub max: usize,
    /// A text area: line breaks are kept. Elsewhere they are refused, since Salesforce may turn them into spaces, and a second plan would differ.
    pub lines: bool,
    /// An e-mail address: checked.
    pub email: bool,
    /// Cut what is too long.
    pub truncate: bool,
}

impl TextRule {
    /// The report's side. The cell is not blank.
    pub fn canon(&self, cell: &str, out: &mut Vec<u8>) -> Result<Noted, Reason> {
        let text = if self.email { cell.trim() } else { trim(cell) };
        if is_placeholder(text) {
            return Err(Reason::PlaceholderWord);
        }
        check_characters(text, self.lines)?;
        if self.email && !is_email(text) {
            return Err(Reason::NotAnEmail);
        }
        push_lines(text, self.lines, out);
        let length =
            if self.lines { units(text_of(out)) + memchr::memchr_iter(b'\n', out).count() } else { units(text) };
        if self.max == 0 || length <= self.max {
            return Ok(Noted::Nothing);
        }
        if !self.truncate {
            return Err(Reason::TooLong { length, max: self.max });
        }
        let kept = trim(cut(text_of(out), self.max)).len();
        if kept == 0 {
            return Err(Reason::TooLong { length, max: self.max });
        }
        out.truncate(kept);
        Ok(Noted::Truncated { from_characters: length })
    }

    /// Short cut: the very same plain bytes on both sides, valid as a report value.
    pub fn plainly_same(&self, report: &[u8], org: &[u8]) -> bool {
        report == org
            && !std::str::from_utf8(report).is_ok_and(is_placeholder)
            && !report.is_empty()
            && (self.max == 0 || report.len() <= self.max)
            && report[0] != b' '
            && report[report.len() - 1] != b' '
            // All of them, without an early end: many at a time.
            && report.iter().fold(true, |plain, b| plain & (b' '..0x7f).contains(b))
            && (!self.email || std::str::from_utf8(report).is_ok_and(is_email))
    }
}

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Refuses control characters other than tab and line break, and line breaks where the field has one line.
pub(super) fn check_characters(text: &str, lines: bool) -> Result<(), Reason> {
    for c in text.chars() {
        match c {
            '\t' => {}
            '\n' | '\r' if lines => {}
            '\n' | '\r' => return Err(Reason::LineBreak),
            '\u{fffe}' | '\u{ffff}' => return Err(Reason::ControlCharacter),
            c if c.is_control() => return Err(Reason::ControlCharacter),
            _ => {}
        }
    }
    Ok(())
}

/// Appends text; in a text area every line end becomes one line feed (Salesforce gives `\r\n` back for either).
fn push_lines(text: &str, lines: bool, out: &mut Vec<u8>) {
    if !lines || memchr::memchr(b'\r', text.as_bytes()).is_none() {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' {
            bytes.next_if_eq(&b'\n');
            out.push(b'\n');
        } else {
            out.push(byte);
        }
    }
}

/// The org's side: as stored, trimmed, line ends unified in a text area.
pub(super) fn canon_org(cell: &str, lines: bool, out: &mut Vec<u8>) {
    push_lines(trim(cell), lines, out);
}

/// The longest beginning that fits; a line feed counts two, as it is stored as two.
fn cut(text: &str, max: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += if c == '\n' { 2 } else { c.len_utf16() };
        if used > max {
            return &text[..at];
        }
    }
    text
}

/// The syntax that Salesforce asks of an e-mail address: `local@domain.tld`, ASCII; dots neither at an end nor doubled; labels of letters, digits and
/// inner hyphens; a top level of two characters or more.
pub(super) fn is_email(text: &str) -> bool {
    let text = text.as_bytes();
    let Some(at) = memchr::memchr(b'@', text) else { return false };
    let (local, domain) = (&text[..at], &text[at + 1..]);
    let mut before = b'.';
    for &byte in local {
        if !LOCAL[usize::from(byte)] || (byte == b'.' && before == b'.') {
            return false;
        }
        before = byte;
    }
    // An empty part, too, ends in the point it was begun with.
    if before == b'.' || local.len() > 64 {
        return false;
    }
    let (mut points, mut label, mut before) = (0, 0, b'.');
    for &byte in domain {
        match byte {
            b'.' if label == 0 || label > 63 || before == b'-' => return false,
            b'.' => (points, label) = (points + 1, 0),
            b'-' if label == 0 => return false,
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => label += 1,
            _ => return false,
        }
        before = byte;
    }
    points > 0 && (2..=63).contains(&label) && before != b'-'
}

/// Characters of an address before the `@`.
static LOCAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let signs = b"!#$%&'*+/=?^_`{|}~.-";
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_syntax() {
        for good in [
            "a@b.co",
            "mia.o'neil+x@sub.example-site.com",
            "x_y@1.io",
            "A@B.CO",
            "a!#$%&'*+/=?^_`{|}~-b@c.de",
            "a@b.museum",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@b.co",
            "a@b",
            "a@b.c",
            "a b@c.de",
            "a@b..de",
            "a@.de",
            "a@b.de.",
            ".a@b.de",
            "a.@b.de",
            "a..b@c.de",
            "a@@b.de",
            "a@b@c.de",
            "ü@b.de",
            "a@ü.de",
            "a@-b.de",
            "a@b-.de",
            "a@b_c.de",
            "<a@b.de>",
            "a@b.de,c@d.de",
            "a@[1.2.3.4]",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("a😀b", 2), "a");
        assert_eq!(cut("a😀b", 3), "a😀");
        assert_eq!(cut("a\nb", 2), "a");
        assert_eq!(cut("a\nb", 3), "a\n");
        assert_eq!(cut("ab", 5), "ab");
    }

    #[test]
    fn nbsp_is_no_white_space_for_text() {
        assert_eq!(trim(" \u{a0}a\u{a0}\t\r\n"), "\u{a0}a\u{a0}");
        assert_eq!(units("a😀é"), 4);
    }
}

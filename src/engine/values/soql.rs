//! String literals of SOQL (SOQL reference, quoted string escape sequences): single quotes; of the escapes only those that are needed.

use std::fmt::Write as _;

/// Appends the text as a SOQL string literal, quotes included.
pub fn quote(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('\'');
    // Without an early end many bytes are looked at together.
    let plain = |byte: u8| (0x20..0x7f).contains(&byte) & (byte != b'\\') & (byte != b'\'');
    if text.bytes().fold(true, |all, byte| all & plain(byte)) {
        out.push_str(text);
        out.push('\'');
        return;
    }
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unquote(literal: &str) -> Option<String> {
        let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
        let mut out = String::new();
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            out.push(match c {
                '\'' => return None,
                '\\' => match chars.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'u' => {
                        let digits: String = chars.by_ref().take(4).collect();
                        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                    }
                    c @ ('\\' | '\'' | '"') => c,
                    _ => return None,
                },
                c => c,
            });
        }
        Some(out)
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        for (text, literal) in [
            ("a@b.co", "'a@b.co'"),
            ("O'Neil", r"'O\'Neil'"),
            (r"a\b", r"'a\\b'"),
            ("\"x\" 100% _", "'\"x\" 100% _'"),
            ("a\nb\u{0}", r"'a\nb\u0000'"),
            ("", "''"),
            ("é😀", "'é😀'"),
            (r"\'", r"'\\\''"),
        ] {
            let mut out = String::new();
            quote(text, &mut out);
            assert_eq!(out, literal);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_quoted_reads_back(text in "\\PC*|(?s).{0,40}|[\\\\'\"nrtu\n]{0,20}") {
            let mut out = String::new();
            quote(&text, &mut out);
            prop_assert_eq!(unquote(&out), Some(text));
        }
    }
}

//! Plain scalars: which ones every version of YAML reads in the same way.
//!
//! YAML 1.1 knows octal `010`, `1_000`, sexagesimal `12:30:00`, dates and `yes`; YAML 1.2 (core schema) knows `0o17` and not the others. Only what
//! both read alike is taken; the words `yes`, `no`, `on` and `off` are text, as in YAML 1.2.

/// A plain scalar that is something other than text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Integer(i64),
    /// Its lexeme.
    Decimal(String),
}

/// What a plain scalar is.
#[derive(Debug, PartialEq)]
pub(crate) enum Reading {
    Text,
    Other(Plain),
    /// Versions differ. What they may take it for, and the plain way to write that, if there is one.
    Ambiguous {
        taken_for: &'static str,
        plainly: Option<String>,
    },
}

fn ambiguous(taken_for: &'static str, plainly: Option<String>) -> Reading {
    Reading::Ambiguous { taken_for, plainly }
}

/// Reads the text of a plain scalar.
pub(crate) fn read(text: &str) -> Reading {
    match text {
        "" | "null" => return Reading::Other(Plain::Null),
        "true" => return Reading::Other(Plain::Bool(true)),
        "false" => return Reading::Other(Plain::Bool(false)),
        "~" | "Null" | "NULL" => return ambiguous("nothing (null)", Some("null".into())),
        "True" | "TRUE" => return ambiguous("a truth value", Some("true".into())),
        "False" | "FALSE" => return ambiguous("a truth value", Some("false".into())),
        "=" => return ambiguous("a default value", None),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return ambiguous("a number that is none", None);
    }
    if !unsigned.bytes().any(|b| b.is_ascii_digit()) {
        return Reading::Text;
    }
    if let Some(plain) = plain_number(text) {
        return plain;
    }
    if is_radix(unsigned) {
        return ambiguous("a number written in another base", radix_value(text).map(|n| n.to_string()));
    }
    let bare: String = unsigned.chars().filter(|c| *c != '_').collect();
    let digits_only = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit());
    if digits_only && bare.len() > 1 && bare.starts_with('0') {
        let plainly = bare.trim_start_matches('0');
        return ambiguous("an octal number", Some(if plainly.is_empty() { "0".into() } else { plainly.into() }));
    }
    if digits_only {
        return ambiguous("a number", if bare.len() <= 15 { Some(signed(text, &bare)) } else { None });
    }
    let numeric = bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if numeric && bare.parse::<f64>().is_ok() && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return ambiguous("a number", None);
    }
    if is_sexagesimal(&bare) {
        return ambiguous("a number to the base of 60, or a time", None);
    }
    if is_date(text) {
        return ambiguous("a date", None);
    }
    Reading::Text
}

fn signed(text: &str, digits: &str) -> String {
    if text.starts_with('-') { format!("-{digits}") } else { digits.to_owned() }
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, at most 15 digits.
fn plain_number(text: &str) -> Option<Reading> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || (whole.len() > 1 && whole.starts_with('0')) || !fraction.is_none_or(digits) {
        return None;
    }
    if unsigned.len() > 15 {
        return Some(ambiguous("a number with more digits than every reader keeps", None));
    }
    match fraction {
        Some(_) => Some(Reading::Other(Plain::Decimal(text.to_owned()))),
        // `-0` is an integer here and a float there.
        None if text == "-0" => Some(ambiguous("a number", Some("0".into()))),
        None => text.parse().ok().map(|n| Reading::Other(Plain::Integer(n))),
    }
}

fn radix_parts(unsigned: &str) -> Option<(u32, &str)> {
    let radix = match unsigned.get(..2)? {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return None,
    };
    Some((radix, unsigned.get(2..)?))
}

fn is_radix(unsigned: &str) -> bool {
    radix_parts(unsigned)
        .is_some_and(|(radix, digits)| !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(radix)))
}

fn radix_value(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (radix, digits) = radix_parts(unsigned)?;
    let value = i64::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}

fn is_sexagesimal(bare: &str) -> bool {
    let mut parts = bare.split(':');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(digits)
        && bare.contains(':')
        && parts.all(|p| {
            let p = p.split_once('.').map_or(p, |(whole, _)| whole);
            digits(p) && p.len() <= 2
        })
}

/// `2026-01-02`, with or without a time after it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let day: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let after = &rest[day.len()..];
    year.len() == 4
        && digits(year)
        && month.len() <= 2
        && digits(month)
        && (1..=2).contains(&day.len())
        && (after.is_empty() || after.starts_with(['T', 't', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_version_reads_alike_is_taken() {
        assert_eq!(read("0"), Reading::Other(Plain::Integer(0)));
        assert_eq!(read("-12"), Reading::Other(Plain::Integer(-12)));
        assert_eq!(read("1.50"), Reading::Other(Plain::Decimal("1.50".into())));
        assert_eq!(read("true"), Reading::Other(Plain::Bool(true)));
        for text in [
            "no",
            "on",
            "Yes",
            "y",
            "off",
            "30%",
            "26h",
            "Lead",
            "00D000000000001EAA",
            "# x",
            "a:b",
            "1 2",
            "v1.2.3",
            "1.2.3",
            "e5",
            "infinity",
            "127.0.0.1:80",
            "0 9 * * *",
            "-",
            "--",
            "+",
        ] {
            assert_eq!(read(text), Reading::Text, "{text}");
        }
    }

    #[test]
    fn what_versions_differ_on_is_told() {
        for text in [
            "010",
            "00",
            "0x1F",
            "0o17",
            "0b101",
            "1_000",
            "+5",
            ".5",
            "5.",
            "1e3",
            "1.5e-3",
            ".inf",
            "-.INF",
            ".NaN",
            "~",
            "NULL",
            "True",
            "FALSE",
            "12:30",
            "12:30:45",
            "2026-01-02",
            "2026-1-2 10:00:00",
            "2026-01-02T10:00:00Z",
            "1234567890123456",
            "-0",
            "1_000.5",
            "=",
        ] {
            assert!(matches!(read(text), Reading::Ambiguous { .. }), "{text}");
        }
        let Reading::Ambiguous { plainly, .. } = read("-0x1F") else { panic!() };
        assert_eq!(plainly.as_deref(), Some("-31"));
        let Reading::Ambiguous { plainly, .. } = read("1_000") else { panic!() };
        assert_eq!(plainly.as_deref(), Some("1000"));
    }
}

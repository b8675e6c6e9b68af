//! Numbers by their digits, never as doubles. Canonical: plain decimal without exponent, leading or trailing zeros; `-0` is `0`.
//!
//! Salesforce does not hold numbers to the field's scale through the API (help 000387302, 000385689), so Footbridge rounds the report's value half away
//! from zero and compares the org's exactly: a badly stored value differs and converges in one write. Values travel as doubles, which keep 15
//! significant digits whatever they are: fractions are rounded to that many, whole numbers beyond it are refused. So what is written comes back as it was.

use std::cmp::Ordering;

use super::Ahead;
use super::options::PercentForm;
use super::refusal::{Noted, Reason};

/// Significant decimal digits that survive a double and every way of printing one.
const KEPT: usize = 15;
/// Digits of a lexeme that are looked at; longer ones are no numbers of a report.
const MOST: usize = 160;
/// Powers of ten in the org's lexemes; doubles end at 308.
const FURTHEST: i64 = 400;

/// How a number field is written.
#[derive(Debug, Clone)]
pub(super) struct NumberRule {
    /// Digits left of the point that fit.
    pub whole_digits: u32,
    /// Digits right of the point.
    pub scale: u32,
    /// An int field: 32 bits.
    pub int: bool,
    /// The declared decimal sign.
    pub decimal: Option<char>,
    /// The declared form of percentages.
    pub percent: Option<PercentForm>,
    /// Text before the number.
    pub prefix: Option<String>,
    /// Text after the number.
    pub suffix: Option<String>,
}

/// Digits without leading zeros, and where the point stands among them (it may stand outside).
struct Digits {
    buffer: [u8; MOST],
    start: usize,
    end: usize,
    point: i64,
    negative: bool,
}

impl Digits {
    fn new(negative: bool) -> Self {
        Self { buffer: [0; MOST], start: 0, end: 0, point: 0, negative }
    }

    fn push(&mut self, digits: &[u8]) -> bool {
        let Some(slot) = self.buffer.get_mut(self.end..self.end + digits.len()) else { return false };
        slot.copy_from_slice(digits);
        self.end += digits.len();
        true
    }

    fn get(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Drops zeros that mean nothing at either end.
    fn normalise(&mut self) {
        while self.start < self.end && self.buffer[self.start] == b'0' {
            self.start += 1;
            self.point -= 1;
        }
        while self.end > self.start && self.buffer[self.end - 1] == b'0' {
            self.end -= 1;
        }
        if self.start == self.end {
            self.point = 0;
            self.negative = false;
        }
    }

    /// Rounds half away from zero to so many decimals (fewer than none: tens). True when digits were lost. Normalised before and after.
    fn round(&mut self, decimals: i64) -> bool {
        let keep = self.point + decimals;
        let count = (self.end - self.start) as i64;
        if keep >= count {
            return false;
        }
        if keep < 0 {
            self.end = self.start;
            self.normalise();
            return true;
        }
        let cut = self.start + keep as usize;
        let up = self.buffer[cut] >= b'5';
        self.end = cut;
        if up {
            let mut at = cut;
            loop {
                if at == self.start {
                    // 9.99 becomes 10: one digit more on the left, all others zero.
                    self.buffer[self.start] = b'1';
                    self.end = self.start + 1;
                    self.point += 1;
                    break;
                }
                at -= 1;
                if self.buffer[at] == b'9' {
                    self.end = at;
                } else {
                    self.buffer[at] += 1;
                    break;
                }
            }
        }
        self.normalise();
        true
    }

    fn write(&self, out: &mut Vec<u8>) {
        let digits = self.get();
        if digits.is_empty() {
            out.push(b'0');
            return;
        }
        if self.negative {
            out.push(b'-');
        }
        if self.point <= 0 {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + self.point.unsigned_abs() as usize, b'0');
            out.extend_from_slice(digits);
            return;
        }
        let whole = self.point as usize;
        if whole >= digits.len() {
            out.extend_from_slice(digits);
            out.resize(out.len() + whole - digits.len(), b'0');
        } else {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
    }
}

/// Digits at the beginning, and the rest.
fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    text.split_at(count)
}

/// `-?digits[.digits]`, and with `exponent` also `[eE][+-]?digits`, as JSON and bulk CSV write numbers.
fn plain(text: &str, exponent: bool) -> Option<Digits> {
    let (negative, rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut digits = Digits::new(negative);
    let (whole, rest) = leading_digits(rest);
    if whole.is_empty() || !digits.push(whole) {
        return None;
    }
    digits.point = whole.len() as i64;
    let rest = match rest {
        [b'.', rest @ ..] => {
            let (fraction, rest) = leading_digits(rest);
            if fraction.is_empty() || !digits.push(fraction) {
                return None;
            }
            rest
        }
        rest => rest,
    };
    match rest {
        [] => {}
        [b'e' | b'E', power @ ..] if exponent => {
            let power: i64 = std::str::from_utf8(power).ok()?.parse().ok()?;
            if power.abs() > FURTHEST {
                return None;
            }
            digits.point += power;
        }
        _ => return None,
    }
    digits.normalise();
    Some(digits)
}

/// With a declared decimal sign: digits, grouped in threes by one kind of sign or not at all, and the fraction.
fn grouped(text: &str, decimal: char) -> Option<Digits> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match text.split_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut digits = Digits::new(negative);
    let sign = whole.chars().find(|c| !c.is_ascii_digit());
    match sign {
        None => {
            if whole.is_empty() || !digits.push(whole.as_bytes()) {
                return None;
            }
        }
        Some(sign) => {
            let other = if decimal == '.' { ',' } else { '.' };
            if sign != other && !matches!(sign, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’') {
                return None;
            }
            for (at, group) in whole.split(sign).enumerate() {
                let fits = if at == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
                if !fits || !group.bytes().all(|b| b.is_ascii_digit()) || !digits.push(group.as_bytes()) {
                    return None;
                }
            }
        }
    }
    digits.point = digits.end as i64;
    if let Some(fraction) = fraction
        && (fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) || !digits.push(fraction.as_bytes()))
    {
        return None;
    }
    digits.normalise();
    Some(digits)
}

impl NumberRule {
    /// The report's side. The cell is not blank.
    pub fn canon(&self, cell: &str, out: &mut Vec<u8>) -> Result<Noted, Reason> {
        if self.percent.is_none()
            && self.prefix.is_none()
            && self.suffix.is_none()
            && cell.len() <= self.whole_digits as usize
            && plainly_whole(cell.as_bytes())
        {
            out.extend_from_slice(cell.as_bytes());
            return Ok(Noted::Nothing);
        }
        let cell = cell.trim();
        let mut digits = self.read(cell)?;
        let limit = i64::from(self.whole_digits);
        let significant = digits.end - digits.start;
        if digits.point > limit {
            return Err(Reason::OutOfRange { max_digits: self.whole_digits });
        }
        if digits.point > KEPT as i64 && significant > KEPT {
            return Err(Reason::TooPrecise { digits: significant, max: KEPT });
        }
        let lost = digits.round(i64::from(self.scale).min(KEPT as i64 - digits.point));
        if digits.point > limit {
            return Err(Reason::OutOfRange { max_digits: self.whole_digits });
        }
        digits.write(out);
        if self.int && std::str::from_utf8(out).ok().and_then(|t| t.parse::<i32>().ok()).is_none() {
            return Err(Reason::OutOfRange { max_digits: self.whole_digits.min(9) });
        }
        Ok(if lost { Noted::Rounded } else { Noted::Nothing })
    }

    fn read(&self, cell: &str) -> Result<Digits, Reason> {
        let (negative, bare) = self.strip(cell);
        let (bare, signed) = match bare.strip_suffix('%') {
            Some(rest) => (rest.trim_end(), true),
            None => (bare, false),
        };
        if bare.starts_with('-') && negative {
            return Err(Reason::NotANumber);
        }
        let digits = match self.decimal {
            Some(decimal) => grouped(bare, decimal),
            None => plain(bare, false),
        };
        let Some(mut digits) = digits else { return Err(self.why_not(cell, bare)) };
        if signed && self.percent != Some(PercentForm::Sign) {
            return Err(Reason::NeedsPercent);
        }
        if negative {
            digits.negative = true;
        }
        if self.percent == Some(PercentForm::Fraction) {
            digits.point += 2;
        }
        digits.normalise();
        Ok(digits)
    }

    /// Without the declared prefix and suffix. The minus may stand before the prefix: then it is told apart.
    fn strip<'a>(&self, cell: &'a str) -> (bool, &'a str) {
        let mut rest = cell;
        let mut negative = false;
        if let Some(prefix) = self.prefix.as_deref() {
            if let Some(after) = rest.strip_prefix(prefix) {
                rest = after.trim_start();
            } else if let Some(after) = rest.strip_prefix('-').and_then(|r| r.trim_start().strip_prefix(prefix)) {
                rest = after.trim_start();
                negative = true;
            }
        }
        if let Some(before) = self.suffix.as_deref().and_then(|suffix| rest.strip_suffix(suffix)) {
            rest = before.trim_end();
        }
        (negative, rest)
    }

    fn why_not(&self, cell: &str, bare: &str) -> Reason {
        if super::is_placeholder(cell) {
            return Reason::PlaceholderWord;
        }
        let has_digit = bare.bytes().any(|b| b.is_ascii_digit());
        let grouping = |c: char| matches!(c, ',' | '.' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’');
        if !has_digit {
            return Reason::NotANumber;
        }
        if bare.chars().all(|c| c.is_ascii_digit() || c == '-' || grouping(c)) {
            let dots = bare.matches('.').count();
            let others = bare.chars().any(|c| grouping(c) && c != '.');
            let edges = bare.starts_with(grouping) || bare.ends_with(grouping);
            return if self.decimal.is_none() && !edges && (others || dots > 1) {
                Reason::NeedsDecimal
            } else {
                Reason::NotANumber
            };
        }
        let exponent = plain(bare, true).is_some();
        let body = |c: char| c.is_ascii_digit() || c == '-' || grouping(c);
        let inner = bare.trim_matches(|c| !body(c)).trim_matches(grouping);
        if !exponent && !inner.is_empty() && inner.len() < bare.len() && inner.chars().all(body) {
            return Reason::NeedsAffix;
        }
        Reason::NotANumber
    }

    /// Short cut: are two short plain numbers the same value, where the report's is one that may be written? None where that takes a longer look. The
    /// caller knows that no option changes the reading.
    pub fn plainly(&self, report: &[u8], org: &[u8]) -> Option<bool> {
        // A blank report cell is blank or refused; the org's is not blank.
        if report.is_empty() && org.first().is_some_and(u8::is_ascii_digit) {
            return Some(false);
        }
        let a = small(report)?;
        if u32::from(a.decimals) > self.scale || a.whole_digits > self.whole_digits.min(9) {
            return None;
        }
        if org.is_empty() {
            return Some(false);
        }
        Some(report == org || a == small(org)?)
    }
}

/// `3` and `3` or `3.0`, `1.5` and `1.50`, as reports and bulk exports write most numbers. The caller knows that no option changes the reading.
#[inline(always)]
pub(super) fn same_at_once(report: Ahead<'_>, org: Ahead<'_>, whole_digits: usize, scale: usize) -> bool {
    let (Some(a), Some(b)) = (report.word(), org.word()) else { return false };
    let number = with_zeros(a, report.length());
    let others = not_digits(number);
    if others == 0 {
        let point_zero = match org.length() - report.length().min(org.length()) {
            0 => 0,
            2 => u64::from(u16::from_le_bytes(*b".0")) << ((report.length() * 8) & 63),
            _ => return false,
        };
        return report.length() <= whole_digits && b == a | point_zero;
    }
    // One point, with digits on both sides of it. Behind the end both words go on with zeros.
    let point = (others.trailing_zeros() / 8) as usize;
    others.is_power_of_two()
        && number >> (point * 8) & 0xff == u64::from(b'.')
        && (1..=whole_digits).contains(&point)
        && (point + 2..=point + 1 + scale).contains(&report.length())
        && point + 2 <= org.length()
        && with_zeros(b, org.length()) == number
}

/// A word of so many bytes, one to eight, with `0` where there are none.
#[inline(always)]
fn with_zeros(word: u64, length: usize) -> u64 {
    word | (0x3030_3030_3030_3030 & !(u64::MAX >> ((8 - length) * 8)))
}

/// The highest bit of each byte that is no digit; behind one that is beyond ASCII perhaps of a digit, too.
#[inline(always)]
fn not_digits(word: u64) -> u64 {
    let values = word ^ 0x3030_3030_3030_3030;
    (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
}

/// Is it canonical as it stands: one to eight digits, the first of several no zero?
fn plainly_whole(text: &[u8]) -> bool {
    let word = Ahead::from(text).word();
    word.is_some_and(|word| not_digits(with_zeros(word, text.len())) == 0) && (text[0] != b'0' || text.len() == 1)
}

#[derive(PartialEq, Eq)]
struct Small {
    negative: bool,
    mantissa: u64,
    decimals: u8,
    whole_digits: u32,
}

/// A plain number of at most 15 digits.
fn small(text: &[u8]) -> Option<Small> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if rest.is_empty() || rest.len() > KEPT {
        return None;
    }
    let (mut mantissa, mut decimals, mut point, mut whole_digits) = (0u64, 0u8, None, 0u32);
    for (at, &b) in rest.iter().enumerate() {
        match b {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(b - b'0');
                decimals += u8::from(point.is_some());
                whole_digits += u32::from(point.is_none() && mantissa != 0);
            }
            b'.' if point.is_none() && at > 0 && at + 1 < rest.len() => point = Some(at),
            _ => return None,
        }
    }
    while decimals > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        decimals -= 1;
    }
    Some(Small { negative: negative && mantissa != 0, mantissa, decimals, whole_digits })
}

/// The org's side, and keys: exact, exponents read.
pub(super) fn canon_org(cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    let whole = cell.strip_suffix(".0").unwrap_or(cell);
    if plainly_whole(whole.as_bytes()) {
        out.extend_from_slice(whole.as_bytes());
        return Ok(());
    }
    plain(cell.trim(), true).ok_or(Reason::OrgUnreadable)?.write(out);
    Ok(())
}

/// A report's key: plain digits only, exact.
pub(super) fn canon_key(cell: &str, int: bool, out: &mut Vec<u8>) -> Result<(), Reason> {
    let Some(digits) = plain(cell.trim(), false) else {
        return Err(if super::is_placeholder(cell.trim()) { Reason::PlaceholderWord } else { Reason::NotANumber });
    };
    let count = (digits.end - digits.start) as i64;
    if int && count > digits.point {
        return Err(Reason::NotWhole);
    }
    let most = if int { 9 } else { 18 };
    if digits.point > most {
        return Err(Reason::OutOfRange { max_digits: most as u32 });
    }
    digits.write(out);
    Ok(())
}

/// Orders two canonical numbers by value.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    fn parts(n: &[u8]) -> (bool, &[u8], &[u8]) {
        let (negative, n) = match n {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        match memchr::memchr(b'.', n) {
            Some(at) => (negative, &n[..at], &n[at + 1..]),
            None => (negative, n, &[]),
        }
    }
    let ((a_negative, a_whole, a_rest), (b_negative, b_whole, b_rest)) = (parts(a), parts(b));
    match (a_negative, b_negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (negative, _) => {
            let size =
                a_whole.len().cmp(&b_whole.len()).then_with(|| a_whole.cmp(b_whole)).then_with(|| a_rest.cmp(b_rest));
            if negative { size.reverse() } else { size }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(cell: &str) -> String {
        let mut out = Vec::new();
        canon_org(cell, &mut out).map(|()| String::from_utf8(out).unwrap()).unwrap_or_else(|r| r.code().to_owned())
    }

    #[test]
    fn lexemes_of_the_org() {
        for (cell, canonical) in [
            ("100.0", "100"),
            ("1.0E8", "100000000"),
            ("1.0E-4", "0.0001"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0.10", "0.1"),
            ("007", "7"),
            ("1.5e+2", "150"),
            ("123456789012345678", "123456789012345678"),
            ("237.631", "237.631"),
            ("-2.50", "-2.5"),
            ("0", "0"),
            ("1E400", &format!("1{}", "0".repeat(400))),
            ("1E401", "org_unreadable"),
            ("NaN", "org_unreadable"),
            ("", "org_unreadable"),
            ("1.", "org_unreadable"),
            (".5", "org_unreadable"),
            ("1e", "org_unreadable"),
            ("--1", "org_unreadable"),
        ] {
            assert_eq!(org(cell), canonical, "{cell}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (text, decimals, expected) in [
            ("2.5", 0, "3"),
            ("-2.5", 0, "-3"),
            ("2.4999", 0, "2"),
            ("9.95", 1, "10"),
            ("0.05", 1, "0.1"),
            ("0.04", 1, "0"),
            ("-0.04", 1, "0"),
            ("999.999", 2, "1000"),
            ("0.5", 0, "1"),
            ("0.49", 0, "0"),
            ("0.005", 2, "0.01"),
            ("0.0005", 2, "0"),
            ("1.25", 5, "1.25"),
            ("19.99", 1, "20"),
            ("0.95", 1, "1"),
            ("0.995", 2, "1"),
        ] {
            let mut digits = plain(text, false).unwrap();
            let lost = digits.round(decimals);
            let mut out = Vec::new();
            digits.write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{text} to {decimals}");
            assert_eq!(lost, text != expected, "{text}");
        }
    }

    #[test]
    fn order_is_by_value() {
        let sorted =
            ["-100", "-20", "-3.5", "-3.25", "-0.1", "0", "0.05", "0.5", "1", "1.5", "9", "10", "100.01", "100.1"];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(compare(a.as_bytes(), b.as_bytes()), i.cmp(&j), "{a} {b}");
            }
        }
    }
}

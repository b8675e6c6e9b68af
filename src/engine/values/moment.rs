//! Dates, datetimes and times of day as ISO 8601 text, read by hand and checked by jiff's calendar.
//!
//! Canonical forms: `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM:SSZ`, `HH:MM:SS.mmmZ`. Salesforce stores datetimes to the second, in UTC, and gives them back as
//! `…SS.000+0000` (JSON) or `…SS.000Z` (bulk CSV); times of day carry milliseconds. Valid dates: 1700-01-01 to 4000-12-31 (valid date formats page).

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::refusal::Reason;

/// A cell's parts, as far as it has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parts {
    pub date: Date,
    pub time: Option<Time>,
    pub offset: Option<Offset>,
}

fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i32::from(b - b'0')))
}

/// `YYYY-MM-DD` at the beginning, and the rest.
fn date(text: &[u8]) -> Option<(Date, &[u8])> {
    let (head, rest) = text.split_at_checked(10)?;
    if head[4] != b'-' || head[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&head[..4])?, number(&head[5..7])?, number(&head[8..])?);
    Some((Date::new(year as i16, month as i8, day as i8).ok()?, rest))
}

/// `HH:MM[:SS[.fraction]]` at the beginning, and the rest. `Err` where it is 24:00 or a leap second.
fn time(text: &[u8]) -> Option<(Result<Time, Reason>, &[u8])> {
    let (head, mut rest) = text.split_at_checked(5)?;
    if head[2] != b':' {
        return None;
    }
    let (hour, minute) = (number(&head[..2])?, number(&head[3..])?);
    let (mut second, mut nano) = (0, 0);
    if let [b':', a, b, after @ ..] = rest {
        second = number(&[*a, *b])?;
        rest = after;
        if let [b'.', after @ ..] = rest {
            let count = after.iter().take_while(|b| b.is_ascii_digit()).count();
            if count == 0 {
                return None;
            }
            for at in 0..9 {
                nano = nano * 10 + after[..count].get(at).map_or(0, |b| i32::from(b - b'0'));
            }
            // Beyond nanoseconds only "is there anything" matters.
            if nano == 0 && after[..count].iter().any(|b| *b != b'0') {
                nano = 1;
            }
            rest = &after[count..];
        }
    }
    let valid = (hour == 24 && minute == 0 && second == 0) || (hour < 24 && second == 60);
    if valid && minute < 60 {
        return Some((Err(Reason::NoSuchTime), rest));
    }
    Some((Ok(Time::new(hour as i8, minute as i8, second as i8, nano).ok()?), rest))
}

/// `Z`, `±HH`, `±HHMM` or `±HH:MM`, and nothing after it. `Some(None)` when there is nothing at all.
fn offset(text: &[u8]) -> Option<Option<Offset>> {
    let (sign, rest) = match text {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(Offset::UTC)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [a, b] => (number(&[*a, *b])?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (number(&[*a, *b])?, number(&[*c, *d])?),
        _ => return None,
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    Some(Some(Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?))
}

/// A date, or a date and time joined by `T` or one space, with or without an offset. `None` where it is not of that form at all.
pub(super) fn parse(text: &[u8]) -> Option<Result<Parts, Reason>> {
    let (date, rest) = date(text)?;
    let [b'T' | b't' | b' ', rest @ ..] = rest else {
        return rest.is_empty().then_some(Ok(Parts { date, time: None, offset: None }));
    };
    let (time, rest) = time(rest)?;
    let offset = offset(rest)?;
    Some(time.map(|time| Parts { date, time: Some(time), offset }))
}

/// A time of day, with or without `Z`.
pub(super) fn parse_time(text: &[u8]) -> Option<Result<Time, Reason>> {
    let (time, rest) = time(text)?;
    matches!(rest, [] | [b'Z' | b'z']).then_some(time)
}

/// Looks like day, month and year in some order: `03/04/2026`, `3.4.26`, `2026/03/04`.
pub(super) fn looks_like_a_date(text: &str) -> bool {
    let head = text.split([' ', 'T']).next().unwrap_or_default();
    ['/', '.', '-'].into_iter().any(|sign| {
        let mut count = 0;
        let fits = head.split(sign).all(|part| {
            count += 1;
            (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        });
        // Year first with hyphens is ISO 8601, if a wrong one.
        fits && count == 3 && !(sign == '-' && head.find('-') == Some(4))
    })
}

/// In UTC.
pub(super) fn to_utc(at: DateTime, offset: Offset) -> Option<DateTime> {
    if offset == Offset::UTC {
        return Some(at);
    }
    offset.to_timestamp(at).ok().map(|instant| Offset::UTC.to_datetime(instant))
}

/// Inside what Salesforce stores.
pub(super) fn check_range(date: Date) -> Result<(), Reason> {
    if (1700..=4000).contains(&date.year()) { Ok(()) } else { Err(Reason::DateOutOfRange) }
}

fn push_digits(mut n: u32, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + width, b'0');
    for slot in out[start..].iter_mut().rev() {
        *slot = b'0' + (n % 10) as u8;
        n /= 10;
    }
}

/// `YYYY-MM-DD`.
pub(super) fn write_date(date: Date, out: &mut Vec<u8>) {
    push_digits(date.year().unsigned_abs().into(), 4, out);
    out.push(b'-');
    push_digits(date.month().unsigned_abs().into(), 2, out);
    out.push(b'-');
    push_digits(date.day().unsigned_abs().into(), 2, out);
}

fn write_clock(time: Time, out: &mut Vec<u8>) {
    push_digits(time.hour().unsigned_abs().into(), 2, out);
    out.push(b':');
    push_digits(time.minute().unsigned_abs().into(), 2, out);
    out.push(b':');
    push_digits(time.second().unsigned_abs().into(), 2, out);
}

/// `YYYY-MM-DDTHH:MM:SSZ` without the fraction.
pub(super) fn write_datetime(at: DateTime, out: &mut Vec<u8>) {
    write_date(at.date(), out);
    out.push(b'T');
    write_clock(at.time(), out);
    out.push(b'Z');
}

/// `HH:MM:SS.mmmZ`.
pub(super) fn write_time(time: Time, out: &mut Vec<u8>) {
    write_clock(time, out);
    out.push(b'.');
    push_digits((time.subsec_nanosecond() / 1_000_000).unsigned_abs(), 3, out);
    out.push(b'Z');
}

/// The org's date.
pub(super) fn canon_org_date(cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    match parse(cell.trim().as_bytes()) {
        Some(Ok(Parts { date, time: None, .. })) => write_date(date, out),
        _ => return Err(Reason::OrgUnreadable),
    }
    Ok(())
}

/// The org's datetime, exactly: a fraction, should there be one, stays. No offset is UTC, as for Salesforce.
pub(super) fn canon_org_datetime(cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    if let Some(second) = super::zoned::plain_utc(cell.as_bytes()) {
        out.extend_from_slice(second);
        out.push(b'Z');
        return Ok(());
    }
    let Some(Ok(Parts { date, time: Some(time), offset })) = parse(cell.trim().as_bytes()) else {
        return Err(Reason::OrgUnreadable);
    };
    let at = to_utc(date.to_datetime(time), offset.unwrap_or(Offset::UTC)).ok_or(Reason::OrgUnreadable)?;
    if at.year() < 0 {
        return Err(Reason::OrgUnreadable);
    }
    write_datetime(at, out);
    let nano = at.subsec_nanosecond();
    if nano != 0 {
        out.pop();
        out.push(b'.');
        if nano % 1_000_000 == 0 {
            push_digits((nano / 1_000_000).unsigned_abs(), 3, out);
        } else {
            push_digits(nano.unsigned_abs(), 9, out);
        }
        out.push(b'Z');
    }
    Ok(())
}

/// The org's time of day.
pub(super) fn canon_org_time(cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    match parse_time(cell.trim().as_bytes()) {
        Some(Ok(time)) => write_time(time, out),
        _ => return Err(Reason::OrgUnreadable),
    }
    Ok(())
}

/// Orders two canonical forms of one type. A datetime with a fraction is later than the same second without.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (a.strip_suffix(b"Z").unwrap_or(a), b.strip_suffix(b"Z").unwrap_or(b));
    a.cmp(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(cell: &str) -> String {
        let mut out = Vec::new();
        canon_org_datetime(cell, &mut out)
            .map(|()| String::from_utf8(out).unwrap())
            .unwrap_or_else(|r| r.code().to_owned())
    }

    #[test]
    fn the_orgs_forms_are_one() {
        for cell in [
            "2026-01-02T03:04:05.000+0000",
            "2026-01-02T03:04:05.000Z",
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05+00:00",
            "2026-01-02T04:04:05.000+0100",
            "2026-01-01T23:04:05-04:00",
            "2026-01-02T03:04:05",
        ] {
            assert_eq!(org(cell), "2026-01-02T03:04:05Z", "{cell}");
        }
        assert_eq!(org("2026-01-02T03:04:05.120Z"), "2026-01-02T03:04:05.120Z");
        assert_eq!(org("2026-01-02T03:04:05.000001Z"), "2026-01-02T03:04:05.000001000Z");
        for cell in
            ["", "2026-01-02", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05Q", "garbage", "2026-01-02T25:00:00Z"]
        {
            assert_eq!(org(cell), "org_unreadable", "{cell}");
        }
    }

    #[test]
    fn dates_in_other_orders_are_recognised() {
        for cell in ["03/04/2026", "3.4.26", "2026/03/04", "03-04-2026", "03/04/2026 10:15", "2026.03.04"] {
            assert!(looks_like_a_date(cell), "{cell}");
        }
        for cell in ["", "tomorrow", "1/2", "3,4,2026", "Jan 3, 2026", "1.2.3.4", "20260304", "2026-02-30", "2026-1-2"]
        {
            assert!(!looks_like_a_date(cell), "{cell}");
        }
    }

    #[test]
    fn a_fraction_is_later_than_none() {
        assert_eq!(compare(b"2026-01-02T03:04:05.120Z", b"2026-01-02T03:04:05Z"), Ordering::Greater);
        assert_eq!(compare(b"2026-01-02T03:04:05.120Z", b"2026-01-02T03:04:06Z"), Ordering::Less);
        assert_eq!(compare(b"10:00:00.000Z", b"10:00:00.000Z"), Ordering::Equal);
    }
}

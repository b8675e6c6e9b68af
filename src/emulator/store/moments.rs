//! Dates, datetimes and times: as clients may send them, as they are stored, as replies print them.
//!
//! DOC/rest-api/valid-date-and-datetime-formats; a real reply prints `2021-04-08T18:39:16.000+0000` (recorded).

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Not of the form.
    Syntax,
    /// Before 1700-01-01 or after 4000-12-31.
    Range,
}

const YEARS: std::ops::RangeInclusive<i16> = 1700..=4000;

fn digits(text: &str, count: usize) -> Option<i16> {
    (text.len() == count && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn split_date(text: &str) -> Result<Date, Unfit> {
    let part = |from: usize, to: usize| text.get(from..to).ok_or(Unfit::Syntax);
    if text.len() != 10 || part(4, 5)? != "-" || part(7, 8)? != "-" {
        return Err(Unfit::Syntax);
    }
    let year = digits(part(0, 4)?, 4).ok_or(Unfit::Syntax)?;
    let month = digits(part(5, 7)?, 2).ok_or(Unfit::Syntax)?;
    let day = digits(part(8, 10)?, 2).ok_or(Unfit::Syntax)?;
    let date = Date::new(year, month as i8, day as i8).map_err(|_| Unfit::Syntax)?;
    if YEARS.contains(&year) { Ok(date) } else { Err(Unfit::Range) }
}

/// `HH:MM:SS` with an optional fraction, of which milliseconds are kept. Returns the rest of the text, too.
fn split_time(text: &str) -> Result<(Time, &str), Unfit> {
    let part = |from: usize, to: usize| text.get(from..to).ok_or(Unfit::Syntax);
    if part(2, 3)? != ":" || part(5, 6)? != ":" {
        return Err(Unfit::Syntax);
    }
    let two = |from: usize| part(from, from + 2).and_then(|t| digits(t, 2).ok_or(Unfit::Syntax));
    let (hour, minute, second) = (two(0)?, two(3)?, two(6)?);
    let mut rest = &text[8..];
    let mut millis = 0_i32;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(fraction.len());
        if end == 0 || end > 9 {
            return Err(Unfit::Syntax);
        }
        let padded = format!("{:0<3}", &fraction[..end.min(3)]);
        millis = padded.parse().map_err(|_| Unfit::Syntax)?;
        rest = &fraction[end..];
    }
    let time = Time::new(hour as i8, minute as i8, second as i8, millis * 1_000_000).map_err(|_| Unfit::Syntax)?;
    Ok((time, rest))
}

/// Seconds east of Greenwich: `Z`, `+01:00`, `+0100`, or nothing, which is taken for GMT.
fn offset(text: &str) -> Result<i64, Unfit> {
    if text.is_empty() || text == "Z" {
        return Ok(0);
    }
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(Unfit::Syntax),
    };
    let (hours, minutes) = match rest.len() {
        5 if rest.as_bytes()[2] == b':' => (&rest[..2], &rest[3..]),
        4 => (rest.get(..2).ok_or(Unfit::Syntax)?, rest.get(2..).ok_or(Unfit::Syntax)?),
        _ => return Err(Unfit::Syntax),
    };
    let hours = i64::from(digits(hours, 2).filter(|h| *h <= 18).ok_or(Unfit::Syntax)?);
    let minutes = i64::from(digits(minutes, 2).filter(|m| *m < 60).ok_or(Unfit::Syntax)?);
    Ok(sign * (hours * 3600 + minutes * 60))
}

/// A date, stored as it is sent.
pub fn date(text: &str) -> Result<String, Unfit> {
    split_date(text).map(|_| text.to_owned())
}

/// A datetime, stored in UTC with whole seconds: `2026-01-02T03:04:05.000Z`.
pub fn datetime(text: &str) -> Result<String, Unfit> {
    let (day, rest) = text.split_once('T').ok_or(Unfit::Syntax)?;
    let date = split_date(day)?;
    let (time, rest) = split_time(rest)?;
    // Most values are stored as they come.
    if text.len() == 24 && text.ends_with(".000Z") {
        return Ok(text.to_owned());
    }
    let seconds = offset(rest)?;
    let utc: DateTime =
        DateTime::from_parts(date, time).checked_sub(SignedDuration::from_secs(seconds)).map_err(|_| Unfit::Range)?;
    if !YEARS.contains(&utc.year()) {
        return Err(Unfit::Range);
    }
    Ok(format!("{}.000Z", utc.strftime("%Y-%m-%dT%H:%M:%S")))
}

/// A time of day, stored as `HH:MM:SS.mmmZ`.
pub fn time(text: &str) -> Result<String, Unfit> {
    let (time, rest) = split_time(text)?;
    if !matches!(rest, "" | "Z") {
        return Err(Unfit::Syntax);
    }
    Ok(format!("{}.{:03}Z", time.strftime("%H:%M:%S"), time.millisecond()))
}

/// A stored datetime as replies print it.
pub fn printed(stored: &str) -> String {
    stored.strip_suffix('Z').map_or_else(|| stored.to_owned(), |rest| format!("{rest}+0000"))
}

/// A stored datetime as a moment.
pub fn timestamp(stored: &str) -> Option<Timestamp> {
    stored.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Unfit, date, datetime, printed, time};

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,32}", near in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+é-]{0,16}Z?") {
            for text in [text.as_str(), near.as_str()] {
                let _ = (date(text), time(text));
                // What is stored is stored alike again.
                if let Ok(stored) = datetime(text) {
                    prop_assert_eq!(datetime(&stored), Ok(stored.clone()));
                }
            }
        }
    }

    #[test]
    fn datetimes_are_stored_in_utc_without_fractions() {
        for (sent, stored) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T04:04:05.000+01:00", "2026-01-02T03:04:05.000Z"),
            ("2026-01-01T23:04:05-0400", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(datetime(sent).as_deref(), Ok(stored), "{sent}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2026-01-02",
            "2026-01-02 03:04:05Z",
            "2026-1-2T03:04:05Z",
            "2026-02-30T03:04:05Z",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:04Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05X",
            "2026-01-02T03:04:05+1",
            "2026-01-02T03:04:05+01:0é",
        ] {
            assert_eq!(datetime(text), Err(Unfit::Syntax), "{text}");
        }
        assert_eq!(datetime("1699-12-31T23:59:59Z"), Err(Unfit::Range));
        assert_eq!(datetime("4001-01-01T00:00:00Z"), Err(Unfit::Range));
        assert_eq!(date("2026-13-01"), Err(Unfit::Syntax));
        assert_eq!(date("2026-01-02T00:00:00Z"), Err(Unfit::Syntax));
        assert_eq!(date("0001-01-01"), Err(Unfit::Range));
        assert_eq!(time("18:30"), Err(Unfit::Syntax));
    }

    #[test]
    fn times_keep_milliseconds() {
        assert_eq!(time("18:30:00Z").as_deref(), Ok("18:30:00.000Z"));
        assert_eq!(time("18:30:00.25").as_deref(), Ok("18:30:00.250Z"));
    }

    #[test]
    fn replies_print_an_offset_without_colon() {
        assert_eq!(printed("2026-01-02T03:04:05.000Z"), "2026-01-02T03:04:05.000+0000");
    }
}

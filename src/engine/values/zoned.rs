//! The report's dates and times: ISO 8601 or the declared pattern, and what a time zone decides. Nothing is guessed: without an offset or a declared
//! zone a moment is unknown, and a local time that occurs twice or never is refused.

use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::moment::{self, Parts};
use super::refusal::{Noted, Reason};

/// What the field stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Date,
    Datetime,
    Time,
}

/// How a date, datetime or time field is written.
#[derive(Debug, Clone)]
pub(super) struct MomentRule {
    wanted: Wanted,
    format: Option<String>,
    zone: Option<TimeZone>,
}

/// What is wrong with a pattern, or missing beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatternProblem {
    Bad(String),
    NeedsTimeZone,
}

impl MomentRule {
    pub fn compile(wanted: Wanted, format: Option<&str>, zone: Option<TimeZone>) -> Result<Self, PatternProblem> {
        if let Some(format) = format {
            check_pattern(wanted, format, zone.is_some())?;
        }
        Ok(Self { wanted, format: format.map(str::to_owned), zone })
    }

    /// The report's side. The cell is not blank.
    pub fn canon(&self, cell: &str, out: &mut Vec<u8>) -> Result<Noted, Reason> {
        let cell = cell.trim();
        match self.wanted {
            Wanted::Time => {
                let time = match &self.format {
                    Some(format) => self.by_pattern(format, cell)?.1.ok_or(Reason::FormatMismatch)?,
                    None => moment::parse_time(cell.as_bytes()).unwrap_or_else(|| Err(self.why_not(cell)))?,
                };
                moment::write_time(time, out);
                Ok(if time.subsec_nanosecond() % 1_000_000 == 0 { Noted::Nothing } else { Noted::FractionDropped })
            }
            Wanted::Date => {
                let parts = self.parts(cell)?;
                let Some(time) = parts.time else {
                    moment::check_range(parts.date)?;
                    moment::write_date(parts.date, out);
                    return Ok(Noted::Nothing);
                };
                let zone = self.zone.as_ref().ok_or(Reason::NeedsTimeZone)?;
                let date = match parts.offset {
                    None => parts.date,
                    Some(offset) => {
                        let instant =
                            offset.to_timestamp(parts.date.to_datetime(time)).map_err(|_| Reason::DateOutOfRange)?;
                        zone.to_datetime(instant).date()
                    }
                };
                moment::check_range(date)?;
                moment::write_date(date, out);
                Ok(Noted::TimeDropped)
            }
            Wanted::Datetime => {
                if self.format.is_none()
                    && let Some(second) = plain_utc(cell.as_bytes())
                {
                    out.extend_from_slice(second);
                    out.push(b'Z');
                    return Ok(Noted::Nothing);
                }
                let parts = self.parts(cell)?;
                let (at, noted) = match (parts.time, parts.offset) {
                    (Some(time), Some(offset)) => (in_utc(parts.date.to_datetime(time), offset)?, Noted::Nothing),
                    (Some(time), None) => {
                        let zone = self.zone.as_ref().ok_or(Reason::NeedsTimeZone)?;
                        let at = parts.date.to_datetime(time);
                        let offset = match zone.to_ambiguous_timestamp(at).offset() {
                            AmbiguousOffset::Unambiguous { offset } => offset,
                            AmbiguousOffset::Gap { .. } => return Err(Reason::LocalTimeSkipped),
                            AmbiguousOffset::Fold { .. } => return Err(Reason::LocalTimeTwice),
                        };
                        (in_utc(at, offset)?, Noted::Nothing)
                    }
                    (None, _) => {
                        let zone = self.zone.as_ref().ok_or(Reason::NeedsTimeZone)?;
                        // Where midnight is skipped or doubled, the day's first moment.
                        let first = zone.to_ambiguous_timestamp(parts.date.to_datetime(Time::midnight())).compatible();
                        let first = first.map_err(|_| Reason::DateOutOfRange)?;
                        (Offset::UTC.to_datetime(first), Noted::StartOfDay)
                    }
                };
                moment::check_range(at.date())?;
                moment::write_datetime(at, out);
                Ok(if at.subsec_nanosecond() == 0 { noted } else { Noted::FractionDropped })
            }
        }
    }

    fn parts(&self, cell: &str) -> Result<Parts, Reason> {
        match &self.format {
            None => moment::parse(cell.as_bytes()).unwrap_or_else(|| Err(self.why_not(cell))),
            Some(format) => {
                let (broken, time) = self.by_pattern(format, cell)?;
                if let Some(instant) = broken.timestamp() {
                    let at = Offset::UTC.to_datetime(instant);
                    return Ok(Parts { date: at.date(), time: Some(at.time()), offset: Some(Offset::UTC) });
                }
                let date = broken.to_date().map_err(|_| Reason::FormatMismatch)?;
                Ok(Parts { date, time, offset: broken.offset() })
            }
        }
    }

    fn by_pattern(&self, format: &str, cell: &str) -> Result<(BrokenDownTime, Option<Time>), Reason> {
        let Ok(broken) = BrokenDownTime::parse(format, cell) else {
            return Err(if super::is_placeholder(cell) { Reason::PlaceholderWord } else { Reason::FormatMismatch });
        };
        // jiff reads second 60 as 59.
        if broken.second() == Some(59) && !cell.contains("59") {
            return Err(Reason::NoSuchTime);
        }
        let time = match broken.hour() {
            None => None,
            Some(_) => Some(broken.to_time().map_err(|_| Reason::FormatMismatch)?),
        };
        Ok((broken, time))
    }

    fn why_not(&self, cell: &str) -> Reason {
        if super::is_placeholder(cell) {
            Reason::PlaceholderWord
        } else if self.wanted != Wanted::Time && moment::looks_like_a_date(cell) {
            Reason::AmbiguousDate
        } else {
            match self.wanted {
                Wanted::Date => Reason::NotADate,
                Wanted::Datetime => Reason::NotADatetime,
                Wanted::Time => Reason::NotATime,
            }
        }
    }

    /// Is a datetime wanted, as ISO 8601 has it?
    pub fn takes_seconds(&self) -> bool {
        self.wanted == Wanted::Datetime && self.format.is_none()
    }

    /// Short cut: the same date in the same bytes, or the same second whatever the offsets, valid as a report value. Only where no pattern is declared;
    /// a time zone has no say over cells that have an offset. None where that takes a longer look.
    pub fn plainly(&self, report: &[u8], org: &[u8]) -> Option<bool> {
        if self.format.is_some() {
            return None;
        }
        match self.wanted {
            Wanted::Date => (report == org
                && matches!(moment::parse(report), Some(Ok(p)) if p.time.is_none() && moment::check_range(p.date).is_ok()))
            .then_some(true),
            Wanted::Datetime => {
                match (utc(report), utc(org)) {
                    (Some(a), Some(b)) if plain_second(a) && (a == b || plain_second(b)) => return Some(a == b),
                    // One blank, the other not.
                    (Some(a), None) if org.is_empty() && plain_second(a) => return Some(false),
                    (None, Some(b)) if report.is_empty() && plain_second(b) => return Some(false),
                    _ => {}
                }
                let (seconds, _) = second(report)?;
                // Without an offset the org's cell is left to the long way.
                ((EARLIEST..=LATEST).contains(&seconds)
                    && (same_in_utc(report, org) || second(org) == Some((seconds, 0))))
                .then_some(true)
            }
            Wanted::Time => None,
        }
    }
}

/// The same second in UTC, without a fraction, and one that Salesforce stores.
#[inline(always)]
pub(super) fn same_at_once(report: &[u8], org: &[u8]) -> bool {
    let (Some(a), Some(b)) = (utc(report), utc(org)) else { return false };
    a == b && plain_second(a)
}

/// The first 19 characters of a cell that ends as UTC without a fraction of a second does.
#[inline(always)]
fn utc(cell: &[u8]) -> Option<&[u8; 19]> {
    let (text, rest) = cell.split_first_chunk::<19>()?;
    matches!(rest, b"Z" | b".000Z" | b".000+0000" | b"+00:00" | b"+0000").then_some(text)
}

/// The same 19 characters, and UTC without a fraction on both sides.
fn same_in_utc(report: &[u8], org: &[u8]) -> bool {
    utc(report).is_some_and(|report| utc(org) == Some(report))
}

/// The first 19 characters of a moment that Salesforce stores, in UTC and without a fraction: equal ones are equal moments, others are others. None where it
/// is not so plain (and on the last days of a month).
pub(super) fn plain_utc(cell: &[u8]) -> Option<&[u8; 19]> {
    utc(cell).filter(|text| plain_second(text))
}

/// Is it `YYYY-MM-DDTHH:MM:SS`, and a moment that Salesforce stores? It may say no where it is (on the last days of a month), never yes where it is not.
#[inline(always)]
fn plain_second(text: &[u8; 19]) -> bool {
    let word = |from: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&text[from..from + 8]);
        u64::from_le_bytes(word)
    };
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // Each digit to its value, each sign to 0; and what brings every byte that is more than it may be to 128.
    let date = word(0) ^ u64::from_le_bytes(*b"0000-00-");
    let day = word(8) ^ u64::from_le_bytes(*b"00T00:00");
    let clock = word(11) ^ u64::from_le_bytes(*b"00:00:00");
    let over = (date.wrapping_add(0x7f76_767f_7676_7676) | date)
        | (day.wrapping_add(0x7676_7f76_767f_7676) | day)
        | (clock.wrapping_add(0x7676_7f76_767f_7676) | clock);
    // Two digits to their number, where the first of them stands: century and month, day, then hour, minute and second.
    let two = |word: u64, bytes: u64| (word.wrapping_mul(10).wrapping_add(word >> 8)) & bytes;
    let date = two(date, 0x0000_ff00_0000_00ff);
    let day = two(day, 0xff);
    let clock = two(clock, 0x00ff_0000_ff00_00ff);
    let most = |numbers: u64, up_to: u64| numbers.wrapping_add(up_to);
    let above = most(date, (127 - 12) << 40 | (127 - 39))
        | most(day, 127 - 28)
        | most(clock, (127 - 59) << 48 | (127 - 59) << 24 | (127 - 23));
    let below = !(date | HIGH).wrapping_sub(1 << 40 | 17) | !(day | HIGH).wrapping_sub(1);
    (over | above | below) & HIGH == 0
}

/// 1700-01-01T00:00:00Z and 4000-12-31T23:59:59Z.
const EARLIEST: i64 = -8_520_336_000;
const LATEST: i64 = 64_092_211_199;

/// Seconds since 1970 and the nanoseconds beyond them, of a cell that has an offset.
fn second(cell: &[u8]) -> Option<(i64, i32)> {
    if let Some(second) = second_at_once(cell) {
        return Some((second, 0));
    }
    let Parts { date, time: Some(time), offset: Some(offset) } = moment::parse(cell)?.ok()? else { return None };
    let days = days(date.year().into(), date.month().into(), date.day().into());
    let clock = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    Some((days * 86_400 + clock - i64::from(offset.seconds()), time.subsec_nanosecond()))
}

/// The same of a plain cell, without a fraction. None where it is not so plain.
fn second_at_once(cell: &[u8]) -> Option<i64> {
    let (text, rest) = cell.split_first_chunk::<19>()?;
    if !plain_second(text) {
        return None;
    }
    let two = |tens: u8, ones: u8| 10 * i64::from(tens & 15) + i64::from(ones & 15);
    let of = |place: usize| two(text[place], text[place + 1]);
    let offset = match rest {
        b"Z" | b".000Z" | b".000+0000" => 0,
        &[sign @ (b'+' | b'-'), a, b, b':', c, d] if [a, b, c, d].iter().all(u8::is_ascii_digit) => {
            let (hours, minutes) = (two(a, b), two(c, d));
            if hours >= 18 || minutes >= 60 {
                return None;
            }
            (hours * 3600 + minutes * 60) * if sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let days = days(of(0) * 100 + of(2), of(5), of(8));
    Some(days * 86_400 + of(11) * 3600 + of(14) * 60 + of(17) - offset)
}

/// Days since 1970 by the calendar's 400-year period, counted from March (proleptic Gregorian).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn in_utc(at: DateTime, offset: Offset) -> Result<DateTime, Reason> {
    moment::to_utc(at, offset).ok_or(Reason::DateOutOfRange)
}

/// Writes a known moment by the pattern and reads it back: so wrong directives, missing parts and a 12-hour clock without AM/PM show at once.
fn check_pattern(wanted: Wanted, format: &str, has_zone: bool) -> Result<(), PatternProblem> {
    let bad = |problem: &str| Err(PatternProblem::Bad(problem.to_owned()));
    let sample = jiff::civil::date(2026, 11, 21).at(13, 14, 15, 0);
    let Ok(zoned) = sample.to_zoned(TimeZone::UTC) else { return bad("it cannot be checked") };
    let written = match BrokenDownTime::from(&zoned).to_string(format) {
        Ok(written) => written,
        Err(error) => return bad(&error.to_string()),
    };
    let read = match BrokenDownTime::parse(format, &written) {
        Ok(read) => read,
        Err(error) => return bad(&error.to_string()),
    };
    if read.iana_time_zone().is_some() {
        return bad("time zone names are not read from cells; declare `time_zone:`");
    }
    let instant = read.timestamp();
    let hour = read.hour();
    if hour.is_some_and(|hour| hour != 13) || read.to_time().is_ok_and(|time| hour.is_some() && time.hour() != 13) {
        return bad("a 12-hour clock (%I) needs AM or PM (%p)");
    }
    if wanted == Wanted::Time {
        return if hour.is_some() { Ok(()) } else { bad("it has no hour") };
    }
    if instant.is_none() && read.to_date().ok() != Some(sample.date()) {
        return bad("it does not give day, month and year");
    }
    let has_time = hour.is_some() || instant.is_some();
    let fixed = read.offset().is_some() || instant.is_some();
    let needs_zone = match wanted {
        Wanted::Date => has_time,
        _ => !(has_time && fixed),
    };
    if needs_zone && !has_zone { Err(PatternProblem::NeedsTimeZone) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_those_of_the_calendar() {
        for (cell, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1700-01-01T00:00:00Z", EARLIEST),
            ("4000-12-31T23:59:59Z", LATEST),
            ("2024-02-29T12:00:00+01:00", 1_709_204_400),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(second(cell.as_bytes()), Some((seconds, 0)), "{cell}");
            assert_eq!(cell.parse::<jiff::Timestamp>().map(|t| t.as_second()).ok(), Some(seconds), "{cell}");
        }
        assert_eq!(second(b"2026-01-02T03:04:05"), None);
        let start = jiff::civil::date(0, 1, 1);
        for days in (0..1_500_000).step_by(97) {
            let date = start.checked_add(jiff::Span::new().days(days)).unwrap();
            let cell = format!("{:04}-{:02}-{:02}T00:00:00Z", date.year(), date.month(), date.day());
            let expected = Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).unwrap().as_second();
            assert_eq!(second(cell.as_bytes()), Some((expected, 0)), "{cell}");
        }
    }

    #[test]
    fn plain_cells_give_the_same_second_at_once() {
        let mut at_once = 0;
        for date in ["1700-01-01", "1999-12-28", "2000-02-28", "2024-02-29", "2026-03-01", "2100-02-28", "4000-12-28"] {
            for clock in ["00:00:00", "09:08:07", "23:59:59"] {
                for rest in
                    ["Z", ".000Z", ".000+0000", "+00:00", "-00:30", "+17:59", "-18:00", "+18:00", "-04:00", "+05:45"]
                {
                    let cell = format!("{date}T{clock}{rest}");
                    let expected = cell.parse::<jiff::Timestamp>().map(|t| t.as_second()).unwrap();
                    assert_eq!(second(cell.as_bytes()), Some((expected, 0)), "{cell}");
                    let found = second_at_once(cell.as_bytes());
                    at_once += usize::from(found.is_some());
                    assert!(found.is_none_or(|found| found == expected), "{cell}");
                }
            }
        }
        assert_eq!(at_once, 5 * 3 * 8, "all but the 29th, the last year and eighteen hours");
        for cell in
            ["2026-01-02T03:04:05", "2026-01-02T03:04:05+1:00", "2026-01-02T03:04:05+00:60", "2026-13-02T03:04:05Z"]
        {
            assert_eq!(second_at_once(cell.as_bytes()), None, "{cell}");
        }
    }
}

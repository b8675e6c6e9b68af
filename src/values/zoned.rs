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
                    None => moment::parse_time(cell).unwrap_or_else(|| Err(self.why_not(cell)))?,
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
            None => moment::parse(cell).unwrap_or_else(|| Err(self.why_not(cell))),
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

    /// Short cut for datetimes: the same 19 characters and a suffix of UTC on both sides. Nothing but ISO 8601 is declared, the caller knows.
    pub fn plainly_same(&self, report: &[u8], org: &[u8]) -> bool {
        const UTC: [&[u8]; 5] = [b"Z", b".000Z", b".000+0000", b"+00:00", b"+0000"];
        if self.wanted != Wanted::Datetime || self.format.is_some() {
            return false;
        }
        let (Some((a, a_rest)), Some((b, b_rest))) = (report.split_at_checked(19), org.split_at_checked(19)) else {
            return false;
        };
        a == b
            && UTC.contains(&a_rest)
            && UTC.contains(&b_rest)
            && std::str::from_utf8(report).is_ok_and(
                |t| matches!(moment::parse(t), Some(Ok(p)) if p.time.is_some() && moment::check_range(p.date).is_ok()),
            )
    }
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

//! Dates and times of a query as the tables store them, which is also how SOQL writes them.

use jiff::{Timestamp, civil};

/// First and last year of a Salesforce date.
const YEARS: std::ops::RangeInclusive<i16> = 1700..=4000;

/// `2026-11-21`, if there is such a day and Salesforce knows it.
pub(super) fn parse_date(text: &str) -> Option<civil::Date> {
    let well_formed = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
    text.parse::<civil::Date>().ok().filter(|date| well_formed && YEARS.contains(&date.year()))
}

/// `2026-11-21T10:00:00Z`, with a fraction or an offset if it pleases.
pub(super) fn parse_datetime(text: &str) -> Option<Timestamp> {
    let instant = text.parse::<Timestamp>().ok()?;
    let year = instant.to_zoned(jiff::tz::TimeZone::UTC).year();
    (text.len() >= 20 && YEARS.contains(&year)).then_some(instant)
}

/// `18:30:00.000Z`.
pub(super) fn parse_time(text: &str) -> Option<civil::Time> {
    text.strip_suffix(['Z', 'z'])?.parse().ok()
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ` in UTC.
pub(super) fn datetime(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// `HH:MM:SS.mmmZ`.
pub(super) fn time(time: civil::Time) -> String {
    time.strftime("%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_salesforce_knows_are_dates() {
        for good in ["1700-01-01", "2024-02-29", "4000-12-31"] {
            assert_eq!(parse_date(good).unwrap().to_string(), good);
        }
        for bad in ["1699-12-31", "4001-01-01", "2023-02-29", "2026-1-1", "20260101", "2026-13-01", ""] {
            assert!(parse_date(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn datetimes_come_to_utc_and_need_an_offset() {
        let cases = [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000Z"),
            ("2026-01-02T03:04:05.000-0530", "2026-01-02T08:34:05.000Z"),
        ];
        for (text, stored) in cases {
            assert_eq!(datetime(parse_datetime(text).unwrap()), stored);
        }
        for bad in ["2026-01-02T03:04:05", "2026-01-02T03:04Z", "1600-01-02T03:04:05Z", "2026-01-02T25:04:05Z"] {
            assert!(parse_datetime(bad).is_none(), "{bad}");
        }
    }
}

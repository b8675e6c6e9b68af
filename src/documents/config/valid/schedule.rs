//! When an integration runs by itself.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::Serialize;

/// A schedule, as five fields of cron in UTC. It has ticks: whole minutes, without end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Schedule(String);

impl Schedule {
    /// Reads `hourly`, `daily`, `weekly` or five fields of cron; `daily_hour` is the hour (UTC) that `daily` stands for. The error says what is wrong.
    pub fn parse(text: &str, daily_hour: u8) -> Result<Self, String> {
        let cron = match text.trim() {
            "hourly" => "0 * * * *".to_owned(),
            "daily" => format!("0 {daily_hour} * * *"),
            "weekly" => format!("0 {daily_hour} * * 1"),
            other => other.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let fields = cron.split(' ').count();
        if fields != 5 {
            return Err(format!(
                "it has {fields} fields, cron has 5: minute, hour, day of the month, month, day of the week"
            ));
        }
        let pattern = pattern(&cron)?;
        // Eight years hold every day that there is, but for a leap year that is left out.
        if pattern.find_next_occurrence(&DateTime::constant(2023, 12, 31, 23, 59, 0, 0), false).is_err() {
            return Err("no day ever fits it".to_owned());
        }
        Ok(Self(cron))
    }

    /// Five fields of cron: minute, hour, day of the month, month, day of the week.
    pub fn cron(&self) -> &str {
        &self.0
    }

    /// The latest tick at this moment or before.
    pub fn latest(&self, at: Timestamp) -> Option<Timestamp> {
        let found = pattern(&self.0).ok()?.find_previous_occurrence(&civil(at), true);
        Offset::UTC.to_timestamp(found.ok()?).ok()
    }

    /// The first tick after this moment.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let found = pattern(&self.0).ok()?.find_next_occurrence(&civil(after), false);
        Offset::UTC.to_timestamp(found.ok()?).ok()
    }
}

fn pattern(cron: &str) -> Result<Cron, String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(cron).map_err(|error| error.to_string())
}

/// UTC, to the second before. In UTC no hour is left out and none comes twice, so plain civil time is enough.
fn civil(at: Timestamp) -> DateTime {
    let civil = Offset::UTC.to_datetime(at);
    civil.with().subsec_nanosecond(0).build().unwrap_or(civil)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_and_cron() {
        let cron = |text| Schedule::parse(text, 9).map(|s| s.0);
        assert_eq!(cron("daily").unwrap(), "0 9 * * *");
        assert_eq!(Schedule::parse("daily", 8).unwrap().cron(), "0 8 * * *");
        assert_eq!(cron("hourly").unwrap(), "0 * * * *");
        assert_eq!(cron("weekly").unwrap(), "0 9 * * 1");
        assert_eq!(cron(" */15  6-18 * * MON-FRI ").unwrap(), "*/15 6-18 * * MON-FRI");
        for wrong in ["dayly", "61 * * * *", "0 9 * *", "0 0 9 * * *", "* 25 * * *", "0 0 31 2 *", "0 0 30 2 *"] {
            assert!(cron(wrong).is_err(), "{wrong}");
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn ticks_on_both_sides_of_a_moment() {
        for (cron, now, latest, next) in [
            ("daily", "2026-11-22T08:59:59.999Z", "2026-11-21T09:00:00Z", "2026-11-22T09:00:00Z"),
            ("daily", "2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z"),
            ("daily", "2026-11-22T09:00:00.5Z", "2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z"),
            // Europe's clocks go back and forth; UTC's do not.
            ("30 1 * * *", "2026-10-25T02:00:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"),
            ("30 1 * * *", "2026-03-29T02:00:00Z", "2026-03-29T01:30:00Z", "2026-03-30T01:30:00Z"),
            ("hourly", "2026-03-29T01:10:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"),
            // A day that comes every fourth year.
            ("0 6 29 2 *", "2027-06-01T00:00:00Z", "2024-02-29T06:00:00Z", "2028-02-29T06:00:00Z"),
            ("0 9 * * *", "2028-02-29T10:00:00Z", "2028-02-29T09:00:00Z", "2028-03-01T09:00:00Z"),
            ("weekly", "2026-11-22T12:00:00Z", "2026-11-16T09:00:00Z", "2026-11-23T09:00:00Z"),
            ("0 0 1 1 *", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
            ("*/15 6-18 * * MON-FRI", "2026-11-22T12:00:00Z", "2026-11-20T18:45:00Z", "2026-11-23T06:00:00Z"),
        ] {
            let schedule = Schedule::parse(cron, 9).unwrap();
            assert_eq!(schedule.latest(at(now)), Some(at(latest)), "{cron} at {now}");
            assert_eq!(schedule.next(at(now)), Some(at(next)), "{cron} at {now}");
        }
    }

    proptest! {
        #[test]
        fn no_tick_lies_between_the_latest_and_the_next(
            second in 1_700_000_000_i64..1_900_000_000,
            cron in prop::sample::select(vec!["hourly", "daily", "weekly", "*/7 * * * *", "0 6 29 2 *", "5 4 1,15 * *", "0 12 * * 1-5"]),
        ) {
            let schedule = Schedule::parse(cron, 9).unwrap();
            let now = Timestamp::from_second(second).unwrap();
            let (latest, next) = (schedule.latest(now).unwrap(), schedule.next(now).unwrap());
            prop_assert!(latest <= now && now < next);
            prop_assert_eq!(schedule.next(latest), Some(next));
            prop_assert_eq!(schedule.latest(next), Some(next));
            prop_assert_eq!(latest.as_second() % 60, 0);
        }
    }
}

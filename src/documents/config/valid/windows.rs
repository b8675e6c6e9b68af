//! When the schedule may not run an integration: hours of some weekdays, days of a freeze.

use std::fmt;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// So many steps from one window into the next end the search: it is never open again.
const MOST_STEPS: usize = 1_000;

/// One window: the moments that fit all that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Weekdays; all where none is said.
    pub days: Vec<Weekday>,
    /// Minutes of the day from which and until which; the end may lie on the next day (until ≤ from), or be 1440.
    pub hours: Option<(u16, u16)>,
    /// The first and the last day.
    pub dates: Option<(Date, Date)>,
    /// Whose clock and calendar.
    pub zone: TimeZone,
}

impl Window {
    /// When it ends, where this moment lies in it.
    fn end_of(&self, at: Timestamp) -> Option<Timestamp> {
        let today = at.to_zoned(self.zone.clone()).date();
        // What began yesterday may reach over midnight.
        let days = [today.yesterday().ok(), Some(today)];
        let spans = days.into_iter().flatten().filter(|day| self.has(*day)).filter_map(|day| self.span(day));
        spans.filter(|(from, until)| *from <= at && at < *until).map(|(_, until)| until).max()
    }

    fn has(&self, day: Date) -> bool {
        (self.days.is_empty() || self.days.contains(&day.weekday()))
            && self.dates.is_none_or(|(first, last)| first <= day && day <= last)
    }

    fn span(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let (from, until) = match (self.hours, self.dates) {
            (Some((from, until)), _) if until > from => (self.at(day, from)?, self.at(day, until)?),
            (Some((from, until)), _) => (self.at(day, from)?, self.at(day.tomorrow().ok()?, until)?),
            (None, Some((_, last))) if self.days.is_empty() => (self.at(day, 0)?, self.at(last.tomorrow().ok()?, 0)?),
            (None, _) => (self.at(day, 0)?, self.at(day.tomorrow().ok()?, 0)?),
        };
        Some((from, until))
    }

    /// A minute of a day on the zone's clock. One that the clock leaves out is the one after it.
    fn at(&self, day: Date, minute: u16) -> Option<Timestamp> {
        let (day, minute) = if minute >= 1440 { (day.checked_add(1.day()).ok()?, 0) } else { (day, minute) };
        let civil = day.at(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0);
        Some(civil.to_zoned(self.zone.clone()).ok()?.timestamp())
    }
}

impl fmt::Display for Window {
    /// As it could be written: `mon, tue 08:00 to 18:00 Europe/Berlin`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<String> = self.days.iter().map(|day| format!("{day:?}").to_lowercase()).collect();
        let mut said = vec![days.join(", ")];
        let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        said.extend(self.hours.map(|(from, until)| format!("{} to {}", clock(from), clock(until))));
        said.extend(self.dates.map(|(from, until)| format!("{from} to {until}")));
        said.push(self.zone.iana_name().unwrap_or("UTC").to_owned());
        said.retain(|part| !part.is_empty());
        f.write_str(&said.join(" "))
    }
}

/// All windows of an integration in an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Windows(Vec<Window>);

impl Windows {
    /// Of these.
    pub fn new(windows: Vec<Window>) -> Self {
        Self(windows)
    }

    /// Each of them in words.
    pub fn said(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, more: Vec<Window>) -> Self {
        self.0.extend(more);
        self
    }

    /// When the schedule may run again, where it may not at this moment; [`Timestamp::MAX`] for never.
    pub fn closed_until(&self, at: Timestamp) -> Option<Timestamp> {
        let (mut end, mut at) = (None, at);
        for _ in 0..MOST_STEPS {
            match self.0.iter().filter_map(|window| window.end_of(at)).max() {
                None => return end,
                Some(until) => (end, at) = (Some(until), until),
            }
        }
        Some(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const WEEK: [Weekday; 5] =
        [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

    fn window(days: &[Weekday], hours: Option<(u16, u16)>, dates: Option<(Date, Date)>, zone: &str) -> Window {
        Window { days: days.to_vec(), hours, dates, zone: TimeZone::get(zone).unwrap() }
    }

    fn until(windows: &[Window], at: &str) -> Option<String> {
        Windows::new(windows.to_vec()).closed_until(at.parse().unwrap()).map(|t| t.to_string())
    }

    #[test]
    fn hours_of_weekdays_on_the_zones_clock() {
        let berlin = [window(&WEEK, Some((8 * 60, 18 * 60)), None, "Europe/Berlin")];
        // Winter: an hour ahead of UTC. Summer: two.
        assert_eq!(until(&berlin, "2026-11-23T06:59:59Z"), None);
        assert_eq!(until(&berlin, "2026-11-23T07:00:00Z").unwrap(), "2026-11-23T17:00:00Z");
        assert_eq!(until(&berlin, "2026-11-23T17:00:00Z"), None);
        assert_eq!(until(&berlin, "2026-07-06T06:30:00Z").unwrap(), "2026-07-06T16:00:00Z");
        assert_eq!(until(&berlin, "2026-11-22T10:00:00Z"), None, "a Sunday");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
        let night = [window(&[Weekday::Friday], Some((22 * 60, 6 * 60)), None, "UTC")];
        assert_eq!(until(&night, "2026-11-20T23:00:00Z").unwrap(), "2026-11-21T06:00:00Z");
        assert_eq!(until(&night, "2026-11-21T05:59:00Z").unwrap(), "2026-11-21T06:00:00Z");
        assert_eq!(until(&night, "2026-11-21T23:00:00Z"), None, "Saturday's night");
        let evening = [window(&[], Some((22 * 60, 1440)), None, "UTC")];
        assert_eq!(until(&evening, "2026-11-21T23:00:00Z").unwrap(), "2026-11-22T00:00:00Z");
    }

    #[test]
    fn a_freeze_ends_after_its_last_day_and_windows_join() {
        let freeze = window(&[], None, Some((date(2026, 12, 20), date(2027, 1, 3))), "UTC");
        let monday = window(&[Weekday::Monday], Some((0, 6 * 60)), None, "UTC");
        assert_eq!(until(std::slice::from_ref(&freeze), "2026-12-24T00:00:00Z").unwrap(), "2027-01-04T00:00:00Z");
        assert_eq!(until(&[freeze, monday], "2026-12-24T00:00:00Z").unwrap(), "2027-01-04T06:00:00Z");
        let leap = [window(&[], None, Some((date(2028, 2, 29), date(2028, 2, 29))), "UTC")];
        assert_eq!(until(&leap, "2028-02-29T12:00:00Z").unwrap(), "2028-03-01T00:00:00Z");
    }

    #[test]
    fn a_clock_that_skips_or_repeats_an_hour() {
        // 2026-03-29 02:00 to 03:00 is left out in Berlin, 2026-10-25 02:00 to 03:00 comes twice.
        let early = [window(&[], Some((2 * 60, 3 * 60)), None, "Europe/Berlin")];
        assert_eq!(until(&early, "2026-03-29T01:00:00Z"), None);
        assert_eq!(until(&early, "2026-10-25T00:30:00Z").unwrap(), "2026-10-25T02:00:00Z");
        assert_eq!(until(&early, "2026-10-25T01:30:00Z").unwrap(), "2026-10-25T02:00:00Z");
    }

    #[test]
    fn what_never_opens_is_said_so() {
        let always = Windows::new(vec![window(&[], Some((0, 1440)), None, "UTC")]);
        assert_eq!(always.closed_until(Timestamp::UNIX_EPOCH), Some(Timestamp::MAX));
        let halves = [window(&[], Some((0, 720)), None, "UTC"), window(&[], Some((720, 0)), None, "UTC")];
        assert_eq!(Windows::new(halves.to_vec()).closed_until(Timestamp::UNIX_EPOCH), Some(Timestamp::MAX));
    }

    proptest! {
        #[test]
        fn it_is_open_when_it_is_said_to_open(
            second in 1_700_000_000_i64..1_900_000_000,
            from in 0_u16..1440, length in 1_u16..1400,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
        ) {
            let windows = Windows::new(vec![window(&WEEK, Some((from, (from + length) % 1440)), None, zone)]);
            let now = Timestamp::from_second(second).unwrap();
            if let Some(end) = windows.closed_until(now) {
                prop_assert!(end > now);
                prop_assert_eq!(windows.closed_until(end), None);
                let before = Timestamp::from_second(end.as_second() - 1).unwrap();
                prop_assert_eq!(windows.closed_until(before), Some(end));
            }
        }
    }
}

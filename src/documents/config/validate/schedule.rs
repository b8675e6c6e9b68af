//! Around the schedule: windows in which it may not run, and notices.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use crate::diag::{Code, Diagnostic};

use super::super::valid::{Header, HeaderValue, Notices, OnHeld, Window, Windows};
use super::super::written;
use super::variables::{Expanded, secret_header};
use super::{Check, join};

const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// As written, or nothing but the run log.
pub(super) fn on_held(written: written::OnHeld) -> OnHeld {
    match written {
        written::OnHeld::Log => OnHeld::Log,
        written::OnHeld::Issue => OnHeld::Issue,
    }
}

impl Check<'_> {
    /// `not_during:` at this path.
    pub(super) fn windows(&mut self, path: &[&str], written: Option<&Vec<written::Window>>) -> Vec<Window> {
        let Some(written) = written else { return Vec::new() };
        let mut windows = Vec::new();
        for (index, window) in written.iter().enumerate() {
            let index = index.to_string();
            windows.extend(self.window(&join(path, &[&index]), window));
        }
        // Whether it ever opens is asked from one fixed moment: what is valid today must be so tomorrow.
        if Windows::new(windows.clone()).closed_until(Timestamp::UNIX_EPOCH) == Some(Timestamp::MAX) {
            let span = self.key(path);
            self.push(
                Diagnostic::error(Code::BadWindow, "these windows leave no time to run")
                    .at(span, "closed at every moment")
                    .help("leave some hours out, or delete `schedule:` if it shall never run by itself"),
            );
            return Vec::new();
        }
        windows
    }

    fn window(&mut self, path: &[&str], written: &written::Window) -> Option<Window> {
        let written::Window { days, hours, dates, time_zone } = written;
        if days.is_none() && hours.is_none() && dates.is_none() {
            self.wrong(
                Code::BadWindow,
                path,
                "a window without a time",
                "when?",
                "write `days: sat, sun`, `hours: 08:00 to 18:00` or `dates: \"2026-12-20 to 2027-01-03\"`, or several of them",
            );
            return None;
        }
        let mut zone = TimeZone::UTC;
        if let Some(name) = time_zone {
            self.time_zone(&join(path, &["time_zone"]), name);
            zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
        }
        let dates = match dates {
            None => None,
            Some(text) => Some(self.dates(&join(path, &["dates"]), text)?),
        };
        let hours = hours.as_deref().and_then(hours_of);
        if hours.is_some_and(|(from, until)| from == until) {
            let path = join(path, &["hours"]);
            self.wrong(
                Code::BadWindow,
                &path,
                "hours that begin and end at once",
                "none, or all of them?",
                "write `00:00 to 24:00` for the whole day",
            );
            return None;
        }
        Some(Window { days: days.as_deref().map(days_of).unwrap_or_default(), hours, dates, zone })
    }

    fn dates(&mut self, path: &[&str], text: &str) -> Option<(Date, Date)> {
        let (first, last) = text.split_once(" to ").unwrap_or((text, text));
        let (first, last): (Result<Date, _>, Result<Date, _>) = (first.parse(), last.parse());
        let why = match (first, last) {
            (Ok(first), Ok(last)) if first <= last => return Some((first, last)),
            (Ok(_), Ok(_)) => "the last day comes before the first",
            _ => "no day of the calendar",
        };
        let help = "write year, month and day, such as \"2026-12-20 to 2027-01-03\"";
        self.wrong(Code::BadWindow, path, format!("the dates `{text}` are not understood"), why, help);
        None
    }

    /// `notices:` of the project. The address is a secret: whoever has it can write into the channel.
    pub(super) fn notices(&mut self, written: &written::Notices) -> Option<Notices> {
        let told = self.headers_needed;
        let value = |check: &mut Self, path: &[&str], text: &str, secret: bool| {
            let expanded = if secret { check.secret(path, text, told) } else { check.expand(path, text, told) };
            match expanded {
                Expanded::Ready(credential) => Some(HeaderValue::Ready(credential)),
                Expanded::Unset(variables) => Some(HeaderValue::Unset(variables)),
                Expanded::Wrong => None,
            }
        };
        let url = value(self, &["notices", "url"], &written.url, true);
        let mut headers = Vec::new();
        for (name, text) in written.headers.iter().flatten() {
            if secret_header(name) && !text.contains("${") {
                self.written_out(&["notices", "headers", name], name);
                continue;
            }
            let value = value(self, &["notices", "headers", name], text, false)?;
            headers.push(Header { name: name.to_ascii_lowercase(), value });
        }
        Some(Notices { url: url?, headers, span: self.value(&["notices", "url"]) })
    }
}

/// `mon to fri, sun`; the schema has seen to its form. `fri to mon` goes over the weekend.
fn days_of(text: &str) -> Vec<Weekday> {
    let place = |word: &str| WEEK.iter().position(|(name, _)| *name == word).unwrap_or_default();
    let mut days = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once(" to ").unwrap_or((part, part));
        let (mut at, last) = (place(first), place(last));
        loop {
            if !days.contains(&WEEK[at].1) {
                days.push(WEEK[at].1);
            }
            if at == last {
                break;
            }
            at = (at + 1) % WEEK.len();
        }
    }
    days
}

fn hours_of(text: &str) -> Option<(u16, u16)> {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        Some(hour.parse::<u16>().ok()? * 60 + minute.parse::<u16>().ok()?)
    };
    let (from, until) = text.split_once(" to ")?;
    Some((minute(from)?, minute(until)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours() {
        use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
        assert_eq!(days_of("mon to fri"), [Monday, Tuesday, Wednesday, Thursday, Friday]);
        assert_eq!(days_of("fri to mon"), [Friday, Saturday, Sunday, Monday]);
        assert_eq!(days_of("wed, sat,sun"), [Wednesday, Saturday, Sunday]);
        assert_eq!(hours_of("08:00 to 18:30"), Some((480, 1110)));
        assert_eq!(hours_of("22:00 to 24:00"), Some((1320, 1440)));
    }
}

//! Numbers, lengths of time and guards in words.

use jiff::Timestamp;

use crate::plan::{GuardName, RowOutcome};
use crate::runlog::Seconds;

/// `1234567` as `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 record`, `2 records`: the plural by `s`.
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A share to a tenth of a per cent: `40%`, `33.3%`; empty if there is no base. Some of it is never 0%, and not all of it never 100%.
pub(crate) fn share(value: u64, base: u64) -> String {
    if base == 0 {
        return String::new();
    }
    let tenths = (u128::from(value) * 2000 + u128::from(base)) / (u128::from(base) * 2);
    if tenths == 0 && value > 0 {
        return "< 0.1%".to_owned();
    }
    if tenths == 1000 && value < base {
        return "> 99.9%".to_owned();
    }
    if tenths.is_multiple_of(10) { format!("{}%", tenths / 10) } else { format!("{}.{}%", tenths / 10, tenths % 10) }
}

/// A UTC time for people, to the second.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A run time for people: `< 0.1 s`, `0.4 s`, `12.3 s`, `4 min 5 s`, `2 h 3 min`.
pub(crate) fn run_time(time: Seconds) -> String {
    let seconds = time.millis / 1000;
    match seconds {
        0 if time.millis < 100 => "< 0.1 s".to_owned(),
        0..60 => format!("{}.{} s", seconds, time.millis % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A number of seconds as an age: `3 days 4 h`, `5 h 2 min`, `40 s`.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ if seconds % 86_400 < 3600 => counted(seconds / 86_400, "day"),
        _ => format!("{} {} h", counted(seconds / 86_400, "day"), seconds % 86_400 / 3600),
    }
}

/// Hundredths of a point: `35`, `2.5`.
fn points(hundredths: u64) -> String {
    share(hundredths, 10_000).trim_end_matches('%').to_owned()
}

fn limit_text(limit: &str) -> String {
    limit.parse().map_or_else(|_| limit.to_owned(), grouped)
}

/// What a guard counted, with base and limit. A guard that this version does not know is told in figures.
pub fn guard_sentence(name: &str, value: u64, base: u64, limit: &str) -> String {
    let of = |what: &str| match share(value, base) {
        share if share.is_empty() => format!("{} of 0 {what}", grouped(value)),
        share => format!("{} of {} {what} ({share})", grouped(value), grouped(base)),
    };
    let at_most = format!("limit {}", limit_text(limit));
    let at_least = format!("at least {}", limit_text(limit));
    match GuardName::parse(name) {
        Some(GuardName::MaxFills) => format!("blank fields filled on {}, {at_most}", of("matched records")),
        Some(GuardName::MaxOverwrites) => format!("values overwritten on {}, {at_most}", of("matched records")),
        Some(GuardName::MaxClears) => format!("values cleared on {}, {at_most}", of("matched records")),
        Some(GuardName::MaxRefused) => format!("values refused on {}, {at_most}", of("matched records")),
        Some(GuardName::MinMatch) => format!("{} found a record, {at_least}", of("report rows")),
        Some(GuardName::MinRows) => format!("{}, {at_least}", counted(value, "report row")),
        Some(GuardName::MaxAge) if value == u64::MAX => format!(
            "the report is of unknown age: its source names no time, or one that is still to come; limit {}",
            limit.parse().map_or_else(|_| limit.to_owned(), age)
        ),
        Some(GuardName::MaxAge) => {
            format!("the report is {} old, limit {}", age(value), limit.parse().map_or_else(|_| limit.to_owned(), age))
        }
        Some(GuardName::MaxShrink) => format!("{} fewer than in the last run, {at_most}", of("rows")),
        Some(GuardName::ColumnVanished | GuardName::BlanksRose | GuardName::MatchFell) if base == 0 => {
            format!("no earlier run to compare with, {at_most}")
        }
        Some(GuardName::ColumnVanished) => {
            format!("{} of the last run are gone, {at_most}", of("columns"))
        }
        Some(GuardName::BlanksRose) => {
            format!("a column's blank cells rose by {} points against the last run, {at_most}", points(value))
        }
        Some(GuardName::MatchFell) => {
            format!("rows that find a record fell by {} points against the last run, {at_most}", points(value))
        }
        Some(GuardName::MaxCalls) => format!("{}, {at_most}", of("API calls left of the day")),
        Some(GuardName::DuplicateRows) => {
            format!("{} with a key that another row has, {at_most}", counted(value, "row"))
        }
        Some(GuardName::SeveralRecords) => {
            format!("{} whose key several records share, {at_most}", counted(value, "row"))
        }
        Some(GuardName::BadValues) => format!("{} that cannot be written, {at_most}", counted(value, "cell")),
        Some(GuardName::FirstRun) if value > 0 => {
            "the first apply to production needs a person (--first-run)".to_owned()
        }
        Some(GuardName::FirstRun) => "not the first apply to production".to_owned(),
        None => format!("{} of {}, {at_most}", grouped(value), grouped(base)),
    }
}

/// Where a row ended, for people.
pub(crate) fn outcome_words(outcome: RowOutcome) -> &'static str {
    match outcome {
        RowOutcome::Planned => "planned",
        RowOutcome::Unchanged => "unchanged",
        RowOutcome::NoRecord => "no record",
        RowOutcome::SeveralRecords => "several records",
        RowOutcome::DuplicateKey => "duplicate key",
        RowOutcome::BlankKey => "blank key",
        RowOutcome::BadKey => "bad key",
        RowOutcome::Converted => "converted",
        RowOutcome::OutOfScope => "out of scope",
        RowOutcome::Refused => "refused",
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            format!("{} and {}", first.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(2000, "record"), "2,000 records");
    }

    #[test]
    fn shares_and_times_read_well() {
        assert_eq!([share(1, 3), share(40, 100), share(1, 0), share(2, 3)], ["33.3%", "40%", "", "66.7%"]);
        assert_eq!(
            [share(1, 10_000), share(9_999, 10_000), share(0, 9), share(9, 9)],
            ["< 0.1%", "> 99.9%", "0%", "100%"]
        );
        let times = [40, 400, 12_345, 245_000, 7_380_000].map(|millis| run_time(Seconds { millis }));
        assert_eq!(times, ["< 0.1 s", "0.4 s", "12.3 s", "4 min 5 s", "2 h 3 min"]);
    }

    #[test]
    fn every_guard_has_a_sentence_with_its_limit() {
        for guard in GuardName::ALL {
            let sentence = guard_sentence(guard.as_str(), 7, 20, "86400");
            assert!(
                guard == GuardName::FirstRun || sentence.contains("86,400") || sentence.contains("1 day"),
                "{sentence}"
            );
        }
    }
}

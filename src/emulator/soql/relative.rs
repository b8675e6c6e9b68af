//! Date literals: `TODAY`, `LAST_N_DAYS:30` and the rest, and the days that each covers.
//! <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm>
//!
//! Weeks begin on Sunday, as in the en_US locale; the fiscal year is the calendar year.

use std::fmt::{self, Display, Formatter};

use jiff::{Span, ToSpan, civil::Date};

/// A date literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Relative {
    word: usize,
    /// The number after the colon, 0 for words without one.
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The unit this many away from the current one.
    At(i64),
    /// The unit n before the current one.
    Ago,
    /// The n units before the current one; of days, today as well.
    Last,
    /// The n units after the current one.
    Next,
    /// `LAST_90_DAYS`, `NEXT_90_DAYS`.
    Last90,
    Next90,
}

use Shape::{Ago, At, Last, Last90, Next, Next90};
use Unit::{Day, Month, Quarter, Week, Year};

const WORDS: [(&str, Unit, Shape); 47] = [
    ("YESTERDAY", Day, At(-1)),
    ("TODAY", Day, At(0)),
    ("TOMORROW", Day, At(1)),
    ("LAST_90_DAYS", Day, Last90),
    ("NEXT_90_DAYS", Day, Next90),
    ("LAST_N_DAYS", Day, Last),
    ("NEXT_N_DAYS", Day, Next),
    ("N_DAYS_AGO", Day, Ago),
    ("LAST_WEEK", Week, At(-1)),
    ("THIS_WEEK", Week, At(0)),
    ("NEXT_WEEK", Week, At(1)),
    ("LAST_N_WEEKS", Week, Last),
    ("NEXT_N_WEEKS", Week, Next),
    ("N_WEEKS_AGO", Week, Ago),
    ("LAST_MONTH", Month, At(-1)),
    ("THIS_MONTH", Month, At(0)),
    ("NEXT_MONTH", Month, At(1)),
    ("LAST_N_MONTHS", Month, Last),
    ("NEXT_N_MONTHS", Month, Next),
    ("N_MONTHS_AGO", Month, Ago),
    ("LAST_QUARTER", Quarter, At(-1)),
    ("THIS_QUARTER", Quarter, At(0)),
    ("NEXT_QUARTER", Quarter, At(1)),
    ("LAST_N_QUARTERS", Quarter, Last),
    ("NEXT_N_QUARTERS", Quarter, Next),
    ("N_QUARTERS_AGO", Quarter, Ago),
    ("LAST_FISCAL_QUARTER", Quarter, At(-1)),
    ("THIS_FISCAL_QUARTER", Quarter, At(0)),
    ("NEXT_FISCAL_QUARTER", Quarter, At(1)),
    ("LAST_N_FISCAL_QUARTERS", Quarter, Last),
    ("NEXT_N_FISCAL_QUARTERS", Quarter, Next),
    ("N_FISCAL_QUARTERS_AGO", Quarter, Ago),
    ("LAST_YEAR", Year, At(-1)),
    ("THIS_YEAR", Year, At(0)),
    ("NEXT_YEAR", Year, At(1)),
    ("LAST_N_YEARS", Year, Last),
    ("NEXT_N_YEARS", Year, Next),
    ("N_YEARS_AGO", Year, Ago),
    ("LAST_FISCAL_YEAR", Year, At(-1)),
    ("THIS_FISCAL_YEAR", Year, At(0)),
    ("NEXT_FISCAL_YEAR", Year, At(1)),
    ("LAST_N_FISCAL_YEARS", Year, Last),
    ("NEXT_N_FISCAL_YEARS", Year, Next),
    ("N_FISCAL_YEARS_AGO", Year, Ago),
    // Spellings that older pages of the documentation use.
    ("LAST_N_DAY", Day, Last),
    ("NEXT_N_DAY", Day, Next),
    ("N_DAY_AGO", Day, Ago),
];

impl Relative {
    /// The literal that a word begins, still without its number.
    pub(super) fn word(text: &str) -> Option<Relative> {
        WORDS.iter().position(|(name, ..)| name.eq_ignore_ascii_case(text)).map(|word| Relative { word, count: 0 })
    }

    /// Whether `:n` must follow.
    pub(super) fn wants_count(self) -> bool {
        matches!(WORDS[self.word].2, Ago | Last | Next)
    }

    pub(super) fn with_count(self, count: u32) -> Relative {
        Relative { count, ..self }
    }

    /// First day, and the day after the last. Nothing if the calendar does not reach so far.
    pub(super) fn days(self, today: Date) -> Option<(Date, Date)> {
        let (_, unit, shape) = WORDS[self.word];
        let count = i64::from(self.count);
        let begin = |away: i64| unit.begin(today, away);
        match shape {
            At(away) => Some((begin(away)?, begin(away + 1)?)),
            Ago => Some((begin(-count)?, begin(1 - count)?)),
            Last if unit == Day => Some((begin(-count)?, begin(1)?)),
            Last => Some((begin(-count)?, begin(0)?)),
            Next => Some((begin(1)?, begin(1 + count)?)),
            Last90 => Some((begin(-90)?, begin(1)?)),
            Next90 => Some((begin(1)?, begin(91)?)),
        }
    }
}

impl Unit {
    /// First day of the unit that lies `away` from today's.
    fn begin(self, today: Date, away: i64) -> Option<Date> {
        let plus = |date: Date, span: Result<Span, jiff::Error>| date.checked_add(span.ok()?).ok();
        let month = || today.first_of_month();
        let back = |date: Date, months: i8| date.checked_sub(i64::from(months).months()).ok();
        match self {
            Day => plus(today, Span::new().try_days(away)),
            Week => {
                let sunday = i64::from(today.weekday().to_sunday_zero_offset());
                plus(today.checked_sub(sunday.days()).ok()?, Span::new().try_weeks(away))
            }
            Month => plus(month(), Span::new().try_months(away)),
            Quarter => plus(back(month(), (today.month() - 1) % 3)?, Span::new().try_months(away * 3)),
            Year => plus(today.first_of_year(), Span::new().try_years(away)),
        }
    }
}

impl Display for Relative {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(WORDS[self.word].0)?;
        if self.wants_count() { write!(f, ":{}", self.count) } else { Ok(()) }
    }
}

#[cfg(test)]
pub(super) fn any() -> impl proptest::strategy::Strategy<Value = Relative> {
    use proptest::prelude::Strategy;
    (0..WORDS.len(), 0..1_000_000u32).prop_map(|(word, count)| {
        let bare = Relative { word, count: 0 };
        if bare.wants_count() { bare.with_count(count) } else { bare }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_literal_covers_its_days() {
        // A Saturday.
        let today: Date = "2026-11-21".parse().unwrap();
        let cases = [
            ("TODAY", 0, "2026-11-21", "2026-11-22"),
            ("yesterday", 0, "2026-11-20", "2026-11-21"),
            ("TOMORROW", 0, "2026-11-22", "2026-11-23"),
            ("LAST_90_DAYS", 0, "2026-08-23", "2026-11-22"),
            ("NEXT_90_DAYS", 0, "2026-11-22", "2027-02-20"),
            ("LAST_N_DAYS", 1, "2026-11-20", "2026-11-22"),
            ("LAST_N_DAYS", 0, "2026-11-21", "2026-11-22"),
            ("NEXT_N_DAYS", 2, "2026-11-22", "2026-11-24"),
            ("N_DAYS_AGO", 21, "2026-10-31", "2026-11-01"),
            ("THIS_WEEK", 0, "2026-11-15", "2026-11-22"),
            ("LAST_WEEK", 0, "2026-11-08", "2026-11-15"),
            ("NEXT_WEEK", 0, "2026-11-22", "2026-11-29"),
            ("LAST_N_WEEKS", 2, "2026-11-01", "2026-11-15"),
            ("LAST_MONTH", 0, "2026-10-01", "2026-11-01"),
            ("THIS_MONTH", 0, "2026-11-01", "2026-12-01"),
            ("NEXT_N_MONTHS", 3, "2026-12-01", "2027-03-01"),
            ("THIS_QUARTER", 0, "2026-10-01", "2027-01-01"),
            ("LAST_QUARTER", 0, "2026-07-01", "2026-10-01"),
            ("NEXT_FISCAL_QUARTER", 0, "2027-01-01", "2027-04-01"),
            ("THIS_YEAR", 0, "2026-01-01", "2027-01-01"),
            ("N_YEARS_AGO", 2, "2024-01-01", "2025-01-01"),
        ];
        for (word, count, from, to) in cases {
            let (first, after) = Relative::word(word).unwrap().with_count(count).days(today).unwrap();
            assert_eq!((first.to_string().as_str(), after.to_string().as_str()), (from, to), "{word}:{count}");
        }
    }

    #[test]
    fn a_calendar_that_ends_is_no_panic() {
        let today: Date = "2026-11-21".parse().unwrap();
        for (word, ..) in WORDS {
            let far = Relative::word(word).unwrap().with_count(u32::MAX).days(today);
            assert!(far.is_none() || !Relative::word(word).unwrap().wants_count());
        }
    }
}

//! Limits that stop a plan from being applied.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The guards, by the names that configuration, `--waive` and run logs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum GuardName {
    MaxFills,
    MaxOverwrites,
    MaxClears,
    MaxRefused,
    MinMatch,
    MinRows,
    MaxAge,
    MaxShrink,
    /// Columns that the report had in the last run and has no more.
    ColumnVanished,
    /// A mapped column with more blank cells than in the last run.
    BlanksRose,
    /// Fewer rows that find a record than in the last run.
    MatchFell,
    /// API calls of a plan, of those that were left of the day.
    MaxCalls,
    /// `duplicate rows: fail`.
    DuplicateRows,
    /// `several records: fail`.
    SeveralRecords,
    /// `on_bad_value: fail`.
    BadValues,
    /// An integration's first apply to production needs a person.
    FirstRun,
}

impl GuardName {
    /// All.
    pub const ALL: [GuardName; 16] = [
        GuardName::MaxFills,
        GuardName::MaxOverwrites,
        GuardName::MaxClears,
        GuardName::MaxRefused,
        GuardName::MinMatch,
        GuardName::MinRows,
        GuardName::MaxAge,
        GuardName::MaxShrink,
        GuardName::ColumnVanished,
        GuardName::BlanksRose,
        GuardName::MatchFell,
        GuardName::MaxCalls,
        GuardName::DuplicateRows,
        GuardName::SeveralRecords,
        GuardName::BadValues,
        GuardName::FirstRun,
    ];

    /// The name in files and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            GuardName::MaxFills => "max_fills",
            GuardName::MaxOverwrites => "max_overwrites",
            GuardName::MaxClears => "max_clears",
            GuardName::MaxRefused => "max_refused",
            GuardName::MinMatch => "min_match",
            GuardName::MinRows => "min_rows",
            GuardName::MaxAge => "max_age",
            GuardName::MaxShrink => "max_shrink",
            GuardName::ColumnVanished => "column_vanished",
            GuardName::BlanksRose => "blanks_rose",
            GuardName::MatchFell => "match_fell",
            GuardName::MaxCalls => "max_calls",
            GuardName::DuplicateRows => "duplicate_rows",
            GuardName::SeveralRecords => "several_records",
            GuardName::BadValues => "bad_values",
            GuardName::FirstRun => "first_run",
        }
    }

    /// By its name in files.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.as_str() == text)
    }
}

impl fmt::Display for GuardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A limit: so many, or so many per cent of the base. Percentages count from [`Limit::FLOOR`] of the base up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// An absolute number (records, rows, or seconds for `max_age`).
    Count(u64),
    /// Hundredths of a per cent, so that `12.5%` is 1250.
    Percent(u32),
}

impl Limit {
    /// The base below which a percentage says nothing.
    pub const FLOOR: u64 = 10;

    /// Is `value` above the limit?
    pub fn exceeded_by(self, value: u64, base: u64) -> bool {
        (matches!(self, Limit::Count(_)) || base >= Self::FLOOR) && self.exceeded_from_one(value, base)
    }

    /// The same where a percentage of any base says something.
    pub fn exceeded_from_one(self, value: u64, base: u64) -> bool {
        match self {
            Limit::Count(most) => value > most,
            Limit::Percent(most) => u128::from(value) * 10_000 > u128::from(base) * u128::from(most),
        }
    }

    /// Is `value` below the limit?
    pub fn missed_by(self, value: u64, base: u64) -> bool {
        match self {
            Limit::Count(least) => value < least,
            Limit::Percent(least) => {
                base >= Self::FLOOR && u128::from(value) * 10_000 < u128::from(base) * u128::from(least)
            }
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Limit::Count(n) => write!(f, "{n}"),
            Limit::Percent(p) if p % 100 == 0 => write!(f, "{}%", p / 100),
            Limit::Percent(p) if p % 10 == 0 => write!(f, "{}.{}%", p / 100, p % 100 / 10),
            Limit::Percent(p) => write!(f, "{}.{:02}%", p / 100, p % 100),
        }
    }
}

/// What a guard said of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuardVerdict {
    /// Which.
    pub name: GuardName,
    /// What was counted.
    pub value: u64,
    /// Out of how many.
    pub base: u64,
    /// The limit.
    pub limit: Limit,
    /// It holds the plan back.
    pub held: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_counts_from_ten_up() {
        let limit = Limit::Percent(500);
        assert!(!limit.exceeded_by(9, 9));
        assert!(limit.exceeded_by(1, 10));
        assert!(!limit.exceeded_by(5, 100));
        assert!(limit.exceeded_by(6, 100));
        assert!(Limit::Percent(5000).missed_by(4, 10));
        assert!(!Limit::Percent(5000).missed_by(5, 10));
        assert!(Limit::Count(1).missed_by(0, 0));
    }

    #[test]
    fn limits_print_as_they_are_written() {
        for (limit, text) in [
            (Limit::Count(3), "3"),
            (Limit::Percent(3000), "30%"),
            (Limit::Percent(1250), "12.5%"),
            (Limit::Percent(25), "0.25%"),
        ] {
            assert_eq!(limit.to_string(), text);
        }
    }

    #[test]
    fn every_name_reads_back() {
        for guard in GuardName::ALL {
            assert_eq!(GuardName::parse(guard.as_str()), Some(guard));
        }
    }
}

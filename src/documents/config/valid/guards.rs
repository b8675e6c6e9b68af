//! Guards with their defaults filled in.

use std::time::Duration;

use rust_decimal::Decimal;
use serde::Serialize;

/// A limit: a number, or a share of a base that the guard names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// So many.
    Count(u64),
    /// So many per cent, exact (`30%` is 30).
    Percent(Decimal),
}

/// Limits that stop a plan from being applied, for one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guards {
    /// At most so many overwrites, of the matched records.
    pub max_overwrites: Option<Limit>,
    /// At most so many fills, of the matched records.
    pub max_fills: Option<Limit>,
    /// At most so many clears, of the matched records.
    pub max_clears: Limit,
    /// At most so many matched records with a value that cannot be written.
    pub max_refused: Limit,
    /// At least so many rows matched.
    pub min_match: Limit,
    /// At least so many rows.
    pub min_rows: u64,
    /// At most so many rows fewer than in the last run.
    pub max_shrink: Option<Limit>,
    /// At most so many columns gone that the last run's report had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column_vanished: Option<u64>,
    /// A mapped column's share of blank cells is at most so many points above the last run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blanks_rose: Option<Limit>,
    /// The share of rows that find a record is at most so many points below the last run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_fell: Option<Limit>,
    /// At most so many API calls, of those that are left of the day.
    #[serde(skip)] // It depends on the day, and decides nothing of what a plan holds.
    pub max_calls: Limit,
    /// The report is at most so old.
    pub max_age: Option<Duration>,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_overwrites: None,
            max_fills: None,
            max_clears: Limit::Count(0),
            max_refused: Limit::Percent(Decimal::from(5)),
            min_match: Limit::Percent(Decimal::from(50)),
            min_rows: 1,
            max_shrink: None,
            column_vanished: None,
            blanks_rose: None,
            match_fell: None,
            max_calls: Limit::Percent(Decimal::from(50)),
            max_age: None,
        }
    }
}

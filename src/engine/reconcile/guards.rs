//! The guards that look at a plan's counts.

use crate::plan::{ChangeKind, GuardName, GuardVerdict, Limit, RowOutcome, Summary};

/// Limits on a plan; `None` is no limit. PRODUCT: defaults are no clears, 5 % refused, half of the rows matched, one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guards {
    /// Records with a field filled, of the matched records.
    pub max_fills: Option<Limit>,
    /// Records with a value overwritten, of the matched records.
    pub max_overwrites: Option<Limit>,
    /// Records with a value cleared, of the matched records.
    pub max_clears: Option<Limit>,
    /// Records with a cell refused, of the matched records.
    pub max_refused: Option<Limit>,
    /// Rows for which a record was found, of all rows.
    pub min_match: Option<Limit>,
    /// Rows in the report.
    pub min_rows: Option<Limit>,
    /// Verdicts on what is not in the plan's counts (the report's age, its shrinking).
    pub given: Vec<GuardVerdict>,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            max_fills: None,
            max_overwrites: None,
            max_clears: Some(Limit::Count(0)),
            max_refused: Some(Limit::Percent(500)),
            min_match: Some(Limit::Percent(5000)),
            min_rows: Some(Limit::Count(1)),
            given: Vec::new(),
        }
    }
}

/// Counts of what a policy says must not occur.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Forbidden {
    pub(super) duplicate_rows: Option<u64>,
    pub(super) several_records: Option<u64>,
    pub(super) bad_values: Option<u64>,
}

impl Guards {
    /// Verdicts on counts that come from elsewhere than from a report.
    pub fn verdicts(&self, summary: &Summary) -> Vec<GuardVerdict> {
        self.judge(summary, Forbidden::default(), &self.given)
    }

    pub(super) fn judge(&self, summary: &Summary, forbidden: Forbidden, given: &[GuardVerdict]) -> Vec<GuardVerdict> {
        let mut verdicts = Vec::new();
        let rows = &summary.rows;
        let matched = summary.matched;
        let kind = |k: ChangeKind| summary.records_by_kind.get(&k).copied().unwrap_or(0);
        let most = [
            (GuardName::MaxFills, self.max_fills, kind(ChangeKind::Fill)),
            (GuardName::MaxOverwrites, self.max_overwrites, kind(ChangeKind::Overwrite)),
            (GuardName::MaxClears, self.max_clears, kind(ChangeKind::Clear)),
            (GuardName::MaxRefused, self.max_refused, summary.records_refused),
        ];
        for (name, limit, value) in most {
            if let Some(limit) = limit {
                verdicts.push(GuardVerdict {
                    name,
                    value,
                    base: matched,
                    limit,
                    held: limit.exceeded_by(value, matched),
                });
            }
        }
        let unmatched = [RowOutcome::NoRecord, RowOutcome::BlankKey, RowOutcome::BadKey, RowOutcome::DuplicateKey];
        let found = rows.rows - unmatched.iter().map(|&o| rows.of(o)).sum::<u64>();
        let least = [(GuardName::MinMatch, self.min_match, found), (GuardName::MinRows, self.min_rows, rows.rows)];
        for (name, limit, value) in least {
            if let Some(limit) = limit {
                verdicts.push(GuardVerdict {
                    name,
                    value,
                    base: rows.rows,
                    limit,
                    held: limit.missed_by(value, rows.rows),
                });
            }
        }
        verdicts.extend_from_slice(given);
        let policies = [
            (GuardName::DuplicateRows, forbidden.duplicate_rows, rows.rows),
            (GuardName::SeveralRecords, forbidden.several_records, rows.rows),
            (GuardName::BadValues, forbidden.bad_values, summary.cells.cells),
        ];
        for (name, value, base) in policies {
            if let Some(value) = value {
                verdicts.push(GuardVerdict { name, value, base, limit: Limit::Count(0), held: value > 0 });
            }
        }
        verdicts
    }
}

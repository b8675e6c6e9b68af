//! Checks that every plan must pass, in tests and before every apply. One that fails is a bug in Footbridge.

use std::collections::HashSet;

use super::{Plan, RowOutcome};
use crate::model::RecordId;

/// A promise of the plan that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The row ledger does not add up.
    #[error("the report rows do not add up: {counted} of {rows} are accounted for")]
    Rows {
        /// Rows that came in.
        rows: u64,
        /// Rows that ended somewhere.
        counted: u64,
    },
    /// The cell ledger does not add up.
    #[error("the cells do not add up")]
    Cells,
    /// A record occurs twice.
    #[error("record {0} occurs twice")]
    Twice(RecordId),
    /// The counted records are not the listed ones.
    #[error("{listed} records are listed, {counted} counted")]
    Records {
        /// Planned entries.
        listed: u64,
        /// The summary's figure.
        counted: u64,
    },
    /// A planned entry without a change, or a change that changes nothing.
    #[error("row {0} is planned but changes nothing")]
    Idle(u64),
    /// Entries are not by row, then record.
    #[error("row {0} is out of order")]
    Order(u64),
    /// A cell is of a field that is not mapped.
    #[error("row {0} writes a field that is not mapped")]
    Unmapped(u64),
}

impl Plan {
    /// Every broken promise, none if the plan is sound.
    pub fn broken(&self) -> Vec<Broken> {
        let mut found = Vec::new();
        let rows = &self.summary.rows;
        if !rows.balances() {
            found.push(Broken::Rows { rows: rows.rows, counted: rows.outcomes.values().sum() });
        }
        if !self.summary.cells.balances() {
            found.push(Broken::Cells);
        }
        let mut seen = HashSet::new();
        let mut listed = 0;
        let mut last = None;
        for entry in &self.entries {
            let place = (entry.row, entry.record);
            if last.is_some_and(|l| l >= place) {
                found.push(Broken::Order(entry.row));
            }
            last = Some(place);
            if entry.outcome != RowOutcome::Planned {
                continue;
            }
            listed += 1;
            match entry.record {
                Some(id) if !seen.insert(id) => found.push(Broken::Twice(id)),
                Some(_) => {}
                None => found.push(Broken::Idle(entry.row)),
            }
            if entry.cells.is_empty() || entry.cells.iter().any(|c| c.before == c.after) {
                found.push(Broken::Idle(entry.row));
            }
            if entry.cells.iter().any(|c| self.header.field(&c.field).is_none()) {
                found.push(Broken::Unmapped(entry.row));
            }
        }
        if listed != self.summary.records {
            found.push(Broken::Records { listed, counted: self.summary.records });
        }
        found
    }
}

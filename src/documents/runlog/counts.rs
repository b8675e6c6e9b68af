//! The three ledgers as a run log has them: by name, in a fixed order, zeros included.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{CellLedger, RecordLedger, RowLedger, RowOutcome};

/// The row ledger: the outcomes add up to `rows`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RowCounts {
    /// Report rows.
    pub rows: u64,
    /// At least one cell would change.
    pub planned: u64,
    /// The record agrees already.
    pub unchanged: u64,
    /// No record has the key.
    pub no_record: u64,
    /// Several records have the key.
    pub several_records: u64,
    /// Another row has the key.
    pub duplicate_key: u64,
    /// The key is blank.
    pub blank_key: u64,
    /// The key cannot be a value of the match field.
    pub bad_key: u64,
    /// A converted lead.
    pub converted: u64,
    /// `where:` leaves the record out.
    pub out_of_scope: u64,
    /// Every cell that would change was refused.
    pub refused: u64,
}

impl RowCounts {
    /// Rows of one outcome.
    pub fn of(&self, outcome: RowOutcome) -> u64 {
        match outcome {
            RowOutcome::Planned => self.planned,
            RowOutcome::Unchanged => self.unchanged,
            RowOutcome::NoRecord => self.no_record,
            RowOutcome::SeveralRecords => self.several_records,
            RowOutcome::DuplicateKey => self.duplicate_key,
            RowOutcome::BlankKey => self.blank_key,
            RowOutcome::BadKey => self.bad_key,
            RowOutcome::Converted => self.converted,
            RowOutcome::OutOfScope => self.out_of_scope,
            RowOutcome::Refused => self.refused,
        }
    }

    /// Does it add up?
    pub fn balances(&self) -> bool {
        RowOutcome::ALL.into_iter().map(|o| self.of(o)).sum::<u64>() == self.rows
    }
}

/// The cell ledger: the others add up to `cells`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CellCounts {
    /// Matched records × mapped fields.
    pub cells: u64,
    /// Were to change.
    pub change: u64,
    /// Agreed already.
    pub same: u64,
    /// Kept: the report is blank.
    pub kept_blank: u64,
    /// Kept by the write policy.
    pub kept_policy: u64,
    /// Could not be written.
    pub refused: u64,
}

impl CellCounts {
    /// Does it add up?
    pub fn balances(&self) -> bool {
        self.change + self.same + self.kept_blank + self.kept_policy + self.refused == self.cells
    }
}

/// The record ledger: the others add up to `records`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RecordCounts {
    /// Planned records.
    pub records: u64,
    /// Written, and Salesforce said so.
    pub updated: u64,
    /// Salesforce refused.
    pub failed: u64,
    /// Changed by somebody in between: left alone.
    pub drifted: u64,
    /// Nothing was sent.
    pub not_attempted: u64,
    /// The answer was lost, and the record does not tell.
    pub unknown: u64,
}

impl RecordCounts {
    /// Does it add up?
    pub fn balances(&self) -> bool {
        self.updated + self.failed + self.drifted + self.not_attempted + self.unknown == self.records
    }
}

impl From<&RowLedger> for RowCounts {
    fn from(ledger: &RowLedger) -> Self {
        Self {
            rows: ledger.rows,
            planned: ledger.of(RowOutcome::Planned),
            unchanged: ledger.of(RowOutcome::Unchanged),
            no_record: ledger.of(RowOutcome::NoRecord),
            several_records: ledger.of(RowOutcome::SeveralRecords),
            duplicate_key: ledger.of(RowOutcome::DuplicateKey),
            blank_key: ledger.of(RowOutcome::BlankKey),
            bad_key: ledger.of(RowOutcome::BadKey),
            converted: ledger.of(RowOutcome::Converted),
            out_of_scope: ledger.of(RowOutcome::OutOfScope),
            refused: ledger.of(RowOutcome::Refused),
        }
    }
}

impl From<&CellLedger> for CellCounts {
    fn from(ledger: &CellLedger) -> Self {
        let CellLedger { cells, change, same, kept_blank, kept_policy, refused } = *ledger;
        Self { cells, change, same, kept_blank, kept_policy, refused }
    }
}

impl From<&RecordLedger> for RecordCounts {
    fn from(ledger: &RecordLedger) -> Self {
        let RecordLedger { records, updated, failed, drifted, not_attempted, unknown } = *ledger;
        Self { records, updated, failed, drifted, not_attempted, unknown }
    }
}

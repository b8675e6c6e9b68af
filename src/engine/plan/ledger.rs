//! The three ledgers: report rows, cells of matched rows, planned records. Each adds up to what came in.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ChangeKind, GuardVerdict, RowOutcome};
use crate::model::{Digest, FieldName};

/// Where every report row ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowLedger {
    /// Rows that came in.
    pub rows: u64,
    /// Rows by outcome; an outcome that did not occur stands at 0.
    pub outcomes: BTreeMap<RowOutcome, u64>,
}

impl RowLedger {
    /// Rows of one outcome.
    pub fn of(&self, outcome: RowOutcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Counts one row.
    pub fn add(&mut self, outcome: RowOutcome) {
        *self.outcomes.entry(outcome).or_insert(0) += 1;
    }

    /// Does it add up?
    pub fn balances(&self) -> bool {
        self.outcomes.values().sum::<u64>() == self.rows
    }
}

/// Where every cell of the matched rows ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellLedger {
    /// Cells that came in: matched records × mapped fields.
    pub cells: u64,
    /// Would change.
    pub change: u64,
    /// Agree already.
    pub same: u64,
    /// The report is blank and the mapping keeps.
    pub kept_blank: u64,
    /// The write policy keeps.
    pub kept_policy: u64,
    /// Cannot be written.
    pub refused: u64,
}

impl CellLedger {
    /// Does it add up?
    pub fn balances(&self) -> bool {
        self.change + self.same + self.kept_blank + self.kept_policy + self.refused == self.cells
    }
}

/// Where every planned record ended, after an apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordLedger {
    /// Records that were planned.
    pub records: u64,
    /// Written, and Salesforce said so.
    pub updated: u64,
    /// Salesforce refused.
    pub failed: u64,
    /// Somebody changed a planned field in between: left alone.
    pub drifted: u64,
    /// Nothing was sent.
    pub not_attempted: u64,
    /// The answer was lost and the record does not tell.
    pub unknown: u64,
}

impl RecordLedger {
    /// Does it add up?
    pub fn balances(&self) -> bool {
        self.updated + self.failed + self.drifted + self.not_attempted + self.unknown == self.records
    }
}

/// One field's changes, kept cells and refusals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldCounts {
    /// Changes by kind.
    pub changes: BTreeMap<ChangeKind, u64>,
    /// Agree already.
    pub same: u64,
    /// Kept, blank or by policy.
    pub kept: u64,
    /// Refusals by their short word.
    pub refused: BTreeMap<String, u64>,
}

/// The last line of a plan's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Report rows.
    pub rows: RowLedger,
    /// Cells of matched rows.
    pub cells: CellLedger,
    /// Records that matched a row and could be judged: the base of the change guards.
    pub matched: u64,
    /// Records that would change.
    pub records: u64,
    /// Matched records with a refused cell.
    pub records_refused: u64,
    /// Records by the kinds of change in them (a record with two kinds counts in both).
    pub records_by_kind: BTreeMap<ChangeKind, u64>,
    /// By field.
    pub fields: BTreeMap<FieldName, FieldCounts>,
    /// Every guard with its value, base and limit.
    pub guards: Vec<GuardVerdict>,
    /// Of the header's line: what went in.
    pub inputs: Digest,
    /// Of the entries' lines: what comes out.
    pub changes: Digest,
}

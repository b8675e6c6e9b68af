//! The report's side: every row is kept with the cells that matter, and joins the group of its key.

use super::keys::Keys;
use super::rows::Rows;
use super::{DuplicateRows, Inputs, Matching};
use crate::plan::GuardVerdict;
use crate::table::Block;
use crate::values::{KeyKind, Side};

/// What a row's key turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKey {
    Group(u32),
    Blank,
    /// Index into the reasons.
    Bad(u32),
}

/// Why planning cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// More rows than a report can have here.
    #[error("a report of more than {most} rows cannot be planned in one piece")]
    TooManyRows {
        /// The most rows.
        most: u64,
    },
    /// A record came without a proper id.
    #[error("Salesforce gave a record without a proper id (`{found}`)")]
    NoId {
        /// What stood in its place.
        found: String,
    },
    /// A block of the org has other columns than were asked for.
    #[error("Salesforce gave {found} columns where {asked} were asked for")]
    Columns {
        /// Columns asked for.
        asked: usize,
        /// Columns found.
        found: usize,
    },
    /// A ledger that does not add up: a bug.
    #[error("the {0} ledger does not add up: this is a bug in Footbridge, nothing was written")]
    Unbalanced(&'static str),
}

/// Takes the report.
pub struct Reading {
    pub(super) inputs: Inputs,
    pub(super) rows: Rows,
    pub(super) numbers: Vec<u64>,
    pub(super) lines: Vec<u64>,
    pub(super) row_keys: Vec<RowKey>,
    pub(super) reasons: Vec<String>,
    pub(super) keys: Keys,
    /// The report's columns that are kept: key, mapped fields, the moment for `newest`.
    columns: Vec<usize>,
    scratch: Vec<u8>,
}

/// Begins a plan.
pub fn start(inputs: Inputs) -> Reading {
    let mut columns = vec![inputs.key.column];
    columns.extend(inputs.fields.iter().map(|f| f.column));
    if let DuplicateRows::Newest { column, .. } = &inputs.duplicate_rows {
        columns.push(*column);
    }
    Reading {
        rows: Rows::new(columns.len()),
        numbers: Vec::new(),
        lines: Vec::new(),
        row_keys: Vec::new(),
        reasons: Vec::new(),
        keys: Keys::new(),
        columns,
        scratch: Vec::new(),
        inputs,
    }
}

impl Reading {
    /// Takes the report's next block. Blocks come in the report's order.
    pub fn report(&mut self, block: Block) -> Result<(), ReconcileError> {
        for row in 0..block.rows() {
            let index = u32::try_from(self.rows.len()).ok().filter(|&i| i < u32::MAX - 1);
            let index = index.ok_or(ReconcileError::TooManyRows { most: u64::from(u32::MAX) - 1 })?;
            self.rows.push(self.columns.iter().map(|&c| block.cell(row, c)));
            self.numbers.push(block.row_number(row));
            self.lines.push(block.line(row));
            self.keys.grow();
            self.scratch.clear();
            let key = match self.inputs.key.rule.canon(
                Side::Report,
                block.cell(row, self.inputs.key.column),
                &mut self.scratch,
            ) {
                Ok(KeyKind::Key) => RowKey::Group(self.keys.insert(&self.scratch, index)),
                Ok(KeyKind::Blank) => RowKey::Blank,
                Err(refusal) => {
                    self.reasons.push(refusal.message());
                    RowKey::Bad(u32::try_from(self.reasons.len() - 1).unwrap_or(u32::MAX))
                }
            };
            self.row_keys.push(key);
        }
        Ok(())
    }

    /// Verdicts on what is not in the plan's counts and is known only when the report has been read: its age, its shrinking.
    pub fn given(&mut self, verdicts: Vec<GuardVerdict>) {
        self.inputs.guards.given = verdicts;
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The report has ended.
    pub fn close(self) -> Matching {
        Matching::new(self)
    }
}

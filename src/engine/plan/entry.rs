//! One line of a plan: a record that would change, or a row that cannot be used, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{FieldName, RecordId};

/// Where a report row ended. Every row ends as exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// At least one cell of at least one record would change.
    Planned,
    /// The record agrees with the report already.
    Unchanged,
    /// No record has this key.
    NoRecord,
    /// Several records have this key, and the policy is not to choose.
    SeveralRecords,
    /// Another row has this key, and the policy chose none, or the other.
    DuplicateKey,
    /// The key cell is blank.
    BlankKey,
    /// The key cell cannot be a value of the match field.
    BadKey,
    /// The record is a converted lead: Salesforce makes those read-only.
    Converted,
    /// The record exists and `where:` leaves it out.
    OutOfScope,
    /// Every cell that would change was refused.
    Refused,
}

impl RowOutcome {
    /// All, in the order in which they are shown.
    pub const ALL: [RowOutcome; 10] = [
        RowOutcome::Planned,
        RowOutcome::Unchanged,
        RowOutcome::NoRecord,
        RowOutcome::SeveralRecords,
        RowOutcome::DuplicateKey,
        RowOutcome::BlankKey,
        RowOutcome::BadKey,
        RowOutcome::Converted,
        RowOutcome::OutOfScope,
        RowOutcome::Refused,
    ];

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            RowOutcome::Planned => "planned",
            RowOutcome::Unchanged => "unchanged",
            RowOutcome::NoRecord => "no_record",
            RowOutcome::SeveralRecords => "several_records",
            RowOutcome::DuplicateKey => "duplicate_key",
            RowOutcome::BlankKey => "blank_key",
            RowOutcome::BadKey => "bad_key",
            RowOutcome::Converted => "converted",
            RowOutcome::OutOfScope => "out_of_scope",
            RowOutcome::Refused => "refused",
        }
    }
}

/// What a change does to the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Blank becomes a value.
    Fill,
    /// One value becomes another.
    Overwrite,
    /// A value becomes blank.
    Clear,
}

impl ChangeKind {
    /// All, in the order in which they are shown and declared.
    pub const ALL: [ChangeKind; 3] = [ChangeKind::Fill, ChangeKind::Overwrite, ChangeKind::Clear];

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Fill => "fill",
            ChangeKind::Overwrite => "overwrite",
            ChangeKind::Clear => "clear",
        }
    }
}

/// What was done to the report's value on its way (`rounded`, `label`, `truncated` …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// A stable short word.
    pub code: String,
    /// One plain sentence part; holds no value of the report unless `from` does.
    pub text: String,
    /// The report's own value where it differs from `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// One cell that would change. Values are canonical text by the field's type; `None` is blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellChange {
    /// The field.
    pub field: FieldName,
    /// What the change does.
    pub kind: ChangeKind,
    /// The record's value when it was read.
    pub before: Option<String>,
    /// The value to write.
    pub after: Option<String>,
    /// What was done to the report's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// One cell that cannot be written, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedCell {
    /// The field it was meant for.
    pub field: FieldName,
    /// The report column it stands in.
    pub column: String,
    /// The report's value.
    pub value: String,
    /// A stable short word (`too_long`).
    pub code: String,
    /// One plain sentence, without the value.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// One line of a plan. Unchanged rows have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The report row, from 1, the header not counted.
    pub row: u64,
    /// The line of the file on which the row starts, from 1.
    pub line: u64,
    /// The key as the report has it.
    pub key: String,
    /// Where the row ended.
    pub outcome: RowOutcome,
    /// The record, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordId>,
    /// The cells that would change; only with `planned`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<CellChange>,
    /// The cells that cannot be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedCell>,
    /// The records that share the key (`several_records`), in id order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<RecordId>,
    /// The other rows that share the key (`duplicate_key`), at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<u64>,
    /// Why the key cannot be used (`bad_key`), in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Entry {
    /// An entry with nothing but its row.
    pub fn new(row: u64, line: u64, key: String, outcome: RowOutcome) -> Self {
        Self {
            row,
            line,
            key,
            outcome,
            record: None,
            cells: Vec::new(),
            refused: Vec::new(),
            candidates: Vec::new(),
            rows: Vec::new(),
            reason: None,
        }
    }
}

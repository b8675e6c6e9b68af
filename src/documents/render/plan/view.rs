//! The view of a plan: all that is rendered of it, for one audience. It is the public JSON form, too (`footbridge plan-view/1`).
//!
//! Values that the audience may not see are not in it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::RecordId;
use crate::plan::ChangeKind;
use crate::runlog::{CellCounts, PlanDigests, RowCounts};

/// Name and version of the view's JSON form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FormatName {
    /// Version 1.
    #[serde(rename = "footbridge plan-view/1")]
    PlanView1,
}

/// Whose eyes the view is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// Keys and values are in the view.
    Shown,
    /// Keys are not; values only of fields with `show_values: true`.
    Hidden,
}

/// A plan as one audience may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge plan view")]
pub struct PlanView {
    /// Name and version of this form.
    pub format: FormatName,
    /// Whether keys and values are in it.
    pub values: Values,
    /// The plan in a few figures.
    pub verdict: Verdict,
    /// What is mapped to what.
    pub subject: Subject,
    /// When the plan was made (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub planned_at: Timestamp,
    /// The Footbridge that made it.
    pub version: String,
    /// The report's own time (UTC), where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub report_modified: Option<Timestamp>,
    /// Every guard.
    pub guards: Vec<GuardView>,
    /// API calls.
    pub calls: CallsView,
    /// Where every report row ended; adds up to `rows`.
    pub rows: RowCounts,
    /// Where every cell of the matched records ended; adds up to `cells`.
    pub cells: CellCounts,
    /// Every mapped field.
    pub fields: Vec<FieldView>,
    /// Changes of one value to one other that occur most: on three records or more, and one planned record in twenty; of fields whose values may be
    /// seen.
    pub common: Vec<CommonChange>,
    /// Rows that cannot be used and cells that cannot be written, by kind.
    pub notable: Vec<NotableGroup>,
    /// Records that would change, in order of report row.
    pub records: Vec<RecordView>,
    /// Records that would change and are not listed.
    pub records_left_out: u64,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Rights that the plan's user could not check.
    pub not_checked: Vec<String>,
    /// Digests of what went in and what came out.
    pub digests: PlanDigests,
}

/// The plan in a few figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// One or two sentences.
    pub text: String,
    /// Something would change.
    pub changes: bool,
    /// A guard that is not waived holds the plan back.
    pub held: bool,
    /// The guards that do.
    pub held_by: Vec<String>,
    /// Guards against the plan that were waived.
    pub waived: Vec<String>,
    /// Records that would change.
    pub records: u64,
    /// Records that matched a row and could be judged.
    pub matched: u64,
    /// Cells that would change.
    pub cells: u64,
    /// Of these, blank to a value.
    pub fills: u64,
    /// Of these, one value to another.
    pub overwrites: u64,
    /// Of these, a value to blank.
    pub clears: u64,
}

/// What is mapped to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The integration.
    pub integration: String,
    /// The report's name.
    pub report: String,
    /// Where the report came from.
    pub source: String,
    /// The object's API name.
    pub object: String,
    /// The object's label.
    pub object_label: String,
    /// The org's name.
    pub org: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// The org's id.
    pub org_id: String,
    /// The report column that is the key.
    pub match_column: String,
    /// The field that it is compared with.
    pub match_field: String,
    /// `where:`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// A guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuardView {
    /// Its name.
    pub name: String,
    /// What was counted.
    pub value: u64,
    /// Out of how many.
    pub base: u64,
    /// The limit as written: `5%` or `100`.
    pub limit: String,
    /// It is against the plan.
    pub held: bool,
    /// It was waived by name.
    pub waived: bool,
    /// All this in words.
    pub text: String,
}

/// API calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallsView {
    /// Made for the plan.
    pub made: u64,
    /// That applying would make, without retries.
    pub to_come: u64,
    /// Used in the org's last 24 hours, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Allowed in 24 hours, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<u64>,
    /// Records of the org that were looked at.
    pub org_rows: u64,
}

/// A mapped field with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldView {
    /// API name.
    pub field: String,
    /// Label.
    pub label: String,
    /// Type, as in Salesforce's describe.
    #[serde(rename = "type")]
    pub field_type: String,
    /// The report column.
    pub column: String,
    /// Its values are in this view.
    pub values_shown: bool,
    /// Blank to a value.
    pub fill: u64,
    /// One value to another.
    pub overwrite: u64,
    /// A value to blank.
    pub clear: u64,
    /// Agree already.
    pub same: u64,
    /// Kept, blank or by policy.
    pub kept: u64,
    /// Cannot be written.
    pub refused: u64,
}

/// A change that occurs often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommonChange {
    /// API name.
    pub field: String,
    /// What the change does.
    #[schemars(with = "String", extend("enum" = ["fill", "overwrite", "clear"]))]
    pub kind: ChangeKind,
    /// The value now; null is blank.
    pub before: Option<String>,
    /// The value to be; null is blank.
    pub after: Option<String>,
    /// On so many records.
    pub count: u64,
}

/// Rows of one kind that cannot be used, or cells that cannot be written for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotableGroup {
    /// A row outcome (`no_record`), or `refused_cells`.
    pub kind: String,
    /// What the group is, in words.
    pub title: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How many there are.
    pub count: u64,
    /// Those that are listed.
    pub rows: Vec<NotableRow>,
    /// How many are not.
    pub left_out: u64,
}

/// A row, or a cell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotableRow {
    /// The report row, from 1.
    pub row: u64,
    /// The line of the file.
    pub line: u64,
    /// The key, where it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The records concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub records: Vec<RecordId>,
    /// Other rows with the same key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<u64>,
    /// The field of a refused cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The report column of a refused cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The report's value, where it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The reason's short word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The reason in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A record that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordView {
    /// Its id.
    #[schemars(with = "String")]
    pub record: RecordId,
    /// Its page in Salesforce, where the org's address is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The report row, from 1.
    pub row: u64,
    /// The line of the file.
    pub line: u64,
    /// The key, where it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The cells that would change.
    pub cells: Vec<CellView>,
    /// Cells of it that cannot be written.
    pub refused: u64,
}

/// A cell that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CellView {
    /// API name.
    pub field: String,
    /// What the change does.
    #[schemars(with = "String", extend("enum" = ["fill", "overwrite", "clear"]))]
    pub kind: ChangeKind,
    /// Values of this field may not be seen here: `before`, `after` and the note's text are left out, whatever they are.
    pub hidden: bool,
    /// The value now; null is blank (or hidden).
    pub before: Option<String>,
    /// The value to be; null is blank (or hidden).
    pub after: Option<String>,
    /// What was done to the report's value, by short word (`rounded`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note_text: Option<String>,
    /// The report's own value, where it differs from `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<String>,
}

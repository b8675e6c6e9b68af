//! The outcomes file beside a run log: JSON Lines, a head, then one line for every planned record and one for every row that could not be used.
//!
//! Record ids, row numbers, field names and codes only. Salesforce's own words are kept as [`super::redacted`] leaves them.

use std::io::BufRead;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::redact::{self, redacted};
use crate::model::{FieldName, ObjectName, OrgId, RecordId};
use crate::plan::{ChangeKind, Entry, JsonLine, RowOutcome};

/// The format's kind: `"kind": "run-records"`.
pub const OUTCOMES_KIND: &str = "run-records";

/// One line of an outcomes file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "One line of a Footbridge outcomes file")]
pub enum OutcomesLine {
    /// The first line.
    Head(OutcomesHead),
    /// A planned record.
    Record(RecordLine),
    /// A report row that could not be used, or cells of a planned row that could not be written.
    Row(RowLine),
}

impl OutcomesLine {
    /// The line as serde would write it. Records of which there is nothing more to say than what was changed are by far the most, and written straight.
    pub(super) fn put(&self, out: &mut JsonLine) -> serde_json::Result<()> {
        match self {
            OutcomesLine::Record(line) if line.is_plain() => line.put(out),
            line => serde_json::to_writer(out.out(), line)?,
        }
        Ok(())
    }
}

/// What the file belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomesHead {
    /// The format's version.
    #[schemars(range(min = 1, max = 1))]
    pub footbridge: u32,
    /// Always `run-records`.
    #[schemars(extend("const" = "run-records"))]
    pub kind: String,
    /// The run's id.
    pub run: String,
    /// The integration's name.
    pub integration: String,
    /// The object's API name.
    #[schemars(with = "String")]
    pub object: ObjectName,
    /// The org's id.
    #[schemars(with = "String")]
    pub org_id: OrgId,
}

/// How a planned record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Written, and Salesforce said so.
    Updated,
    /// Salesforce refused.
    Failed,
    /// Somebody changed a planned field in between: left alone.
    Drifted,
    /// Nothing was sent.
    NotAttempted,
    /// The answer was lost, and the record does not tell.
    Unknown,
}

impl Outcome {
    /// All, in the order in which they are shown.
    pub const ALL: [Outcome; 5] =
        [Outcome::Updated, Outcome::Failed, Outcome::Drifted, Outcome::NotAttempted, Outcome::Unknown];

    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Updated => "updated",
            Outcome::Failed => "failed",
            Outcome::Drifted => "drifted",
            Outcome::NotAttempted => "not_attempted",
            Outcome::Unknown => "unknown",
        }
    }
}

/// Why nothing was sent for a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotAttempted {
    /// A guard held the whole plan back.
    Guard,
    /// The plan no longer fitted what it was made from.
    Stale,
    /// `--limit` was reached.
    Limit,
    /// `--records` does not name it.
    NotSelected,
    /// Ctrl-C or SIGTERM came first.
    Interrupted,
    /// The run was stopped; the log's `problems` say why.
    Stopped,
    /// The run was killed, and somebody gave it up (`apply --resume --give-up`).
    GivenUp,
    /// A reason that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl NotAttempted {
    /// For people.
    pub fn sentence(&self) -> &str {
        match self {
            NotAttempted::Guard => "a guard held the plan back",
            NotAttempted::Stale => "the plan was out of date",
            NotAttempted::Limit => "--limit was reached",
            NotAttempted::NotSelected => "--records does not name it",
            NotAttempted::Interrupted => "the run was interrupted before",
            NotAttempted::Stopped => "the run was stopped before",
            NotAttempted::GivenUp => "the run was given up",
            NotAttempted::Other(word) => word,
        }
    }
}

/// Why it is not known how a record ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The answer was lost, and the record could not be read afterwards.
    NotReadBack,
    /// The answer was lost, and the record held its old values when it was read. Salesforce may still have been at work.
    StillBefore,
    /// The answer was lost, and the record holds neither its old nor the new values.
    Neither,
    /// The answer was lost, and the record is gone.
    Gone,
    /// It was sent with a bulk job whose results were not fetched before the run ended.
    JobLeft,
    /// A reason that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl Doubt {
    /// For people.
    pub fn sentence(&self) -> &str {
        match self {
            Doubt::NotReadBack => "the answer was lost, and the record could not be read afterwards",
            Doubt::StillBefore => {
                "the answer was lost, and the record held its old values when it was read; Salesforce may still have been at work"
            }
            Doubt::Neither => "the answer was lost, and the record holds neither its old nor the new values",
            Doubt::Gone => "the answer was lost, and the record is gone",
            Doubt::JobLeft => "it was sent with a bulk job whose results were not fetched before the run ended",
            Doubt::Other(word) => word,
        }
    }
}

/// A planned change, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedField {
    /// API name.
    #[schemars(with = "String")]
    pub field: FieldName,
    /// What the change does.
    #[schemars(with = "String", extend("enum" = ["fill", "overwrite", "clear"]))]
    pub kind: ChangeKind,
}

/// One error that Salesforce gave for a record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Salesforce's code (`UNABLE_TO_LOCK_ROW`).
    pub code: String,
    /// Salesforce's words with `[…]` for what they echo; absent where they might hold values and this cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The fields that Salesforce named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub fields: Vec<FieldName>,
    /// Salesforce's words as they came: for a person's terminal, never written to a file.
    #[serde(skip)]
    pub words: Option<String>,
}

impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, message, fields, words: _ } = self;
        f.debug_struct("Problem").field("code", code).field("message", message).field("fields", fields).finish()
    }
}

impl Problem {
    /// From Salesforce's answer for the record of `entry`, whose values the written message must not hold.
    pub fn new(code: impl Into<String>, words: &str, fields: Vec<FieldName>, entry: &Entry) -> Self {
        let code = code.into();
        let mut values = vec![entry.key.as_str()];
        for cell in &entry.cells {
            values.extend([cell.before.as_deref(), cell.after.as_deref()].into_iter().flatten());
            values.extend(cell.note.as_ref().and_then(|n| n.from.as_deref()));
        }
        values.extend(entry.refused.iter().map(|r| r.value.as_str()));
        let message = redacted(&code, words, &values);
        let fields = fields.into_iter().filter(|field| redact::name(field.as_str()).is_some()).collect();
        Self { code: redact::plain_code(&code), message, fields, words: Some(words.to_owned()) }
    }
}

/// How one planned record ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordLine {
    /// The record.
    #[schemars(with = "String")]
    pub record: RecordId,
    /// The report row, from 1.
    pub row: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The planned changes.
    #[serde(default)]
    pub changes: Vec<ChangedField>,
    /// What Salesforce said (`failed`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// The fields that were changed in between (`drifted`), or that hold neither the old nor the new value (`unknown`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub fields: Vec<FieldName>,
    /// Every planned field was found to hold the planned value already (`drifted`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub already_there: bool,
    /// Why nothing was sent (`not_attempted`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<NotAttempted>,
    /// Why the end is not known (`unknown`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// It was sent again after an answer was lost, as it held its old values when it was read in between. Salesforce may have carried out the first sending, too: written it twice,
    /// or written it though the second was refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resent: bool,
}

impl RecordLine {
    fn is_plain(&self) -> bool {
        let Self { record: _, row: _, outcome: _, changes: _, problems, fields, already_there, reason, doubt, resent } =
            self;
        let said = *already_there || *resent || reason.is_some() || doubt.is_some();
        problems.is_empty() && fields.is_empty() && !said
    }

    /// The line of a plain one.
    fn put(&self, out: &mut JsonLine) {
        out.raw("{\"record\":{\"record\":").text(self.record.as_str()).raw(",\"row\":").number(self.row);
        out.raw(",\"outcome\":").text(self.outcome.as_str()).raw(",\"changes\":[");
        for (place, change) in self.changes.iter().enumerate() {
            out.raw(if place == 0 { "{\"field\":" } else { ",{\"field\":" }).text(change.field.as_str());
            out.raw(",\"kind\":").text(change.kind.as_str()).raw("}");
        }
        out.raw("]}}");
    }

    fn new(entry: &Entry, outcome: Outcome) -> Option<Self> {
        Some(Self {
            record: entry.record?,
            row: entry.row,
            outcome,
            changes: entry.cells.iter().map(|c| ChangedField { field: c.field.clone(), kind: c.kind }).collect(),
            problems: Vec::new(),
            fields: Vec::new(),
            already_there: false,
            reason: None,
            doubt: None,
            resent: false,
        })
    }

    /// Of a planned entry whose record was written. `None` if the entry has no record; so in all of these.
    pub fn updated(entry: &Entry) -> Option<Self> {
        Self::new(entry, Outcome::Updated)
    }

    /// Of one that Salesforce refused.
    pub fn failed(entry: &Entry, problems: Vec<Problem>) -> Option<Self> {
        Self::new(entry, Outcome::Failed).map(|line| Self { problems, ..line })
    }

    /// Of one in which these fields were changed in between.
    pub fn drifted(entry: &Entry, fields: Vec<FieldName>, already_there: bool) -> Option<Self> {
        Self::new(entry, Outcome::Drifted).map(|line| Self { fields, already_there, ..line })
    }

    /// Of one for which nothing was sent.
    pub fn not_attempted(entry: &Entry, reason: NotAttempted) -> Option<Self> {
        Self::new(entry, Outcome::NotAttempted).map(|line| Self { reason: Some(reason), ..line })
    }

    /// Of one whose answer was lost, with the fields that hold neither the old nor the new value.
    pub fn unknown(entry: &Entry, doubt: Doubt, fields: Vec<FieldName>) -> Option<Self> {
        Self::new(entry, Outcome::Unknown).map(|line| Self { doubt: Some(doubt), fields, ..line })
    }
}

/// A cell that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedField {
    /// API name.
    #[schemars(with = "String")]
    pub field: FieldName,
    /// The reason's short word (`too_long`).
    pub code: String,
}

/// A row that could not be used, or not wholly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowLine {
    /// The report row, from 1.
    pub row: u64,
    /// The line of the file.
    pub line: u64,
    /// Where the row ended.
    #[schemars(with = "String", extend("enum" = ["planned", "unchanged", "no_record", "several_records", "duplicate_key", "blank_key", "bad_key", "converted", "out_of_scope", "refused"]))]
    pub outcome: RowOutcome,
    /// The records concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub records: Vec<RecordId>,
    /// The other rows with the same key, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<u64>,
    /// The cells that could not be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedField>,
}

impl RowLine {
    /// Of an entry that is not planned, or has refused cells; `None` of any other.
    pub fn new(entry: &Entry) -> Option<Self> {
        if entry.outcome == RowOutcome::Planned && entry.refused.is_empty() {
            return None;
        }
        let records =
            if entry.candidates.is_empty() { entry.record.into_iter().collect() } else { entry.candidates.clone() };
        Some(Self {
            row: entry.row,
            line: entry.line,
            outcome: entry.outcome,
            records,
            rows: entry.rows.clone(),
            refused: entry
                .refused
                .iter()
                .map(|r| RefusedField { field: r.field.clone(), code: r.code.clone() })
                .collect(),
        })
    }
}

/// Why an outcomes file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OutcomesProblem {
    /// Reading failed.
    #[error("the outcomes file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The first line is no head of this version.
    #[error("this is no outcomes file that this version of Footbridge reads")]
    Head,
    /// A line that cannot be decoded.
    #[error("line {line} of the outcomes file cannot be read: {source}")]
    Line {
        /// From 1.
        line: u64,
        /// What serde said.
        source: serde_json::Error,
    },
}

/// Reads an outcomes file as a stream.
pub struct OutcomesReader<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> OutcomesReader<R> {
    /// Reads the head.
    pub fn start(input: R) -> Result<(OutcomesHead, Self), OutcomesProblem> {
        let mut reader = Self { input, line: 0, buffer: Vec::new() };
        match reader.next().transpose() {
            Ok(Some(OutcomesLine::Head(head))) if head.kind == OUTCOMES_KIND && head.footbridge == super::VERSION => {
                Ok((head, reader))
            }
            Err(OutcomesProblem::Io(problem)) => Err(OutcomesProblem::Io(problem)),
            _ => Err(OutcomesProblem::Head),
        }
    }
}

impl<R: BufRead> Iterator for OutcomesReader<R> {
    type Item = Result<OutcomesLine, OutcomesProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        self.buffer.clear();
        match self.input.read_until(b'\n', &mut self.buffer) {
            Ok(0) => None,
            Ok(_) => {
                self.line += 1;
                let line = self.line;
                Some(serde_json::from_slice(&self.buffer).map_err(|source| OutcomesProblem::Line { line, source }))
            }
            Err(problem) => Some(Err(problem.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::{outcome_lines, sample};

    #[test]
    fn a_line_is_what_serde_makes_of_it() {
        let plan = sample::plan();
        let (_, records) = sample::run();
        let mut lines: Vec<OutcomesLine> =
            outcome_lines(&plan, |place, _| records.get(place).cloned()).collect::<Result<_, _>>().unwrap();
        let mut tricky = records[0].clone();
        tricky.changes[0].field = FieldName::new("A\"\\\n\u{1}é__c");
        lines.push(OutcomesLine::Record(tricky));
        lines.push(OutcomesLine::Record(RecordLine { resent: true, ..records[0].clone() }));
        lines.push(OutcomesLine::Record(RecordLine { changes: Vec::new(), row: u64::MAX, ..records[0].clone() }));
        assert!(lines.iter().any(|line| matches!(line, OutcomesLine::Record(line) if !line.is_plain())));
        for line in lines {
            let mut written = JsonLine::default();
            line.put(&mut written).unwrap();
            assert_eq!(written.bytes(), serde_json::to_vec(&line).unwrap());
        }
    }
}

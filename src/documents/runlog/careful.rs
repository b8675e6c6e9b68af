//! What a run log says beside the ledgers: where the run's values are kept, which run it takes back, what a canary and a second look showed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::Keep;
use crate::model::FieldName;

/// Where the values of a run are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValuesNote {
    /// `local`: on the machine that applied. `committed`: beside the log, encrypted. `none`: nowhere, so that `undo` has nothing to work from.
    pub keep: Keep,
    /// The file's name; a committed one lies beside the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whose keys open it: age public keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Are the values that were written in it, too?
    #[serde(default)]
    pub after: bool,
}

impl ValuesNote {
    /// None are kept.
    pub fn none() -> Self {
        Self { keep: Keep::None, file: None, recipients: Vec::new(), after: false }
    }
}

/// What was found in a field that should hold something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Its old value: something put it back, or did not let it be written.
    PutBack,
    /// Nothing.
    Emptied,
    /// A third value.
    Changed,
    /// It was not to be written, and has changed all the same.
    AlsoChanged,
    /// It would change again (`verify`).
    WouldChange,
    /// It would change now, in a record of which nothing was planned (`verify`).
    ChangedMeanwhile,
}

impl Difference {
    /// In words, of a field.
    pub fn words(self) -> &'static str {
        match self {
            Difference::PutBack => "holds its old value again",
            Difference::Emptied => "is empty",
            Difference::Changed => "holds another value than was written",
            Difference::AlsoChanged => "was not written and has changed",
            Difference::WouldChange => "would change again",
            Difference::ChangedMeanwhile => "was changed meanwhile",
        }
    }
}

/// A field that came back otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FieldDifference {
    /// The field.
    #[schemars(with = "String")]
    pub field: FieldName,
    /// What was found.
    pub difference: Difference,
    /// In how many records.
    pub records: u64,
}

/// What records that were read again showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecondLook {
    /// Records that were looked at.
    pub records: u64,
    /// Of these, records that are not as they were written.
    pub differ: u64,
    /// Records beside these that would change now, and of which nothing was planned (`verify`): changed meanwhile, here or in the report.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub meanwhile: u64,
    /// The fields that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDifference>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl SecondLook {
    /// Is everything as it was written, and nothing else to be changed?
    pub fn is_calm(&self) -> bool {
        self.differ == 0 && self.meanwhile == 0
    }

    /// The fields and what was found, in one line, without values.
    pub fn words(&self) -> String {
        let field = |f: &FieldDifference| format!("{} {} ({})", f.field, f.difference.words(), f.records);
        self.fields.iter().map(field).collect::<Vec<_>>().join(", ")
    }
}

/// The part of a log's facts that is not about every run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Careful {
    /// The run that this one takes back.
    pub undo_of: Option<String>,
    /// Where its values are; none where nothing was to be sent.
    pub values: Option<ValuesNote>,
    /// `--canary`.
    pub canary: Option<SecondLook>,
    /// `--verify`.
    pub verify: Option<SecondLook>,
    /// Records that were sent again after an answer was lost.
    pub resent: u64,
}

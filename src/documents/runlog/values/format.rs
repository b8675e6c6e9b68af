//! The lines of the file, `footbridge values/1`: a head, one line a planned record, a trailer with count and digest.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Digest, EnvironmentName, FieldName, FieldType, ObjectName, OrgId, RecordId};
use crate::plan::{CellChange, Entry, JsonLine};

/// The name and version of the format.
pub const FORMAT: &str = "footbridge values/1";

/// Where the values of runs are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// On this machine, below `.footbridge/values`.
    #[default]
    Local,
    /// Beside the run log, encrypted, to be committed with it.
    Committed,
    /// Nowhere: no run can be undone.
    None,
}

impl Keep {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Keep::Local => "local",
            Keep::Committed => "committed",
            Keep::None => "none",
        }
    }
}

/// The first line: which run the values are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: String,
    /// The run's id, as its log has it.
    pub run: String,
    /// The integration's name.
    pub integration: String,
    /// The object.
    pub object: ObjectName,
    /// The org's name in the configuration.
    pub org: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The org's id.
    pub org_id: OrgId,
    /// The commit of the configuration, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The types that the fields had: canonical text means something by its type only.
    pub fields: BTreeMap<FieldName, FieldType>,
    /// The plan's digest of changes, which the run log has as well.
    pub changes: Digest,
    /// What the digests in `written` begin with: drawn anew for every run.
    pub salt: String,
}

/// One planned record. Values are canonical text by the field's type; null is blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordValues {
    /// The report row.
    pub row: u64,
    /// The record.
    pub id: RecordId,
    /// What stood in the planned fields.
    pub before: BTreeMap<FieldName, Option<String>>,
    /// What the run was to write. Absent where after-values are not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<BTreeMap<FieldName, Option<String>>>,
    /// Instead of `after`: salted digests of it, which tell whether a field still holds what the run wrote, and no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<BTreeMap<FieldName, String>>,
}

/// One planned record as it is written, from the entry itself: there may be millions.
pub(super) struct Written<'e> {
    pub(super) id: RecordId,
    pub(super) entry: &'e Entry,
    pub(super) after: bool,
    pub(super) salt: &'e str,
}

impl Written<'_> {
    /// What serde makes of its [`RecordValues`].
    pub(super) fn put(&self, line: &mut JsonLine) {
        line.raw("{\"row\":").number(self.entry.row).raw(",\"id\":").text(self.id.as_str());
        self.put_cells(line, ",\"before\":{", |line, cell| line.value(cell.before.as_deref()));
        if self.after {
            self.put_cells(line, ",\"after\":{", |line, cell| line.value(cell.after.as_deref()));
        } else {
            let written = |cell: &CellChange| digest(self.salt, &cell.field, cell.after.as_deref());
            self.put_cells(line, ",\"written\":{", |line, cell| line.text(&written(cell)));
        }
        line.raw("}");
    }

    fn put_cells(
        &self,
        line: &mut JsonLine,
        start: &str,
        put: impl for<'m> Fn(&'m mut JsonLine, &CellChange) -> &'m mut JsonLine,
    ) {
        line.raw(start);
        for (place, cell) in self.entry.cells.iter().enumerate() {
            line.raw(if place == 0 { "" } else { "," }).text(cell.field.as_str()).raw(":");
            put(line, cell);
        }
        line.raw("}");
    }
}

impl RecordValues {
    /// Of a planned entry; `None` for one without a record. Without `after` the values to be written leave digests behind, under this salt.
    pub fn of(entry: &Entry, after: bool, salt: &str) -> Option<Self> {
        let cells = || entry.cells.iter();
        Some(Self {
            row: entry.row,
            id: entry.record?,
            before: cells().map(|c| (c.field.clone(), c.before.clone())).collect(),
            after: after.then(|| cells().map(|c| (c.field.clone(), c.after.clone())).collect()),
            written: (!after)
                .then(|| cells().map(|c| (c.field.clone(), digest(salt, &c.field, c.after.as_deref()))).collect()),
        })
    }

    /// Is this what the run was to write into the field? `None` where the file does not tell. `value` is canonical text; `None` is blank.
    pub fn wrote(&self, salt: &str, field: &FieldName, value: Option<&str>) -> Option<bool> {
        match (&self.after, &self.written) {
            (Some(after), _) => Some(after.get(field)?.as_deref() == value),
            (None, Some(written)) => Some(*written.get(field)? == digest(salt, field, value)),
            (None, None) => None,
        }
    }

    /// The salted digest of what the run was to write into the field: the one that was kept, or that of the value. `None` where the file does not tell.
    pub fn digest_of(&self, salt: &str, field: &FieldName) -> Option<String> {
        match (&self.after, &self.written) {
            (Some(after), _) => Some(digest(salt, field, after.get(field)?.as_deref())),
            (None, written) => written.as_ref()?.get(field).cloned(),
        }
    }
}

fn digest(salt: &str, field: &FieldName, value: Option<&str>) -> String {
    let field = field.as_str().to_ascii_lowercase();
    let text = match value {
        None => format!("{salt}\n{field}\n"),
        Some(value) => format!("{salt}\n{field}\n={value}"),
    };
    Digest::of(text.as_bytes()).short().to_owned()
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    /// Lines between head and trailer.
    pub(super) records: u64,
    /// Of every byte before this line.
    pub(super) digest: Digest,
}

/// A line behind the head.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    Record(RecordValues),
    Trailer(Trailer),
}

//! Records of a run that died, read again: does each hold what it held before, what it was to hold, or something else? Nothing is sent.

use std::collections::BTreeMap;

use super::org::{Fault, Org};
use super::standing::{canonical, settled};
use crate::model::{FieldName, FieldType, ObjectName, RecordId};

/// Tells whether a value (canonical text; nothing is blank) is what the run was to write into a field; `None` where that is not known.
pub type Wrote<'v> = dyn Fn(&FieldName, Option<&str>) -> Option<bool> + Sync + 'v;

/// What was planned for a record, as canonical text by the field's type; nothing is blank.
pub struct Sought<'v> {
    /// The record.
    pub id: RecordId,
    /// What stood there.
    pub before: &'v BTreeMap<FieldName, Option<String>>,
    /// What was to stand there.
    pub wrote: Box<Wrote<'v>>,
}

/// How a record was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It holds what stood there before.
    Before,
    /// It holds what it was to hold.
    After,
    /// These fields hold neither; or, where it is not known what they were to hold, no longer what stood there.
    Other(Vec<FieldName>),
    /// It is gone.
    Gone,
}

/// Looks at records, at most 2,000, in their order.
///
/// # Errors
/// They cannot be read.
pub async fn look<O: Org>(
    org: &O,
    object: &ObjectName,
    types: &BTreeMap<FieldName, FieldType>,
    records: &[Sought<'_>],
) -> Result<Vec<Found>, Fault> {
    let fields: Vec<FieldName> = types.keys().cloned().collect();
    let ids: Vec<RecordId> = records.iter().map(|r| r.id).collect();
    let rows = org.read(object, &ids, &fields).await?;
    let mut buffer = Vec::new();
    let found = records.iter().map(|record| {
        let Some(row) = rows.get(&record.id) else { return Found::Gone };
        let (mut before, mut after, mut other) = (true, true, Vec::new());
        for (name, was) in record.before {
            let slot = fields.iter().position(|f| f == name);
            let Some((slot, field_type)) = slot.and_then(|slot| Some((slot, types.get(name)?))) else {
                (before, after) = (false, false);
                other.push(name.clone());
                continue;
            };
            let raw = row.get(slot).unwrap_or_default();
            let is = canonical(field_type, raw, &mut buffer);
            let old = settled(field_type, was.as_deref().map(str::as_bytes)) == is;
            let text = std::str::from_utf8(is).ok();
            // What settles as blank may have been written as nothing.
            let blank = is == settled(field_type, None) && (record.wrote)(name, None) == Some(true);
            let new = blank || text.is_some_and(|text| (record.wrote)(name, Some(text)) == Some(true));
            before &= old;
            after &= new;
            if !old && !new {
                other.push(name.clone());
            }
        }
        match (after, before) {
            (true, _) => Found::After,
            (_, true) => Found::Before,
            // Some fields hold the old value and some the new one: one update writes all of them, so somebody else was here.
            _ if other.is_empty() => Found::Other(record.before.keys().cloned().collect()),
            _ => Found::Other(other),
        }
    });
    Ok(found.collect())
}

//! What a field holds, and whether it is what a run wrote: for whoever takes it back, and for whoever looks whether it is still there.

use crate::model::{FieldName, FieldType};
use crate::runlog::values::RecordValues;
use crate::values::canon_org;

/// A stored value in its canonical form; `None` is blank. One that its own type does not allow stays as it is.
pub fn canonical(field_type: &FieldType, raw: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    if !raw.is_empty() && canon_org(field_type, raw, &mut out).is_err() {
        out = raw.to_vec();
    }
    let text = String::from_utf8_lossy(&out);
    settled(field_type, Some(text.as_ref()).filter(|t| !t.is_empty())).map(str::to_owned)
}

/// Does the field hold what the run wrote? `None` where its values do not tell. `now` is canonical; `salt` that of the values' head.
pub fn holds(
    values: &RecordValues,
    salt: &str,
    field: &FieldName,
    field_type: &FieldType,
    now: Option<&str>,
) -> Option<bool> {
    let is = |value: Option<&str>| values.wrote(salt, field, value);
    let now = settled(field_type, now);
    // A checkbox that was cleared was planned as blank, or as false.
    let cleared = *field_type == FieldType::Boolean && now == Some("false");
    Some(is(now)? || (cleared && is(None)?))
}

/// A checkbox has no blank: its blank is false.
pub(super) fn settled<'v>(field_type: &FieldType, value: Option<&'v str>) -> Option<&'v str> {
    match value {
        None if *field_type == FieldType::Boolean => Some("false"),
        other => other,
    }
}

//! Stands in for the real rules until they are merged: only what `apply` needs to be compiled and tested.

use crate::model::FieldType;

/// A value that its type does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal;

/// The canonical form of an org's value.
pub fn canon_org(_: &FieldType, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.extend_from_slice(cell.trim_ascii());
    Ok(())
}

/// A canonical value as JSON.
pub fn write_json(field_type: &FieldType, canonical: &[u8], out: &mut Vec<u8>) {
    if field_type.is_number() || *field_type == FieldType::Boolean {
        out.extend_from_slice(canonical);
    } else if let Ok(text) = serde_json::to_vec(&String::from_utf8_lossy(canonical)) {
        out.extend_from_slice(&text);
    }
}

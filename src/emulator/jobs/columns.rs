//! The header of an upload: which columns mean which fields.

use std::borrow::Cow;

use super::super::people::User;
use super::super::schema::{FieldDef, Kind, ObjectDef};
use super::super::seed::form::Access;

/// The longest header, in characters.
const LONGEST_HEADER: usize = 32_000;

/// Columns of an upload.
#[derive(Debug)]
pub struct Header<'m> {
    /// How many there are.
    pub count: usize,
    /// Which one is the id.
    pub id: Option<usize>,
    /// Column and field, in the order of the object's fields.
    pub fields: Vec<(usize, &'m FieldDef)>,
}

/// Reads the header.
///
/// # Errors
/// The job's `errorMessage`. A field that field-level security hides is as unknown as one that does not exist.
pub fn read<'m>(object: &'m ObjectDef, user: &User, raw: &str, names: &[Cow<'_, str>]) -> Result<Header<'m>, String> {
    if raw.chars().count() > LONGEST_HEADER {
        return Err(format!("InvalidBatch : The header is longer than {LONGEST_HEADER} characters"));
    }
    let mut header = Header { count: names.len(), id: None, fields: Vec::with_capacity(names.len()) };
    let mut seen: Vec<&str> = Vec::with_capacity(names.len());
    for (column, name) in names.iter().enumerate() {
        let visible = |f: &&FieldDef| f.kind == Kind::Id || user.field(&object.name, &f.name) != Access::None;
        let field = object.field(name).filter(visible);
        let field = field.ok_or_else(|| format!("InvalidBatch : Field name not found : {name}"))?;
        if seen.contains(&field.name.as_str()) {
            return Err(format!("InvalidBatch : Duplicate field name : {name}"));
        }
        seen.push(&field.name);
        if field.kind == Kind::Id {
            header.id = Some(column);
        } else {
            header.fields.push((column, field));
        }
    }
    header.fields.sort_by_key(|(_, field)| object.fields.iter().position(|f| std::ptr::eq(f, *field)));
    Ok(header)
}

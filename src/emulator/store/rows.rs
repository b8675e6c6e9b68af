//! Rows of records: put in, changed, read back.

use rusqlite::types::{Value as Sql, ValueRef};
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use serde_json::{Map, Value};

use super::super::schema::{FieldDef, Kind, ObjectDef};
use super::tables::{quoted, table};
use super::values;

/// Is there such a record?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// No.
    Absent,
    /// Yes.
    There,
    /// It was, and lies in the recycle bin.
    Deleted,
}

/// Looks for a record by its 18-character id.
pub fn presence(db: &Connection, object: &str, id: &str) -> rusqlite::Result<Presence> {
    let sql = format!("SELECT \"__deleted\" FROM {} WHERE \"Id\" = ?1", table(object));
    let deleted: Option<i64> = db.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?;
    Ok(match deleted {
        None => Presence::Absent,
        Some(0) => Presence::There,
        Some(_) => Presence::Deleted,
    })
}

/// Writes rows: each a list of (column, value) with `Id` among them. Columns that a row leaves out are null or false.
pub fn insert(db: &Connection, object: &str, rows: &[Vec<(&str, Sql)>]) -> rusqlite::Result<()> {
    let mut start = 0;
    while start < rows.len() {
        let same = |row: &Vec<(&str, Sql)>| {
            row.len() == rows[start].len() && row.iter().zip(&rows[start]).all(|(a, b)| a.0 == b.0)
        };
        let end = start + rows[start..].iter().take_while(|row| same(row)).count();
        let columns: Vec<String> = rows[start].iter().map(|(name, _)| quoted(name)).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", table(object), columns.join(", "));
        let mut statement = db.prepare_cached(&sql)?;
        for row in &rows[start..end] {
            statement.execute(params_from_iter(row.iter().map(|(_, value)| value)))?;
        }
        start = end;
    }
    Ok(())
}

/// Takes all rows out.
pub fn clear(db: &Connection, object: &str) -> rusqlite::Result<usize> {
    db.prepare_cached(&format!("DELETE FROM {}", table(object)))?.execute([])
}

/// Changes columns of one row.
pub fn update(db: &Connection, object: &str, id: &str, changes: &[(String, Sql)]) -> rusqlite::Result<usize> {
    let sets: Vec<String> = changes.iter().map(|(name, _)| format!("{} = ?", quoted(name))).collect();
    let sql = format!("UPDATE {} SET {} WHERE \"Id\" = ?", table(object), sets.join(", "));
    let id = Sql::Text(id.to_owned());
    let values = changes.iter().map(|(_, value)| value).chain(std::iter::once(&id));
    db.prepare_cached(&sql)?.execute(params_from_iter(values))
}

/// Puts a record into the recycle bin.
pub fn delete(db: &Connection, object: &ObjectDef, id: &str) -> rusqlite::Result<bool> {
    let flag = if object.field("IsDeleted").is_some() { ", \"IsDeleted\" = 1" } else { "" };
    let sql =
        format!("UPDATE {} SET \"__deleted\" = 1{flag} WHERE \"Id\" = ?1 AND \"__deleted\" = 0", table(&object.name));
    Ok(db.execute(&sql, params![id])? > 0)
}

/// One column of one record as stored.
pub fn cell(db: &Connection, object: &str, id: &str, field: &str) -> rusqlite::Result<Sql> {
    let sql = format!("SELECT {} FROM {} WHERE \"Id\" = ?1", quoted(field), table(object));
    Ok(db.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?.unwrap_or(Sql::Null))
}

/// Records that are there.
pub fn count(db: &Connection, object: &str) -> rusqlite::Result<u64> {
    let sql = format!("SELECT count(*) FROM {} WHERE \"__deleted\" = 0", table(object));
    db.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(|n| n.max(0) as u64)
}

/// The 18-character id of another record with this value in a unique field.
pub fn duplicate(
    db: &Connection,
    object: &str,
    field: &FieldDef,
    value: &Sql,
    id: &str,
) -> rusqlite::Result<Option<String>> {
    let text = matches!(value, Sql::Text(_));
    let collation = if text && !field.case_sensitive { " COLLATE SF" } else { "" };
    let sql = format!(
        "SELECT \"Id\" FROM {} WHERE {} = ?1{collation} AND \"Id\" <> ?2 AND \"__deleted\" = 0 LIMIT 1",
        table(object),
        quoted(&field.name)
    );
    db.prepare_cached(&sql)?.query_row(params![value, id], |row| row.get(0)).optional()
}

/// What a field is read by: its column, or, for a compound address, the parts as JSON (recorded: `record_account.json`).
fn read_by(object: &ObjectDef, field: &FieldDef) -> String {
    if field.kind != Kind::Address {
        return quoted(&field.name);
    }
    let prefix = field.name.strip_suffix("Address").unwrap_or_default();
    let parts = ["City", "Country", "GeocodeAccuracy", "Latitude", "Longitude", "PostalCode", "State", "Street"];
    let (mut pairs, mut given) = (Vec::new(), Vec::new());
    for part in parts {
        let column = object.field(&format!("{prefix}{part}")).map_or_else(|| "NULL".to_owned(), |f| quoted(&f.name));
        let key = format!("{}{}", part[..1].to_ascii_lowercase(), &part[1..]);
        pairs.push(format!("'{key}', {column}"));
        given.push(column);
    }
    format!("CASE WHEN coalesce({}) IS NULL THEN NULL ELSE json_object({}) END", given.join(", "), pairs.join(", "))
}

/// A record as REST replies print it: `attributes`, then the fields in the order given. `None` when it is not there.
pub fn json(
    db: &Connection,
    object: &ObjectDef,
    fields: &[&FieldDef],
    id: &str,
    version: &str,
) -> rusqlite::Result<Option<String>> {
    let columns: Vec<String> = fields.iter().map(|f| read_by(object, f)).collect();
    let sql = format!(
        "SELECT \"Id\", {} FROM {} WHERE \"Id\" = ?1 AND \"__deleted\" = 0",
        columns.join(", "),
        table(&object.name)
    );
    db.prepare_cached(&sql)?
        .query_row([id], |row| {
            let mut out = String::with_capacity(64 * fields.len());
            out.push_str("{\"attributes\":{\"type\":\"");
            out.push_str(&object.name);
            out.push_str(&format!("\",\"url\":\"/services/data/v{version}/sobjects/{}/{id}\"}}", object.name));
            for (index, field) in fields.iter().enumerate() {
                out.push_str(",\"");
                out.push_str(&field.name);
                out.push_str("\":");
                values::print(field, row.get_ref(index + 1)?, &mut out);
            }
            out.push('}');
            Ok(out)
        })
        .optional()
}

/// Records with all their fields as replies print them, in id order; of one id, or all that are there.
pub fn maps(db: &Connection, object: &ObjectDef, id: Option<&str>) -> rusqlite::Result<Vec<Map<String, Value>>> {
    let columns: Vec<String> = object.fields.iter().map(|f| read_by(object, f)).collect();
    let condition = if id.is_some() { "\"Id\" = ?1" } else { "?1 IS NULL AND \"__deleted\" = 0" };
    let sql = format!("SELECT {} FROM {} WHERE {condition} ORDER BY \"Id\"", columns.join(", "), table(&object.name));
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![id])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut record = Map::new();
        for (index, field) in object.fields.iter().enumerate() {
            let value: ValueRef<'_> = row.get_ref(index)?;
            let mut text = String::new();
            values::print(field, value, &mut text);
            record.insert(field.name.clone(), serde_json::from_str(&text).unwrap_or(Value::Null));
        }
        all.push(record);
    }
    Ok(all)
}

/// `Name` of a person's record, put together from its parts; `None` when the object has none such.
pub fn person_name(object: &ObjectDef, first: Option<&str>, last: Option<&str>) -> Option<String> {
    let name = object.field("Name").filter(|f| f.kind == Kind::String && !f.updateable)?;
    object.fields.iter().find(|f| f.compound.as_deref() == Some(&name.name))?;
    let joined = [first, last].into_iter().flatten().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" ");
    (!joined.is_empty()).then_some(joined)
}

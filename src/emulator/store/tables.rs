//! One SQLite table an object, named `o_<Object>`: a column a field, `__deleted` beside them, indexes on what Salesforce indexes.
//!
//! Indexes on text use the collation `SF`, which the SOQL executor registers and compares with.

use std::collections::HashSet;

use rusqlite::Connection;

use super::super::schema::{FieldDef, Kind, ObjectDef};

/// A name as SQL quotes it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The object's table, quoted.
pub fn table(object: &str) -> String {
    quoted(&format!("o_{object}"))
}

fn column(field: &FieldDef) -> String {
    let typed = match field.kind {
        Kind::Id => "TEXT PRIMARY KEY NOT NULL",
        Kind::Boolean => "INTEGER NOT NULL DEFAULT 0",
        Kind::Int => "INTEGER",
        Kind::Double | Kind::Currency | Kind::Percent => "REAL",
        _ => "TEXT",
    };
    format!("{} {typed}", quoted(&field.name))
}

fn is_indexed(field: &FieldDef) -> bool {
    field.kind != Kind::Id && (field.id_lookup || field.external_id || field.unique || field.name == "Email")
}

fn is_text(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Boolean
            | Kind::Int
            | Kind::Double
            | Kind::Currency
            | Kind::Percent
            | Kind::Date
            | Kind::Datetime
            | Kind::Time
    )
}

/// Drops what [`create`] makes again, so that many records get in faster.
pub fn drop_indexes(db: &Connection, object: &ObjectDef) -> rusqlite::Result<()> {
    for field in object.fields.iter().filter(|f| is_indexed(f)) {
        db.execute_batch(&format!("DROP INDEX IF EXISTS {}", index(object, field)))?;
    }
    Ok(())
}

fn index(object: &ObjectDef, field: &FieldDef) -> String {
    quoted(&format!("i_{}_{}", object.name, field.name))
}

/// Makes the object's table, or adds the columns that it lacks.
pub fn create(db: &Connection, object: &ObjectDef) -> rusqlite::Result<()> {
    let columns: Vec<String> = object.fields.iter().map(column).collect();
    let table = table(&object.name);
    db.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {table} ({}, \"__deleted\" INTEGER NOT NULL DEFAULT 0)",
        columns.join(", ")
    ))?;
    let mut known = HashSet::new();
    let mut statement = db.prepare(&format!("PRAGMA table_info({table})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        known.insert(row.get::<_, String>(1)?);
    }
    for field in object.fields.iter().filter(|f| !known.contains(&f.name)) {
        db.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {}", column(field)))?;
    }
    for field in object.fields.iter().filter(|f| is_indexed(f)) {
        let name = index(object, field);
        let collation = if is_text(field.kind) { " COLLATE SF" } else { "" };
        let column = quoted(&field.name);
        db.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ({column}{collation})"))?;
    }
    Ok(())
}

//! SOQL: parser and executor over the org's SQLite tables. (Signatures only; the folder comes from its own branch.)

use rusqlite::Connection;
use serde_json::value::RawValue;

use super::schema::Catalog;

/// Registers collation and functions.
pub fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation("SF", |a, b| a.to_lowercase().cmp(&b.to_lowercase()))
}

/// What a query may see, and when.
pub struct View<'a> {
    /// Objects and fields.
    pub catalog: &'a Catalog,
    /// May this user see the object (field `""`) or the field?
    pub readable: &'a dyn Fn(&str, &str) -> bool,
    /// The org's time.
    pub now: jiff::Timestamp,
    /// The user's time zone.
    pub time_zone: jiff::tz::TimeZone,
}

/// What was found.
pub struct Answer {
    /// Records in all.
    pub total: usize,
    /// Each record as prepared JSON text.
    pub records: Vec<Box<RawValue>>,
}

/// Why there is no answer; status 400.
pub struct Failure {
    /// Salesforce's code.
    pub code: &'static str,
    /// Its message.
    pub message: String,
}

/// Runs a query.
pub fn run(text: &str, view: &View<'_>, connection: &Connection, version: &str) -> Result<Answer, Failure> {
    stand_in(text, view, connection, version)
        .ok_or_else(|| Failure { code: "MALFORMED_QUERY", message: format!("the stand-in does not know: {text}") })
}

/// `SELECT a, b FROM Object` and `SELECT COUNT() FROM Object`, for this branch's own tests.
fn stand_in(text: &str, view: &View<'_>, db: &Connection, version: &str) -> Option<Answer> {
    let (fields, object) = text.strip_prefix("SELECT ")?.split_once(" FROM ")?;
    let object = view.catalog.object(object.trim())?;
    let table = format!("\"o_{}\"", object.name);
    if fields == "COUNT()" {
        let sql = format!("SELECT count(*) FROM {table} WHERE \"__deleted\" = 0");
        let total: i64 = db.query_row(&sql, [], |row| row.get(0)).ok()?;
        return Some(Answer { total: total as usize, records: Vec::new() });
    }
    let fields: Vec<_> = fields.split(',').map(|f| object.field(f.trim())).collect::<Option<_>>()?;
    if fields.iter().any(|f| !(view.readable)(&object.name, &f.name)) {
        return None;
    }
    let sql = format!("SELECT \"Id\" FROM {table} WHERE \"__deleted\" = 0 ORDER BY \"Id\"");
    let ids: Vec<String> = db.prepare(&sql).ok()?.query_map([], |row| row.get(0)).ok()?.flatten().collect();
    let json = |id: &String| super::store::rows::json(db, object, &fields, id, version).ok()?;
    let records: Vec<_> = ids.iter().filter_map(|id| RawValue::from_string(json(id)?).ok()).collect();
    Some(Answer { total: records.len(), records })
}

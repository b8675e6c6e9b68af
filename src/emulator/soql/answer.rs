//! Runs a compiled query and writes its rows as JSON text, cell by cell, without a tree in between.

use std::fmt::Write;

use jiff::{Timestamp, tz::TimeZone};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde_json::value::RawValue;

use super::compile::{Plan, Rows, compile};
use super::failure::{Failure, UNKNOWN};
use super::select::{Cell, Node};
use crate::schema::Catalog;

/// Who asks, and when.
pub struct View<'a> {
    /// Every object of the org.
    pub catalog: &'a Catalog,
    /// May this user see the field of the object (object, field; field "" asks for the object itself)? Canonical names.
    /// `Id` is always seen.
    pub readable: &'a dyn Fn(&str, &str) -> bool,
    /// Ids (18 characters) of the object's records that sharing hides from this user.
    pub hidden: &'a dyn Fn(&str) -> Vec<String>,
    /// For `TODAY` and its like.
    pub now: Timestamp,
    /// The user's: where days begin.
    pub time_zone: TimeZone,
}

/// What a query finds.
#[derive(Debug)]
pub struct Answer {
    /// Rows that match, `totalSize`; with LIMIT the limited count.
    pub total: usize,
    /// Canonical name of the object, `AggregateResult`, or empty for `COUNT()`.
    pub object: String,
    /// Records as JSON, `attributes` first, fields in SELECT order (`recorded/query_accounts_page.json`).
    pub records: Vec<Box<RawValue>>,
}

/// Runs a query. `version` is the API version of the records' URLs, `v66.0` or `66.0`.
/// The connection must have been prepared by [`super::install`].
pub fn run(text: &str, view: &View, connection: &Connection, version: &str) -> Result<Answer, Failure> {
    let plan = compile(text, view)?;
    execute(&plan, connection, version).map_err(|error| Failure::plain(UNKNOWN, error.to_string()))
}

fn execute(plan: &Plan, connection: &Connection, version: &str) -> rusqlite::Result<Answer> {
    let mut statement = connection.prepare_cached(&plan.sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(&plan.values))?;
    let mut answer = Answer { total: 0, object: String::new(), records: Vec::new() };
    let base = format!("/services/data/v{}/sobjects/", version.trim_start_matches('v'));
    let mut buffer = String::new();
    while let Some(row) = rows.next()? {
        buffer.clear();
        match &plan.rows {
            Rows::Count => {
                answer.total = row.get::<_, i64>(0)?.try_into().unwrap_or_default();
                return Ok(answer);
            }
            Rows::Aggregate(nodes) => {
                buffer += "{\"attributes\":{\"type\":\"AggregateResult\"}";
                Record { row, base: &base, out: &mut buffer }.nodes(nodes)?;
            }
            Rows::Records(object, nodes) => {
                let mut record = Record { row, base: &base, out: &mut buffer };
                record.attributes(object, 0)?;
                record.nodes(nodes)?;
            }
        }
        buffer.push('}');
        let raw = RawValue::from_string(buffer.as_str().to_owned());
        answer.records.push(raw.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?);
    }
    answer.total = answer.records.len();
    answer.object = match &plan.rows {
        Rows::Count => String::new(),
        Rows::Aggregate(_) => "AggregateResult".to_owned(),
        Rows::Records(object, _) => object.clone(),
    };
    Ok(answer)
}

/// One record being written.
struct Record<'r, 's> {
    row: &'r Row<'s>,
    base: &'r str,
    out: &'r mut String,
}

impl Record<'_, '_> {
    fn attributes(&mut self, object: &str, id: usize) -> rusqlite::Result<()> {
        let id = self.row.get_ref(id)?.as_str()?;
        let parts = ["{\"attributes\":{\"type\":\"", object, "\",\"url\":\"", self.base, object, "/", id, "\"}"];
        self.out.extend(parts);
        Ok(())
    }

    fn nodes(&mut self, nodes: &[Node]) -> rusqlite::Result<()> {
        for node in nodes {
            self.out.push(',');
            match node {
                Node::Value { key, column, cell } => {
                    *self.out += key;
                    self.cell(*column, cell)?;
                }
                Node::Address { key, parts } => {
                    *self.out += key;
                    self.address(parts)?;
                }
                Node::Parent { key, types, id, nodes, .. } => {
                    *self.out += key;
                    match self.row.get_ref(*id)? {
                        ValueRef::Null => *self.out += "null",
                        value => {
                            let text = value.as_str()?;
                            let found = types.iter().find(|(prefix, _)| text.starts_with(prefix.as_str()));
                            let name = found.or(types.first()).map_or("", |(_, name)| name.as_str());
                            self.attributes(name, *id)?;
                            self.nodes(nodes)?;
                            self.out.push('}');
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn address(&mut self, parts: &[(String, usize, Cell)]) -> rusqlite::Result<()> {
        let mut open = false;
        for (_, column, _) in parts {
            open |= self.row.get_ref(*column)? != ValueRef::Null;
        }
        if !open {
            *self.out += "null";
            return Ok(());
        }
        let mut before = '{';
        for (key, column, cell) in parts {
            self.out.push(before);
            before = ',';
            *self.out += key;
            self.cell(*column, cell)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn cell(&mut self, column: usize, cell: &Cell) -> rusqlite::Result<()> {
        let value = self.row.get_ref(column)?;
        match (value, cell) {
            (ValueRef::Null, Cell::Boolean) => *self.out += "false",
            (ValueRef::Null | ValueRef::Blob(_), _) => *self.out += "null",
            (ValueRef::Integer(number), Cell::Boolean) => *self.out += if number == 0 { "false" } else { "true" },
            (ValueRef::Integer(number), Cell::Real) => self.number(format_args!("{number}.0")),
            (ValueRef::Integer(number), _) => self.number(format_args!("{number}")),
            (ValueRef::Real(number), Cell::Integer) => self.number(format_args!("{number:.0}")),
            (ValueRef::Real(number), _) if number.is_finite() => self.number(format_args!("{number:?}")),
            (ValueRef::Real(_), _) => *self.out += "null",
            (ValueRef::Text(bytes), cell) => {
                let text = std::str::from_utf8(bytes).map_err(|_| rusqlite::types::FromSqlError::InvalidType)?;
                match cell {
                    Cell::Datetime => match text.strip_suffix('Z') {
                        Some(local) => self.out.extend(["\"", local, "+0000\""]),
                        None => string(self.out, text),
                    },
                    Cell::Label(labels) => {
                        let label = |value: &str| labels.get(value).cloned().unwrap_or_else(|| value.to_owned());
                        let shown: Vec<String> = text.split(';').map(label).collect();
                        string(self.out, &shown.join(";"));
                    }
                    _ => string(self.out, text),
                }
            }
        }
        Ok(())
    }

    fn number(&mut self, number: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.out.write_fmt(number);
    }
}

/// A JSON string. Bytes are copied in runs between those that need an escape.
fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        *out += &text[from..at];
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            *out += escape;
        }
        from = at + 1;
    }
    *out += &text[from..];
    out.push('"');
}

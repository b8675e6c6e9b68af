//! Runs a bulk query and writes its rows as CSV lines: every value quoted, null as `""`, datetimes with `Z` (recorded:
//! `bulk2_query_results.csv`).

use std::fmt::Write;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::answer::View;
use super::compile::{Plan, Rows, compile_bulk};
use super::failure::{Failure, UNKNOWN};
use super::select::Cell;

/// Takes the rows of a bulk query, each a line with its end.
pub trait Table {
    /// The header, once, before all rows; and whether the query says an order.
    fn start(&mut self, header: &str, ordered: bool);
    /// A row.
    fn row(&mut self, line: &str);
}

/// May this be a bulk query? The canonical name of its object.
///
/// # Errors
/// Salesforce's refusal of the job.
pub fn check(text: &str, view: &View<'_>) -> Result<String, Failure> {
    match compile_bulk(text, view)?.rows {
        Rows::Records(object, _) => Ok(object),
        Rows::Count | Rows::Aggregate(_) => Ok(String::new()),
    }
}

/// Runs a bulk query. `form`: the delimiter, and whether lines end with `\r\n`.
///
/// # Errors
/// As [`check`], or the database's.
pub fn export(
    text: &str,
    view: &View<'_>,
    connection: &Connection,
    form: (char, bool),
    table: &mut dyn Table,
) -> Result<(), Failure> {
    let plan = compile_bulk(text, view)?;
    execute(&plan, connection, form, table).map_err(|error| Failure::plain(UNKNOWN, error.to_string()))
}

fn execute(plan: &Plan, db: &Connection, form: (char, bool), table: &mut dyn Table) -> rusqlite::Result<()> {
    let (delimiter, crlf) = form;
    let end = if crlf { "\r\n" } else { "\n" };
    let names: Vec<String> = plan.table.iter().map(|(path, ..)| format!("\"{path}\"")).collect();
    table.start(&(names.join(&delimiter.to_string()) + end), plan.ordered);
    let mut statement = db.prepare_cached(&plan.sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(&plan.values))?;
    let mut line = String::new();
    while let Some(row) = rows.next()? {
        line.clear();
        for (index, (_, column, form)) in plan.table.iter().enumerate() {
            if index > 0 {
                line.push(delimiter);
            }
            line.push('"');
            cell(row.get_ref(*column)?, form, &mut line)?;
            line.push('"');
        }
        line += end;
        table.row(&line);
    }
    Ok(())
}

fn cell(value: ValueRef<'_>, form: &Cell, line: &mut String) -> rusqlite::Result<()> {
    // Writing to a String cannot fail.
    match (value, form) {
        (ValueRef::Null, Cell::Boolean) => *line += "false",
        (ValueRef::Null | ValueRef::Blob(_), _) => {}
        (ValueRef::Integer(number), Cell::Boolean) => *line += if number == 0 { "false" } else { "true" },
        (ValueRef::Integer(number), Cell::Real) => drop(write!(line, "{number}.0")),
        (ValueRef::Integer(number), _) => drop(write!(line, "{number}")),
        (ValueRef::Real(number), Cell::Integer) => drop(write!(line, "{number:.0}")),
        (ValueRef::Real(number), _) => drop(write!(line, "{number:?}")),
        (ValueRef::Text(bytes), form) => {
            let text = std::str::from_utf8(bytes).map_err(|_| rusqlite::types::FromSqlError::InvalidType)?;
            match form {
                Cell::Label(labels) => {
                    let label = |value: &str| labels.get(value).cloned().unwrap_or_else(|| value.to_owned());
                    let shown: Vec<String> = text.split(';').map(label).collect();
                    *line += &shown.join(";").replace('"', "\"\"");
                }
                _ if text.contains('"') => *line += &text.replace('"', "\"\""),
                _ => *line += text,
            }
        }
    }
    Ok(())
}

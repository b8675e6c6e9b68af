//! Records from a CSV file into the org, row by row: a million of them in seconds, none of them held.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Value as Sql;

use super::clock::stored;
use super::filling::Initial;
use super::ids;
use super::options::EmulatorError;
use super::org::{Org, find, keep, open};
use super::schema::{Kind, ObjectDef};
use super::seed::csv_file;
use super::store::{rows, tables, values};

/// Where a column of the table gets its values from.
struct Column<'o> {
    name: &'o str,
    place: usize,
    cell: Option<usize>,
    initial: Option<Initial>,
}

impl Org {
    /// Puts the records of a file in, past all rules but the types.
    ///
    /// # Errors
    /// The file cannot be read, a column is no field, or a value is none of its type.
    pub fn load_csv(&mut self, object: &str, path: &Path, now: Timestamp) -> Result<(), EmulatorError> {
        let catalog = Arc::clone(&self.model.catalog);
        let object = find(&catalog, object)?;
        let wrong = |message: String| EmulatorError::Unknown(message);
        let (header, mut reader) = csv_file::rows(open(path)?).map_err(wrong)?;
        let (columns, id) = columns(object, &header, &self.admin(), &stored(now)).map_err(wrong)?;
        let part = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
        let (first, last) = (part("FirstName"), part("LastName"));
        let deleted = part("IsDeleted");
        let empty = rows::count(&self.db, &object.name)? == 0;
        if empty {
            tables::drop_indexes(&self.db, object)?;
        }
        let names: Vec<String> = columns.iter().map(|c| tables::quoted(c.name)).collect();
        let marks = vec!["?"; columns.len() + 2].join(", ");
        let sql = format!(
            "INSERT INTO {} (\"Id\", \"__deleted\", {}) VALUES ({marks})",
            tables::table(&object.name),
            names.join(", ")
        );
        let mut counter = self.counters.get(&object.key_prefix).copied().unwrap_or(0);
        let transaction = self.db.unchecked_transaction()?;
        {
            let mut statement = transaction.prepare(&sql)?;
            let mut row = csv::StringRecord::new();
            let mut line = 0;
            while reader.read_record(&mut row).map_err(|e| wrong(e.to_string()))? {
                line += 1;
                let wrong = |message: String| wrong(format!("record {line} of {}: {message}", object.name));
                let cell = |at: usize| row.get(at).unwrap_or_default();
                let given = id.map(cell).filter(|id| !id.is_empty());
                let id = match given {
                    Some(id) => ids::eighteen(id).ok_or_else(|| wrong(format!("Id: `{id}` is no id")))?,
                    None => ids::nth(&object.key_prefix, counter + 1),
                };
                let number = ids::number_of(&id);
                counter = counter.max(number);
                statement.raw_bind_parameter(1, &id)?;
                let gone = deleted.is_some_and(|at| cell(at).trim().eq_ignore_ascii_case("true"));
                statement.raw_bind_parameter(2, i64::from(gone))?;
                for (index, column) in columns.iter().enumerate() {
                    let field = &object.fields[column.place];
                    let text = column.cell.map(cell).unwrap_or_default();
                    let value = match &column.initial {
                        Some(initial) if text.trim().is_empty() => match initial {
                            Initial::Fixed(value) => value.clone(),
                            Initial::Number => Sql::Text(format!("{number:08}")),
                            Initial::Person => {
                                let text = |at: Option<usize>| at.map(cell).filter(|t| !t.trim().is_empty());
                                rows::person_name(object, text(first), text(last)).map_or(Sql::Null, Sql::Text)
                            }
                        },
                        _ => values::lenient_text(field, text).map_err(wrong)?,
                    };
                    statement.raw_bind_parameter(index + 3, value)?;
                }
                statement.raw_execute()?;
            }
        }
        self.counters.insert(object.key_prefix.clone(), counter);
        keep(&transaction, "counters", &self.counters)?;
        transaction.commit()?;
        if empty {
            tables::create(&self.db, object)?;
        }
        Ok(())
    }
}

/// The table's columns that the file or a new record fills, and the file's column of ids.
fn columns<'o>(
    object: &'o ObjectDef,
    header: &[String],
    admin: &str,
    moment: &str,
) -> Result<(Vec<Column<'o>>, Option<usize>), String> {
    let (mut columns, mut id) = (Vec::new(), None);
    for (place, field) in object.fields.iter().enumerate() {
        let cell = header.iter().position(|h| h.eq_ignore_ascii_case(&field.name));
        if field.kind == Kind::Id {
            id = cell;
            continue;
        }
        let initial = Initial::of(object, field, admin, moment);
        if cell.is_some() || initial.is_some() {
            columns.push(Column { name: &field.name, place, cell, initial });
        }
    }
    match header.iter().find(|h| object.field(h).is_none()) {
        Some(unknown) => Err(format!("`{unknown}` is no field of {}", object.name)),
        None => Ok((columns, id)),
    }
}

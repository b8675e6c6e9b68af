//! Puts records into the org: from seeds and by tests, past all rules but the types, and fast enough for hundreds of thousands.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Value};

use super::clock::stored;
use super::ids;
use super::options::EmulatorError;
use super::org::{Org, find, keep};
use super::schema::{FieldDef, Kind, ObjectDef};
use super::store::{rows, values};

/// What a field holds when a record is made without it.
pub(super) enum Initial {
    /// The moment, a user, a default: the same for every record.
    Fixed(Sql),
    /// First and last name.
    Person,
    /// The record's number.
    Number,
}

impl Initial {
    pub(super) fn of(object: &ObjectDef, field: &FieldDef, admin: &str, moment: &str) -> Option<Self> {
        let text = |text: &str| Some(Self::Fixed(Sql::Text(text.to_owned())));
        match field.name.as_str() {
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" => return text(moment),
            "OwnerId" | "CreatedById" | "LastModifiedById" => return text(admin),
            "Name" if rows::person_name(object, Some("x"), None).is_some() => return Some(Self::Person),
            _ if field.auto_number => return Some(Self::Number),
            _ => {}
        }
        field.picklist.iter().find(|e| e.default).and_then(|e| text(&e.value))
    }
}

impl Org {
    /// Puts records in; returns their ids in order.
    ///
    /// # Errors
    /// An object or field that does not exist, or a value that is none of its type.
    pub fn insert(
        &mut self,
        object: &str,
        records: &[Map<String, Value>],
        now: Timestamp,
    ) -> Result<Vec<String>, EmulatorError> {
        let catalog = Arc::clone(&self.model.catalog);
        let object = find(&catalog, object)?;
        let (admin, moment) = (self.admin(), stored(now));
        let initials: Vec<(usize, Initial)> = (object.fields.iter().enumerate())
            .filter_map(|(index, field)| Some((index, Initial::of(object, field, &admin, &moment)?)))
            .collect();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut all = Vec::with_capacity(records.len());
        let mut made = Vec::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            let wrong =
                |message: String| EmulatorError::Unknown(format!("record {} of {}: {message}", index + 1, object.name));
            let mut given: Vec<(usize, Sql)> = Vec::with_capacity(record.len() + initials.len() + 1);
            for (name, value) in record.iter().filter(|(name, _)| *name != "attributes") {
                let place = match places.get(name.as_str()) {
                    Some(place) => *place,
                    None => {
                        let place = object.fields.iter().position(|f| f.name.eq_ignore_ascii_case(name));
                        let place = place.ok_or_else(|| wrong(format!("`{name}` is no field of {}", object.name)))?;
                        places.insert(name, place);
                        place
                    }
                };
                let value = values::lenient(&object.fields[place], value).map_err(wrong)?;
                if value != Sql::Null {
                    given.push((place, value));
                }
            }
            let id = match given.iter().position(|(place, _)| object.fields[*place].kind == Kind::Id) {
                Some(at) => match given.swap_remove(at).1 {
                    Sql::Text(id) => id,
                    _ => self.next_id(&object.key_prefix),
                },
                None => self.next_id(&object.key_prefix),
            };
            all.push(self.row(object, &initials, given, &id));
            made.push(id);
        }
        let transaction = self.db.unchecked_transaction()?;
        rows::insert(&transaction, &object.name, &all)?;
        keep(&transaction, "counters", &self.counters)?;
        transaction.commit()?;
        Ok(made)
    }

    /// A whole row, columns in the order of the fields, so that rows alike share a statement.
    fn row<'o>(
        &mut self,
        object: &'o ObjectDef,
        initials: &[(usize, Initial)],
        mut given: Vec<(usize, Sql)>,
        id: &str,
    ) -> Vec<(&'o str, Sql)> {
        // A number of this emulator's own making, if a seed gives it, must not be made again.
        let number = ids::number_of(id);
        if let Some(counter) = self.counters.get_mut(&object.key_prefix) {
            *counter = (*counter).max(number);
        } else {
            self.counters.insert(object.key_prefix.clone(), number);
        }
        let taken = given.len();
        for (place, initial) in initials {
            if given[..taken].iter().any(|(p, _)| p == place) {
                continue;
            }
            let value = match initial {
                Initial::Fixed(value) => value.clone(),
                Initial::Number => Sql::Text(format!("{number:08}")),
                Initial::Person => {
                    let part = |name: &str| {
                        given[..taken].iter().find(|(p, _)| object.fields[*p].name == name).and_then(|(_, v)| match v {
                            Sql::Text(text) => Some(text.as_str()),
                            _ => None,
                        })
                    };
                    match rows::person_name(object, part("FirstName"), part("LastName")) {
                        Some(name) => Sql::Text(name),
                        None => continue,
                    }
                }
            };
            given.push((*place, value));
        }
        given.sort_unstable_by_key(|(place, _)| *place);
        let deleted = given.iter().any(|(p, v)| object.fields[*p].name == "IsDeleted" && *v == Sql::Integer(1));
        let mut row: Vec<(&str, Sql)> = Vec::with_capacity(given.len() + 2);
        row.push(("Id", Sql::Text(id.to_owned())));
        row.extend(given.into_iter().map(|(place, value)| (object.fields[place].name.as_str(), value)));
        if deleted {
            row.push(("__deleted", Sql::Integer(1)));
        }
        row
    }
}

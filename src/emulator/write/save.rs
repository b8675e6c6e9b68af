//! Saves one drafted record, or says why not.

use jiff::Timestamp;
use rusqlite::types::Value as Sql;

use super::super::ids::fifteen;
use super::super::org::Org;
use super::super::people::User;
use super::super::problem::Problem;
use super::super::schema::FieldDef;
use super::super::seed::form::Access;
use super::super::store::rows::{self, Presence};
use super::draft::Draft;
use super::{field_rules, validation};

/// Checks and writes one record. `id` has 18 characters. Nothing is written when there is an error.
///
/// # Errors
/// The record's errors, one or more.
pub fn record(org: &Org, user: &User, draft: &Draft<'_>, id: &str, now: Timestamp) -> Result<(), Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let object = draft.object;
    if user.hidden(&object.name, id) {
        return Err(one(unknown()));
    }
    match rows::presence(&org.db, &object.name, id).map_err(|e| one(e.into()))? {
        Presence::There => {}
        Presence::Deleted => {
            return Err(one(Problem::of_record("ENTITY_IS_DELETED", "entity is deleted", &[]).with_status(404)));
        }
        Presence::Absent => return Err(one(unknown())),
    }
    if user.only_reads(&object.name, id) || !user.object(&object.name).edit {
        let problem =
            Problem::of_record("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", &[]);
        return Err(one(problem.with_status(403)));
    }
    read_only(user, draft).map_err(one)?;
    if object.name == "Lead"
        && rows::cell(&org.db, "Lead", id, "IsConverted").map_err(|e| one(e.into()))? == Sql::Integer(1)
    {
        return Err(one(Problem::of_record("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[])));
    }
    let mut changes = stored(org, draft, id).map_err(one)?;
    duplicates(org, draft, &changes, id).map_err(one)?;
    let broken = rules(org, draft, &changes, id).map_err(|e| one(e.into()))?;
    if !broken.is_empty() {
        return Err(broken);
    }
    for (on, set) in org.model.flows.get(&object.name).into_iter().flatten() {
        let starts = on.as_ref().is_none_or(|on| draft.changes.iter().any(|(field, _)| field.name == *on));
        if starts {
            changes.retain(|(name, _)| !set.iter().any(|(other, _)| other == name));
            changes.extend(set.iter().cloned());
        }
    }
    org.change(object, id, changes, &user.id, now).map_err(|e| one(e.into()))?;
    Ok(())
}

/// What a well-formed id of no record gets: 404 on its own, INVALID_CROSS_REFERENCE_KEY in collections (which see to that).
fn unknown() -> Problem {
    Problem::not_found()
}

fn read_only(user: &User, draft: &Draft<'_>) -> Result<(), Problem> {
    let object = &draft.object.name;
    let locked = |field: &&FieldDef| !field.updateable || user.field(object, &field.name) != Access::Edit;
    let names: Vec<&str> =
        draft.changes.iter().map(|(field, _)| *field).filter(locked).map(|f| f.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
        names.join(", ")
    );
    Err(Problem::of_record("INVALID_FIELD_FOR_INSERT_UPDATE", message, &names))
}

fn stored(org: &Org, draft: &Draft<'_>, id: &str) -> Result<Vec<(String, Sql)>, Problem> {
    let mut changes = Vec::with_capacity(draft.changes.len());
    let mut missing: Vec<&str> = Vec::new();
    for (field, value) in &draft.changes {
        let stored = match field_rules::store(field, value, &org.db, &org.model.catalog) {
            Ok(stored) => stored,
            // An old value that is no longer active may stay.
            Err(problem) if problem.code == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" => {
                let old = rows::cell(&org.db, &draft.object.name, id, &field.name)?;
                match (value, old) {
                    (super::draft::Typed::Text(sent), Sql::Text(old)) if *sent == old => Sql::Text(old),
                    _ => return Err(problem),
                }
            }
            Err(problem) => return Err(problem),
        };
        if stored == Sql::Null && !field.nillable {
            missing.push(&field.name);
        }
        changes.push((field.name.clone(), stored));
    }
    if missing.is_empty() {
        return Ok(changes);
    }
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    Err(Problem::of_record("REQUIRED_FIELD_MISSING", message, &missing))
}

fn duplicates(org: &Org, draft: &Draft<'_>, changes: &[(String, Sql)], id: &str) -> Result<(), Problem> {
    for ((field, _), (_, value)) in draft.changes.iter().zip(changes) {
        if !field.unique || *value == Sql::Null {
            continue;
        }
        if let Some(other) = rows::duplicate(&org.db, &draft.object.name, field, value, id)? {
            let message = format!(
                "duplicate value found: {} duplicates value on record with id: {}",
                field.name,
                fifteen(&other)
            );
            return Err(Problem::of_record("DUPLICATE_VALUE", message, &[]));
        }
    }
    Ok(())
}

fn rules(org: &Org, draft: &Draft<'_>, changes: &[(String, Sql)], id: &str) -> rusqlite::Result<Vec<Problem>> {
    let object = &draft.object;
    let after = |name: &str| match changes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
        Some((_, value)) => Ok(value.clone()),
        None => match object.field(name) {
            Some(field) => rows::cell(&org.db, &object.name, id, &field.name),
            None => Ok(Sql::Null),
        },
    };
    let mut problems = Vec::new();
    for rule in org.model.rules.get(&object.name).into_iter().flatten() {
        problems.extend(validation::broken(rule, &after)?);
    }
    Ok(problems)
}

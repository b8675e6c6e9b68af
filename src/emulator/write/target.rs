//! Which record an update means, and how errors of one record among many are told.

use super::super::ids::{eighteen, fifteen};
use super::super::problem::Problem;
use super::super::schema::ObjectDef;

/// The same id may come this often in one transaction; later ones fail.
pub const MOST_REPEATS: usize = 12;

/// The record's id in 18 characters, of the right form and type.
///
/// # Errors
/// No id, or one of something else.
pub fn id(object: &ObjectDef, sent: Option<&str>) -> Result<String, Problem> {
    let Some(id) = sent.filter(|id| !id.is_empty()) else {
        return Err(Problem::of_record("MISSING_ARGUMENT", "Id not specified in an update call", &[]));
    };
    eighteen(id).filter(|id| id.starts_with(&object.key_prefix)).ok_or_else(|| {
        let label = object.field("Id").map_or("Record ID", |f| f.label.as_str());
        Problem::of_record("MALFORMED_ID", format!("{label}: id value of incorrect type: {id}"), &["Id"])
    })
}

/// The same id too often.
pub fn repeated(id: &str) -> Problem {
    let message = format!(
        "Maximum number of duplicate updates in one batch (12 allowed). Attempt to update Id more than once in this Api call: {}",
        fifteen(id)
    );
    Problem::of_record("DUPLICATE_VALUE", message, &[])
}

/// What is 404 for one record alone is this among many (recorded in bulk results as well).
pub fn among_many(problem: Problem) -> Problem {
    if problem.code == "NOT_FOUND" {
        return Problem::of_record("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]);
    }
    problem
}

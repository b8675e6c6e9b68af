//! `UserRecordAccess` is no table: a query must say whose access it asks for, and to which records.
//! <https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userrecordaccess.htm>

use super::ast::{Condition, List, Literal, Operator, Path};
use super::failure::{Failure, MALFORMED};
use super::parser;

const OBJECT: &str = "UserRecordAccess";
/// Records of one query.
const MOST: usize = 200;

/// Whose access to which records a query asks for; `None` when it asks for something else, or is none.
///
/// # Errors
/// It does not say whose, or to what, or names too many records. The texts are unconfirmed.
pub fn access_asked(text: &str) -> Option<Result<(String, Vec<String>), Failure>> {
    if !text.to_ascii_lowercase().contains("userrecordaccess") {
        return None;
    }
    let query = parser::parse(text).ok().filter(|q| q.object.eq_ignore_ascii_case(OBJECT))?;
    let refuse = |message: &str| Some(Err(Failure::at(text, query.object_at.0, MALFORMED, message)));
    let (mut users, mut records) = (Vec::new(), Vec::new());
    for condition in parts(query.filter.as_ref()) {
        let (path, values) = match condition {
            Condition::Compare { path, operator: Operator::Equal, value } => (path, std::slice::from_ref(value)),
            Condition::In { path, negated: false, list: List::Values(values) } => (path, values.as_slice()),
            _ => continue,
        };
        let texts = values.iter().filter_map(|v| if let Literal::Text(text) = v { Some(text.clone()) } else { None });
        match name(path).as_str() {
            "userid" => users.extend(texts),
            "recordid" => records.extend(texts),
            _ => {}
        }
    }
    if records.len() > MOST {
        return refuse("Can't filter on more than 200 record IDs");
    }
    match (users.as_slice(), records.is_empty()) {
        ([user], false) => Some(Ok((user.clone(), records))),
        _ => refuse("Filter on UserId and RecordId is required"),
    }
}

fn parts(filter: Option<&Condition>) -> Vec<&Condition> {
    match filter {
        Some(Condition::All(parts)) => parts.iter().flat_map(|part| self::parts(Some(part))).collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn name(path: &Path) -> String {
    path.parts.last().map(|name| name.to_ascii_lowercase()).unwrap_or_default()
}

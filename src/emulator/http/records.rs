//! One record: `GET` and `PATCH …/sobjects/X/{id}`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::Value;

use super::super::clock::seconds_between;
use super::super::ids;
use super::super::people::User;
use super::super::problem::{Problem, parse_json};
use super::super::schema::{Catalog, FieldDef, ObjectDef};
use super::super::seed::form::Access;
use super::super::state::State;
use super::super::store::rows::{self, Presence};
use super::super::write::{draft, save};
use super::reply::Reply;
use super::request::Call;
use super::router::RecordFaults;

/// An object that the user may see, by name.
///
/// # Errors
/// 404, as for an object that does not exist (recorded).
pub fn object<'c>(catalog: &'c Catalog, user: &User, name: &str) -> Result<&'c ObjectDef, Problem> {
    catalog.object(name).filter(|o| user.object(&o.name).read).ok_or_else(Problem::not_found)
}

/// Fields by name, in the order asked for, each once.
///
/// # Errors
/// INVALID_FIELD for one that does not exist or is hidden.
pub fn fields<'o>(object: &'o ObjectDef, user: &User, names: &[&str]) -> Result<Vec<&'o FieldDef>, Problem> {
    let mut found: Vec<&FieldDef> = Vec::with_capacity(names.len());
    for name in names {
        let visible = |f: &&FieldDef| user.field(&object.name, &f.name) != Access::None;
        let field = object.field(name.trim()).filter(visible).ok_or_else(|| {
            let message = format!(
                "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
                name.trim(),
                object.name
            );
            Problem::new(400, "INVALID_FIELD", message)
        })?;
        if !found.iter().any(|f| std::ptr::eq(*f, field)) {
            found.push(field);
        }
    }
    Ok(found)
}

/// `Tue, 10 Aug 2015 00:00:00 GMT`; the name of the day is not looked at.
pub fn http_date(text: &str) -> Option<Timestamp> {
    let rest = text.split_once(", ").map_or(text, |(_, rest)| rest).strip_suffix(" GMT")?;
    let moment = DateTime::strptime("%d %b %Y %H:%M:%S", rest).ok()?;
    moment.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp())
}

fn record_id(object: &ObjectDef, text: &str) -> Result<String, Problem> {
    let Some(id) = ids::eighteen(text) else {
        let message = format!("Provided external ID field does not exist or is not accessible: {text}");
        return Err(Problem::new(404, "NOT_FOUND", message));
    };
    if id.starts_with(&object.key_prefix) { Ok(id) } else { Err(Problem::not_found()) }
}

/// `GET`: the whole record, or `?fields=A,B`.
pub fn read(state: &State, call: &Call<'_>, name: &str, id: &str) -> Result<Reply, Problem> {
    let org = state.org();
    let object = object(&org.model.catalog, &call.user, name)?;
    let id = record_id(object, id)?;
    let chosen = match call.request.parameter("fields") {
        Some(list) => {
            let mut names: Vec<&str> = list.split(',').collect();
            if !names.iter().any(|n| n.trim().eq_ignore_ascii_case("id")) {
                names.push("Id");
            }
            fields(object, &call.user, &names)?
        }
        None => object.fields.iter().filter(|f| call.user.reads(&object.name, &f.name)).collect(),
    };
    if call.user.hidden(&object.name, &id) {
        return Err(Problem::not_found());
    }
    match rows::presence(&org.db, &object.name, &id)? {
        Presence::There => {}
        Presence::Deleted => {
            return Err(Problem::of_record("ENTITY_IS_DELETED", "entity is deleted", &[]).with_status(404));
        }
        Presence::Absent => return Err(Problem::not_found()),
    }
    let modified = org.modified(object, &id)?;
    let since = call.request.header("if-modified-since").and_then(http_date);
    if since.zip(modified).is_some_and(|(since, modified)| seconds_between(since, modified) <= 0) {
        return Ok(Reply::empty(304));
    }
    let text = rows::json(&org.db, object, &chosen, &id, call.version)?.ok_or_else(Problem::not_found)?;
    Ok(Reply::text(200, text))
}

/// `PATCH`: 204 and nothing else when all is well.
pub fn update(
    state: &State,
    call: &Call<'_>,
    name: &str,
    id: &str,
    faults: &RecordFaults,
) -> Result<Reply, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    call.request.must_be_json().map_err(one)?;
    let org = state.org();
    let catalog = std::sync::Arc::clone(&org.model.catalog);
    let object = object(&catalog, &call.user, name).map_err(one)?;
    let id = record_id(object, id).map_err(one)?;
    let body = parse_json(&call.request.body).map_err(one)?;
    let Value::Object(body) = body else {
        let message = "The HTTP entity body is required to be a JSON object, but this request has another value";
        return Err(one(Problem::new(400, "JSON_PARSER_ERROR", message)));
    };
    if body.keys().any(|key| key.eq_ignore_ascii_case("id")) {
        let message = "The Id field should not be specified in the sobject data.";
        return Err(one(Problem::of_record("INVALID_FIELD", message, &["Id"])));
    }
    let draft = draft::read(object, &call.user, &body, &call.request.text()).map_err(one)?;
    if let Some(header) = call.request.header("if-unmodified-since") {
        let Some(since) = http_date(header) else {
            let message = format!("The value of If-Unmodified-Since is no date: {header}");
            return Err(one(Problem::new(400, "INVALID_HEADER", message)));
        };
        let modified = org.modified(object, &id).map_err(|e| one(e.into()))?;
        if modified.is_some_and(|m| seconds_between(since, m) > 0) {
            return Ok(Reply::empty(412));
        }
    }
    if let Some(problem) = faults.iter().find_map(|f| f.of_record(&id, 0, 0)) {
        return Err(one(problem));
    }
    save::record(&org, &call.user, &draft, &id, state.now())?;
    Ok(Reply::empty(204))
}

#[cfg(test)]
mod tests {
    use super::http_date;

    #[test]
    fn http_dates_are_read_as_salesforce_documents_them() {
        // The documentation's own example names the wrong day of the week.
        assert_eq!(http_date("Tue, 10 Aug 2015 00:00:00 GMT").unwrap().to_string(), "2015-08-10T00:00:00Z");
        assert!(http_date("2015-08-10").is_none());
    }
}

//! Many records at once: `PATCH …/composite/sobjects`, `POST` and `GET …/composite/sobjects/X`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::ids::eighteen;
use super::super::problem::{Problem, parse_json};
use super::super::schema::ObjectDef;
use super::super::state::State;
use super::super::store::rows;
use super::super::write::draft::{self, Draft};
use super::super::write::{save, target};
use super::records::{fields, object};
use super::reply::Reply;
use super::request::Call;
use super::router::RecordFaults;

const MOST_UPDATES: usize = 200;
const MOST_READS: usize = 2_000;
const MOST_CHUNKS: usize = 10;

fn parser(message: impl Into<String>) -> Problem {
    Problem::new(400, "JSON_PARSER_ERROR", message)
}

fn too_many(most: usize) -> Problem {
    let message = format!("record limit reached. cannot submit more than {most} records into this operation");
    Problem::new(400, "EXCEEDED_ID_LIMIT", message)
}

fn body(call: &Call<'_>) -> Result<Map<String, Value>, Problem> {
    call.request.must_be_json()?;
    match parse_json(&call.request.body)? {
        Value::Object(body) => Ok(body),
        _ => Err(parser("The HTTP entity body is required to be a JSON object")),
    }
}

/// One record of an update: what it wants, and of which record.
struct Wanted<'m> {
    draft: Draft<'m>,
    id: Option<String>,
}

/// `PATCH`: 200 with one result a record, in the order of the request.
pub fn update(state: &State, call: &Call<'_>, faults: &RecordFaults) -> Result<Reply, Problem> {
    let body = body(call)?;
    let all_or_none = match body.get("allOrNone") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(other) => return Err(parser(format!("Cannot deserialize instance of boolean from value {other}"))),
    };
    let Some(Value::Array(records)) = body.get("records") else {
        return Err(parser("The request may be missing a required field: records"));
    };
    if records.len() > MOST_UPDATES {
        return Err(too_many(MOST_UPDATES));
    }
    let org = state.org();
    let catalog = std::sync::Arc::clone(&org.model.catalog);
    let raw = call.request.text();
    let mut wanted = Vec::with_capacity(records.len());
    let mut chunks = 0;
    for record in records {
        let Value::Object(record) = record else { return Err(parser("A record is required to be a JSON object")) };
        let name = record.get("attributes").and_then(|a| a.get("type")).and_then(Value::as_str).ok_or_else(|| {
            Problem::new(400, "INVALID_INPUT", "Include attributes with the type of the sObject in each record")
        })?;
        let object = object(&catalog, &call.user, name).map_err(|_| unsupported(name))?;
        let before: Option<&Wanted<'_>> = wanted.last();
        if before.is_none_or(|w| w.draft.object.name != object.name) {
            chunks += 1;
        }
        let id = record.iter().find(|(key, _)| key.eq_ignore_ascii_case("id")).and_then(|(_, id)| id.as_str());
        wanted.push(Wanted { draft: draft::read(object, &call.user, record, &raw)?, id: id.map(str::to_owned) });
    }
    if chunks > MOST_CHUNKS {
        let message =
            format!("The request has {chunks} chunks of records of one type; at most {MOST_CHUNKS} are allowed");
        return Err(Problem::new(400, "LIMIT_EXCEEDED", message));
    }
    let now = state.now();
    let transaction = org.db.unchecked_transaction()?;
    let mut repeats: HashMap<String, usize> = HashMap::new();
    let mut hit = 0;
    let mut results: Vec<Result<String, Vec<Problem>>> = Vec::with_capacity(wanted.len());
    for (place, record) in wanted.iter().enumerate() {
        let result = target::id(record.draft.object, record.id.as_deref()).map_err(|p| vec![p]).and_then(|id| {
            let seen = repeats.entry(id.clone()).or_insert(0);
            *seen += 1;
            if *seen > target::MOST_REPEATS {
                return Err(vec![target::repeated(&id)]);
            }
            if let Some(problem) = faults.iter().find_map(|f| f.of_record(&id, place, hit)) {
                hit += 1;
                return Err(vec![problem]);
            }
            save::record(&org, &call.user, &record.draft, &id, now).map(|()| id)
        });
        results.push(result);
    }
    let failed = results.iter().any(Result::is_err);
    if all_or_none && failed {
        transaction.rollback()?;
    } else {
        transaction.commit()?;
    }
    let told = results.iter().map(|result| match result {
        Ok(_) if all_or_none && failed => failure(&[rolled_back()]),
        Ok(id) => json!({"id": id, "success": true, "errors": []}),
        Err(problems) => failure(problems),
    });
    Ok(Reply::json(200, &Value::Array(told.collect())))
}

fn failure(problems: &[Problem]) -> Value {
    let errors = problems.iter().map(|problem| target::among_many(problem.clone()).in_collection());
    json!({"success": false, "errors": errors.collect::<Vec<_>>()})
}

fn rolled_back() -> Problem {
    let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
    Problem::of_record("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, &[])
}

fn unsupported(name: &str) -> Problem {
    let message = format!(
        "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    );
    Problem::new(400, "INVALID_TYPE", message)
}

/// `POST {"ids": […], "fields": […]}` or `GET ?ids=…&fields=…`: a record or `null` for each id, in order.
pub fn read(state: &State, call: &Call<'_>, name: &str) -> Result<Reply, Problem> {
    let (ids, names) = if call.request.method == "POST" {
        let body = body(call)?;
        (texts(&body, "ids")?, texts(&body, "fields")?)
    } else {
        let list = |key| -> Vec<String> {
            call.request
                .parameter(key)
                .unwrap_or_default()
                .split(',')
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect()
        };
        (list("ids"), list("fields"))
    };
    if ids.len() > MOST_READS {
        return Err(too_many(MOST_READS));
    }
    if ids.is_empty() || names.is_empty() {
        return Err(Problem::new(400, "MISSING_ARGUMENT", "ids and fields are required"));
    }
    let org = state.org();
    let object: &ObjectDef = object(&org.model.catalog, &call.user, name)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fields = fields(object, &call.user, &names)?;
    let mut out = String::from("[");
    for (place, id) in ids.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let found = match eighteen(id) {
            Some(id) if call.user.hidden(&object.name, &id) => None,
            Some(id) => rows::json(&org.db, object, &fields, &id, call.version)?,
            None => None,
        };
        out.push_str(found.as_deref().unwrap_or("null"));
    }
    out.push(']');
    Ok(Reply::text(200, out))
}

fn texts(body: &Map<String, Value>, key: &str) -> Result<Vec<String>, Problem> {
    let Some(Value::Array(list)) = body.get(key) else {
        return Err(parser(format!("The request may be missing a required field: {key}")));
    };
    let text = |v: &Value| v.as_str().map(str::to_owned).ok_or_else(|| parser(format!("{key} must be texts")));
    list.iter().map(text).collect()
}

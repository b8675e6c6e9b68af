//! `…/jobs/ingest` and `…/jobs/query`: Bulk API 2.0. What both have in common: info, lists, abort, delete.

mod ingest;
mod query;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value, json};

use super::super::faults::Action;
use super::super::ids::eighteen;
use super::super::jobs::{self, Dialect, Family, Job, Jobs, Phase};
use super::super::problem::{Problem, parse_json};
use super::super::state::State;
use super::reply::Reply;
use super::request::Call;
use super::router::RecordFaults;

/// Answers what lies below `…/jobs/`; `None` for a path that means nothing.
pub fn answer(
    state: &Arc<State>,
    call: &Call<'_>,
    parts: &[&str],
    faults: &RecordFaults,
) -> Option<Result<Reply, Problem>> {
    let method = call.request.method.as_str();
    let family = match parts.first() {
        Some(&"ingest") => Family::Ingest,
        Some(&"query") => Family::Query,
        _ => return None,
    };
    let is_ingest = family == Family::Ingest;
    let known: &[&str] = match (is_ingest, &parts[1..]) {
        (_, []) => &["GET", "POST"],
        (_, [_]) => &["GET", "PATCH", "DELETE"],
        (true, [_, "batches"]) => &["PUT"],
        (true, [_, "successfulResults" | "failedResults" | "unprocessedrecords"]) => &["GET"],
        (false, [_, "results" | "resultPages"]) => &["GET"],
        _ => return None,
    };
    if !known.contains(&method) {
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {}", known.join(","));
        return Some(Err(Problem::new(405, "METHOD_NOT_ALLOWED", message)));
    }
    Some(match (is_ingest, &parts[1..], method) {
        (true, [], "POST") => ingest::create(state, call, faults),
        (false, [], "POST") => query::create(state, call, faults),
        (_, [], _) => list(state, call, family),
        (_, [id, rest @ ..], _) => find(state, family, id).and_then(|id| {
            attach(state, &id, call, faults);
            match (rest, method) {
                ([], "GET") => info(state, &id),
                ([], "PATCH") => change(state, call, family, &id),
                ([], _) => delete(state, family, &id),
                (["batches"], _) => ingest::upload(state, call, &id),
                (["results"], _) => query::results(state, call, &id),
                (["resultPages"], _) => query::pages(state, call, &id),
                ([which, ..], _) => ingest::results(state, &id, which),
            }
        }),
    })
}

/// The 18-character id of a job that exists.
fn find(state: &State, family: Family, id: &str) -> Result<String, Problem> {
    let id = eighteen(id).ok_or_else(Problem::not_found)?;
    state.jobs().get(&id).filter(|job| job.family == family).map(|job| job.id.clone()).ok_or_else(Problem::not_found)
}

/// What scripts do to this job and its rows.
fn attach(state: &State, id: &str, call: &Call<'_>, faults: &RecordFaults) {
    if faults.is_empty() {
        return;
    }
    let mut jobs = state.jobs();
    let Some(job) = jobs.get_mut(id) else { return };
    adopt(job, faults, call.request.method != "GET");
}

/// Takes the faults of a request over to its job.
fn adopt(job: &mut Job, faults: &RecordFaults, rows: bool) {
    for fault in faults {
        match fault {
            Action::Job(script) => job.script.add(script),
            Action::LockRows { .. } | Action::RecordError { .. } | Action::LockParents(_) if rows => {
                job.row_faults.push(fault.clone());
            }
            _ => {}
        }
    }
}

/// The JSON object of a request.
fn body(call: &Call<'_>, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    call.request.must_be_json()?;
    let Value::Object(body) = parse_json(&call.request.body)? else {
        let message = "The HTTP entity body is required to be a JSON object";
        return Err(Problem::new(400, "JSON_PARSER_ERROR", message));
    };
    if let Some(key) = body.keys().find(|key| !known.contains(&key.as_str())) {
        let message = format!("Unrecognized field \"{key}\" at [line:1, column:1]");
        return Err(Problem::new(400, "JSON_PARSER_ERROR", message));
    }
    Ok(body)
}

fn text<'b>(body: &'b Map<String, Value>, key: &str) -> Option<&'b str> {
    body.get(key).and_then(Value::as_str)
}

/// Delimiter and line end of a new job.
fn dialect(body: &Map<String, Value>) -> Result<Dialect, Problem> {
    if text(body, "contentType").is_some_and(|t| t != "CSV") {
        return Err(Problem::new(400, "INVALIDJOB", "InvalidJob : Content type must be CSV"));
    }
    Dialect::of(text(body, "columnDelimiter"), text(body, "lineEnding"))
        .ok_or_else(|| Problem::new(400, "INVALIDJOB", "InvalidJob : Unsupported columnDelimiter or lineEnding"))
}

fn blank(state: &State, call: &Call<'_>, jobs: &mut Jobs, family: Family, dialect: Dialect) -> Job {
    let now = state.now();
    Job {
        id: jobs.next_id(),
        family,
        object: String::new(),
        user: call.user.clone(),
        version: call.version.to_owned(),
        created: now,
        modified: now,
        phase: Phase::Open,
        end: None,
        error: None,
        dialect,
        query: String::new(),
        upload: None,
        closed: None,
        processed: 0,
        failed: 0,
        polls: 0,
        working: false,
        work: None,
        files: None,
        script: jobs::JobScript::default(),
        row_faults: Vec::new(),
    }
}

/// A poll.
fn info(state: &Arc<State>, id: &str) -> Result<Reply, Problem> {
    jobs::go_on(state, id);
    let jobs = state.jobs();
    let job = jobs.get(id).ok_or_else(Problem::not_found)?;
    Ok(Reply::json(200, &Value::Object(job.full())))
}

fn short(state: &State, id: &str) -> Result<Reply, Problem> {
    let jobs = state.jobs();
    let job = jobs.get(id).ok_or_else(Problem::not_found)?;
    Ok(Reply::json(200, &Value::Object(job.short())))
}

fn wrong_state(message: String) -> Problem {
    Problem::new(400, "INVALIDJOBSTATE", message)
}

/// What messages call a state.
fn said(phase: Phase) -> &'static str {
    match phase {
        // Recorded: "already Completed".
        Phase::JobComplete => "Completed",
        // What was closed is called so in Bulk API 1.0 as well.
        Phase::UploadComplete | Phase::InProgress => "Closed",
        other => other.name(),
    }
}

/// `PATCH {"state": …}`: closes or aborts.
fn change(state: &Arc<State>, call: &Call<'_>, family: Family, id: &str) -> Result<Reply, Problem> {
    let body = body(call, &["state"])?;
    let phase = state.jobs().get(id).map(|job| job.phase).ok_or_else(Problem::not_found)?;
    match text(&body, "state") {
        Some("Aborted") if phase.is_over() => {
            Err(wrong_state(format!("Aborting already {} Job not allowed", said(phase))))
        }
        Some("Aborted") => {
            jobs::stop(state, id);
            short(state, id)
        }
        Some("UploadComplete") if family == Family::Ingest => {
            let reply = {
                let mut jobs = state.jobs();
                let job = jobs.get_mut(id).ok_or_else(Problem::not_found)?;
                if job.phase != Phase::Open {
                    return Err(wrong_state(format!("Closing already {} Job not allowed", said(job.phase))));
                }
                job.phase = Phase::UploadComplete;
                job.short()
            };
            jobs::begin(state, id);
            Ok(Reply::json(200, &Value::Object(reply)))
        }
        other => Err(wrong_state(format!("Job state {} is not allowed", other.unwrap_or("null")))),
    }
}

fn delete(state: &State, family: Family, id: &str) -> Result<Reply, Problem> {
    let mut jobs = state.jobs();
    let phase = jobs.get(id).map(|job| job.phase).ok_or_else(Problem::not_found)?;
    let closed = family == Family::Ingest && phase == Phase::UploadComplete;
    if !phase.is_over() && !closed {
        let message = "Error encountered when deleting the job because the job is not terminated";
        return Err(Problem::new(400, "API_ERROR", message));
    }
    jobs.delete(id);
    Ok(Reply::empty(204))
}

/// `GET …/jobs/ingest?jobType=V2Ingest&queryLocator=…`: all jobs of the org.
fn list(state: &State, call: &Call<'_>, family: Family) -> Result<Reply, Problem> {
    let from = match call.request.parameter("queryLocator").filter(|l| !l.is_empty()) {
        Some(locator) => place(locator).ok_or_else(|| Problem::new(400, "INVALIDJOB", "Invalid queryLocator"))?,
        None => 0,
    };
    let wanted = call.request.parameter("jobType").is_none_or(|t| t == family.job_type());
    let jobs = state.jobs();
    let all: Vec<&Job> = jobs.of(family).filter(|_| wanted).collect();
    let end = (from + state.settings.bulk.list_page.max(1)).min(all.len());
    let records: Vec<Value> =
        all.get(from..end).unwrap_or_default().iter().map(|job| Value::Object(job.listed())).collect();
    let done = end >= all.len();
    let next = || format!("/services/data/v{}/jobs/{}?queryLocator={}", call.version, family.path(), locator(end));
    let next = if done { Value::Null } else { next().into() };
    Ok(Reply::json(200, &json!({"done": done, "records": records, "nextRecordsUrl": next})))
}

/// A place in a list as clients see it: opaque (`MTAwMDA`).
fn locator(place: usize) -> String {
    STANDARD_NO_PAD.encode(place.to_string())
}

fn place(locator: &str) -> Option<usize> {
    let bytes = STANDARD_NO_PAD.decode(locator.trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{locator, place};

    #[test]
    fn a_locator_looks_like_the_documented_one() {
        assert_eq!((locator(10_000).as_str(), place("MTAwMDA")), ("MTAwMDA", Some(10_000)));
        assert_eq!((place("null"), place("x y"), place("")), (None, None, None));
    }
}

//! Ingest jobs: create, the one upload, the three result files.

use std::sync::Arc;

use serde_json::Value;

use super::super::super::ids::fifteen;
use super::super::super::jobs::{Family, Phase};
use super::super::super::problem::Problem;
use super::super::super::state::State;
use super::super::reply::Reply;
use super::super::request::Call;
use super::super::router::RecordFaults;
use super::{adopt, blank, body, dialect, text, wrong_state};

const KNOWN: [&str; 7] =
    ["object", "operation", "contentType", "lineEnding", "columnDelimiter", "assignmentRuleId", "externalIdFieldName"];

/// `POST …/jobs/ingest`.
pub fn create(state: &State, call: &Call<'_>, faults: &RecordFaults) -> Result<Reply, Problem> {
    let body = body(call, &KNOWN)?;
    let dialect = dialect(&body)?;
    let invalid = |message: String| Problem::new(400, "INVALIDJOB", format!("InvalidJob : {message}"));
    match text(&body, "operation") {
        Some("update") => {}
        Some(other) => return Err(invalid(format!("not emulated: operation {other}"))),
        None => return Err(invalid("operation is required".to_owned())),
    }
    let name = text(&body, "object").unwrap_or_default();
    let object = {
        let org = state.org();
        let object = org.model.catalog.object(name).filter(|o| call.user.object(&o.name).read);
        object.map(|o| o.name.clone()).ok_or_else(|| invalid(format!("Unable to find object: {name}")))?
    };
    let mut jobs = state.jobs();
    let left = jobs.left(&state.settings.bulk);
    if left.batches == 0 || left.records == 0 {
        return Err(Problem::new(400, "EXCEEDEDQUOTA", "ExceededQuota : ApiBatchItems Limit exceeded."));
    }
    let mut job = blank(state, call, &mut jobs, Family::Ingest, dialect);
    job.object = object;
    adopt(&mut job, faults, true);
    let reply = Reply::json(200, &Value::Object(job.made()));
    jobs.keep(job);
    Ok(reply)
}

/// `PUT …/jobs/ingest/{id}/batches`: 201, no body.
pub fn upload(state: &State, call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    let typed = call.request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if !typed.starts_with("text/csv") {
        return Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", format!("Unsupported content type: {typed}")));
    }
    let mut jobs = state.jobs();
    let job = jobs.get_mut(id).ok_or_else(Problem::not_found)?;
    if job.phase != Phase::Open {
        return Err(wrong_state(format!("Job is not Open. Current job state is {}", job.phase.name())));
    }
    if job.upload.is_some() {
        let message = format!(
            "Found multiple contents for job: <{}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job.",
            fifteen(id)
        );
        return Err(Problem::new(400, "INVALIDJOB", message));
    }
    job.upload = Some(Arc::new(call.request.body.clone()));
    Ok(Reply::empty(201))
}

/// `GET …/successfulResults` and its like.
pub fn results(state: &State, id: &str, which: &str) -> Result<Reply, Problem> {
    let jobs = state.jobs();
    let job = jobs.get(id).ok_or_else(Problem::not_found)?;
    if !job.phase.is_over() {
        return Err(wrong_state(format!("Results are not available. Current job state is {}", job.phase.name())));
    }
    let files = job.files.clone().ok_or_else(|| wrong_state("Results are not available yet".to_owned()))?;
    let (delimiter, end) = (job.dialect.delimiter, job.dialect.line_end.text());
    let header = &files.header;
    // The user's own header is echoed as it came (recorded), quotes or none.
    let (first, file) = match which {
        "successfulResults" => (format!("\"sf__Id\"{delimiter}\"sf__Created\"{delimiter}{header}{end}"), files.done),
        "failedResults" => (format!("\"sf__Id\"{delimiter}\"sf__Error\"{delimiter}{header}{end}"), files.failed),
        _ => (format!("{header}{end}"), files.left),
    };
    Ok(Reply::csv(file.slice(first.into_bytes(), 0, file.rows())))
}

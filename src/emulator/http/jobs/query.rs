//! Query jobs: create, results by locator, pages to be read in parallel.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::super::jobs::{self, Family, Phase};
use super::super::super::problem::Problem;
use super::super::super::soql::{self, View};
use super::super::super::state::State;
use super::super::reply::Reply;
use super::super::request::Call;
use super::super::router::RecordFaults;
use super::{adopt, blank, body, dialect, locator, place, text, wrong_state};

/// Result pages told at once.
const PAGES: usize = 5;

/// `POST …/jobs/query`: UploadComplete at once.
pub fn create(state: &Arc<State>, call: &Call<'_>, faults: &RecordFaults) -> Result<Reply, Problem> {
    let body = body(call, &["operation", "query", "contentType", "columnDelimiter", "lineEnding"])?;
    let dialect = dialect(&body)?;
    let invalid = |message: String| Problem::new(400, "INVALIDJOB", format!("InvalidJob : {message}"));
    match text(&body, "operation") {
        Some("query") => {}
        other => return Err(invalid(format!("not emulated: operation {}", other.unwrap_or("null")))),
    }
    let query = text(&body, "query").unwrap_or_default();
    let now = state.now();
    let object = {
        let org = state.org();
        let view = View {
            catalog: &org.model.catalog,
            readable: &|object, field| call.user.reads(object, field),
            hidden: &|object| call.user.hidden_of(object),
            now,
            time_zone: jiff::tz::TimeZone::UTC,
        };
        soql::check(query, &view).map_err(|f| Problem::new(400, f.code, f.message))?
    };
    let (id, reply) = {
        let mut jobs = state.jobs();
        let left = jobs.left(&state.settings.bulk);
        if left.query_jobs == 0 {
            let (most, used) = (state.settings.bulk.daily_query_jobs, jobs.used.query_jobs);
            let message = format!("Max bulk v2 query jobs ({most}) per 24 hrs has been reached ({used})");
            return Err(Problem::new(400, "LIMIT_EXCEEDED", message));
        }
        if left.result_bytes == 0 {
            let most = state.settings.bulk.daily_result_megabytes << 10;
            let message = format!("Max bulk v2 query result size stored ({most}) kb per 24 hrs has been exceeded");
            return Err(Problem::new(400, "LIMIT_EXCEEDED", message));
        }
        jobs.used.query_jobs += 1;
        let mut job = blank(state, call, &mut jobs, Family::Query, dialect);
        (job.object, job.query, job.phase) = (object, query.to_owned(), Phase::UploadComplete);
        adopt(&mut job, faults, true);
        let (id, reply) = (job.id.clone(), Reply::json(200, &Value::Object(job.made())));
        jobs.keep(job);
        (id, reply)
    };
    jobs::begin(state, &id);
    Ok(reply)
}

/// A job whose results may be read: it is complete, and made with this version.
fn files(state: &State, call: &Call<'_>, id: &str) -> Result<jobs::Files, Problem> {
    let jobs = state.jobs();
    let job = jobs.get(id).ok_or_else(Problem::not_found)?;
    if job.version != call.version {
        let message = format!(
            "The results of a job made with API version {} cannot be read with version {}",
            job.version, call.version
        );
        return Err(Problem::new(409, "VERSIONMISMATCH", message));
    }
    if job.phase != Phase::JobComplete {
        return Err(wrong_state(format!("Results are not available. Current job state is {}", job.phase.name())));
    }
    job.files.clone().ok_or_else(|| wrong_state("Results are not available".to_owned()))
}

/// A locator of this request, checked.
fn from(state: &State, call: &Call<'_>, id: &str, rows: usize) -> Result<usize, Problem> {
    let Some(text) = call.request.parameter("locator") else { return Ok(0) };
    let invalid = || Problem::new(400, "INVALIDQUERYLOCATOR", format!("Invalid locator: {text}"));
    let mut jobs = state.jobs();
    if let Some(job) = jobs.get_mut(id)
        && job.script.stale_locators > 0
    {
        job.script.stale_locators -= 1;
        return Err(invalid());
    }
    place(text).filter(|place| *place < rows.max(1)).ok_or_else(invalid)
}

/// `GET …/results?locator=…&maxRecords=…`
pub fn results(state: &State, call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    let files = files(state, call, id)?;
    let rows = files.done.rows();
    let from = from(state, call, id, rows)?;
    let most = match call.request.parameter("maxRecords") {
        None => state.settings.bulk.page_rows,
        Some(text) => text.parse::<usize>().ok().filter(|n| *n > 0).ok_or_else(|| {
            Problem::new(400, "INVALIDPARAMETER", format!("maxRecords is no positive number: {text}"))
        })?,
    };
    let to = from.saturating_add(most.max(1)).min(rows);
    // The word itself, not an absent header, says that there is no more.
    let next = if to < rows { locator(to) } else { "null".to_owned() };
    let reply = Reply::csv(files.done.slice(files.header.clone().into_bytes(), from, to));
    Ok(reply.with("Sforce-NumberOfRecords", (to - from).to_string()).with("Sforce-Locator", next))
}

/// `GET …/resultPages`: up to five pages, to be read side by side (v58 and later).
pub fn pages(state: &State, call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    if call.version.parse::<f64>().is_ok_and(|v| v < 58.0) {
        return Err(Problem::not_found());
    }
    let rows = files(state, call, id)?.done.rows();
    let from = from(state, call, id, rows)?;
    let step = state.settings.bulk.page_rows.max(1);
    let base = format!("/services/data/v{}/jobs/query/{id}", call.version);
    let starts: Vec<usize> = (from..rows.max(from + 1)).step_by(step).take(PAGES).collect();
    let told: Vec<Value> =
        starts.iter().map(|at| json!({"resultUrl": format!("{base}/results?locator={}", locator(*at))})).collect();
    let end = from + PAGES * step;
    let mut reply = json!({"resultPages": told, "done": end >= rows});
    if end < rows {
        reply["nextRecordsUrl"] = format!("{base}/resultPages?locator={}", locator(end)).into();
    }
    Ok(Reply::json(200, &reply))
}

//! A job's life: its work runs in a thread of its own; polls tell how far it is, and hold back its end as long as a script says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use super::super::soql::{self, View};
use super::super::state::State;
use super::delimited::LineEnd;
use super::ingest::{self, BATCH, Orders, Work};
use super::job::{Family, Files, Phase};
use super::query::Export;
use super::registry::Jobs;

/// Between two batches others may have the org.
const BREATH: Duration = Duration::from_millis(1);

/// A job that is UploadComplete since this moment: its work begins. Small work is done when this returns.
pub fn begin(state: &Arc<State>, id: &str) {
    {
        let mut jobs = state.jobs();
        let now = state.now();
        if let Some(job) = jobs.get_mut(id) {
            (job.closed, job.modified) = (Some(Instant::now()), now);
        }
        start(state, &mut jobs, id);
    }
    settle(state, id);
}

fn start(state: &Arc<State>, jobs: &mut Jobs, id: &str) {
    let Some(job) = jobs.get_mut(id) else { return };
    job.working = true;
    let (state, id) = (Arc::clone(state), id.to_owned());
    std::thread::spawn(move || {
        let family = state.jobs().get(&id).map(|job| job.family);
        match family {
            Some(Family::Ingest) => ingest(&state, &id),
            Some(Family::Query) => query(&state, &id),
            None => {}
        }
        if let Some(job) = state.jobs().get_mut(&id) {
            job.working = false;
        }
        state.jobs_changed();
    });
}

/// Waits until nothing works on the job, but not for long.
fn settle(state: &State, id: &str) {
    let grace = Duration::from_millis(state.settings.bulk.grace_millis);
    state.wait_for_jobs(grace, |jobs| jobs.get(id).is_some_and(|job| job.working));
}

/// A poll: what clients are told moves on, if nothing holds it.
pub fn go_on(state: &Arc<State>, id: &str) {
    let now = state.now();
    let mut jobs = state.jobs();
    let Some(job) = jobs.get_mut(id) else { return };
    job.polls += 1;
    if !job.is_under_way() {
        return;
    }
    if job.script.queued > 0 {
        job.script.queued -= 1;
        return;
    }
    if job.phase == Phase::UploadComplete {
        (job.phase, job.modified) = (Phase::InProgress, now);
    }
    if job.script.polls > 0 {
        job.script.polls -= 1;
        return;
    }
    let early = |closed: Instant| closed.elapsed() < Duration::from_millis(job.script.millis);
    if job.script.never || job.closed.is_some_and(early) {
        return;
    }
    if job.end.is_none() && !job.working {
        job.script.pause_after = None;
        start(state, &mut jobs, id);
        drop(jobs);
        settle(state, id);
        jobs = state.jobs();
    }
    let Some(job) = jobs.get_mut(id) else { return };
    if let Some(end) = job.end.filter(|_| job.is_under_way()) {
        (job.phase, job.modified) = (end, now);
        jobs.held.release(id);
    }
}

/// Aborts a job that is not over: rows already written stay, the others are left over.
pub fn stop(state: &State, id: &str) {
    let now = state.now();
    let mut jobs = state.jobs();
    jobs.held.release(id);
    let Some(job) = jobs.get_mut(id) else { return };
    (job.phase, job.modified) = (Phase::Aborted, now);
    if job.working || job.files.is_some() {
        return;
    }
    job.files = match job.work.take() {
        Some(work) => work.close(&job.script).ok(),
        None => Some(ingest::untouched(job.upload.as_ref().map(|u| u.as_slice()), job.dialect)),
    };
}

/// How the work ended.
fn end(state: &State, id: &str, phase: Phase, error: Option<String>, files: Option<Files>) {
    let mut jobs = state.jobs();
    if let Some(job) = jobs.get_mut(id) {
        job.end = Some(phase);
        job.error = error;
        job.files = files.or(job.files.take());
        // What was uploaded is of interest to tests, whose files are small.
        if job.upload.as_ref().is_some_and(|u| u.len() > 67_108_864) {
            job.upload = None;
        }
    }
}

fn ingest(state: &State, id: &str) {
    let (orders, upload, work) = {
        let mut jobs = state.jobs();
        let Some(job) = jobs.get_mut(id) else { return };
        let orders = Orders {
            job: id.to_owned(),
            user: job.user.clone(),
            object: job.object.clone(),
            dialect: job.dialect,
            script: job.script.clone(),
            faults: job.row_faults.clone(),
        };
        (orders, job.upload.clone().unwrap_or_default(), job.work.take())
    };
    let untouched = |upload: &[u8]| Some(ingest::untouched(Some(upload), orders.dialect));
    let work = match work {
        Some(work) => Ok(work),
        None => ingest::check(state, &orders, Arc::clone(&upload)).and_then(|(work, rows)| {
            charge(state, rows)?;
            Ok(work)
        }),
    };
    let outcome = work.and_then(|work| save(state, &orders, work));
    match outcome {
        Err(message) => end(state, id, Phase::Failed, Some(message), untouched(&upload)),
        Ok(None) => {}
        Ok(Some((phase, message, work))) => match work.close(&orders.script) {
            Ok(files) => end(state, id, phase, message, Some(files)),
            Err(error) => end(state, id, Phase::Failed, Some(format!("UnknownException : {error}")), None),
        },
    }
}

/// Takes the rows off the day's allowances.
fn charge(state: &State, rows: usize) -> Result<(), String> {
    let (rows, batches) = (rows as u64, rows.div_ceil(BATCH) as u64);
    let mut jobs = state.jobs();
    let left = jobs.left(&state.settings.bulk);
    if batches > left.batches || rows > left.records {
        return Err("ExceededQuota : ApiBatchItems Limit exceeded.".to_owned());
    }
    jobs.used.batches += batches;
    jobs.used.records += rows;
    Ok(())
}

/// How the work ended: the job's end, its message, and the work for its files.
type Ended = (Phase, Option<String>, Work);

/// Saves until the rows end, a script stops it, or somebody aborts the job. `None`: it pauses, and the work lies with the job.
fn save(state: &State, orders: &Orders, mut work: Work) -> Result<Option<Ended>, String> {
    let stop = orders.script.stop_at().unwrap_or(usize::MAX);
    loop {
        let most = BATCH.min(stop - work.row.min(stop));
        let more = most > 0 && work.save(state, orders, most)?;
        let mut jobs = state.jobs();
        let Some(job) = jobs.get_mut(&orders.job) else {
            return Ok(None);
        };
        (job.processed, job.failed) = (work.row, work.failures());
        if job.phase == Phase::Aborted {
            return Ok(Some((Phase::Aborted, None, work)));
        }
        if work.row >= stop {
            if orders.script.pause_after == Some(stop) {
                job.work = Some(work);
                return Ok(None);
            }
            let failed = orders.script.fail.as_ref().filter(|e| e.after == stop);
            let (phase, message) = match failed {
                Some(ending) => (Phase::Failed, Some(ending.message.clone())),
                None => (Phase::Aborted, None),
            };
            return Ok(Some((phase, message, work)));
        }
        if !more {
            return Ok(Some((Phase::JobComplete, None, work)));
        }
        drop(jobs);
        std::thread::sleep(BREATH);
    }
}

fn query(state: &State, id: &str) {
    let (text, user, dialect, script) = {
        let jobs = state.jobs();
        let Some(job) = jobs.get(id) else { return };
        (job.query.clone(), job.user.clone(), job.dialect, job.script.clone())
    };
    if let Some(ending) = &script.fail {
        return end(state, id, Phase::Failed, Some(ending.message.clone()), None);
    }
    if script.abort.is_some() {
        return end(state, id, Phase::Aborted, None, None);
    }
    let mut export = Export::new(&script, dialect);
    let now = state.now();
    let ran = {
        let org = state.org();
        let view = View {
            catalog: &org.model.catalog,
            readable: &|object, field| user.reads(object, field),
            hidden: &|object| user.hidden_of(object),
            now,
            time_zone: TimeZone::get(&org.profile.time_zone).unwrap_or(TimeZone::UTC),
        };
        soql::export(&text, &view, &org.db, (dialect.delimiter, dialect.line_end == LineEnd::CrLf), &mut export)
    };
    let closed =
        ran.map_err(|f| format!("{}: {}", f.code, f.message)).and_then(|()| export.close().map_err(|e| e.to_string()));
    match closed {
        Ok((files, rows)) => {
            let mut jobs = state.jobs();
            jobs.used.result_bytes += files.done.bytes();
            if let Some(job) = jobs.get_mut(id) {
                job.processed = rows;
            }
            drop(jobs);
            end(state, id, Phase::JobComplete, None, Some(files));
        }
        Err(message) => end(state, id, Phase::Failed, Some(message), None),
    }
}

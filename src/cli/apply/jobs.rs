//! Bulk jobs around an apply: whether it goes by them, and whether one of this user is still at work on the object, perhaps of a run whose journal is lost.

use std::time::{Duration, Instant};

use super::carry::heard;
use super::signals;
use crate::apply::{Cancel, JobSettings, Outcomes, Selection, Settings};
use crate::cli::arguments::OtherJobs;
use crate::cli::connect::{Connected, Purpose, connect};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::problem;
use crate::cli::world::World;
use crate::config::valid::WriteWay;
use crate::diag::{Code, Diagnostic};
use crate::model::ObjectName;
use crate::net::Budget;
use crate::plan::Plan;
use crate::render::escape::Terminal;
use crate::render::{counted, grouped};
use crate::salesforce::{self, JobId, JobInfo, JobState};

/// The longest pause between two questions whether a job is over.
const LONGEST_POLL: Duration = Duration::from_secs(5);

/// Does the apply go by bulk jobs?
pub fn bulk(write: WriteWay, plan: &Plan, selection: &Selection) -> bool {
    match write {
        WriteWay::Bulk => true,
        WriteWay::Collections => false,
        WriteWay::Auto => salesforce::WriteWay::of(selection.most(plan.summary.records)) == salesforce::WriteWay::Bulk,
    }
}

/// May an earlier apply of a report of so many rows have gone by a job?
pub fn may_have_been(write: WriteWay, rows: u64) -> bool {
    write == WriteWay::Auto && salesforce::WriteWay::of(rows) == salesforce::WriteWay::Bulk
}

/// How an apply goes about its work. `FOOTBRIDGE_JOB_RECORDS` makes jobs smaller, for tests.
pub fn settings(place: &Place<'_>, write: WriteWay) -> Settings {
    let default = JobSettings::default();
    let records = place.world.variable("FOOTBRIDGE_JOB_RECORDS").and_then(|text| text.parse().ok());
    let jobs = JobSettings {
        only: write == WriteWay::Bulk,
        longest: place.repository.project.job_time_out,
        records: records.unwrap_or(default.records).min(default.records),
        ..default
    };
    Settings { jobs, ..Settings::default() }
}

/// Says which jobs are left, and how to go on.
pub fn say_left(world: &World, outcomes: &Outcomes, resume: &str) {
    for job in outcomes.jobs_left() {
        let records = counted(job.records, "record");
        world.say(&format!(
            "bulk job {} with {records} is left in Salesforce; `{resume}` fetches its results, \
             with `--jobs abort` it is stopped first",
            job.id
        ));
    }
}

/// Refuses while a bulk job of this user is at work on the object: the plan was made from records that are still changing.
///
/// # Errors
/// A job is at work: exit 1, with its id and what to do.
pub async fn none_at_work(world: &World, connected: &Connected, plan: &Plan) -> Result<(), Failure> {
    let object = &plan.header.object;
    let jobs = match connected.client.open_ingest_jobs(object).await {
        Ok(jobs) => jobs,
        Err(error) => {
            let told = Terminal(&error.to_string()).to_string();
            world.say(&format!(
                "bulk jobs on {object} cannot be listed, so whether one is at work is not known: {told}"
            ));
            return Ok(());
        }
    };
    let (waiting, at_work): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.state == JobState::Open);
    for job in waiting {
        world.say(&format!("bulk job {} of this user on {object} is open, and does nothing by itself", job.id));
    }
    let Some(first) = at_work.first() else { return Ok(()) };
    let ids = at_work.iter().map(|job| job.id.as_str()).collect::<Vec<_>>().join(", ");
    let name = &plan.header.integration;
    let env = plan.header.environment;
    let message = format!("bulk job {ids} of this user is still at work on {object} ({})", how_far(first));
    let diagnostic = Diagnostic::error(Code::Locked, message)
        .note("nothing was sent")
        .help(format!("to wait for it and then plan anew: `footbridge apply {name} --env {env} --jobs wait`"))
        .help(format!(
            "to abort it first, keeping what it has written: `footbridge apply {name} --env {env} --jobs abort`"
        ));
    Err(Failure::new(Exit::Failed, diagnostic))
}

fn how_far(job: &JobInfo) -> String {
    stood(job.state, job.processed.unwrap_or(0))
}

fn stood(state: JobState, processed: u64) -> String {
    format!("{state}, {} records so far", grouped(processed))
}

/// A job was aborted, where it stood so.
pub fn aborted(id: &JobId, state: JobState, processed: u64) -> String {
    format!("bulk job {id} was aborted ({})", stood(state, processed))
}

/// `--jobs`: waits for this user's jobs on the object, or aborts them, before anything is planned.
///
/// # Errors
/// The jobs cannot be listed, asked for or aborted; the word to stop was given.
pub async fn clear(
    place: &Place<'_>,
    target: Target<'_>,
    how: OtherJobs,
    budget: &Budget,
    cancel: &Cancel,
) -> Result<(), Failure> {
    tokio::select! {
        biased;
        () = heard(cancel) => Err(signals::interrupted()),
        cleared = cleared(place, target, how, budget) => cleared,
    }
}

async fn cleared(place: &Place<'_>, target: Target<'_>, how: OtherJobs, budget: &Budget) -> Result<(), Failure> {
    let (world, object): (&World, &ObjectName) = (place.world, &target.integration.object.value);
    let org = (target.integration.org.value.as_str(), target.environment, target.org);
    let project = &place.repository.project;
    let connected = connect(world, place.root, project, org, Purpose::Apply, budget.clone()).await?;
    let context =
        problem::salesforce::Context { org: &connected.place, at: None, not_done: "no record was read or written" };
    let wrong = |error| problem::salesforce::failure(&error, &context);
    let client = &connected.client;
    for job in client.open_ingest_jobs(object).await.map_err(wrong)? {
        if how == OtherJobs::Abort {
            match client.abort_ingest(&job.id).await {
                Ok(_) => world.say(&aborted(&job.id, job.state, job.processed.unwrap_or(0))),
                // It came to its end in the meantime, or another stopped it.
                Err(_) if client.ingest_job(&job.id).await.is_ok_and(|job| job.state.is_over()) => {}
                Err(failure) => return Err(wrong(failure.cause().clone())),
            }
            continue;
        }
        if job.state == JobState::Open {
            continue;
        }
        world.say(&format!("waiting for bulk job {} ({})", job.id, how_far(&job)));
        let mut pause = Duration::from_millis(10);
        let (began, longest) = (Instant::now(), project.job_time_out);
        while !client.ingest_job(&job.id).await.map_err(wrong)?.state.is_over() {
            if began.elapsed() > longest {
                return Err(too_long(&job.id, longest, target));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_POLL);
        }
    }
    Ok(())
}

fn too_long(job: &JobId, longest: Duration, target: Target<'_>) -> Failure {
    let minutes = counted(longest.as_secs() / 60, "minute");
    let (name, env) = (&target.integration.name.value, target.environment);
    let diagnostic =
        Diagnostic::error(Code::Locked, format!("bulk job {job} is still at work after {minutes} of waiting"))
            .note("nothing was sent")
            .help("see Setup → Bulk Data Load Jobs for what holds it up; `time_outs: { job: … }` says how long to wait")
            .help(format!(
                "to abort it, keeping what it has written: `footbridge apply {name} --env {env} --jobs abort`"
            ));
    Failure::new(Exit::Failed, diagnostic)
}

//! Outcomes become a run log with its lines, and an exit code.

use std::io;

use jiff::Timestamp;

use super::carry;
use super::errand::Errand;
use super::turn::Turn;
use super::verify;
use crate::apply::{self, End, JobDone, Outcomes, Selection, StopKind, Unknown};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::planning::source_name;
use crate::cli::show::options;
use crate::diag::{Code, Diagnostic};
use crate::model::FieldName;
use crate::net::Counters;
use crate::plan::{Entry, GuardName, Header, Plan, RecordLedger};
use crate::render;
use crate::runlog::{
    CallCounts, Careful, Doubt, ExitReason, JobLine, NotAttempted, Problem, Quota, RecordLine, RunFacts, RunLog,
    RunProblem, RunSubject, Seconds, StopsAfter, StoreProblem, Trigger, outcome_lines,
};

/// What a run log needs beyond plan and outcomes.
pub struct About<'a> {
    pub trigger: Trigger,
    /// The run's id: its values and its journal go by it.
    pub run: String,
    pub tick: Option<Timestamp>,
    pub start: Timestamp,
    pub user: Option<String>,
    pub waived: &'a [GuardName],
    pub selection: &'a Selection,
    pub counters: Counters,
    pub quota: Option<Quota>,
    pub report_bytes: Option<u64>,
    pub api: String,
    /// What brings the log to the branch.
    pub turn: &'a Turn<'a>,
    /// What is not about every run.
    pub careful: Careful,
}

/// How a run ended, before and after it touched the org.
pub enum Ended<'a> {
    /// Nothing was sent.
    Nothing(ExitReason, NotAttempted),
    /// Something failed between the plan and the first change.
    Failed(Code),
    /// The plan was carried out, as far as it went.
    Carried(&'a Outcomes),
}

/// Writes the run log, prints the summary, and says which exit code it calls for.
///
/// # Errors
/// The log could not be written: the journal stays, and says what happened.
pub fn write(place: &Place<'_>, plan: &Plan, ended: &Ended<'_>, about: About<'_>) -> Result<Exit, Failure> {
    let (reason, ledger, problems, [writes, rereads, jobs]) = match ended {
        Ended::Nothing(..) | Ended::Failed(_) => {
            let reason = match ended {
                Ended::Nothing(reason, _) => reason.clone(),
                _ => ExitReason::Error,
            };
            let code = match ended {
                Ended::Failed(code) => *code,
                _ => Code::JournalUnwritable,
            };
            let ledger = RecordLedger {
                records: plan.summary.records,
                not_attempted: plan.summary.records,
                ..RecordLedger::default()
            };
            // An error between plan and first update.
            let problem = (reason == ExitReason::Error).then(|| RunProblem {
                code: code.as_str().to_owned(),
                message: code.title().to_owned(),
                not_done: Some("nothing was sent".to_owned()),
                next: None,
            });
            (reason, ledger, problem.into_iter().collect::<Vec<_>>(), [0; 3])
        }
        Ended::Carried(outcomes) => (
            reason(outcomes, about.selection),
            outcomes.ledger.clone(),
            stopped(outcomes, &plan.header, &about),
            [outcomes.writes, outcomes.rereads, outcomes.job_calls],
        ),
    };
    let mut about = about;
    if let Ended::Carried(outcomes) = ended {
        about.careful.canary = outcomes.canary.as_ref().map(verify::look);
        about.careful.resent = outcomes.resent.len() as u64;
    }
    let mut problems = problems;
    let differs = about.careful.verify.as_ref().filter(|look| !look.is_calm());
    let verify_differs = differs.is_some();
    problems.extend(differs.map(|look| RunProblem {
        code: Code::VerifyDiffers.as_str().to_owned(),
        message: verify::words(look),
        not_done: None,
        next: None,
    }));
    let others = about.counters.calls.saturating_sub(writes + rereads + jobs);
    let by_kind = [("update", writes), ("read_again", rereads), ("job", jobs), ("other", others)];
    let calls = CallCounts {
        total: about.counters.calls,
        retries: about.counters.repeats,
        polls: about.counters.polls,
        jobs: about.counters.jobs,
        bytes_received: about.counters.received,
        by_kind: by_kind.into_iter().filter(|(_, n)| *n > 0).map(|(kind, n)| (kind.to_owned(), n)).collect(),
    };
    let facts = RunFacts {
        trigger: about.trigger,
        tick: about.tick,
        start: about.start,
        end: place.world.now(),
        user: about.user,
        exit: reason,
        records: ledger,
        waived: about.waived.to_vec(),
        stops_after: StopsAfter {
            limit: about.selection.limit,
            records: about.selection.only.as_ref().map(|o| o.len() as u64),
        },
        window: match ended {
            Ended::Carried(outcomes) if (outcomes.writes > 0 || !outcomes.jobs.is_empty()) && !outcomes.given_up => {
                Some(Seconds { millis: u64::try_from(outcomes.window.as_millis()).unwrap_or(u64::MAX) })
            }
            _ => None,
        },
        calls,
        jobs: match ended {
            Ended::Carried(outcomes) => outcomes.jobs.iter().map(job).collect(),
            Ended::Nothing(..) | Ended::Failed(_) => Vec::new(),
        },
        quota: about.quota,
        report_bytes: about.report_bytes,
        api: about.api,
        footbridge: env!("CARGO_PKG_VERSION").to_owned(),
        problems,
        careful: about.careful,
    };
    let mut log = RunLog::new(plan, facts);
    committed(place, &mut log);
    log.id = about.run;
    let store = about.turn.store();
    let exit = exit_of(ended).and(if verify_differs { Exit::Failed } else { Exit::Done });
    let mut ends = render::Ends::new(&options(place.world, false));
    let lines = outcome_lines(plan, |record, entry| line(entry, record, ended));
    let lines = lines.inspect(|line| line.iter().for_each(|line| ends.line(line)));
    let written = store.write(&mut log, lines).map_err(|problem| {
        let failure = unwritable(problem);
        Failure { exit: failure.exit.and(exit), ..failure }
    })?;
    about.turn.wrote(&log, &written);
    if place.world.json {
        let reread =
            || Ok(store.outcomes(&written.log, &log).map_err(io::Error::other)?.1.map(|l| l.map_err(io::Error::other)));
        let shown = place.world.document(|out| render::runs::show_json(&log, reread, out));
        shown.map_err(|e| Failure::io("show the run log", &written.outcomes, &e))?;
    } else {
        place.world.print(&render::apply::text(&log, &ends, &options(place.world, false)));
    }
    let path = written.log.strip_prefix(place.root).unwrap_or(&written.log);
    place.world.say(&format!("run log: {}", path.display()));
    Ok(exit)
}

/// The log of an apply that ended before it had a plan: no report, no access. The failure itself is told by the caller.
///
/// # Errors
/// The log could not be written either.
pub fn unplanned(
    turn: &Turn<'_>,
    target: Target<'_>,
    start: Timestamp,
    failure: &Failure,
    errand: &Errand,
) -> Result<(), Failure> {
    let place = turn.place();
    let counters = errand.budget.counters();
    // Titles only: messages may name what stands in the report.
    let problems = failure.diagnostics.iter().map(|d| RunProblem {
        code: d.code.as_str().to_owned(),
        message: d.code.title().to_owned(),
        not_done: Some("nothing was sent".to_owned()),
        next: None,
    });
    let exit = if failure.exit == Exit::Unauthorised { ExitReason::NotAuthorised } else { ExitReason::Error };
    let facts = RunFacts {
        tick: errand.tick,
        end: place.world.now(),
        calls: CallCounts { total: counters.calls, retries: counters.repeats, ..CallCounts::default() },
        problems: problems.collect(),
        ..nothing_sent(&target.org.api_version, errand.trigger(), start, exit)
    };
    let mut log = RunLog::unplanned(subject(target), facts);
    committed(place, &mut log);
    let written = turn.store().write(&mut log, []).map_err(unwritable)?;
    turn.wrote(&log, &written);
    let path = written.log.strip_prefix(place.root).unwrap_or(&written.log);
    place.world.say(&format!("run log: {}", path.display()));
    Ok(())
}

/// What a log without a plan is about.
pub fn subject(target: Target<'_>) -> RunSubject {
    let integration = target.integration;
    RunSubject {
        integration: integration.name.value.clone(),
        report: integration.report.name.value.clone(),
        source: source_name(target),
        object: integration.object.value.clone(),
        org: integration.org.value.clone(),
        environment: target.environment,
        org_id: target.org_id,
    }
}

/// The facts of a run that had no plan and sent nothing, as if it had ended at once.
pub fn nothing_sent(api: &str, trigger: Trigger, start: Timestamp, exit: ExitReason) -> RunFacts {
    RunFacts {
        trigger,
        tick: None,
        start,
        end: start,
        user: None,
        exit,
        records: RecordLedger::default(),
        waived: Vec::new(),
        stops_after: StopsAfter::default(),
        window: None,
        calls: CallCounts::default(),
        jobs: Vec::new(),
        quota: None,
        report_bytes: None,
        api: api.to_owned(),
        footbridge: env!("CARGO_PKG_VERSION").to_owned(),
        problems: Vec::new(),
        careful: Careful::default(),
    }
}

/// The commit that the configuration was read from.
pub fn committed(place: &Place<'_>, log: &mut RunLog) {
    if let Some((commit, changed)) = crate::cli::git::head(place.root) {
        (log.commit, log.uncommitted) = (Some(commit), changed);
    }
}

/// A run log that cannot be written.
pub fn unwritable(problem: StoreProblem) -> Failure {
    match problem {
        StoreProblem::Unbalanced { id } => {
            let diagnostic =
                Diagnostic::error(Code::LedgerUnbalanced, format!("the ledgers of run {id} do not add up"));
            Failure::new(Exit::Bug, diagnostic.help("the run log was written all the same; please report it"))
        }
        other => {
            let diagnostic =
                Diagnostic::error(Code::RunLogUnwritable, format!("the run log cannot be written: {other}"));
            Failure::new(
                Exit::Failed,
                diagnostic.help("where something was sent, the journal below .footbridge/ says what; mend the folder, then `footbridge apply --resume` (with the run's `--env`) writes the log"),
            )
        }
    }
}

fn reason(outcomes: &Outcomes, selection: &Selection) -> ExitReason {
    match &outcomes.stopped {
        Some(stop) if stop.kind == StopKind::Interrupted => ExitReason::Interrupted,
        Some(stop)
            if matches!(stop.kind, StopKind::NotAuthorised | StopKind::WrongOrg) && outcomes.ledger.updated == 0 =>
        {
            ExitReason::NotAuthorised
        }
        Some(_) => ExitReason::Error,
        None if outcomes.completed() => ExitReason::Done,
        None => {
            let left_by_choice = |end: &End| {
                matches!(
                    end,
                    End::Updated
                        | End::NotAttempted { reason: apply::NotAttempted::Limit | apply::NotAttempted::NotSelected }
                )
            };
            let chosen = selection.limit.is_some() || selection.only.is_some();
            if chosen && outcomes.ends.iter().flatten().all(left_by_choice) {
                ExitReason::Limited
            } else {
                ExitReason::InPart
            }
        }
    }
}

fn stopped(outcomes: &Outcomes, plan: &Header, about: &About<'_>) -> Vec<RunProblem> {
    let resume = carry::resume(&plan.integration, plan.environment, about.turn.pushing().is_some());
    let canary = |s: &apply::StopReason| (s.kind == StopKind::Canary).then_some(outcomes.canary.as_ref()).flatten();
    let stop = outcomes.stopped.iter();
    let left = outcomes.jobs_left().map(|job| RunProblem {
        code: "job_left".to_owned(),
        message: format!("the run ended before the results of bulk job {} were fetched", job.id),
        not_done: None,
        next: Some(format!("`{resume}` fetches them; with `--jobs abort` the job is stopped first")),
    });
    stop.map(|s| RunProblem {
        code: if s.kind == StopKind::Canary {
            Code::CanaryDiffers.as_str().to_owned()
        } else {
            crate::runlog::plain_code(&s.code)
        },
        message: match canary(s).map(|look| verify::look(look).words()).filter(|fields| !fields.is_empty()) {
            Some(fields) => format!("{}: {fields}", words(s.kind)),
            None if s.kind == StopKind::Canary && outcomes.ledger.updated == 0 => {
                "none of the first records could be written".to_owned()
            }
            None => words(s.kind).to_owned(),
        },
        not_done: Some(format!("{} not attempted", render::counted(outcomes.ledger.not_attempted, "record"))),
        next: next(s.kind, outcomes, plan, (&about.run, &resume)),
    })
    .chain(left)
    .collect()
}

fn job(job: &JobDone) -> JobLine {
    JobLine {
        id: job.id.as_str().to_owned(),
        records: job.records,
        processed: job.processed,
        failed: job.failed,
        seconds: Seconds { millis: u64::try_from(job.took.as_millis()).unwrap_or(u64::MAX) },
        state: job.state.map(|state| state.as_str().to_owned()),
        left: job.left,
    }
}

/// Our own words: Salesforce's may repeat values, and a run log is committed.
fn words(kind: StopKind) -> &'static str {
    match kind {
        StopKind::Interrupted => "the run was interrupted",
        StopKind::DailyLimit => "the org's API calls of the last 24 hours are used up",
        StopKind::NotAuthorised => "the log-in is gone, or lacks a right that every call needs",
        StopKind::WrongOrg => "the log-in leads to another org",
        StopKind::Storage => "the org's storage or another quota is used up",
        StopKind::Unreachable => "Salesforce could not be reached, or kept failing, until the retries were used up",
        StopKind::Unreadable => "the planned records could not be read again",
        StopKind::TooSlow => "reading took longer than a read may be old",
        StopKind::Journal => "the journal could not be written, and nothing is sent without it",
        StopKind::JobFailed => "Salesforce refused a bulk job, or the job failed as a whole",
        StopKind::JobAborted => "somebody stopped a bulk job",
        StopKind::JobSlow => "a bulk job took longer than a run waits for one",
        StopKind::Plan => "the plan could not be read from disk any more",
        StopKind::Canary => "the first records did not come back as they were written",
    }
}

/// What to do after a run that ended early; with its id, and the command that resumes it.
fn next(kind: StopKind, outcomes: &Outcomes, plan: &Header, (run, resume): (&str, &str)) -> Option<String> {
    let (org, env, name) = (&plan.org, plan.environment, &plan.integration);
    if outcomes.jobs_left().next().is_some() {
        // The job that is left says it.
        return None;
    }
    if outcomes.unread() > 0 {
        return Some(format!("`{resume}` looks at the records again, and sends nothing"));
    }
    let again = match &plan.undo_of {
        Some(undone) => format!("`footbridge undo {undone} --env {env}` takes back the rest"),
        None => format!("`footbridge apply {name} --env {env}`: what was written stays, the rest is planned anew"),
    };
    Some(match kind {
        StopKind::Interrupted | StopKind::JobSlow => again,
        StopKind::DailyLimit => {
            format!(
                "wait until calls are allowed again (those of the last 24 hours count; Setup → Company Information shows them), then {again}"
            )
        }
        StopKind::NotAuthorised => {
            format!("`footbridge orgs check {org} --env {env}` says what is missing; then {again}")
        }
        StopKind::WrongOrg => {
            format!(
                "log in to the org that orgs.yaml names (`footbridge orgs connect {org} --env {env}`), then {again}"
            )
        }
        StopKind::Storage => format!("make room in the org (Setup → Storage Usage), then {again}"),
        StopKind::Unreachable => format!("wait (status.salesforce.com tells of outages), then {again}"),
        StopKind::Unreadable => {
            format!(
                "`footbridge orgs check {org} --env {env}` says whether a right is missing, `footbridge validate --online --env {env}` whether a field is gone; then {again}"
            )
        }
        StopKind::TooSlow => {
            format!("wait until the org answers faster, or write fewer at a time (`--limit N`), then {again}")
        }
        StopKind::Journal | StopKind::Plan => format!("make room on the disk, or mend it, then {again}"),
        StopKind::JobFailed => {
            format!(
                "see Setup → Bulk Data Load Jobs for what was wrong (`write: collections` does without such jobs), then {again}"
            )
        }
        StopKind::JobAborted => format!("see Setup → Bulk Data Load Jobs for who stopped it, then {again}"),
        StopKind::Canary if outcomes.ledger.updated == 0 => {
            format!("see below why Salesforce refused them, then {again}")
        }
        StopKind::Canary => {
            format!(
                "look at what changed the records that were written; `footbridge undo {run} --env {env}` takes them back"
            )
        }
    })
}

fn exit_of(ended: &Ended<'_>) -> Exit {
    match ended {
        Ended::Nothing(ExitReason::Guard, _) => Exit::Held,
        Ended::Nothing(ExitReason::Stale, _) => Exit::Stale,
        Ended::Nothing(ExitReason::NotAuthorised, _) => Exit::Unauthorised,
        Ended::Nothing(ExitReason::NothingToDo | ExitReason::Done, _) => Exit::Done,
        Ended::Nothing(..) | Ended::Failed(_) => Exit::Failed,
        Ended::Carried(outcomes) => {
            let unauthorised = outcomes
                .stopped
                .as_ref()
                .is_some_and(|s| matches!(s.kind, StopKind::NotAuthorised | StopKind::WrongOrg));
            let rest = if outcomes.completed() {
                Exit::Done
            } else if outcomes.ledger.updated > 0 {
                Exit::Partial
            } else {
                Exit::Failed
            };
            if unauthorised { rest.and(Exit::Unauthorised) } else { rest }
        }
    }
}

/// The line of a planned record, by its place among them.
fn line(entry: &Entry, record: usize, ended: &Ended<'_>) -> Option<RecordLine> {
    let end = match ended {
        Ended::Nothing(_, reason) => return RecordLine::not_attempted(entry, reason.clone()),
        Ended::Failed(code) => {
            return RecordLine::not_attempted(entry, NotAttempted::Other(code.title().to_owned()));
        }
        Ended::Carried(outcomes) => outcomes.ends.get(record)?,
    };
    let resent = matches!(ended, Ended::Carried(outcomes) if outcomes.resent.contains(&(record as u32)));
    let line = match end {
        End::Updated => RecordLine::updated(entry),
        End::Failed { code, message, fields } => {
            let fields = fields.iter().map(|f| FieldName::new(f.as_str())).collect();
            RecordLine::failed(entry, vec![Problem::new(code.clone(), message, fields, entry)])
        }
        End::Drifted { fields, already_there } => RecordLine::drifted(entry, fields.clone(), *already_there),
        End::NotAttempted { reason } => {
            let reason = match reason {
                apply::NotAttempted::Limit => NotAttempted::Limit,
                apply::NotAttempted::NotSelected => NotAttempted::NotSelected,
                apply::NotAttempted::Interrupted => NotAttempted::Interrupted,
                apply::NotAttempted::Stopped => NotAttempted::Stopped,
                apply::NotAttempted::GivenUp => NotAttempted::GivenUp,
            };
            RecordLine::not_attempted(entry, reason)
        }
        End::Unknown { reason, fields } => {
            let doubt = match reason {
                Unknown::NotReadBack => Doubt::NotReadBack,
                Unknown::StillBefore => Doubt::StillBefore,
                Unknown::Neither => Doubt::Neither,
                Unknown::Gone => Doubt::Gone,
                Unknown::JobLeft => Doubt::JobLeft,
            };
            RecordLine::unknown(entry, doubt, fields.clone())
        }
    };
    line.map(|line| RecordLine { resent, ..line })
}

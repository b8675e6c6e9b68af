//! A run log from a plan and from what the run itself knows.

use jiff::Timestamp;

use super::careful::Careful;
use super::counts::{CellCounts, RecordCounts, RowCounts};
use super::format::*;
use super::place::{source_shown, stamp};
use crate::model::{EnvironmentName, ObjectName, OrgId};
use crate::plan::{ChangeKind, GuardName, Plan, RecordLedger};

/// What a run knows beyond its plan.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// What started it.
    pub trigger: Trigger,
    /// The tick of the schedule that it is for.
    pub tick: Option<Timestamp>,
    /// Start.
    pub start: Timestamp,
    /// End.
    pub end: Timestamp,
    /// The Salesforce user.
    pub user: Option<String>,
    /// Why it ended. [`ExitReason::Done`] becomes `nothing_to_do` or `in_part` where the ledger says so.
    pub exit: ExitReason,
    /// Where the planned records ended. Of a run that sent nothing, all stand under `not_attempted`.
    pub records: RecordLedger,
    /// Guards waived by name.
    pub waived: Vec<GuardName>,
    /// `--limit` and `--records`.
    pub stops_after: StopsAfter,
    /// The longest time between reading a record again and sending its update.
    pub window: Option<Seconds>,
    /// API calls, planning included.
    pub calls: CallCounts,
    /// Bulk jobs.
    pub jobs: Vec<JobLine>,
    /// Quota, as last said; the plan's own where this is `None`.
    pub quota: Option<Quota>,
    /// The report's size, where known.
    pub report_bytes: Option<u64>,
    /// Salesforce's API version.
    pub api: String,
    /// Footbridge's version.
    pub footbridge: String,
    /// What went wrong as a whole.
    pub problems: Vec<RunProblem>,
    /// What is not about every run.
    pub careful: Careful,
}

/// What is known of a run that ended before it had a plan: its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSubject {
    /// The integration.
    pub integration: String,
    /// The report's name.
    pub report: String,
    /// Where the report comes from, as written.
    pub source: String,
    /// The object.
    pub object: ObjectName,
    /// The org's name.
    pub org: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The pinned org.
    pub org_id: OrgId,
}

/// `Completed` when no record failed, is unknown or was left (drifted or not attempted, for whatever reason), and nothing went wrong as a whole.
pub fn status_of(exit: &ExitReason, records: &RecordLedger, problems: &[RunProblem]) -> Status {
    let RecordLedger { records: planned, updated, failed, drifted, not_attempted, unknown } = records;
    let left = failed + drifted + not_attempted + unknown;
    let ended_well = matches!(exit, ExitReason::Done | ExitReason::NothingToDo | ExitReason::Limited);
    if left == 0 && planned == updated && problems.is_empty() && ended_well {
        Status::Completed
    } else {
        Status::Failed
    }
}

/// Column names that a log keeps.
const MOST_COLUMNS: usize = 500;

/// Names as a log keeps them: a report with thousands of columns must not make a large file of every run.
fn columns(names: &[String]) -> Vec<String> {
    names.iter().filter(|name| name.len() <= 200).take(MOST_COLUMNS).cloned().collect()
}

impl RunLog {
    /// The log of a run of `plan`. Its name is its start's stamp until the store finds that taken.
    pub fn new(plan: &Plan, facts: RunFacts) -> Self {
        let Plan { header, summary, context, .. } = plan;
        let left = facts.records.records - facts.records.updated.min(facts.records.records);
        let exit = match facts.exit {
            ExitReason::Done if facts.records.records == 0 => ExitReason::NothingToDo,
            ExitReason::Done if left > 0 => ExitReason::InPart,
            exit => exit,
        };
        let id = stamp(facts.start);
        let fields = header.fields.iter().map(|head| {
            let counts = summary.fields.get(&head.field).cloned().unwrap_or_default();
            let of = |kind| counts.changes.get(&kind).copied().unwrap_or(0);
            FieldTally {
                field: head.field.clone(),
                column: head.column.clone(),
                fill: of(ChangeKind::Fill),
                overwrite: of(ChangeKind::Overwrite),
                clear: of(ChangeKind::Clear),
                same: counts.same,
                kept: counts.kept,
                refused: counts.refused,
                blank: context.blanks.get(&head.field).copied(),
            }
        });
        let guards = plan.guards().map(|guard| GuardLine {
            name: guard.name.as_str().to_owned(),
            value: guard.value,
            base: guard.base,
            limit: guard.limit.to_string(),
            held: guard.held,
            waived: facts.waived.contains(&guard.name),
        });
        Self {
            footbridge: VERSION,
            kind: KIND.to_owned(),
            status: status_of(&exit, &facts.records, &facts.problems),
            exit,
            integration: header.integration.clone(),
            report: ReportFacts {
                name: header.report.clone(),
                source: source_shown(&header.source),
                bytes: facts.report_bytes,
                modified: context.report_modified,
                columns: columns(&context.columns),
            },
            object: header.object.clone(),
            org: header.org.clone(),
            environment: header.environment,
            org_id: header.org_id,
            user: facts.user,
            trigger: facts.trigger,
            tick: facts.tick,
            start: facts.start,
            end: facts.end,
            run_time_seconds: Seconds::between(facts.start, facts.end),
            rows: RowCounts::from(&summary.rows),
            cells: CellCounts::from(&summary.cells),
            records: RecordCounts::from(&facts.records),
            matched: summary.matched,
            fields: fields.collect(),
            guards: guards.collect(),
            stops_after: facts.stops_after,
            window_seconds: facts.window,
            calls: facts.calls,
            jobs: facts.jobs,
            quota: facts.quota.or(context.usage.map(|u| Quota { used: u.used, allowed: u.allowed })),
            digests: Some(PlanDigests {
                configuration: header.digests.configuration.clone(),
                report: header.digests.report.clone(),
                definitions: header.digests.definitions.clone(),
                inputs: summary.inputs.clone(),
                changes: summary.changes.clone(),
            }),
            commit: None,
            uncommitted: false,
            versions: Versions { footbridge: facts.footbridge, api: facts.api },
            undo_of: facts.careful.undo_of,
            values: facts.careful.values,
            canary: facts.careful.canary,
            verify: facts.careful.verify,
            resent: facts.careful.resent,
            problems: facts.problems,
            outcomes: format!("{id}.records.jsonl"),
            id,
        }
    }

    /// The log of a run that ended before it had a plan: no report, no access. All ledgers stand at 0; `facts` must say why.
    pub fn unplanned(subject: RunSubject, facts: RunFacts) -> Self {
        let RunSubject { integration, report, source, object, org, environment, org_id } = subject;
        let id = stamp(facts.start);
        Self {
            footbridge: VERSION,
            kind: KIND.to_owned(),
            status: Status::Failed,
            exit: facts.exit,
            integration,
            report: ReportFacts {
                name: report,
                source: source_shown(&source),
                bytes: facts.report_bytes,
                modified: None,
                columns: Vec::new(),
            },
            object,
            org,
            environment,
            org_id,
            user: facts.user,
            trigger: facts.trigger,
            tick: facts.tick,
            start: facts.start,
            end: facts.end,
            run_time_seconds: Seconds::between(facts.start, facts.end),
            rows: RowCounts::default(),
            cells: CellCounts::default(),
            records: RecordCounts::from(&facts.records),
            matched: 0,
            fields: Vec::new(),
            guards: Vec::new(),
            stops_after: facts.stops_after,
            window_seconds: facts.window,
            calls: facts.calls,
            jobs: facts.jobs,
            quota: facts.quota,
            digests: None,
            commit: None,
            uncommitted: false,
            versions: Versions { footbridge: facts.footbridge, api: facts.api },
            undo_of: facts.careful.undo_of,
            values: facts.careful.values,
            canary: facts.careful.canary,
            verify: facts.careful.verify,
            resent: facts.careful.resent,
            problems: facts.problems,
            outcomes: format!("{id}.records.jsonl"),
            id,
        }
    }

    /// Do all three ledgers add up?
    pub fn balances(&self) -> bool {
        self.rows.balances() && self.cells.balances() && self.records.balances()
    }

    /// The guards that held the run back.
    pub fn held_by(&self) -> impl Iterator<Item = &GuardLine> {
        self.guards.iter().filter(|g| g.held && !g.waived)
    }
}

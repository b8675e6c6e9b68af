//! One line about a run, for lists.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{CellCounts, ExitReason, RecordCounts, RowCounts, RunLog, Seconds, Status, Trigger};
use crate::model::{EnvironmentName, ObjectName, OrgId};

/// What a list of runs says of one of them: everything that lists, schedules, notices and pages need, so that they need not read whole logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// The run log's file.
    pub path: PathBuf,
    /// The run's id.
    pub id: String,
    /// The integration.
    pub integration: String,
    /// The report's name.
    pub report: String,
    /// The object.
    pub object: ObjectName,
    /// The org's name.
    pub org: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The org's id.
    pub org_id: OrgId,
    /// What started it.
    pub trigger: Trigger,
    /// Start (UTC).
    pub start: Timestamp,
    /// End (UTC).
    pub end: Timestamp,
    /// End minus start.
    pub run_time: Seconds,
    /// Completed or Failed.
    pub status: Status,
    /// Why it ended.
    pub exit: ExitReason,
    /// Report rows: what `max_shrink` compares with.
    pub rows: u64,
    /// The row ledger.
    pub row_ends: RowCounts,
    /// The cell ledger.
    pub cells: CellCounts,
    /// The record ledger.
    pub records: RecordCounts,
    /// Records that matched a row and could be judged.
    pub matched: u64,
    /// API calls, planning included.
    pub calls: u64,
    /// Guards that held it back: not those that were waived.
    pub held: Vec<String>,
    /// Codes of what went wrong for the run as a whole.
    pub codes: Vec<String>,
}

impl RunSummary {
    /// Of a log in this file.
    pub fn new(path: PathBuf, log: &RunLog) -> Self {
        Self {
            path,
            id: log.id.clone(),
            integration: log.integration.clone(),
            report: log.report.name.clone(),
            object: log.object.clone(),
            org: log.org.clone(),
            environment: log.environment,
            org_id: log.org_id,
            trigger: log.trigger.clone(),
            start: log.start,
            end: log.end,
            run_time: log.run_time_seconds,
            status: log.status,
            exit: log.exit.clone(),
            rows: log.rows.rows,
            row_ends: log.rows.clone(),
            cells: log.cells.clone(),
            records: log.records.clone(),
            matched: log.matched,
            calls: log.calls.total,
            held: log.held_by().map(|guard| guard.name.clone()).collect(),
            codes: log.problems.iter().map(|problem| problem.code.clone()).collect(),
        }
    }

    /// Did it change records, or may it have? What is in the org comes from the newest such run: drift is told of it, `undo NAME` takes it back, and pruning
    /// leaves it whole. Of a run that died it may not be known which records those are.
    pub fn wrote(&self) -> bool {
        self.records.updated + self.records.unknown > 0
    }
}

impl RunLog {
    /// Records that it updated, or may have. Its outcomes have a line for each; none for those of a run that died and whose values could not be read.
    pub fn may_have_written(&self) -> u64 {
        self.records.updated + self.records.unknown
    }
}

impl RowCounts {
    /// Rows for which a record was found, as the guard `min_match` counts them.
    pub fn found(&self) -> u64 {
        self.rows.saturating_sub(self.no_record + self.blank_key + self.bad_key + self.duplicate_key)
    }
}

/// A file under `runs/`, read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A run.
    Run(Box<RunSummary>),
    /// A run log that cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Listed {
    /// The run, if it can be read.
    pub fn run(&self) -> Option<&RunSummary> {
        match self {
            Listed::Run(run) => Some(run),
            Listed::Unreadable { .. } => None,
        }
    }
}

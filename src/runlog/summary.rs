//! One line about a run, for lists.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{ExitReason, RecordCounts, RunLog, Seconds, Status, Trigger};
use crate::model::{EnvironmentName, ObjectName, OrgId};

/// What a list of runs says of one of them.
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
    /// Start (UTC).
    pub start: Timestamp,
    /// End minus start.
    pub run_time: Seconds,
    /// Completed or Failed.
    pub status: Status,
    /// Why it ended.
    pub exit: ExitReason,
    /// Who or what started it.
    pub trigger: Trigger,
    /// Report rows: what `max_shrink` compares with.
    pub rows: u64,
    /// The record ledger.
    pub records: RecordCounts,
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
            start: log.start,
            run_time: log.run_time_seconds,
            status: log.status,
            exit: log.exit.clone(),
            trigger: log.trigger.clone(),
            rows: log.rows.rows,
            records: log.records.clone(),
        }
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

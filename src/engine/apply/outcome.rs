//! Where every planned record ended, and what the run took.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::canary::CanaryLook;
use super::ends::Ends;
use super::org::{Fault, RecordError, StopKind};
use crate::model::FieldName;
use crate::plan::RecordLedger;
use crate::salesforce::{JobId, JobState};

/// Where a planned record ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// Written: Salesforce said so, or the record was seen to hold the new values after an answer was lost.
    Updated,
    /// Salesforce refused it, or the record was not there any more.
    Failed {
        /// Salesforce's code; `NOT_FOUND` for a record that was gone.
        code: String,
        /// Salesforce's own words, at most [`End::MESSAGE_LIMIT`] bytes. May repeat values.
        message: String,
        /// The fields at fault, where Salesforce names them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<String>,
    },
    /// Somebody changed a planned field since the plan was made: left alone.
    Drifted {
        /// The fields that no longer hold the values that were planned from.
        fields: Vec<FieldName>,
        /// Every planned field holds the planned value already.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        already_there: bool,
    },
    /// Nothing was sent.
    NotAttempted {
        /// Why.
        reason: NotAttempted,
    },
    /// The answer was lost and the record does not tell.
    Unknown {
        /// What was found.
        reason: Unknown,
        /// The fields that hold neither the one value nor the other.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<FieldName>,
    },
}

impl End {
    /// Salesforce's messages are cut to this many bytes.
    pub const MESSAGE_LIMIT: usize = 2_000;

    /// The code of a record that was gone when it was read again.
    pub const GONE: &str = "NOT_FOUND";

    pub(super) fn failed(code: &str, message: &str, fields: &[String]) -> Self {
        let cut = |text: &str, limit| text[..text.floor_char_boundary(limit)].to_owned();
        End::Failed {
            code: cut(code, 100),
            message: cut(message, Self::MESSAGE_LIMIT),
            fields: fields.iter().take(100).map(|field| cut(field, 100)).collect(),
        }
    }

    pub(super) fn refused(error: &RecordError) -> Self {
        Self::failed(&error.code, &error.message, &error.fields)
    }

    pub(super) fn gone() -> Self {
        Self::failed(
            Self::GONE,
            "the record was not found when it was read again: it was deleted, or this user may no longer see it; nothing was sent",
            &[],
        )
    }

    /// Of a record that a lost update may yet write.
    pub(super) fn still_before() -> Self {
        End::Unknown { reason: Unknown::StillBefore, fields: Vec::new() }
    }

    /// The word in files.
    pub fn as_str(&self) -> &'static str {
        match self {
            End::Updated => "updated",
            End::Failed { .. } => "failed",
            End::Drifted { .. } => "drifted",
            End::NotAttempted { .. } => "not_attempted",
            End::Unknown { .. } => "unknown",
        }
    }

    /// Counts this end.
    pub fn count(&self, ledger: &mut RecordLedger) {
        match self {
            End::Updated => ledger.updated += 1,
            End::Failed { .. } => ledger.failed += 1,
            End::Drifted { .. } => ledger.drifted += 1,
            End::NotAttempted { .. } => ledger.not_attempted += 1,
            End::Unknown { .. } => ledger.unknown += 1,
        }
    }
}

/// Why nothing was sent for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotAttempted {
    /// `--limit` was reached.
    Limit,
    /// `--records` does not name it.
    NotSelected,
    /// Ctrl-C or SIGTERM came first.
    Interrupted,
    /// The run was stopped; [`Outcomes::stopped`] says why.
    Stopped,
    /// The run was killed, and somebody gave it up.
    GivenUp,
}

/// Why the end of a record is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// The answer was lost, and the record could not be read afterwards.
    NotReadBack,
    /// The answer was lost; the record held its old values when it was read, and it was not sent again. Salesforce may still have been at work.
    StillBefore,
    /// The answer was lost, and the record holds neither its old nor the new values.
    Neither,
    /// The answer was lost, and the record is gone.
    Gone,
    /// It was sent with a bulk job whose results were not fetched before the run ended. `apply --resume` fetches them.
    JobLeft,
}

/// Why a run stopped before its plan was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopReason {
    /// What to do about it depends on this.
    pub kind: StopKind,
    /// Salesforce's code, where there is one; otherwise [`StopKind::as_str`].
    pub code: String,
    /// The words of Salesforce or of the system.
    pub message: String,
}

impl StopReason {
    pub(super) fn new(kind: StopKind, message: impl Into<String>) -> Self {
        Self { kind, code: kind.as_str().to_owned(), message: message.into() }
    }

    pub(super) fn of(kind: StopKind, fault: &Fault) -> Self {
        Self { kind, code: fault.code.clone(), message: fault.message.clone() }
    }
}

/// What a run did: where every planned record ended, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcomes {
    /// Of every planned record, in the order of the plan; after a resume the earlier ends, too.
    pub ends: Ends,
    /// The third ledger. It balances, or there are no outcomes.
    pub ledger: RecordLedger,
    /// Why the run stopped early, if it did.
    pub stopped: Option<StopReason>,
    /// Update calls that were sent, in this process.
    pub writes: u64,
    /// Read calls, in this process.
    pub rereads: u64,
    /// Calls that were made again after a failure, in this process.
    pub retries: u64,
    /// The longest time between reading a record and sending its update: what nobody guards, as Salesforce has no lock for it.
    pub window: Duration,
    /// Bulk jobs that were made or taken up in this process, in their order.
    pub jobs: Vec<JobDone>,
    /// Calls for jobs, polls included, in this process.
    pub job_calls: u64,
    /// What the first records showed, where there were such and they were looked at.
    pub canary: Option<CanaryLook>,
    /// Places of records that were sent again after an answer was lost, as they held their old values in between. Salesforce may have carried out the first
    /// sending, too: what was updated may have been written twice, what was refused may have been written. Over all processes of the run.
    pub resent: BTreeSet<u32>,
    /// The run was given up: nothing was sent for what was left of it.
    pub given_up: bool,
}

/// What became of a bulk job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDone {
    /// The job.
    pub id: JobId,
    /// Records that it was given.
    pub records: u64,
    /// Records that Salesforce dealt with, failed ones included.
    pub processed: u64,
    /// Of these, failed.
    pub failed: u64,
    /// From its making, or its being taken up, to its end.
    pub took: Duration,
    /// Where it stood when it was last asked for.
    pub state: Option<JobState>,
    /// Its results were not fetched: it may still be at work, and `apply --resume` takes it up.
    pub left: bool,
}

impl Outcomes {
    /// Jobs that a resume has to take up.
    pub fn jobs_left(&self) -> impl Iterator<Item = &JobDone> {
        self.jobs.iter().filter(|job| job.left)
    }

    /// Records of a run that was given up of which it was not found out whether they were written, for a reason that passes: whoever resumes it looks once
    /// more.
    pub fn unread(&self) -> u64 {
        let passes = [
            StopKind::Interrupted,
            StopKind::DailyLimit,
            StopKind::NotAuthorised,
            StopKind::WrongOrg,
            StopKind::Unreachable,
            StopKind::Journal,
        ];
        if !self.stopped.as_ref().is_some_and(|stop| passes.contains(&stop.kind)) {
            return 0;
        }
        let unread = |end: &&End| matches!(end, End::Unknown { reason: Unknown::NotReadBack, .. });
        if self.given_up { self.ends.iter().flatten().filter(unread).count() as u64 } else { 0 }
    }

    /// Nothing failed, is unknown, drifted or was left.
    pub fn completed(&self) -> bool {
        self.ledger.updated == self.ledger.records
    }
}

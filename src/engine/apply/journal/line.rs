//! The lines of a journal.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::apply::left::Foreign;
use crate::apply::outcome::{End, StopReason};
use crate::model::{Digest, EnvironmentName, FieldName, ObjectName, OrgId, RecordId};
use crate::plan::{Broken, FileProblem};
use crate::salesforce::JobId;

/// The name and version of the journal's format.
pub const FORMAT: &str = "footbridge journal/1";

/// The part of a plan that a run is to carry out. The same after a resume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// `--limit`: the first so many of the planned (and selected) records, in the order of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// `--records`: these only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<BTreeSet<RecordId>>,
}

impl Selection {
    /// So many of this many planned records are sent at the most.
    pub fn most(&self, planned: u64) -> u64 {
        let named = self.only.as_ref().map_or(u64::MAX, |only| only.len() as u64);
        planned.min(self.limit.unwrap_or(u64::MAX)).min(named)
    }
}

/// The first line: which run this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: String,
    /// The run's id.
    pub run: String,
    /// When it started (UTC).
    pub started: Timestamp,
    /// The tick of the schedule that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<Timestamp>,
    /// The integration.
    pub integration: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The object.
    pub object: ObjectName,
    /// The org.
    pub org_id: OrgId,
    /// The plan's digest of what went in.
    pub inputs: Digest,
    /// The plan's digest of what comes out.
    pub changes: Digest,
    /// Planned records.
    pub records: u64,
    /// The plan's copy, a file name in the same folder.
    pub plan: String,
    /// Bulk jobs carry it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bulk: bool,
    /// The field whose record Salesforce locks with each record: what jobs are ordered by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<FieldName>,
    /// Records that are written and looked at before all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canary: Vec<RecordId>,
    /// What of the plan is carried out.
    #[serde(flatten)]
    pub selection: Selection,
}

/// Where one record ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// The record.
    pub record: RecordId,
    /// Where it ended.
    #[serde(flatten)]
    pub end: End,
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first.
    Header(Box<Head>),
    /// These records are about to be sent; on disk before the first byte leaves.
    Intent {
        /// Counts up through the whole journal.
        batch: u64,
        /// The records, in the order in which they are sent.
        records: Vec<RecordId>,
        /// Of ids and bodies.
        digest: Digest,
        /// They go by a bulk job, whose id follows.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        job: bool,
    },
    /// The bulk job of a batch, made and still empty; on disk before its first byte leaves. A batch without this line was never sent.
    Job {
        /// Which batch.
        batch: u64,
        /// The job.
        id: JobId,
    },
    /// What became of a batch.
    Result {
        /// Which.
        batch: u64,
        /// The answer was lost: the records in `again` held their old values, and may yet have been written.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lost: bool,
        /// Records that ended.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ends: Vec<RecordLine>,
        /// Records that were not written and are sent again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        again: Vec<RecordId>,
    },
    /// What Salesforce said of records that it did not write and that are to be sent again: where they end if they are not.
    Refused {
        /// Which, and where.
        ends: Vec<RecordLine>,
    },
    /// Somebody gave the run up: from here on nothing is sent, whoever carries on.
    GivenUp {},
    /// Records that ended without being sent (drifted, gone), or when trying again was given up.
    Ends {
        /// Which, and where.
        ends: Vec<RecordLine>,
    },
    /// The run came to its end. What has no line by now was not attempted.
    Finished {
        /// Why it ended early, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stopped: Option<StopReason>,
    },
}

/// Why a journal cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum JournalProblem {
    /// It cannot be begun: nothing was sent.
    #[error("the journal {} cannot be made: {source}; nothing was sent", path.display())]
    Create {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be written any further.
    #[error("the journal {} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be read.
    #[error("the journal {} cannot be read: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It was written by a newer Footbridge. It may be looked at, and must not be carried on.
    #[error("the journal {} was written by a newer Footbridge (`{found}`, this one writes `{FORMAT}`)", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format that it names.
        found: String,
    },
    /// A line before the last cannot be understood.
    #[error("line {line} of the journal {} cannot be understood", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// It ends before its first line does: nothing was sent.
    #[error("the journal {} has no first line: nothing was sent", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The copy of the plan beside it cannot be read.
    #[error("the plan {} that belongs to the journal cannot be read: {source}", path.display())]
    Plan {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: FileProblem,
    },
    /// The copy beside it is of another plan, or contradicts itself.
    #[error("the plan {} is not the one that the journal was written for", path.display())]
    OtherPlan {
        /// The copy.
        path: PathBuf,
        /// What does not hold in it, if anything.
        broken: Vec<Broken>,
    },
    /// The journal names what is not in the plan.
    #[error("the journal {} does not fit its plan: {source}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What.
        source: Foreign,
    },
}

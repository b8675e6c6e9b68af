//! What apply asks of an org: read these records, update these records. Everything else about Salesforce is the client's.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use foldhash::fast::RandomState;
use tokio::sync::mpsc::Receiver;

use crate::model::{FieldName, ObjectName, RecordId};
use crate::salesforce::{JobId, JobInfo, Results};

/// An org that can be read and updated by record id. One call of a method is one API call (log-in refreshes and retries inside of it apart).
pub trait Org {
    /// Reads at most 2,000 records. Records that do not exist, or that this user may not see, are absent.
    ///
    /// Source: `POST …/composite/sobjects/X` with `ids` and `fields`, `null` for what was not found.
    fn read(
        &self,
        object: &ObjectName,
        ids: &[RecordId],
        fields: &[FieldName],
    ) -> impl Future<Output = Result<Rows, Fault>>;

    /// Updates at most 200 records, each on its own (`allOrNone` false); outcomes in the order of the records.
    ///
    /// Source: `PATCH …/composite/sobjects`; recording `exchange_collections_update_200.json`.
    fn update(
        &self,
        object: &ObjectName,
        records: &[RecordUpdate],
    ) -> impl Future<Output = Result<Vec<RecordOutcome>, CallFailure>>;

    /// Makes a job that updates records of this object. After `Unknown` it may exist: empty, and so without any effect.
    ///
    /// Source of all that concerns jobs: Bulk API 2.0 guide; recording `bulk2_ingest_update_and_query_lifecycle.json`.
    fn create_job(&self, object: &ObjectName) -> impl Future<Output = Result<JobInfo, CallFailure>>;

    /// Sends a job's CSV as it comes out of the channel. Once a job.
    fn upload(&self, job: &JobId, body: Receiver<Bytes>) -> impl Future<Output = Result<(), CallFailure>>;

    /// Says that the data is complete. From here on Salesforce works on the job; before, nothing is written.
    fn close_job(&self, job: &JobId) -> impl Future<Output = Result<JobInfo, CallFailure>>;

    /// How far a job is.
    fn job(&self, job: &JobId) -> impl Future<Output = Result<JobInfo, Fault>>;

    /// One of a job's three result files, row by row, in any order; returns the rows. After an error none of them counts.
    fn job_results(
        &self,
        job: &JobId,
        which: Results,
        row: &mut (dyn FnMut(JobRow) + Send),
    ) -> impl Future<Output = Result<u64, Fault>>;

    /// Stops a job. What it has written stays.
    fn abort_job(&self, job: &JobId) -> impl Future<Output = Result<(), CallFailure>>;

    /// Puts a job away that is over.
    fn delete_job(&self, job: &JobId) -> impl Future<Output = Result<(), CallFailure>>;

    /// This user's jobs on the object that are not over.
    fn unfinished_jobs(&self, object: &ObjectName) -> impl Future<Output = Result<Vec<JobInfo>, Fault>>;
}

/// One row of a job's results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// The record; `None` where it cannot be read.
    pub id: Option<RecordId>,
    /// Why it was not written; only among the failed.
    pub error: Option<RecordError>,
}

/// Records as they were read: cells in the order of the fields that were asked for, empty is null.
#[derive(Default)]
pub struct Rows {
    /// Each record's first cell, and how many it has.
    places: HashMap<RecordId, (usize, usize), RandomState>,
    /// Where each cell ends.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

/// The cells of one record.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    rows: &'r Rows,
    first: usize,
    cells: usize,
}

impl Rows {
    /// No rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record with its cells.
    pub fn push<'c>(&mut self, id: RecordId, cells: impl IntoIterator<Item = &'c [u8]>) {
        let first = self.ends.len();
        for cell in cells {
            self.bytes.extend_from_slice(cell);
            self.ends.push(self.bytes.len());
        }
        self.places.insert(id, (first, self.ends.len() - first));
    }

    /// A record's cells; `None` when it was not found.
    pub fn get(&self, id: &RecordId) -> Option<Row<'_>> {
        self.places.get(id).map(|&(first, cells)| Row { rows: self, first, cells })
    }
}

impl<'r> Row<'r> {
    /// The cell of a field, by its place among those that were asked for.
    pub fn get(&self, slot: usize) -> Option<&'r [u8]> {
        let cell = self.first + (slot < self.cells).then_some(slot)?;
        let start = cell.checked_sub(1).map_or(0, |before| self.rows.ends[before]);
        Some(&self.rows.bytes[start..self.rows.ends[cell]])
    }
}

/// One record to write.
#[derive(Clone, PartialEq, Eq)]
pub struct RecordUpdate {
    /// The record.
    pub id: RecordId,
    /// The fields to write as JSON members without braces: `"A__c":1,"B__c":null`.
    pub members: Vec<u8>,
}

/// What Salesforce said of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// Written.
    Updated,
    /// Not written.
    Failed(RecordError),
}

/// Why Salesforce did not write a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// Salesforce's `statusCode` (`UNABLE_TO_LOCK_ROW`).
    pub code: String,
    /// Salesforce's own words. May repeat values.
    pub message: String,
    /// The fields at fault, where Salesforce names them.
    pub fields: Vec<String>,
    /// Sending it again later can work.
    pub retry: bool,
    /// No further record can be written either (storage used up).
    pub stop: Option<StopKind>,
}

/// A call without a usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFailure {
    /// The request never reached Salesforce.
    NotSent(Fault),
    /// Salesforce refused the whole call: nothing was written.
    Refused(Fault),
    /// The answer was lost: everything, something or nothing may have been written.
    Unknown(Fault),
}

/// An error of a whole call, as far as apply needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// What to do about it.
    pub class: Class,
    /// Salesforce's `errorCode`, or a short word for what has none (`CONNECTION`).
    pub code: String,
    /// Salesforce's own words, or the client's.
    pub message: String,
}

impl Fault {
    /// The code of an answer that could not be read.
    pub const MALFORMED: &str = "MALFORMED_ANSWER";
    /// The code of an answer that came with fewer rows than it announced.
    pub const ROWS_MISSING: &str = "ROWS_MISSING";

    /// An answer came, and is not whole: the next one may be.
    pub(super) fn is_garbled(&self) -> bool {
        [Self::MALFORMED, Self::ROWS_MISSING].contains(&self.code.as_str())
    }
}

/// What to do about an error of a whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Try later, after this long where Salesforce said so (`Retry-After`).
    Later(Option<Duration>),
    /// No further call can work: stop the run.
    Stop(StopKind),
    /// One of the records may be at fault (a value that Salesforce cannot read, too much at once): fewer of them may work.
    Body,
    /// This call cannot work; others may.
    Call,
}

/// Why no further call can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// The org's API calls of the day are used up.
    DailyLimit,
    /// The log-in is gone, or lacks a right that every call needs.
    NotAuthorised,
    /// This is not the org that the plan was made for.
    WrongOrg,
    /// The org's storage or another quota is used up.
    Storage,
    /// Salesforce could not be reached, or kept failing, until the retries were used up.
    Unreachable,
    /// The planned records cannot be read any more, so nothing can be checked before writing.
    Unreadable,
    /// Reading takes longer than a read may be old.
    TooSlow,
    /// The journal cannot be written: nothing is sent without it.
    Journal,
    /// Salesforce refused a bulk job, or the job failed as a whole.
    JobFailed,
    /// Somebody stopped a bulk job.
    JobAborted,
    /// A bulk job takes longer than anyone waits for it.
    JobSlow,
    /// The plan's entries cannot be read from disk any more.
    Plan,
    /// The first records did not come back as they were written.
    Canary,
}

impl StopKind {
    /// The word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            StopKind::Interrupted => "interrupted",
            StopKind::DailyLimit => "daily_limit",
            StopKind::NotAuthorised => "not_authorised",
            StopKind::WrongOrg => "wrong_org",
            StopKind::Storage => "storage",
            StopKind::Unreachable => "unreachable",
            StopKind::Unreadable => "unreadable",
            StopKind::TooSlow => "too_slow",
            StopKind::Journal => "journal",
            StopKind::JobFailed => "job_failed",
            StopKind::JobAborted => "job_aborted",
            StopKind::JobSlow => "job_slow",
            StopKind::Plan => "plan",
            StopKind::Canary => "canary",
        }
    }
}

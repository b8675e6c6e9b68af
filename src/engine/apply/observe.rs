//! What a run tells while it works, for progress bars and lines.

use std::time::Duration;

use super::org::Fault;
use super::outcome::StopReason;
use crate::salesforce::{JobId, JobState};

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records that have ended.
    pub done: u64,
    /// Records that this run is to end: not those outside `--limit` and `--records`.
    pub total: u64,
    /// Of `done`: written.
    pub updated: u64,
    /// Of `done`: failed or unknown.
    pub failed: u64,
    /// Of `done`: left alone, as somebody changed them.
    pub drifted: u64,
    /// API calls so far.
    pub calls: u64,
}

/// Something worth a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Records are about to be read again.
    Reading {
        /// How many.
        records: usize,
    },
    /// An update is about to be sent.
    Sending {
        /// The batch's number.
        batch: u64,
        /// How many records.
        records: usize,
    },
    /// A call failed; the next follows after this time.
    Waiting {
        /// Why.
        fault: Fault,
        /// How long.
        pause: Duration,
    },
    /// Some records could not be locked and are sent again, in smaller groups, after this time.
    Again {
        /// How many.
        records: usize,
        /// How long.
        pause: Duration,
    },
    /// The run's further tries are used up: these records, which could not be locked, are not sent again.
    GivenUp {
        /// How many.
        records: usize,
    },
    /// Salesforce refused a whole call; it is sent again in halves, to find the record at fault.
    Halving {
        /// How many records.
        records: usize,
        /// Why.
        fault: Fault,
    },
    /// An answer was lost; the records are read to see whether they were written.
    LookingUp {
        /// How many records.
        records: usize,
        /// Why.
        fault: Fault,
    },
    /// A bulk job was made, or one of an earlier process is taken up.
    Job {
        /// Which.
        id: JobId,
        /// Its records.
        records: usize,
        /// It was made by an earlier process.
        taken_up: bool,
    },
    /// How far a bulk job is; at every question that was answered.
    JobState {
        /// Which.
        id: JobId,
        /// Where it stands.
        state: JobState,
        /// Records that Salesforce has dealt with, and of these failed.
        processed: u64,
        /// Of these, failed.
        failed: u64,
        /// Its records.
        records: usize,
        /// Questions so far.
        polls: u64,
    },
    /// A bulk job of an earlier process was stopped, as was asked for. What it has written stays.
    JobAborted {
        /// Which.
        id: JobId,
        /// Where it stood.
        state: JobState,
        /// Records that Salesforce had dealt with.
        processed: u64,
    },
    /// The results of a bulk job are not what they should be: the records themselves are looked at.
    JobResults {
        /// Which.
        id: JobId,
        /// Records that the results do not tell of, or contradict themselves about.
        untold: usize,
        /// Rows of other records, or without a readable id.
        foreign: u64,
    },
    /// A bulk job failed half-way; what it did not come to goes with another.
    JobHalfway {
        /// Which.
        id: JobId,
        /// Salesforce's words.
        message: String,
        /// Records that it did not come to.
        records: usize,
    },
    /// Salesforce makes no bulk job of this object: collections instead.
    NoJobs(Fault),
    /// These records cannot be carried by bulk CSV: collections.
    NotForBulk {
        /// How many.
        records: usize,
    },
    /// A bulk job is left to run: the run ends before it does.
    JobLeft {
        /// Which.
        id: JobId,
        /// Its records.
        records: usize,
    },
    /// The run ends early.
    Stopped(StopReason),
}

/// Is told what a run does.
pub trait Observer {
    /// How far it is; after every call.
    fn progress(&mut self, progress: &Progress);
    /// Something worth a line.
    fn event(&mut self, event: &Event);
}

/// Tells nobody.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: &Progress) {}
    fn event(&mut self, _: &Event) {}
}

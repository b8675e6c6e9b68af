//! How a run goes about its work: sizes, ages, the clock.

use std::time::Duration;

use crate::salesforce::{JOB_BYTES, JOB_RECORDS};

/// A clock that only ever goes forward, from any start. Apply reads no other.
pub trait Clock {
    /// Time since the start.
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration> Clock for F {
    fn now(&self) -> Duration {
        self()
    }
}

/// How a run goes about its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Records an update call, 1 to 200.
    pub batch: usize,
    /// Records a read call, 1 to 2,000.
    pub read: usize,
    /// How old a read may be when its records are sent.
    pub max_age: Duration,
    /// How often one record is sent at most, when it cannot be locked.
    pub tries: u32,
    /// Calls that may be spent on finding the record at fault when Salesforce refuses a whole call.
    pub halvings: u32,
    /// After the word to stop: how long the call under way may take to end.
    pub finish: Duration,
    /// After that: how long reading its records may take, to see whether they were written.
    pub look_up: Duration,
    /// Bulk jobs.
    pub jobs: JobSettings,
}

/// How a run goes about bulk jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSettings {
    /// Records a job, at the most. What can be read within half of [`Settings::max_age`] may be fewer.
    pub records: usize,
    /// Bytes of CSV a job, at the most.
    pub bytes: u64,
    /// Reads under way at once, before a job.
    pub readers: usize,
    /// The pause before the first question how far a job is; each further one is half as long again.
    pub first_poll: Duration,
    /// The longest pause between two questions.
    pub longest_poll: Duration,
    /// How long a job may take.
    pub longest: Duration,
    /// Jobs of an earlier process that are at work are stopped before their results are taken.
    pub abort: bool,
    /// A job that Salesforce will not make is a reason to stop, and not to send collections instead (`write: bulk`).
    pub only: bool,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            records: JOB_RECORDS,
            bytes: JOB_BYTES,
            readers: 4,
            first_poll: Duration::from_millis(10),
            longest_poll: Duration::from_secs(5),
            longest: Duration::from_secs(4 * 60 * 60),
            abort: false,
            only: false,
        }
    }
}

impl Settings {
    /// The most that one update call takes (`PATCH …/composite/sobjects`).
    pub const MAX_BATCH: usize = 200;
    /// The most that one read call takes (`POST …/composite/sobjects/X`).
    pub const MAX_READ: usize = 2_000;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch: Self::MAX_BATCH,
            read: Self::MAX_READ,
            max_age: Duration::from_secs(60),
            tries: 6,
            halvings: 200,
            finish: Duration::from_millis(2_500),
            look_up: Duration::from_millis(1_500),
            jobs: JobSettings::default(),
        }
    }
}

//! All jobs of the org, and what is left of the day's allowances for them.

use std::collections::BTreeMap;

use super::super::ids;
use super::super::options::BulkSettings;
use super::job::{Family, Job};
use super::locks::Held;

/// Jobs by id, which is also the order in which they were made. They live as long as the emulator runs.
#[derive(Default)]
pub struct Jobs {
    jobs: BTreeMap<String, Job>,
    last: u64,
    /// What has been used of the day's allowances.
    pub used: Quota,
    /// Parents that jobs under way hold.
    pub held: Held,
}

/// Allowances of a day, used or left.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quota {
    /// Batches of 10,000 records, shared with Bulk API 1.0.
    pub batches: u64,
    /// Records of ingest jobs.
    pub records: u64,
    /// Query jobs.
    pub query_jobs: u64,
    /// Bytes of query results.
    pub result_bytes: u64,
}

impl Jobs {
    /// A new id.
    pub fn next_id(&mut self) -> String {
        self.last += 1;
        ids::nth("750", self.last)
    }

    /// Keeps a new job.
    pub fn keep(&mut self, job: Job) {
        self.jobs.insert(job.id.clone(), job);
    }

    /// A job by id.
    pub fn get(&self, id: &str) -> Option<&Job> {
        self.jobs.get(id)
    }

    /// A job by id, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.get_mut(id)
    }

    /// Forgets a job.
    pub fn delete(&mut self, id: &str) {
        self.jobs.remove(id);
        self.held.release(id);
    }

    /// All jobs, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// Changes all jobs.
    pub fn each(&mut self, change: impl FnMut(&mut Job)) {
        self.jobs.values_mut().for_each(change);
    }

    /// Jobs of a family, oldest first.
    pub fn of(&self, family: Family) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(move |j| j.family == family)
    }

    /// What is left of the day's allowances.
    pub fn left(&self, settings: &BulkSettings) -> Quota {
        Quota {
            batches: settings.daily_batches.saturating_sub(self.used.batches),
            records: settings.daily_records.saturating_sub(self.used.records),
            query_jobs: settings.daily_query_jobs.saturating_sub(self.used.query_jobs),
            result_bytes: (settings.daily_result_megabytes << 20).saturating_sub(self.used.result_bytes),
        }
    }
}

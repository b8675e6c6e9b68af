//! Bulk API 2.0: jobs that update records (ingest) and jobs that read them (query).
//!
//! Sources: Bulk API 2.0 guide ("Create a Job", "Upload Job Data", "Get Job Information", "Get Results for a Query Job", "Get Parallel Results"); recordings
//! `bulk2_*`.

mod csv;
mod ingest;
mod job;
mod pages;
mod query;
mod results;
#[cfg(test)]
mod tests;

pub use job::{JobId, JobInfo, JobState};
pub use query::{BulkEvent, BulkSettings, bulk_unavailable};
pub use results::{IngestResult, Results, RowId};

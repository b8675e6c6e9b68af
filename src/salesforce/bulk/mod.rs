//! Bulk API 2.0: jobs that update records (ingest) and jobs that read them (query).
//!
//! Sources: Bulk API 2.0 guide ("Create a Job", "Upload Job Data", "Get Job Information", "Get Results for a Query Job", "Get Parallel Results"); recordings
//! `bulk2_*`.

mod ingest;
mod job;
mod results;

pub use job::{JobId, JobInfo, JobState};
pub use results::{IngestResult, Results, RowId};

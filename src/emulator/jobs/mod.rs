//! Bulk API 2.0: jobs with their states, what an ingest job does to records, what a query job finds, and the files of both.
//!
//! Knows records and rules (`store`, `write`, `soql`) and nothing of HTTP. Facts: `docs/EMULATOR.md`; recorded: `bulk2_*`.

mod cells;
mod columns;
mod delimited;
mod ingest;
mod job;
mod locks;
mod prepared;
mod query;
mod registry;
mod script;
mod work;

pub use job::{Dialect, Family, Files, Job, JobSeen, Phase};
pub use locks::ParentLock;
pub use prepared::Slice;
pub use registry::Jobs;
pub use script::{Columns, Ending, JobScript};
pub use work::{begin, go_on, stop};

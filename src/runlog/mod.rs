//! Run logs: what a run did, as one small YAML file and one line a record beside it, kept in git. Does not know Salesforce, nor how a plan was
//! carried out.
//!
//! Neither file holds a key or a value of a record: field names, record ids, row numbers, counts and codes only.

mod careful;
mod counts;
mod draft;
mod format;
pub mod git;
mod intent;
mod lines;
mod outcomes;
mod place;
mod redact;
#[cfg(test)]
pub(crate) mod sample;
mod schema;
mod store;
mod summary;
pub mod values;

pub use careful::{Careful, Difference, FieldDifference, SecondLook, ValuesNote};
pub use counts::{CellCounts, RecordCounts, RowCounts};
pub use draft::{RunFacts, RunSubject, status_of};
pub use format::{
    CallCounts, ExitReason, FieldTally, GuardLine, JobLine, KIND, PlanDigests, Quota, ReportFacts, RunLog, RunProblem,
    Seconds, Status, StopsAfter, Trigger, VERSION, Versions,
};
pub use intent::{INTENT_KIND, Intent};
pub use lines::outcome_lines;
pub use outcomes::{
    ChangedField, Doubt, NotAttempted, OUTCOMES_KIND, Outcome, OutcomesHead, OutcomesLine, OutcomesProblem,
    OutcomesReader, Problem, RecordLine, RefusedField, RowLine,
};
pub use place::{safe_segment, source_shown, stamp};
pub use redact::{mentions, plain_code, redacted};
pub use schema::schemas;
pub use store::{Filter, Store, StoreProblem, Written};
pub use summary::{Listed, RunSummary};

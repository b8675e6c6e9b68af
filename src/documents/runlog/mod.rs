//! Run logs: what a run did, as one small YAML file and one line a record beside it, kept in git. Does not know Salesforce, nor how a plan was
//! carried out.
//!
//! Neither file holds a key or a value of a record: field names, record ids, row numbers, counts and codes only.

mod careful;
mod compare;
mod counts;
mod draft;
pub mod due;
mod fights;
mod format;
pub mod git;
mod intent;
mod lines;
mod mentions;
mod outcomes;
mod place;
mod prune;
mod redact;
#[cfg(test)]
pub(crate) mod sample;
mod scan;
mod schema;
mod shelf;
mod store;
mod summary;
pub mod values;

pub use careful::{Careful, Difference, FieldDifference, SecondLook, ValuesNote};
pub use compare::{
    CountChange, DigestChange, FactChange, FieldChange, GuardChange, RecordChange, RecordsChange, RowChange,
    RowsChange, RowsMoved, RunEnds, RunsDiff, Side,
};
pub use counts::{CellCounts, RecordCounts, RowCounts};
pub use draft::{RunFacts, RunSubject, status_of};
pub use fights::{After, Cell, WrittenBack};
pub use format::{
    CallCounts, ExitReason, FieldTally, GuardLine, JobLine, KIND, PlanDigests, Quota, ReportFacts, RunLog, RunProblem,
    Seconds, Status, StopsAfter, Trigger, VERSION, Versions,
};
pub use intent::{INTENT_END, INTENT_KIND, Intent};
pub use lines::outcome_lines;
pub use mentions::{Mention, Searched};
pub use outcomes::{
    ChangedField, Doubt, NotAttempted, OUTCOMES_KIND, Outcome, OutcomesHead, OutcomesLine, OutcomesProblem,
    OutcomesReader, Problem, RecordLine, RefusedField, RowLine,
};
pub use place::{safe_segment, source_shown, stamp};
pub use prune::{Going, Keep, Pruning};
pub use redact::{mentions, plain_code, redacted};
pub use schema::schemas;
pub use shelf::{Shelf, Take};
pub use store::{Filter, OutcomesOf, Store, StoreProblem, Written};
pub use summary::{Listed, RunSummary};

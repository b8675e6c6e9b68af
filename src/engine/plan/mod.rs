//! The plan as data: entries, ledgers, guards, the file form with its digests. Knows neither how a plan was computed nor how it is carried out.
//!
//! A plan is a function of configuration, report, org and nothing else. What varies from run to run (API calls, quota, clock, way of reading) is
//! [`Context`], beside the plan and outside its digests.

mod cause;
mod compressed;
mod context;
mod decode;
mod encode;
mod entry;
mod file;
mod guard;
mod header;
mod invariants;
mod json;
mod ledger;
mod lines;
mod stored;
#[cfg(test)]
mod tests;

pub use cause::{Anyway, Baseline, Causes, History, Past, Share, Split};
pub use compressed::is_compressed;
pub use context::{Alternative, Choice, Context, Estimate, Usage, Way, WriteWay};
pub use decode::decode;
pub use encode::{Changed, LineBuilder, Opening};
pub use entry::{CellChange, ChangeKind, Entry, Note, RefusedCell, RowOutcome};
pub use file::{FileProblem, schema};
pub use guard::{GuardName, GuardVerdict, Limit};
pub use header::{Digests, FORMAT, FieldHead, Header};
pub use invariants::Broken;
pub use json::JsonLine;
pub use ledger::{CellLedger, FieldCounts, RecordLedger, RowLedger, Summary};
pub use lines::{Lines, PlanDigester, Sink};
pub use stored::{Plan, Spool, Watch};

//! The plan as data: entries, ledgers, guards, the file form with its digests. Knows neither how a plan was computed nor how it is carried out.
//!
//! A plan is a function of configuration, report, org and nothing else. What varies from run to run (API calls, quota, clock, way of reading) is
//! [`Context`], beside the plan and outside its digests.

mod context;
mod entry;
mod file;
mod guard;
mod header;
mod invariants;
mod ledger;

pub use context::{Alternative, Choice, Context, Estimate, Usage, Way, WriteWay};
pub use entry::{CellChange, ChangeKind, Entry, Note, RefusedCell, RowOutcome};
pub use file::{FileProblem, PlanReader, PlanWriter, Sink};
pub use guard::{GuardName, GuardVerdict, Limit};
pub use header::{Digests, FORMAT, FieldHead, Header};
pub use invariants::Broken;
pub use ledger::{CellLedger, FieldCounts, RecordLedger, RowLedger, Summary};

/// A whole plan in memory: what rendering and apply work on.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it was computed from.
    pub header: Header,
    /// Every planned record and every row that could not be used, by report row, then record id.
    pub entries: Vec<Entry>,
    /// Counts, guards and digests.
    pub summary: Summary,
    /// What is not part of the plan itself.
    pub context: Context,
}

impl Plan {
    /// The entries that write something.
    pub fn planned(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.outcome == RowOutcome::Planned)
    }

    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.summary.records == 0
    }

    /// What every guard said of the plan; of its calls only what holds it back, since these differ from day to day.
    pub fn guards(&self) -> impl Iterator<Item = &GuardVerdict> {
        self.summary.guards.iter().chain(self.context.calls_guard.iter().filter(|guard| guard.held))
    }

    /// The guards that hold this plan back and are not among `waived`.
    pub fn held_by<'a>(&'a self, waived: &'a [GuardName]) -> impl Iterator<Item = &'a GuardVerdict> {
        self.guards().filter(|g| g.held && !waived.contains(&g.name))
    }
}

//! Inputs, match, judge, ledgers, guards: a plan. Synchronous, and without I/O, clock, randomness or environment of its own; what it is given
//! decides every byte that it gives back.
//!
//! ```text
//! start ─► Reading ──report(block)*──► close ─► Matching ──org(block)*──► [beyond(block)*] ──► finish ─► entries in order, summary
//! ```
//!
//! Within its [`Budget`] all of it lies in memory; beyond it, both sides go to disk by partition and each partition takes the same way.
//!
//! Nothing is emitted before the org's side has ended: policies for several records resolve by report row and record id, never by arrival.

mod arena;
mod budget;
mod found;
mod guards;
mod inputs;
mod judge;
mod keys;
mod matching;
mod near;
mod packed;
mod places;
mod problem;
mod reading;
mod report;
mod resolve;
mod room;
mod scratch;
mod spilled;
mod store;
mod tally;

pub use budget::{Budget, OpenScratch};
pub use guards::Guards;
pub use inputs::{DuplicateRows, FieldInput, Inputs, KNOWN_FAILURE, KeyInput, Layout, OnBadValue, SeveralRecords};
pub use matching::{Matching, Pass};
pub use problem::{FinishError, ReconcileError};
pub use reading::{Prepared, Preparer, Reading, start};

#[cfg(test)]
mod tests;

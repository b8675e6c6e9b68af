//! Inputs, match, judge, ledgers, guards: a plan. Synchronous, and without I/O, clock, randomness or environment of its own; what it is given
//! decides every byte that it gives back.
//!
//! ```text
//! start ─► Reading ──report(block)*──► close ─► Matching ──org(block)*──► [beyond(block)*] ──► finish ─► entries in order, summary
//! ```
//!
//! Nothing is emitted before the org's side has ended: policies for several records resolve by report row and record id, never by arrival.

mod guards;
mod inputs;
mod judge;
mod keys;
mod matching;
mod reading;
mod rows;

pub use guards::Guards;
pub use inputs::{DuplicateRows, FieldInput, Inputs, KeyInput, Layout, OnBadValue, SeveralRecords};
pub use matching::{FinishError, Matching, Pass};
pub use reading::{Reading, ReconcileError, start};

#[cfg(test)]
mod tests;

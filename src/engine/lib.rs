//! What Footbridge does, without its frame: a report and the records of an org in, a plan out; a plan in, the records changed.
//!
//! ```text
//! report ──► table ──┐
//!                    ├─► reconcile (values) ─► plan ─► apply ─► salesforce
//! salesforce ────────┘
//! ```
//!
//! A package of its own, so that it alone is compiled for speed. It reads no configuration, no environment and no clock, and prints nothing.

pub mod apply;
pub mod model;
pub mod net;
pub mod plan;
pub mod reconcile;
pub mod report;
pub mod salesforce;
pub mod table;
pub mod values;

//! Footbridge carries what a report says about people onto the Salesforce records of those people.
//!
//! The folders follow a report on its way:
//!
//! ```text
//! config ─► report ───┐
//!                     ├─► reconcile ─► plan ─► apply ─► runlog
//!    salesforce ──────┘                 └─► render
//! ```
//!
//! Each module's first lines say what it is for and what it must not know; `docs/ARCHITECTURE.md` says why.

pub mod cli;
pub mod probe;
pub mod undo;
pub mod vault;

pub use footbridge_documents::{config, diag, difference, render, runlog};
pub use footbridge_emulator as emulator;
pub use footbridge_engine::{apply, model, net, plan, reconcile, report, salesforce, table, values};

//! What a cell means, by Salesforce field type: the canonical form of a value, "same or not", what may be written at all, the key of a match, and the
//! forms on the wire (JSON, bulk CSV, SOQL). Synchronous and pure. Must not know where cells come from or what becomes of a verdict.
//!
//! `Rule::canon` is the definition of meaning; every short cut of `Rule::agrees` may only say "same" where `canon` would. On the org's side an empty
//! cell is null, and an empty canonical form is null on both sides.

mod ahead;
mod canonical_key;
mod choice;
mod compile;
mod flag;
mod identifier;
mod key;
mod moment;
mod number;
mod options;
mod placeholder;
mod refusal;
mod rule;
pub mod soql;
mod stored;
#[cfg(test)]
mod tests;
mod text;
mod wire;
mod zoned;

pub use ahead::Ahead;
pub use canonical_key::Key;
pub use compile::RuleProblem;
pub use key::{KeyKind, KeyProblem, KeyRule};
pub use options::{Options, PercentForm, WhenBlank, WritePolicy};
pub use placeholder::is_placeholder;
pub use refusal::{Note, Noted, Reason, Refusal};
pub use rule::{Change, ChangeKind, Forms, Rule, Side, Verdict};
pub use stored::{canon_org, order};
pub use wire::{NotForBulk, write_bulk_csv, write_json};

//! The org's records in SQLite: tables, rows, and the two forms of a value (stored, and as JSON replies print it).
//!
//! Knows nothing of who asks or of what may be written: `write` and `access` do.

pub(super) mod moments;
pub(super) mod rows;
pub(super) mod tables;
pub(super) mod values;

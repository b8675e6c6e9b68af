//! Runs: a table of many, everything about one, two compared; a record's history; what differs in the org from what was written.

mod blame;
mod diff;
mod drift;
mod json;
mod outcomes;
mod prune;
#[cfg(test)]
mod tests;
mod text;

pub use blame::{BlameChange, BlameRefusal, BlameRun, BlameView, Blamed, Values, blame, blame_json, blame_view};
pub use diff::{diff, diff_json};
pub use drift::{ChangedBy, DriftCell, DriftField, DriftOf, DriftView, Drifted, Fight, drift, drift_json};
pub use json::{RunRow, RunView, RunsView, show_json, table_json};
pub use outcomes::outcomes;
pub use prune::{PruneView, prune, prune_json};
pub use text::{show, table};

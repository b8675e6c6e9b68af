//! Runs: a table of many, and everything about one.

mod json;
#[cfg(test)]
mod tests;
mod text;

pub use json::{RunRow, RunView, RunsView, show_json, table_json};
pub use text::{show, table};

//! Runs: a table of many, and everything about one.

mod json;
mod text;
#[cfg(test)]
mod tests;

pub use json::{RunRow, RunView, RunsView, show_json, table_json};
pub use text::{show, table};

//! Bytes made into blocks of rows: the one row type of the program and the CSV indexer that fills it.
//!
//! Must not know what a cell means, where the bytes come from, or which side (report or org) they are of.

mod block;
mod dialect;
mod drain;
mod error;
mod index;
mod lines;
mod plain;
mod reader;
mod simd;
#[cfg(test)]
mod tests;

pub use block::{Block, BlockBuilder, Row, RowShape};
pub use dialect::{Dialect, Limits, LineEnd};
pub use drain::{DrainError, Drained};
pub use error::CsvError;
pub use lines::LineCounter;
pub use reader::{CsvReader, Header};
pub(crate) use simd::wide;

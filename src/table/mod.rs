//! Bytes made into blocks of rows. Does not know what a cell means.

mod block;

pub use block::{Block, BlockBuilder, RowShape};

//! What a cell means, by field type. Does not know where cells come from.

mod standin;

pub use standin::{Refusal, canon_org, write_json};

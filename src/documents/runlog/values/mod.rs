//! The values of a run, in a file of their own beside its log: of each planned record what stood there before and, by option, what the run was to write.
//! Complete on disk before the first change is sent; what was really done stands in the outcomes file.
//!
//! The file that is committed is encrypted by `age` to the recipients of the configuration; the one that stays on this machine is plain, with mode 0600.
//! Keys are handed in.

mod format;
mod place;
mod problem;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use format::{FORMAT, Head, Keep, RecordValues};
pub use place::{Place, Recipient, committed, is_sealed, local};
pub use problem::ValuesProblem;
pub use read::Reader;
pub use write::{Kept, Writer};

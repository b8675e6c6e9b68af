//! The journal of one run, so that a killed process loses nothing. JSON Lines, `footbridge journal/1`; a copy of the plan stands beside it.

mod folder;
mod line;
mod read;
mod write;

pub use line::{Head, JournalProblem, Line, RecordLine, Selection};
pub use read::{Resumed, Unfinished, unfinished};
pub use write::{Journal, Start};

pub(super) use folder::{private_file, private_folder, stem};
#[cfg(test)]
pub(super) use read::parse;
#[cfg(test)]
pub(super) use write::Log;

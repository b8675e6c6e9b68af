//! A run taken back: from its values and from the records as they are now, the entries of a plan. Synchronous, no I/O. Must not know where the values lie, how
//! records are read, or how the plan is carried out.
//!
//! A field goes back to its value from before where it still holds what the run wrote. Where it holds anything else, somebody has changed it since: left alone,
//! and listed.

mod fields;
mod held;
mod judge;
#[cfg(test)]
mod tests;

pub use fields::Target;
pub use held::{canonical, holds};
pub use judge::{CHANGED_SINCE, Now, Undoing};

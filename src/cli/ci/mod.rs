//! What a team's CI does with Footbridge: the review of a branch, the comment on a pull request, what a branch is trusted with, the workflow files.

mod git;
mod system;
mod trust;

pub use git::Git;
pub use trust::{Base, Trust};

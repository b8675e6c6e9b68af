//! Run logs on a branch of the team's repository: read from it, committed to it, pushed; and a lock on the remote that keeps two machines apart. Drives the
//! `git` command, which has CI's credentials. Knows neither Salesforce nor what started a run.
//!
//! Worktree, index, HEAD and stash of the repository are never touched: trees are built in an index of our own.

mod archive;
mod branch;
mod command;
mod local;
mod lock;
mod names;
mod problem;
mod remote;
mod rival;

pub use archive::Archive;
pub use branch::{Author, Branch, Change, Content, Pushed};
pub use command::{Git, Pauses, Said, is_oid};
pub use lock::{Held, Intended, LockNote, Released, RemoteLock, Taken};
pub use names::{branch_fits, lock_branch, remote_fits};
pub use problem::{GitProblem, without_credentials};
pub use rival::Rival;

//! The log-ins that are kept on this machine: one file, encrypted by `age`, replaced as a whole, never read half. Two locks: one for a change of the
//! file, one for each connection while its tokens are renewed.
//!
//! Knows neither Salesforce nor the command line; the key is handed to it, and so is the time.

mod connection;
mod file;
mod key;
mod problem;
#[cfg(test)]
mod tests;

pub use connection::{Connection, Ended, Place};
pub use file::{Turn, Vault};
pub use key::Key;
pub use problem::VaultProblem;

//! The Salesforce client: log-in, describe, read, write, limits, typed errors. Knows neither configuration nor terminal.

mod standin;

pub use standin::*;

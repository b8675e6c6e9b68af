//! What went wrong, in the words of people who administer Salesforce: code, place, next step, exit code.

pub mod report;
pub mod salesforce;

//! Large plans carried out by jobs of the Bulk API 2.0, one after another.
//!
//! One job: records are read again, and those that are still as planned are its part → intent, on disk → made → its id, on disk → its data is sent → closed →
//! asked about until it is over → results joined back by id → ends. Until a job is closed Salesforce writes nothing, so that whatever goes wrong before is
//! undone by stopping the job. After that the job itself tells; what it does not tell is looked at in the records, never guessed.
//!
//! Jobs go one after another: two at once could each hold records of one parent, and would lock each other out.

mod account;
mod making;
mod part;
mod settling;
mod state;
mod taking_up;
mod watching;

pub(super) use state::Jobs;

//! What Footbridge takes for granted of an org, and no recording of a real one confirms: the list, how each is checked on an org, and the report of what
//! was found. Reads, and with consent writes fields of one record and puts them back.
//!
//! Does not know the configuration, the terminal, or where anything is kept. What it finds is told in its own words, codes and counts: never a value, an id
//! or a name of the org.

mod assumption;
mod finding;
mod reads;
mod record;
mod report;
mod subject;
mod trials;
mod writes;

pub use assumption::{Assumption, Way, all, assumption};
pub use finding::{Finding, Findings, Verdict};
pub use reads::reads;
pub use record::{Held, Restored, Writable};
pub use report::{KIND, Outcome, Probe, ProbeView, Report, schemas};
pub use subject::{Kind, Subject};
pub use writes::{Broken, Keep, prepare, writes};

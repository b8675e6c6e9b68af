//! Plans carried out: precheck, execution, journal, resume, outcomes. Knows neither how a plan was made nor the terminal.
//!
//! The order of things: [`Lock`] → [`unfinished`] → [`precheck`] → [`Journal::start`] → [`Apply::run`] → (the run log is written) → [`Journal::close`].
//! After a killed process: [`Lock`] → [`Resumed::open`] → [`Apply::run`] → … as above.

mod budget;
mod canary;
mod cancel;
mod client;
mod ends;
mod executor;
mod found;
mod jobs;
mod journal;
mod left;
mod lock;
mod observe;
mod org;
mod outcome;
mod precheck;
mod reading;
mod sending;
mod settings;
mod standing;
mod waiting;

#[cfg(test)]
mod tests;

pub use budget::Retries;
pub use canary::{CanaryLook, Contrast, Contrasting, canary};
pub use cancel::{Cancel, Canceller};
pub use ends::Ends;
pub use executor::{Apply, RunError};
pub use found::{Found, Sought, Wrote, look};
pub use journal::{Head, Journal, JournalProblem, Line, RecordLine, Resumed, Selection, Start, Unfinished, unfinished};
#[cfg(test)]
use left::left;
pub use left::{Foreign, Left, OpenJob, Remaining};
pub use lock::{Holder, Lock, LockProblem};
pub use observe::{Event, Observer, Progress, Silent};
pub use org::{CallFailure, Class, Fault, JobRow, Org, RecordError, RecordOutcome, RecordUpdate, Rows, StopKind};
pub use outcome::{End, JobDone, NotAttempted, Outcomes, StopReason, Unknown};
pub use precheck::{Facts, Stale, precheck};
pub use settings::{Clock, JobSettings, Settings};

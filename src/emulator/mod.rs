//! A Salesforce org as its documents and recordings describe it, over SQLite, on a real socket.
//!
//! Started by [`serve`], in process for tests or by the command line. A package of its own, so that it can import nothing of
//! Footbridge: it must not share a mistake with the client that is tested against it.

mod clock;
mod faults;
mod filling;
mod grants;
mod http;
mod ids;
mod jobs;
mod loading;
mod model;
mod options;
mod org;
mod people;
mod problem;
mod rights;
mod running;
pub mod schema;
mod seed;
pub mod soql;
mod standard;
mod state;
mod store;
mod transcript;
mod write;

pub use clock::Clock;
pub use faults::{Action, Fault, Match, Other};
pub use jobs::{Columns, Ending, Family, JobScript, JobSeen, ParentLock};
pub use options::{BulkSettings, Credentials, EmulatorError, Habits, Options, PageSize, Settings};
pub use running::{Emulator, serve};
pub use seed::WALKME_FIELDS;
pub use seed::form::{Access, ClientSeed, ObjectRights, UserSeed};
pub use seed::people::PASSWORD;
pub use transcript::Call;

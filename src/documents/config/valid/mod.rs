//! Valid documents: no options left, every reference resolved, every default filled in. Made by `validate` and by nothing else.

mod guards;
mod integration;
mod orgs;
mod report;
mod schedule;
mod spanned;
mod windows;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diag::Span;
use crate::model::{EnvironmentName, FieldName, RecordId};

pub use guards::{Guards, Limit};
pub use integration::{
    BadValue, Environment, Integration, Lint, Mapping, Match, NewValues, Preset, ReadWay, RecordDate, RecordPolicy,
    RowPolicy, WhenBlank, WritePolicy, WriteWay,
};
pub use orgs::{Auth, Callback, Credential, Domain, Header, HeaderValue, LogIn, Org, OrgEnvironment};
pub use report::{
    Column, ColumnType, Encoding, Location, ObjectPlace, Percent, Quote, Reading, Report, Source, StoreKind,
};
pub use schedule::Schedule;
pub use spanned::Spanned;
pub use windows::{Window, Windows};

/// Everything that a repository says, as far as it is valid.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// What holds for the whole repository.
    pub project: Project,
    /// Orgs by name.
    pub orgs: BTreeMap<String, Org>,
    /// Catalogue reports by name.
    pub reports: BTreeMap<String, Spanned<Report>>,
    /// Integrations by name.
    pub integrations: BTreeMap<String, Integration>,
    /// Cells that are known to fail, by record, then field.
    pub known_failures: Vec<KnownFailure>,
}

/// A cell that Salesforce is known to refuse.
#[derive(Debug, Clone)]
pub struct KnownFailure {
    /// The record.
    pub record: RecordId,
    /// The field.
    pub field: FieldName,
    /// Salesforce's code for it.
    pub error: String,
    /// The last day, in UTC, on which it holds.
    pub until: jiff::civil::Date,
    /// Why, in the team's words.
    pub reason: String,
    /// Where it stands.
    pub span: Span,
}

impl Repository {
    /// Where an integration's environment is. `None` only where diagnostics say why.
    pub fn org_environment(&self, integration: &Integration, environment: EnvironmentName) -> Option<&OrgEnvironment> {
        self.orgs.get(integration.org.as_str())?.environments.get(&environment)
    }
}

/// What holds for the whole repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The version of Salesforce's API, such as `66.0`.
    pub api_version: String,
    /// The folder for run logs, relative to the root.
    pub runs: String,
    /// For a connection.
    pub connect_time_out: Duration,
    /// For the answer to a call.
    pub answer_time_out: Duration,
    /// For a bulk job.
    pub job_time_out: Duration,
    /// For a whole run.
    pub run_time_out: Option<Duration>,
    /// The branch of run logs.
    pub git: Git,
    /// Where runs keep their values.
    pub values: Values,
    /// How often a scheduled run is tried again before the next tick.
    pub retries: u32,
    /// When the schedule may run nothing.
    pub not_during: Vec<Window>,
    /// What a scheduled run hands over that a guard held back.
    pub on_held: OnHeld,
    /// Who hears of changes.
    pub notices: Option<Notices>,
}

/// Where runs keep the values that they found and wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// Where.
    pub keep: Keep,
    /// Who can open committed values: age public keys. One at least with [`Keep::Committed`].
    pub recipients: Vec<String>,
    /// Are the values that were written kept, too?
    pub after: bool,
}

impl Default for Values {
    fn default() -> Self {
        Self { keep: Keep::Local, recipients: Vec::new(), after: true }
    }
}

/// Where values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// On the machine that applies.
    Local,
    /// Beside the run log, encrypted.
    Committed,
    /// Nowhere.
    None,
}

/// What a scheduled run hands over that a guard held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnHeld {
    /// Nothing but its run log.
    Log,
    /// An issue of the repository.
    Issue,
}

/// A webhook that hears of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notices {
    /// Its address.
    pub url: HeaderValue,
    /// Headers of the request.
    pub headers: Vec<Header>,
    /// At its key in the YAML.
    pub span: Span,
}

impl Default for Project {
    fn default() -> Self {
        Self {
            api_version: "66.0".into(),
            runs: "runs".into(),
            connect_time_out: Duration::from_secs(10),
            answer_time_out: Duration::from_secs(120),
            job_time_out: Duration::from_secs(60 * 60),
            run_time_out: None,
            git: Git::default(),
            values: Values::default(),
            retries: 2,
            not_during: Vec::new(),
            on_held: OnHeld::Log,
            notices: None,
        }
    }
}

/// The branch of run logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Git {
    /// `git:` is written: the team keeps its run logs there, so they are looked for there.
    pub written: bool,
    /// The branch.
    pub branch: String,
    /// The remote, by name.
    pub remote: String,
    /// Who commits: `Name <address>`.
    pub author: Option<String>,
    /// A run that has held its lock for longer is taken for dead.
    pub stale_after: Duration,
}

impl Default for Git {
    fn default() -> Self {
        Self {
            written: false,
            branch: "footbridge-runs".into(),
            remote: "origin".into(),
            author: None,
            // GitHub ends a job after six hours.
            stale_after: Duration::from_secs(6 * 60 * 60),
        }
    }
}

//! The project, as written: what holds for the whole repository.

use schemars::JsonSchema;
use serde::Deserialize;

use super::integration::DURATION;
use super::orgs::API_VERSION;
use super::shapes::{kind_project, version};
use super::{Guards, LintName, Notices, OnHeld, Window};

/// What holds for the whole repository, unless an integration says otherwise. One a repository.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Footbridge project", rename = "Project")]
pub(in crate::config) struct Project {
    /// The version of the format: 1.
    #[schemars(schema_with = "version")]
    #[allow(dead_code)]
    footbridge: u64,
    /// The kind of this document: `project`.
    #[schemars(schema_with = "kind_project")]
    #[allow(dead_code)]
    kind: String,
    /// The version of Salesforce's API, in quotes. Default "66.0".
    #[schemars(regex(pattern = API_VERSION))]
    pub(in crate::config) api_version: Option<String>,
    /// Limits that stop a plan from being applied, for every integration.
    pub(in crate::config) guards: Option<Guards>,
    /// The folder for run logs. Default `runs`.
    #[schemars(length(min = 1, max = 300))]
    pub(in crate::config) runs: Option<String>,
    /// Lints that are not wanted in this repository.
    pub(in crate::config) lints_off: Option<Vec<LintName>>,
    /// How long to wait for Salesforce.
    pub(in crate::config) time_outs: Option<TimeOuts>,
    /// The branch of run logs.
    pub(in crate::config) git: Option<Git>,
    /// Where runs keep the values that they found and wrote, so that they can be undone.
    pub(in crate::config) values: Option<Values>,
    /// How often a scheduled run that failed or was held is tried again before the next tick. Default 2.
    #[schemars(range(max = 20))]
    pub(in crate::config) retries: Option<u32>,
    /// When the schedule may run nothing at all.
    #[schemars(length(min = 1, max = 50))]
    pub(in crate::config) not_during: Option<Vec<Window>>,
    /// What a scheduled run does that a guard held back: `log` (the run log only) or `issue` (opens an issue, too). Default `log`.
    pub(in crate::config) on_held: Option<OnHeld>,
    /// Who hears when an integration fails, fails otherwise, or works again.
    pub(in crate::config) notices: Option<Notices>,
}

/// Where runs keep the values that they found and wrote: what `footbridge undo` works from.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Values")]
pub(in crate::config) struct Values {
    /// `local`: on the machine that applies, below `.footbridge/values`. `committed`: beside the run log, encrypted to `recipients`. `none`: nowhere, so
    /// that no run can be undone. Default `local`.
    pub(in crate::config) keep: Option<KeepWord>,
    /// Who can open committed values: age public keys (`age1…`), as `age-keygen -y` prints them. No secrets.
    #[schemars(length(min = 1, max = 50))]
    pub(in crate::config) recipients: Option<Vec<String>>,
    /// Keep the values that were written, too (`drift` and `blame` show them). Without it a salted digest of each is kept. Default true.
    pub(in crate::config) after: Option<bool>,
}

/// Where values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Keep")]
pub(in crate::config) enum KeepWord {
    /// On the machine that applies.
    Local,
    /// Beside the run log, encrypted.
    Committed,
    /// Nowhere.
    None,
}

/// The branch that `apply --commit` and `--push` bring run logs to.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Git")]
pub(in crate::config) struct Git {
    /// The branch. Default `footbridge-runs`.
    #[schemars(length(max = 120), regex(pattern = BRANCH))]
    pub(in crate::config) branch: Option<String>,
    /// The remote's name; never its address. Default `origin`.
    #[schemars(length(max = 120), regex(pattern = REMOTE))]
    pub(in crate::config) remote: Option<String>,
    /// Who commits. By default whom git is configured for, else `Footbridge <footbridge@localhost>`.
    #[schemars(length(max = 200), regex(pattern = AUTHOR))]
    pub(in crate::config) author: Option<String>,
    /// A run that has held its lock for longer is taken for dead. Default 6h.
    #[schemars(regex(pattern = DURATION))]
    pub(in crate::config) stale_after: Option<String>,
}

/// A branch: parts of letters, digits, `.`, `_`, `-`, with `/` between them.
pub(in crate::config) const BRANCH: &str = r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$";
/// A remote's name.
pub(in crate::config) const REMOTE: &str = r"^[A-Za-z0-9_][A-Za-z0-9._-]*$";
/// A name and an address.
pub(in crate::config) const AUTHOR: &str = r"^[^<>\x00-\x1f]*[^<>\x00-\x20] <[^<>\s]+>$";

/// How long to wait for Salesforce: a number and `s` or `m`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TimeOuts")]
pub(in crate::config) struct TimeOuts {
    /// For a connection. Default 10s.
    #[schemars(regex(pattern = DURATION))]
    pub(in crate::config) connect: Option<String>,
    /// For the answer to a call. Default 2m.
    #[schemars(regex(pattern = DURATION))]
    pub(in crate::config) answer: Option<String>,
    /// For a bulk job, from its creation to its end. Default 1h.
    #[schemars(regex(pattern = DURATION))]
    pub(in crate::config) job: Option<String>,
    /// For a run, from the first change sent; afterwards nothing more is sent. By default there is no limit.
    #[schemars(regex(pattern = DURATION))]
    pub(in crate::config) run: Option<String>,
}

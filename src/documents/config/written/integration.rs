//! An integration, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::shapes::{kind_integration, version};
use super::{BadValue, Either, Field, Limit, OnHeld, Report, Window};

/// One report mapped to one object of an org, by one match.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Footbridge integration", rename = "Integration")]
pub(in crate::config) struct Integration {
    /// The version of the format: 1.
    #[schemars(schema_with = "version")]
    #[allow(dead_code)]
    footbridge: u64,
    /// The kind of this document: `integration`.
    #[schemars(schema_with = "kind_integration")]
    #[allow(dead_code)]
    kind: String,
    /// The integration's name: small letters, digits and hyphens. Run logs are kept under it.
    #[schemars(regex(pattern = NAME))]
    pub(in crate::config) name: String,
    /// Rules of a further product. `gainsight`: `daily` is 08:00 UTC, the report carries a tag, a goal is required.
    pub(in crate::config) preset: Option<Preset>,
    /// What this is done for, in a sentence for people.
    #[schemars(length(min = 1, max = 2000))]
    pub(in crate::config) goal: Option<String>,
    /// The org, by its name in orgs.yaml.
    #[schemars(length(min = 1))]
    pub(in crate::config) org: String,
    /// The report: the name of a catalogue report, or a mapping that describes one.
    pub(in crate::config) report: Either<String, Report>,
    /// The Salesforce object whose records are updated, by its API name.
    #[schemars(length(min = 1))]
    pub(in crate::config) object: String,
    /// Which records may be touched at all: one SOQL condition.
    #[serde(rename = "where")]
    #[schemars(length(min = 1, max = 2000))]
    pub(in crate::config) condition: Option<String>,
    /// How a row of the report finds its record.
    #[serde(rename = "match")]
    pub(in crate::config) matching: Match,
    /// The mapping. Salesforce field: report column (or a mapping with options). A field is written once only.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 1000))]
    pub(in crate::config) fields: BTreeMap<String, Either<String, Field>>,
    /// What happens to values that cannot be written: `skip_cell` (default), `skip_row` or `fail`.
    pub(in crate::config) on_bad_value: Option<BadValue>,
    /// Other integrations may write the same fields; each of them says so, and has a `where:` of its own.
    pub(in crate::config) shared: Option<bool>,
    /// How the org is read: `auto` (default), `lookup`, `query` or `bulk`.
    pub(in crate::config) read: Option<ReadWay>,
    /// How the org is written: `auto` (default), `collections` or `bulk`.
    pub(in crate::config) write: Option<WriteWay>,
    /// Limits that stop a plan from being applied, in every environment.
    pub(in crate::config) guards: Option<Guards>,
    /// What a scheduled run does that a guard held back: `log` (the run log only) or `issue` (opens an issue, too). Default: the project's, else `log`.
    pub(in crate::config) on_held: Option<OnHeld>,
    /// The environments in which it runs.
    pub(in crate::config) environments: Environments,
    /// Words to choose integrations by on the command line.
    #[schemars(length(max = 50), inner(length(min = 1, max = 60)))]
    pub(in crate::config) labels: Option<Vec<String>>,
    /// Lints that are not wanted here.
    pub(in crate::config) lints_off: Option<Vec<LintName>>,
}

/// The form of an integration's name.
pub(in crate::config) const NAME: &str = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";

/// Rules of a further product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Preset {
    /// No further rules.
    Salesforce,
    /// Gainsight's: `daily` is 08:00 UTC; the report carries the tag `integrations_salesforce`; a goal is required.
    Gainsight,
}

/// How a row of the report finds its record: by the equality of one column and one field.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Match")]
pub(in crate::config) struct Match {
    /// The report's column. By default the report's `key`, which is `User ID` unless it says otherwise.
    #[schemars(length(min = 1))]
    pub(in crate::config) column: Option<String>,
    /// The object's field, by its API name. It cannot be written.
    #[schemars(length(min = 1))]
    pub(in crate::config) field: String,
    /// What happens to a key that occurs in several rows of the report. Default `skip`.
    pub(in crate::config) on_duplicate_rows: Option<Either<RowPolicyWord, RowPolicy>>,
    /// What happens to a key that several records share. Default `skip`.
    pub(in crate::config) on_several_records: Option<Either<RecordPolicyWord, RecordPolicy>>,
}

/// What happens to a key that occurs in several rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum RowPolicyWord {
    /// None of the rows is used; they are listed.
    Skip,
    /// The plan may not be applied.
    Fail,
    /// The first row is used.
    First,
    /// The last row is used.
    Last,
    /// The row with the latest value is used; `by` names the column.
    Newest,
}

/// What happens to a key that occurs in several rows, with the column that decides.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RowPolicy")]
pub(in crate::config) struct RowPolicy {
    /// The policy.
    pub(in crate::config) policy: RowPolicyWord,
    /// With `newest`: the report column whose latest value wins.
    #[schemars(length(min = 1))]
    pub(in crate::config) by: Option<String>,
}

/// What happens to a key that several records share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum RecordPolicyWord {
    /// None of the records is changed; they are listed.
    Skip,
    /// The plan may not be applied.
    Fail,
    /// All of them are changed.
    All,
    /// The newest record is changed; `by` says by which date.
    Newest,
}

/// What happens to a key that several records share, with the date that decides.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RecordPolicy")]
pub(in crate::config) struct RecordPolicy {
    /// The policy.
    pub(in crate::config) policy: RecordPolicyWord,
    /// With `newest`: `CreatedDate` or `LastModifiedDate`.
    pub(in crate::config) by: Option<RecordDate>,
}

/// A date that every record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(in crate::config) enum RecordDate {
    /// When the record was made.
    CreatedDate,
    /// When the record was last changed.
    LastModifiedDate,
}

/// How the org is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ReadWay {
    /// Whichever needs the fewest calls.
    Auto,
    /// Look-ups of the report's keys.
    Lookup,
    /// The whole object, in pages.
    Query,
    /// The whole object, by a bulk job.
    Bulk,
}

/// How the org is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum WriteWay {
    /// Whichever suits the number of changes.
    Auto,
    /// In collections of 200 records.
    Collections,
    /// By bulk jobs.
    Bulk,
}

/// The environments in which an integration runs.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Environments", extend("minProperties" = 1))]
pub(in crate::config) struct Environments {
    /// The org's sandbox. `sandbox: {}` is enough.
    pub(in crate::config) sandbox: Option<Environment>,
    /// The production org.
    pub(in crate::config) production: Option<Environment>,
}

/// What holds in one environment.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Environment")]
pub(in crate::config) struct Environment {
    /// When it runs by itself: `hourly`, `daily` (09:00 UTC; with preset gainsight 08:00), `weekly` (Monday), or cron in UTC. Not written = never.
    #[schemars(length(min = 1, max = 100))]
    pub(in crate::config) schedule: Option<String>,
    /// When the schedule may not run it; what became due meanwhile runs afterwards, once. The project's windows hold besides.
    #[schemars(length(min = 1, max = 50))]
    pub(in crate::config) not_during: Option<Vec<Window>>,
    /// How often a scheduled run that failed or was held is tried again before the next tick. Default: the project's, else 2.
    #[schemars(range(max = 20))]
    pub(in crate::config) retries: Option<u32>,
    /// Another source of the report for this environment, such as the one exported from WalkMe's test environment. A bare path or URL is read like the report's own source.
    pub(in crate::config) source: Option<Either<String, super::Source>>,
    /// Limits that stop a plan from being applied, in this environment.
    pub(in crate::config) guards: Option<Guards>,
}

/// Limits that stop a plan from being applied. Percentages are of the matched records (`min_match`: of the rows) and count from 10 up.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Guards")]
pub(in crate::config) struct Guards {
    /// At most so many values written over others.
    pub(in crate::config) max_overwrites: Option<Limit>,
    /// At most so many values written into empty fields.
    pub(in crate::config) max_fills: Option<Limit>,
    /// At most so many fields emptied. Default 0.
    pub(in crate::config) max_clears: Option<Limit>,
    /// At most so many rows with values that cannot be written. Default 5%.
    pub(in crate::config) max_refused: Option<Limit>,
    /// At least so many rows that find a record. Default 50%.
    pub(in crate::config) min_match: Option<Limit>,
    /// At least so many rows in the report. Default 1.
    #[schemars(range(max = 1_000_000_000))]
    pub(in crate::config) min_rows: Option<u64>,
    /// At most so many rows fewer than in the last run.
    pub(in crate::config) max_shrink: Option<Limit>,
    /// At most so many columns gone that the report of the last run had. A mapped column that is gone is an error anyway.
    #[schemars(range(max = 1_000_000))]
    pub(in crate::config) column_vanished: Option<u64>,
    /// The share of blank cells of a mapped column may rise by so many percentage points against the last run, such as `20%`.
    pub(in crate::config) blanks_rose: Option<Limit>,
    /// The share of rows that find a record may fall by so many percentage points against the last run, such as `20%`.
    pub(in crate::config) match_fell: Option<Limit>,
    /// At most so many API calls to read and to write, of those that are left of the org's day. Default 50%.
    pub(in crate::config) max_calls: Option<Limit>,
    /// The report is at most so old: a number and `m`, `h` or `d`, such as `26h`.
    #[schemars(regex(pattern = DURATION))]
    pub(in crate::config) max_age: Option<String>,
}

/// The form of a length of time.
pub(in crate::config) const DURATION: &str = r"^[1-9][0-9]{0,4}[smhd]$";

/// A lint, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum LintName {
    /// A field of the mapping without the prefix `WalkMe_` (FB0217).
    WalkmePrefix,
    /// Production without a sandbox to try it in (FB0218).
    SandboxFirst,
    /// Something declared that is used nowhere (FB0219).
    Unused,
}

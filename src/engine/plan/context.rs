//! What stands beside a plan and is not part of it: clock, calls, quota, way of reading.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GuardVerdict;
use crate::model::FieldName;

/// How the org was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// `IN` look-ups of the report's keys.
    Lookup,
    /// The whole object by query pages.
    Query,
    /// The whole object by a bulk query.
    Bulk,
    /// Nothing had to be read.
    None,
}

/// API calls of the day, as Salesforce last said (`Sforce-Limit-Info`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Used in the last 24 hours, by everyone in the org.
    pub used: u64,
    /// Allowed.
    pub allowed: u64,
}

/// How a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteWay {
    /// Collections of up to 200 records.
    Collections,
    /// Ingest jobs of the Bulk API.
    Bulk,
}

/// What a way was taken to cost before it was gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// API calls, polls included.
    pub calls: u64,
    /// Bulk jobs.
    pub jobs: u64,
    /// Bytes that travel, about.
    pub bytes: u64,
    /// Seconds, about.
    pub seconds: u64,
}

/// A way that would have done as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alternative<W> {
    /// The way.
    pub way: W,
    /// What it was taken to cost.
    pub estimate: Estimate,
}

/// The way that was chosen, and what stood beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice<W> {
    /// The way.
    pub way: W,
    /// What it was taken to cost.
    pub estimate: Estimate,
    /// The others, in the order of their costs.
    #[serde(default = "Vec::<Alternative<W>>::new", skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative<W>>,
    /// Did the configuration ask for this way?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked_for: bool,
    /// Why another way was gone in the end, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// What varies between two plans of the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Footbridge's version.
    pub version: String,
    /// When the plan was made (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub planned_at: Timestamp,
    /// The report file's time, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub report_modified: Option<Timestamp>,
    /// The report's columns, in their order; older plans do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// By field, the blank cells of its column, over all rows; older plans do not say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blanks: BTreeMap<FieldName, u64>,
    /// How the org was read.
    pub read_by: Way,
    /// API calls made so far.
    pub calls_made: u64,
    /// API calls that applying would make, retries and re-reads after failures apart.
    pub calls_to_come: u64,
    /// How the org was to be read, and at what cost; older plans do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Choice<Way>>,
    /// How the records are to be written, and at what cost; older plans do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writing: Option<Choice<WriteWay>>,
    /// What the guard `max_calls` said: how many of the calls that were left of the day this plan takes, reading and writing. It depends on the way and on the
    /// day, so it stands here and not among the plan's own guards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_guard: Option<GuardVerdict>,
    /// Quota, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Records of the org that were looked at.
    pub org_rows: u64,
    /// Start of the org's web addresses, for links to records (`https://acme.lightning.force.com`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_links: Option<String>,
    /// Rights that a read-only plan user could not check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_checked: Vec<String>,
    /// Lints and warnings worth a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

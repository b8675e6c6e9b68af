//! What stands beside a plan and is not part of it: clock, calls, quota, way of reading.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the org was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// `IN` look-ups of the report's keys.
    Lookup,
    /// The whole object by query pages.
    Query,
    /// Nothing had to be read.
    None,
}

/// API calls of the day, as Salesforce last said (`Sforce-Limit-Info`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Used in the last 24 hours, by everyone in the org.
    pub used: u64,
    /// Allowed.
    pub allowed: u64,
}

/// What varies between two plans of the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Footbridge's version.
    pub version: String,
    /// When the plan was made (UTC).
    pub planned_at: Timestamp,
    /// The report file's time, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_modified: Option<Timestamp>,
    /// How the org was read.
    pub read_by: Way,
    /// API calls made so far.
    pub calls_made: u64,
    /// API calls that applying would make, retries and re-reads after failures apart.
    pub calls_to_come: u64,
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
